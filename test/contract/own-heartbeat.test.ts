import { emulatorFamily, memoryFamily } from './families.ts';
import { ownHeartbeatContract } from './own-heartbeat.contract.ts';

ownHeartbeatContract(memoryFamily);
ownHeartbeatContract(emulatorFamily());
