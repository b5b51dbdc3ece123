import { ec2PowerFamily, memoryPowerFamily } from './power-fixtures.ts';
import { powerContract } from './power.contract.ts';

powerContract(memoryPowerFamily);
powerContract(ec2PowerFamily);
