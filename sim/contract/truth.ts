/**
 * What really happens in the simulated world, told by the world itself and never by the system under test: which processes
 * run on which machine, what was written into the tables, what was called. Checkers read this and nothing else.
 */
import type { GroupRecord, SessionTiming } from '../../core/protocol/records.ts';
import type { Millis } from '../../core/time/time.ts';
import type { FaultKind } from './faults.ts';

/** A process of a service on a machine. `where` is `group/slot`. */
export interface ServiceLife {
  readonly pid: number;
  readonly host: string;
  /** Identity of the machine, not the host's name: an instance may be replaced under the same name. */
  readonly machine: string;
  readonly where: string;
  readonly service: string;
  readonly epoch: number;
  /** Of the order that started it. */
  readonly session: string;
  readonly covered: boolean;
}

export type Fact =
  | { readonly type: 'machine'; readonly host: string; readonly machine: string; readonly now: MachineChange }
  | {
      readonly type: 'process';
      readonly host: string;
      readonly machine: string;
      readonly role: 'guard' | 'agent';
      readonly now: 'started' | 'ended';
      readonly why: string;
    }
  | { readonly type: 'service_up'; readonly life: ServiceLife }
  | { readonly type: 'service_down'; readonly life: ServiceLife; readonly why: string }
  /** A guard's own state changed: what it believes it may run, and until when. */
  | { readonly type: 'belief'; readonly host: string; readonly machine: string; readonly belief: Belief }
  /** A write of a host that the store took: registration, renewal. */
  | {
      readonly type: 'beat';
      readonly host: string;
      readonly machine: string;
      readonly session: string;
      readonly seq: number;
      /** Of the item that was written. */
      readonly principal?: string;
      /** Of a registration: what it says of its timing. Absent: a renewal. */
      readonly registered?: SessionTiming;
    }
  | { readonly type: 'revoked'; readonly principal: string; readonly session: string; readonly by: string }
  /** The control plane wrote a group's record. `before` is what stood there. */
  | { readonly type: 'group_written'; readonly before: GroupRecord | null; readonly after: GroupRecord }
  /** Any other write into the registry that was taken; `sk` tells the kind of record. */
  | { readonly type: 'record_written'; readonly pk: string; readonly sk: string }
  | {
      readonly type: 'power_call';
      readonly machine: string;
      readonly host: string;
      readonly call: 'stop' | 'start';
      readonly by: string;
    }
  | { readonly type: 'page'; readonly subject: string; readonly text: string }
  | { readonly type: 'state_entered'; readonly run: string; readonly state: string }
  | { readonly type: 'run_ended'; readonly run: string; readonly status: string }
  | {
      readonly type: 'invocation';
      readonly fn: string;
      readonly no: number;
      readonly now: 'begun' | 'ended' | 'failed' | 'killed';
      readonly says: string;
    }
  | { readonly type: 'operator'; readonly says: string; readonly outcome: string }
  /** A fault begins or ends. Background faults (a lost packet) tell `begins` only. */
  | {
      readonly type: 'fault';
      readonly kind: FaultKind;
      readonly subject: string;
      readonly now: 'begins' | 'ends';
      readonly says: string;
    }
  /** Something in the system under test broke: an invariant, a rejected promise that nobody awaits. */
  | { readonly type: 'bug'; readonly who: string; readonly says: string }
  /** For people who read a trace: a line of a log. */
  | { readonly type: 'log'; readonly who: string; readonly says: string };

export type MachineChange = 'on' | 'off' | 'frozen' | 'thawed' | 'reset' | 'replaced';

export interface Belief {
  readonly session: string;
  /** Slots it has given leave for and not seen proven stopped, as `group/slot`, with the epoch. */
  readonly slots: readonly { readonly where: string; readonly epoch: number; readonly covered: boolean }[];
  readonly isStopping: boolean;
  /** The deadline, in true time, as long as the machine's clock goes on. null: none yet. */
  readonly untilMs: Millis | null;
}

export type Told = Fact & { readonly at: Millis };

/** What a machine is and runs at this moment. */
export interface MachineTruth {
  readonly host: string;
  readonly machine: string;
  readonly principal: string;
  /** `stopped` and `terminated` as EC2 means them: nothing of it can run until it is started again. */
  readonly power: 'on' | 'off' | 'terminated';
  readonly isFrozen: boolean;
  readonly services: readonly ServiceLife[];
  readonly belief: Belief | null;
}

/** Read-only view for checkers, over everything that stands at this moment. */
export interface Truth {
  now(): Millis;
  machines(): readonly MachineTruth[];
  /** Bodies of registry records, as stored now. */
  records<T>(pk: string, prefix: string): readonly T[];
  record<T>(pk: string, sk: string): T | undefined;
  /** The stored heartbeat items. */
  heartbeats(): readonly HeartbeatTruth[];
}

export interface HeartbeatTruth {
  readonly principal: string;
  readonly host: string;
  readonly session: string;
  readonly seq: number;
}

export interface Violation {
  /** `I1` … `I11`, or `bug`. */
  readonly invariant: string;
  readonly at: Millis;
  /** What was seen and what must hold, with the names. */
  readonly says: string;
}

export interface Checker {
  readonly invariant: string;
  see(fact: Told): void;
  /** Once at the end of the quiet phase. */
  end(): void;
  readonly violations: readonly Violation[];
}
