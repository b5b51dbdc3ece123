import { storePorts } from '../shared/aws-store.ts';
import { NO_MACHINES } from '../shared/no-machines.ts';
import { reconcileHandler } from './handler.ts';

export const handler = reconcileHandler({ ...storePorts(), ...NO_MACHINES });
