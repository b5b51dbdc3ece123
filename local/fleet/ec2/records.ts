/** What the local EC2 knows of one instance. */
import type { MachineView } from './machine-source.ts';

/** Codes as in `InstanceState`. */
export const STATE_CODES = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
} as const;
export type Ec2State = keyof typeof STATE_CODES;

export interface StateReason {
  readonly code: string;
  readonly message: string;
}

export const REASONS = {
  user: {
    code: 'Client.UserInitiatedShutdown',
    message: 'Client.UserInitiatedShutdown: User initiated shutdown',
  },
  power: {
    code: 'Server.InstancePowerLoss',
    message: 'Server.InstancePowerLoss: the machine lost its power',
  },
  failed: {
    code: 'Server.InternalError',
    message: 'Server.InternalError: Internal error on launch',
  },
} as const satisfies Record<string, StateReason>;

export interface InstanceRecord {
  readonly id: string;
  state: Ec2State;
  reason: StateReason | undefined;
  /** StateTransitionReason. */
  transition: string;
  /** Wall clock, ms: since when it has been in `state`. */
  sinceMs: number;
  /** Rises with every order; what an earlier order still does changes nothing any more. */
  order: number;
  /** Wall clock, ms, of a crash that EC2 has not understood. */
  crashedMs: number | undefined;
}

/** What DescribeInstances shows, taken at one moment. */
export interface Shown {
  readonly machine: MachineView;
  readonly record: Readonly<InstanceRecord>;
}

export function newRecord(machine: MachineView): InstanceRecord {
  return {
    ...{ id: machine.id, state: machine.isOn ? 'running' : 'stopped', reason: undefined, transition: '' },
    ...{ sinceMs: Date.now(), order: 0, crashedMs: undefined },
  };
}
