/**
 * The world as the domain sees it. `adapters/aws` and `adapters/node` perform these against real services;
 * `adapters/memory` holds in-process twins that pass the same contract suites.
 */
import type { MetricName } from './metrics/metrics.ts';
import type { Beat, Heartbeat, Key, Registration, Stored } from './protocol/records.ts';
import type { Instant, Millis, WallInstant } from './time/time.ts';

/** CLOCK_BOOTTIME of this machine. */
export interface BootClock {
  now(): Instant;
}

/** Wall clock of a control-plane process. */
export interface WallClock {
  now(): WallInstant;
}

export interface Sleeper {
  sleep(ms: Millis): Promise<void>;
}

/** One-shot timers of one process. They fire late, if the process or its machine was stopped meanwhile; never early. */
export interface Timers {
  /** Calls `fire` once, not before `ms` have passed; the answer takes that back. */
  after(ms: Millis, fire: () => void): () => void;
}

/** Fresh identifiers (uuid v4). */
export interface Ids {
  next(): string;
}

export type FileStoreRead<T> =
  | { readonly state: 'read'; readonly value: T }
  /** Never written. */
  | { readonly state: 'absent' }
  /** There is something, and it is not what was written: the caller must assume the worst it could have said. */
  | { readonly state: 'unreadable'; readonly why: string };

/** One small JSON value on a disk that survives power cuts. A reader sees the old value or the new one, never half of one. */
export interface FileStore<T> {
  read(): Promise<FileStoreRead<T>>;
  /** On disk when the promise resolves. Calls take effect in order. */
  write(value: T): Promise<void>;
}

export type RegisterAnswer =
  | { readonly outcome: 'registered'; readonly heartbeat: Heartbeat }
  /** The item no longer holds the session that was read; `found` is a strong read back (undefined: no item). */
  | { readonly outcome: 'refused'; readonly found: Heartbeat | undefined };

export type RenewAnswer =
  | { readonly outcome: 'renewed'; readonly heartbeat: Heartbeat }
  /** Another session stands in the item, read back strongly: this session is over (S3). */
  | { readonly outcome: 'refused'; readonly found: Heartbeat }
  /**
   * Not taken, since a renewal of this same session that was sent later stands (`sentAtBootMs`): no acknowledgement, and not
   * S3's refusal. The session goes on.
   */
  | { readonly outcome: 'overtaken' }
  /** No item: an outage, not a refusal (S3). */
  | { readonly outcome: 'missing' };

/** A host's rights on its own heartbeat item. All faults are HaError `store_unavailable`, `store_throttled` or `timed_out`. */
export interface OwnHeartbeat {
  /** Strongly consistent. */
  read(): Promise<Heartbeat | undefined>;
  /**
   * One conditional write: the item's session is exactly `expected` (null: the item does not exist). Resets seq to 1 for the
   * new session, and `sentAtBootMs` to what the beat says, or to nothing.
   */
  register(registration: Registration, expected: string | null, beat: Beat, ttl: number): Promise<RegisterAnswer>;
  /**
   * One update on `session = mine`, and on `sentAtBootMs` being later than the one that stands, if both are there; the store
   * adds 1 to seq. No retry inside; ends within `capMs` or throws `timed_out`.
   */
  renew(session: string, beat: Beat, ttl: number, capMs: Millis): Promise<RenewAnswer>;
}

export type RevokeAnswer =
  /** `heartbeat` is the item as the revocation found it (old session still in it) with lists and slots it acknowledged. */
  | { readonly outcome: 'revoked'; readonly heartbeat: Heartbeat }
  /** The item holds something else: renewed, re-registered, or already revoked (by whom: read `found.session`). */
  | { readonly outcome: 'refused'; readonly found: Heartbeat | undefined };

/** The control plane's rights on the heartbeats table. */
export interface Heartbeats {
  /** Eventually consistent scan of every item, all pages. */
  scan(): Promise<readonly Heartbeat[]>;
  /** Strongly consistent. */
  read(principal: string): Promise<Heartbeat | undefined>;
  /** One conditional write on exactly (session, seq): session becomes `revoked:<run>`. Idempotent for the same run. */
  revoke(principal: string, session: string, seq: number, run: string): Promise<RevokeAnswer>;
  /** For a missing item only: writes `revoked:<run>` where no item exists; false if one does. */
  tombstone(principal: string, cluster: string, host: string, run: string, ttl: number): Promise<boolean>;
  /** Raises `directive` to `n` on an existing item; lower or equal numbers and missing items change nothing. */
  direct(principal: string, n: number): Promise<void>;
  /** Asks the host for faster beats for a while (`hurriedBeat`), by a value that it has not seen; a missing item is not made. */
  hurry(principal: string, mark: number): Promise<void>;
}

/** Registry records under optimistic versions. Bodies are plain JSON. */
export interface Registry {
  /** Strongly consistent. */
  get<T>(key: Key): Promise<Stored<T> | undefined>;
  /** Writes if the stored version is `expected` (null: no such record). `conflict` changes nothing. */
  put<T>(key: Key, body: T, expected: number | null): Promise<'written' | 'conflict'>;
  /** Removes under the same condition. */
  remove(key: Key, expected: number): Promise<'removed' | 'conflict'>;
  /** Strongly consistent query by sort-key prefix, in key order, or newest (highest) first. Reads all pages up to `limit`. */
  query<T>(
    pk: string,
    options: { prefix?: string; limit: number; newestFirst?: boolean; before?: string },
  ): Promise<readonly Stored<T>[]>;
}

export interface StartedExecution {
  /** `exists`: an execution of that name is known, running or ended. */
  readonly outcome: 'started' | 'exists';
}

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** Step Functions, as far as Lambdas use it. */
export interface Workflow {
  start(name: string, input: object): Promise<StartedExecution>;
  /** undefined: unknown name. */
  status(name: string): Promise<ExecutionStatus | undefined>;
}

/** Ends covered services when it is not fed in time. */
export interface Watchdog {
  /** Reads back the real time-out; refuses (HaError config_invalid) if it is not `timeoutMs` (V5). */
  arm(timeoutMs: Millis): Promise<void>;
  feed(): void;
  /** Orderly end: nothing covered is left. */
  disarm(): void;
}

/** What EC2 calls an instance's state; `unknown` for anything but a clear answer (S8). */
export type PowerState = 'pending' | 'running' | 'shutting-down' | 'stopping' | 'stopped' | 'terminated' | 'unknown';

/** One read of one machine. Fields are null where the answer did not say. */
export interface PowerReading {
  readonly state: PowerState;
  /** The machine's own identity as the answer gave it, in the form that keys heartbeats (an instance ARN): names and tags resolve to other machines later (S7). */
  readonly principal: string | null;
  /** ISO 8601; changes with every start. */
  readonly launchTime: string | null;
  /** Stopped may mean hibernated: what ran then runs on when it wakes. */
  readonly canHibernate: boolean | null;
  /** The worst of the system, instance and attached-EBS status checks. */
  readonly checks: 'ok' | 'initializing' | 'impaired' | 'insufficient-data' | 'unknown';
  /** ISO 8601, of the check that has been impaired longest. */
  readonly impairedSince: string | null;
  /** Why the state is `unknown`, or what the platform adds (state reason), in words. */
  readonly says: string;
}

export interface StopOrder {
  /** Without waiting for the operating system: nothing of it may go on. */
  readonly skipOsShutdown: boolean;
  /** For an instance that is stuck in stopping. */
  readonly force: boolean;
}

/** Power of machines, for fencing. */
export interface Power {
  /** Never throws for what the platform answers: throttled, not found, empty and refused are `unknown` with the reason. */
  read(machine: string): Promise<PowerReading>;
  /**
   * Asks for a stop; that it was accepted proves nothing. HaError `power_refused` (with the platform's reason) or `power_throttled`.
   * `isStillWanted` is asked right before each attempt is sent: a process may be suspended in between (S17).
   */
  stop(machine: string, order: StopOrder, isStillWanted?: () => boolean): Promise<void>;
  /** HaError as for `stop`. */
  start(machine: string): Promise<void>;
}

export type GuardCheck =
  | {
      readonly outcome: 'answered';
      /** The session that the guard holds; null: none. */
      readonly session: string | null;
      /** Its deadline had not passed when it answered. */
      readonly stands: boolean;
      /** Covered services that run, as `group/slot`. */
      readonly running: readonly string[];
    }
  /** No answer, an error, or an answer that cannot be read: says nothing (S8). */
  | { readonly outcome: 'unknown'; readonly says: string };

/** Asks the guard of a machine itself, by a path that shares nothing with the heartbeats (SSM). */
export interface GuardAsk {
  check(machine: string): Promise<GuardCheck>;
}

export type ProbeTarget =
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  | { readonly kind: 'http'; readonly url: string };

/** Does the application answer where its users reach it? Who answers it cannot say. */
export interface Probe {
  ask(target: ProbeTarget, timeoutMs: Millis): Promise<'answered' | 'silent'>;
}

export interface Alerts {
  /** Calls a person. */
  page(subject: string, text: string): Promise<void>;
}

/** Measurements for dashboards and alarms. Neither call ever throws: what cannot be measured is no reason to leave a host behind. */
export interface Metrics {
  /** Kept until the next flush, folded with what was recorded under the same name before. `cluster`: of what is of one. */
  record(name: MetricName, value: number, cluster?: string): void;
  /** Emits what was recorded since the last flush; nothing, if nothing was. */
  flush(): void;
}
