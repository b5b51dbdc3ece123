import { storePorts } from '../shared/aws-store.ts';
import { NO_MACHINES } from '../shared/no-machines.ts';
import { findBehind } from './handler.ts';

export const handler = findBehind({ ...storePorts(), ...NO_MACHINES });
