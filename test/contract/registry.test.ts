import { emulatorFamily, memoryFamily } from './families.ts';
import { registryContract } from './registry.contract.ts';

registryContract(memoryFamily);
registryContract(emulatorFamily());
