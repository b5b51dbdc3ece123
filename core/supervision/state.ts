/**
 * What a host knows about one slot: one active place of a group, and its services in dependency order.
 *
 * Everything that takes time is an effect with a number (`run`); the answer brings the number back. An answer with
 * another number is late: it belongs to something that has been superseded, and changes nothing.
 */
import type { Order, ReportOutcome } from '../protocol/records.ts';
import type { Instant, Millis } from '../time/time.ts';

/**
 * States of a service on its host. `disabling` without an action waits until its dependants are down; `disabled` waits
 * for its dependencies and for leave (what StarlingX calls enabling-throttle).
 */
export type ServicePhase = 'unknown' | 'disabled' | 'enabling' | 'enabled-active' | 'disabling' | 'failed';

/** Why a service is, or will end, `failed`. `stop-failed`: it may still be running; the others are proven stopped. */
export type Condition = 'none' | 'start-failed' | 'restarts-spent' | 'stop-failed';

export type Doing = 'start' | 'stop' | 'kill' | 'monitor';

export interface ServiceRecord {
  readonly phase: ServicePhase;
  /** The action in flight, numbered `run`. */
  readonly doing: Doing | null;
  readonly run: number;
  /** Number of the start or probe that found it running; a death of another life is late. */
  readonly life: number;
  readonly condition: Condition;
  readonly detail: string;
  /** Failed starts since it was last active; bounded by `actions.start.attempts`. */
  readonly startFailures: number;
  readonly stopFailures: number;
  /** The way down has used the kill: if it is still there after this, the stop has failed. */
  readonly killed: boolean;
  readonly monitorFailures: number;
  readonly monitorAt: Instant | null;
  /** It went down by itself: its next start is a restart (`due`), which spends the window's budget once (`begun`). */
  readonly restarting: 'no' | 'due' | 'begun';
  /** Moments of its own restarts; those of its dependencies are not counted here. */
  readonly restarts: readonly Instant[];
}

/**
 * What the slot is to become. `idle`: no order yet. `standby`: probed, and standing by once nothing of it runs (S20). `watch`: remembered from before the agent restarted, monitored, but
 * nothing is started until its order arrives again. `pause`: stopped for the lease, may resume in the same epoch.
 * `halt`: stopped by order, epoch kept. `replace`: everything goes down, then the newer order begins.
 */
export type Want = 'idle' | 'standby' | 'watch' | 'run' | 'pause' | 'halt' | 'fail' | 'release' | 'replace';

export interface SlotState {
  readonly order: Order | null;
  readonly want: Want;
  /** Plain words: why it failed, or why leave was refused. */
  readonly why: string;
  /** The order that follows a `replace`. */
  readonly next: Order | null;
  readonly services: Readonly<Record<string, ServiceRecord>>;
  /** The highest number given to an effect. */
  readonly lastRun: number;
  /** Leave asked for and not yet answered (number of the question). */
  readonly ask: number | null;
  /** Leave is not asked again before; a standby is not probed again before. */
  readonly askAt: Instant | null;
  /** In a row: refused leaves, or probes of a standby that found something. */
  readonly refusals: number;
  /** No service starts in this epoch or below, ever again (S6). */
  readonly releasedEpoch: number;
  readonly release: ReleaseState;
  /** What the standing order was answered. */
  readonly reported: ReportOutcome | null;
}

/** Asking the guard to prove the slot stopped and write the released epoch to disk. */
export interface ReleaseState {
  readonly run: number | null;
  readonly attempts: number;
  readonly askAt: Instant | null;
  readonly done: boolean;
}

export type ActionResult = 'success' | 'failed' | 'timed_out';
export type MonitorResult = 'running' | 'stopped' | 'failed' | 'timed_out';

export type SlotEvent =
  /** Idempotent within an epoch; a newer epoch replaces, or goes on with what is not covered; one at or below a released epoch is refused. */
  | { readonly type: 'start'; readonly order: Order }
  /** Of a newer epoch: what stands of an older one is not ours any more, and is ended first. */
  | { readonly type: 'standby'; readonly order: Order }
  /** `release` gives the epoch up for good; without an order it releases the standing one (drain). */
  | { readonly type: 'stop'; readonly reason: 'release' | 'lease' | 'order'; readonly order?: Order | undefined }
  /** The lease stands again. */
  | { readonly type: 'resume' }
  | { readonly type: 'leave'; readonly run: number; readonly granted: boolean; readonly why: string }
  | {
      readonly type: 'action_done';
      readonly service: string;
      readonly action: 'start' | 'stop' | 'kill';
      readonly run: number;
      readonly result: ActionResult;
      readonly detail: string;
    }
  | {
      readonly type: 'monitor';
      readonly service: string;
      readonly run: number;
      readonly result: MonitorResult;
      /** The epoch that started what runs, where that is known for certain. */
      readonly epoch?: number | undefined;
      readonly detail: string;
    }
  | { readonly type: 'process_died'; readonly service: string; readonly run: number; readonly code: number | null }
  | { readonly type: 'release_done'; readonly run: number; readonly proven: boolean }
  | { readonly type: 'tick' };

export type Effect =
  /** Every start needs it, first or restart (S6); the answer is used in the step in which it arrives, never later. */
  | { readonly do: 'ask_leave'; readonly run: number }
  /** `stop` supersedes whatever runs for the service: the performer ends that first. `probe`: not a periodic monitor. */
  | {
      readonly do: 'run_action';
      readonly service: string;
      readonly action: 'start' | 'stop' | 'monitor';
      readonly run: number;
      readonly timeoutMs: Millis;
      readonly probe: boolean;
    }
  /** Ends the whole process tree of the service. */
  | { readonly do: 'kill'; readonly service: string; readonly run: number }
  /** Tell at once when its process dies; `run` names this life. */
  | { readonly do: 'watch'; readonly service: string; readonly run: number }
  | { readonly do: 'release'; readonly run: number; readonly epoch: number }
  | { readonly do: 'report'; readonly order: Order; readonly outcome: ReportOutcome; readonly detail: string }
  /** Send `tick` then; replaces any earlier wake. */
  | { readonly do: 'wake'; readonly at: Instant };

export interface SlotStep {
  readonly state: SlotState;
  readonly effects: readonly Effect[];
}

export const NO_RELEASE: ReleaseState = { run: null, attempts: 0, askAt: null, done: false };

export const EMPTY_SLOT: SlotState = {
  order: null,
  want: 'idle',
  why: '',
  next: null,
  services: {},
  lastRun: 0,
  ask: null,
  askAt: null,
  refusals: 0,
  releasedEpoch: 0,
  release: NO_RELEASE,
  reported: null,
};

export const NEW_SERVICE: ServiceRecord = {
  phase: 'unknown',
  doing: null,
  run: 0,
  life: 0,
  condition: 'none',
  detail: '',
  startFailures: 0,
  stopFailures: 0,
  killed: false,
  monitorFailures: 0,
  monitorAt: null,
  restarting: 'no',
  restarts: [],
};
