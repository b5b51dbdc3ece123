import { storePorts } from '../shared/aws-store.ts';
import { NO_MACHINES } from '../shared/no-machines.ts';
import { haRecover } from './handler.ts';

export const handler = haRecover({ ...storePorts(), ...NO_MACHINES });
