/** What those who look keep for the next look: find-behind its sweeps and late hosts, reconcile what it could not do; keys are in `records.ts`. */
import type { WallInstant } from '../time/time.ts';

export interface LateRecord {
  readonly host: string;
  readonly principal: string;
  readonly session: string;
  readonly seq: number;
  /** Stamped after the first answer that held (session, seq) had arrived. */
  readonly observedAtMs: WallInstant;
}

/** What a reconcile pass could not do for one host, slot or group while it went on with the others. */
export interface TroubleRecord {
  readonly subject: string;
  readonly sinceMs: WallInstant;
  readonly why: string;
  /** A person was called. */
  readonly isTold: boolean;
}

export interface ObserverRecord {
  /** Rises with each invocation of find-behind; an older loop ends when it sees a newer one. */
  readonly generation: number;
  readonly claimedAtMs: WallInstant;
  /** The last sweep of any invocation: tells the next one, which may have lost its memory, how long nobody looked (S13). */
  readonly lastSweepMs: WallInstant;
}
