/**
 * An execution as plain JSON: what the interpreter is given and gives back.
 *
 * All times are milliseconds since 1970 on the clock of whoever calls, and never run backwards inside one execution.
 */
import type { ExecutionStatus } from '../ports.ts';
import type { Json } from './json.ts';

export interface Failure {
  readonly error: string;
  readonly cause: string;
}

export interface Execution {
  /** Of this record's shape, so that a later release can tell. */
  readonly format: 1;
  readonly name: string;
  readonly input: Json;
  readonly startedAtMs: number;
  status: ExecutionStatus;
  endedAtMs: number | null;
  output: Json;
  failure: Failure | null;
  redrives: number;
  /** End of the machine's own TimeoutSeconds; null: none. */
  timeoutAtMs: number | null;
  /** The latest time seen. */
  atMs: number;
  /** Number of the last task scheduled and of the last history event. */
  tasks: number;
  events: number;
  readonly root: Scope;
}

/** One sequence of states: the machine itself, a branch, or an iteration. */
export interface Scope {
  /** Empty for the machine, `Ask everyone[1]` for a branch, `Waves[0]/Slots[2]` for an iteration in an iteration. */
  readonly where: string;
  current: Activity;
  /** Set when `current` failed for good; then only a redrive goes on from here. */
  failure: Failure | null;
}

/** The state that a scope is in. `input` is what the state was entered with; `attempts` counts retries, per retrier. */
export interface Frame {
  readonly state: string;
  readonly input: Json;
  readonly attempts: readonly number[];
}

export type Activity =
  | (Frame & {
      readonly is: 'task';
      readonly taskId: string;
      readonly resource: string;
      readonly payload: Json;
      /** null: no time-out. */
      readonly dueAtMs: number | null;
    })
  | (Frame & { readonly is: 'backoff'; readonly dueAtMs: number })
  | (Frame & { readonly is: 'wait'; readonly dueAtMs: number })
  /** A Parallel or Map. A child is null until it begins; `inputs` has one entry for each. */
  | (Frame & { readonly is: 'fork'; readonly children: (Scope | null)[]; readonly inputs: readonly Json[] })
  /** Failed before it could begin, or while its result was put together. */
  | (Frame & { readonly is: 'halted' })
  | { readonly is: 'done'; readonly output: Json };

export type Event =
  | { readonly type: 'task_succeeded'; readonly taskId: string; readonly output: unknown }
  | { readonly type: 'task_failed'; readonly taskId: string; readonly error: string; readonly cause: string }
  /** Time has passed. */
  | { readonly type: 'tick' }
  | { readonly type: 'stop'; readonly error: string; readonly cause: string }
  /** Whoever ran the tasks has lost them: they are invoked again with a full time-out; waits keep their due time. */
  | { readonly type: 'resume' };

export type Effect =
  | {
      readonly do: 'invoke';
      readonly taskId: string;
      readonly resource: string;
      readonly input: Json;
      readonly stateName: string;
    }
  /** Nobody waits for this task any longer; its answer will change nothing. */
  | { readonly do: 'cancel'; readonly taskId: string }
  /** Send `tick` at that time. Each step says anew what to wait for: no `wake` means no timer. */
  | { readonly do: 'wake'; readonly atMs: number }
  | { readonly do: 'ended'; readonly status: 'SUCCEEDED'; readonly output: Json }
  | ({ readonly do: 'ended'; readonly status: 'FAILED' | 'ABORTED' | 'TIMED_OUT' } & Failure);

interface Entry {
  readonly id: number;
  readonly atMs: number;
}

/** `where` is the scope, as in Scope. */
interface StateEntry extends Entry {
  readonly where: string;
  readonly state: string;
}

export type HistoryEvent =
  | (Entry & { readonly type: 'ExecutionStarted'; readonly input: Json })
  | (StateEntry & { readonly type: 'StateEntered'; readonly input: Json })
  | (StateEntry & {
      readonly type: 'TaskScheduled';
      readonly taskId: string;
      readonly resource: string;
      readonly input: Json;
    })
  | (StateEntry & { readonly type: 'TaskSucceeded'; readonly taskId: string; readonly output: Json })
  | (StateEntry & Failure & { readonly type: 'TaskFailed' | 'TaskTimedOut'; readonly taskId: string })
  /** A state failed and neither Retry nor Catch took it up. */
  | (StateEntry & Failure & { readonly type: 'StateFailed' })
  | (StateEntry & { readonly type: 'StateExited'; readonly output: Json })
  | (Entry & { readonly type: 'ExecutionRedriven' })
  | (Entry & { readonly type: 'ExecutionSucceeded'; readonly output: Json })
  | (Entry & Failure & { readonly type: 'ExecutionFailed' | 'ExecutionAborted' | 'ExecutionTimedOut' });

/** What a step came to: keep `state` and append `history` first, then perform `effects`. */
export interface Step {
  readonly state: Execution;
  readonly effects: readonly Effect[];
  readonly history: readonly HistoryEvent[];
}

/** Limits of Step Functions. */
export const PAYLOAD_BYTES_MAX = 262_144;
export const HISTORY_EVENTS_MAX = 25_000;
/** Iterations of an inline Map that run at once. */
export const MAP_CONCURRENCY_MAX = 40;
