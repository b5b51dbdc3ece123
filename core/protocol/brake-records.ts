/** What the storm brake keeps, and what a person was told (S14, I11); keys are in `records.ts`. */
import type { WallInstant } from '../time/time.ts';

/** What a person was called about while it is held: once per reason, not once per pass or per run (I11). */
export interface ToldRecord {
  /** A host, or `group/slot`. */
  readonly subject: string;
  /** Normalised reasons, oldest first; the session or epoch is part of each. */
  readonly reasons: readonly string[];
  readonly sinceMs: WallInstant;
}

/** One destructive call, kept for one window after it was let through last. The same (host, session) spends once (S17). */
export interface Spent {
  readonly host: string;
  readonly session: string;
  readonly zone: string | null;
  readonly run: string;
  /** When it was let through last. */
  readonly atMs: WallInstant;
}

/** More than half fell silent within one window (S14); stands until each of its hosts came back, is over, or had its turn. */
export interface StormRecord {
  readonly sinceMs: WallInstant;
  /** When it was last seen to rage; the first turn is one window later. */
  readonly seenMs: WallInstant;
  readonly says: string;
  /** Hosts that were silent in it. */
  readonly hosts: readonly string[];
  /** Who was let go since, one per window, oldest first. */
  readonly turns: readonly { readonly host: string; readonly session: string; readonly atMs: WallInstant }[];
}

/** A destructive call that was not let through, and why; kept until it is or until its reason is gone. */
export interface BrakedCall {
  readonly host: string;
  readonly session: string;
  readonly reason: 'storm' | 'budget';
  readonly says: string;
  readonly sinceMs: WallInstant;
  /** When it was asked for last. */
  readonly askedMs: WallInstant;
}

/** Brake and budget of one cluster in one record, so that runs that ask at once agree (S14). */
export interface BrakeRecord {
  readonly spent: readonly Spent[];
  readonly storm: StormRecord | null;
  readonly held: readonly BrakedCall[];
}
