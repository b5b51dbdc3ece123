import { emulatorFamily, memoryFamily } from './families.ts';
import { heartbeatsContract } from './heartbeats.contract.ts';

heartbeatsContract(memoryFamily);
heartbeatsContract(emulatorFamily());
