/**
 * Storm arithmetic (S14), and whether a look at the hosts says anything at all (S13).
 *
 * A look is two scans of the heartbeats with one renewal's time between them: whoever did not move is silent now. It is
 * made by the very process that is about to harm a host, because a storm may have broken out since the observer accused
 * that one. Its limits: one lost renewal reads as silence, so a look errs towards holding; and a silence that began
 * before anybody watched counts from the first answer that held the version, which is later than the truth.
 */
import { STORM_HOSTS_MIN } from '../config/brake-limits.ts';
import { TIMING_PROFILES } from '../config/timing-profiles.ts';
import type { LateRecord } from '../protocol/observer-records.ts';
import { type Heartbeat, type HostRecord, type HostStatus, REVOKED_PREFIX } from '../protocol/records.ts';
import type { Instant, Millis, WallInstant } from '../time/time.ts';
import { elapsed, wallElapsed } from '../time/time.ts';

/** A session says itself how often it renews: whoever has a host shall not hold up every fence by it (S16). */
const LONGEST_INTERVAL_MS = Math.max(...Object.values(TIMING_PROFILES).map(({ intervalMs }) => intervalMs));

/**
 * Time between the two scans: the longest interval that any live session recorded (S19), its jitter, and one renewal. One that
 * renews more seldom than any profile and the definition may look silent, which holds a fence back and orders none.
 */
export function settleMs(
  timing: { readonly intervalMs: Millis; readonly jitter: number; readonly renewCapMs: Millis },
  items: readonly Pick<Heartbeat, 'timing'>[],
): Millis {
  const recorded = items.map((item) => Math.min(item.timing.intervalMs, LONGEST_INTERVAL_MS));
  const intervalMs = Math.max(timing.intervalMs, ...recorded);
  return intervalMs * (1 + timing.jitter) + timing.renewCapMs;
}

/** A scan, with when it was asked for and when its whole answer had arrived. */
export interface Scanned {
  readonly items: readonly Heartbeat[];
  readonly askedAt: Instant;
  readonly answeredAt: Instant;
}

/** Below it the scheduler, not a fault, is the likely cause of a pause. */
const PAUSE_MIN_MS = 1_000;

/** Why the look says nothing (S13), or null: this process read slowly, or did not run, while it was looking. */
export function whyNoLook(first: Scanned, second: Scanned, waitMs: Millis, renewCapMs: Millis): string | null {
  const toleratedMs = Math.max(PAUSE_MIN_MS, renewCapMs);
  const readMs = Math.max(elapsed(first.askedAt, first.answeredAt), elapsed(second.askedAt, second.answeredAt));
  if (readMs > toleratedMs) return `reading the heartbeats took ${Math.round(readMs)} ms, more than ${toleratedMs}`;
  const pausedMs = elapsed(first.answeredAt, second.askedAt) - waitMs;
  if (pausedMs > toleratedMs) return `the control plane itself did not run for ${Math.round(pausedMs)} ms`;
  return null;
}

export interface LookedAt {
  readonly host: string;
  readonly zone: string | null;
  readonly status: HostStatus;
  readonly isSilent: boolean;
  /** When the silence was first held against it; null: it moves, or nobody had noticed before this look. */
  readonly silentSinceMs: WallInstant | null;
}

export interface Known {
  readonly record: Pick<HostRecord, 'host' | 'principal' | 'status' | 'statusSinceMs'>;
  readonly zone: string | null;
  readonly late: LateRecord | undefined;
}

/** What two scans say of each host: silent unless it was seen to move on, within its session or to a new one. */
export function looksAt(
  known: readonly Known[],
  first: readonly Heartbeat[],
  second: readonly Heartbeat[],
): readonly LookedAt[] {
  const before = new Map(first.map((item) => [item.principal, item]));
  const now = new Map(second.map((item) => [item.principal, item]));
  return known.map(({ record, zone, late }) => {
    const item = now.get(record.principal);
    const old = before.get(record.principal);
    const isSilent = item === undefined || old === undefined || !hasMoved(old, item);
    const isSame = item !== undefined && late?.session === item.session && late.seq === item.seq;
    // Revoked or gone: what is left on record is when its status last changed, which is later than its silence.
    const since = isSame ? late.observedAtMs : record.status === 'Up' ? null : record.statusSinceMs;
    return { host: record.host, zone, status: record.status, isSilent, silentSinceMs: isSilent ? since : null };
  });
}

/** Scans may be stale: an older version after a newer one is no sign of life. */
function hasMoved(old: Heartbeat, item: Heartbeat): boolean {
  return !item.session.startsWith(REVOKED_PREFIX) && (old.session !== item.session || item.seq > old.seq);
}

/** Hosts that are not lost already; those that are leave every count. */
export function membersOf(looked: readonly LookedAt[]): readonly LookedAt[] {
  return looked.filter(({ status }) => !OUT_OF_COUNT.includes(status));
}

/** `Connecting` has not been heard of, `Removed` is no longer defined; `Down` and `Fenced` are over. */
const OUT_OF_COUNT: readonly HostStatus[] = ['Down', 'Fenced', 'Removed', 'Connecting'];

export interface StormCount {
  /** Hosts of the cluster that are defined: below three there is no storm. */
  readonly size: number;
  /** Up when the window began. */
  readonly counted: readonly string[];
  /** Of those, silent now. */
  readonly silent: readonly string[];
}

/** Whoever was silent before the window began was not Up then, and leaves the count. */
export function stormCount(looked: readonly LookedAt[], windowMs: Millis, now: WallInstant): StormCount {
  const isOld = ({ silentSinceMs }: LookedAt): boolean =>
    silentSinceMs !== null && wallElapsed(silentSinceMs, now) > windowMs;
  const counted = membersOf(looked).filter((one) => !isOld(one));
  return {
    size: looked.filter(({ status }) => status !== 'Removed').length,
    counted: counted.map(({ host }) => host),
    silent: counted.filter(({ isSilent }) => isSilent).map(({ host }) => host),
  };
}

/** More than half: exactly half is not. */
export function isStorm({ size, counted, silent }: StormCount): boolean {
  return size >= STORM_HOSTS_MIN && silent.length * 2 > counted.length;
}
