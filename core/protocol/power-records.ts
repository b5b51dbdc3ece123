/** What is stored of a machine's power: orders to cut it, and reads that showed it off (S7); part of a host's record. */
import type { Millis, WallInstant } from '../time/time.ts';

export interface FenceOrder {
  readonly session: string;
  readonly by: string;
  readonly atMs: WallInstant;
}

export interface PowerFence {
  readonly session: string;
  readonly run: string;
  readonly atMs: WallInstant;
  /** When the forced stop was accepted; null: none was. */
  readonly forcedAtMs: WallInstant | null;
}

/** One read that showed a machine off, with what ties it to the session. */
export interface OffRead {
  readonly state: 'stopped' | 'terminated';
  readonly principal: string;
  readonly launchTime: string;
  readonly askedAtMs: WallInstant;
  readonly answeredAtMs: WallInstant;
}

export interface PoweredOff {
  readonly session: string;
  readonly machine: string;
  /** m of the session, as it recorded it; absent: not known. */
  readonly writeLifeMs?: Millis | undefined;
  /** The second was asked at least 2 s, and m, after the first was answered. */
  readonly reads: readonly [OffRead, OffRead];
}
