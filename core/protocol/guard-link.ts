/** Messages between the guard and its agent (Node IPC, JSON). Instants are of the machine's boot clock, shared by both. */
import type { Timing } from '../config/model.ts';
import type { Instant } from '../time/time.ts';
import type { GuardLevel } from './records.ts';

export interface SlotRef {
  readonly group: string;
  readonly slot: number;
  readonly epoch: number;
}

/** Run by the guard after it killed a slot's processes, e.g. the OCF stop that removes an address. */
export interface CleanupCommand {
  readonly service: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface LeaveRequest extends SlotRef {
  readonly session: string;
  readonly covered: boolean;
  readonly cleanup: readonly CleanupCommand[];
}

export type AgentMessage =
  | { readonly type: 'ready' }
  /** The timing in force, before registration: the guard arms the watchdog with it and answers `armed`. */
  | { readonly type: 'arm'; readonly session: string; readonly timing: Timing }
  /** The registration written at `sentAt` stands; the lease counts from there. */
  | { readonly type: 'registered'; readonly session: string; readonly sentAt: Instant; readonly answeredAt: Instant }
  | { readonly type: 'renewed'; readonly session: string; readonly sentAt: Instant; readonly answeredAt: Instant }
  | { readonly type: 'refused'; readonly session: string; readonly found: string }
  | { readonly type: 'leave'; readonly id: number; readonly request: LeaveRequest }
  | { readonly type: 'release'; readonly id: number; readonly ref: SlotRef }
  /** The agent has begun to stop what is covered, as stop number `stop` asks. */
  | { readonly type: 'stopping'; readonly stop: number }
  /** Every action of that stop has ended and no leave is kept; the guard proves it for itself. */
  | { readonly type: 'stopped'; readonly stop: number }
  /** May this session be reported closed? Asked at the end of a drain. */
  | { readonly type: 'close'; readonly id: number; readonly session: string }
  /** Everything was released in good order; the guard may end. */
  | { readonly type: 'drained' };

export type GuardMessage =
  /** Who to be. `isRegistered`: the session already stands in the store, go on renewing it. `handover`: earlier sessions of this machine. */
  | {
      readonly type: 'session';
      readonly session: string;
      readonly isRegistered: boolean;
      readonly timing: Timing | null;
      readonly handover: readonly string[];
      readonly level: GuardLevel;
    }
  /** The watchdog stands; a session registered now may name this level. */
  | { readonly type: 'armed'; readonly level: GuardLevel }
  | { readonly type: 'leave'; readonly id: number; readonly granted: boolean; readonly why: string }
  | { readonly type: 'release'; readonly id: number; readonly released: boolean; readonly why: string }
  | { readonly type: 'close'; readonly id: number; readonly closed: boolean; readonly why: string }
  /** Stops are numbered, so that an answer to one is not taken for an answer to the next. */
  | { readonly type: 'stop_covered'; readonly stop: number; readonly why: string }
  | { readonly type: 'resume' }
  | { readonly type: 'drain' }
  /** Every p: an agent that hears nothing for w stops beating. */
  | { readonly type: 'pulse' };
