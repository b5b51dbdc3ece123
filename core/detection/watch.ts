/**
 * What the observer remembers of one host: the newest version it has seen, and since when.
 *
 * Scans are eventually consistent, so an older version may show up after a newer one. Within a session the higher
 * sequence is the newer (S2); a session that was replaced does not come back. A stale view therefore neither
 * restarts the count nor counts as a sign of life. Only if nothing else is shown for as long as silence is
 * tolerated, it is the truth after all (a table restored from an older copy), and is taken as a new observation.
 */
import type { Heartbeat } from '../protocol/records.ts';
import { REVOKED_PREFIX } from '../protocol/records.ts';
import type { Instant, Millis, WallInstant } from '../time/time.ts';
import { elapsed } from '../time/time.ts';

/** Replaced sessions remembered per host, for telling stale views; a host would have to restart this often within a stale read. */
const REPLACED_MAX = 8;

export interface Watch {
  readonly principal: string;
  readonly session: string;
  readonly seq: number;
  /** The session's own recorded timing judges it (S19). */
  readonly intervalMs: Millis;
  readonly takerWaitMs: Millis;
  /** Arrival of the first answer that held this version, or of the restart of the observation if that is later. */
  readonly since: Instant;
  readonly sinceWall: WallInstant;
  /** Arrival of the last answer that held exactly this version. */
  readonly heldAt: Instant;
  /** The host moved on to this version after this moment (less the age of an answer): the version before was still held then. null: not seen to move. */
  readonly movedAfter: Instant | null;
  /** Sessions that this one replaced, oldest first. */
  readonly replaced: readonly string[];
  /** Since when every answer was older than this version; null: the last answer held it. */
  readonly staleSince: Instant | null;
  /** Was reported behind in this session and has not moved since. */
  readonly isReported: boolean;
  /** An all-silent doubt was spent on this version; it cannot be held back by another. */
  readonly isDoubted: boolean;
}

/** When an answer of the store arrived. Always taken after the arrival, never before the question (S7). */
export interface Arrival {
  readonly at: Instant;
  readonly wall: WallInstant;
}

export interface Sighting {
  readonly watch: Watch;
  /** `first`: nothing to compare it with, or rewound. `moved`: a newer version. `same`: exactly this version. `stale`: an older one. */
  readonly saw: 'first' | 'moved' | 'same' | 'stale';
}

export function isLive(watch: Pick<Watch, 'session'>): boolean {
  return !watch.session.startsWith(REVOKED_PREFIX);
}

export function silence(watch: Watch, now: Instant): Millis {
  return elapsed(watch.since, now);
}

function observed(item: Heartbeat, arrival: Arrival): Omit<Watch, 'movedAfter' | 'replaced'> {
  return {
    principal: item.principal,
    session: item.session,
    seq: item.seq,
    intervalMs: item.timing.intervalMs,
    takerWaitMs: item.timing.takerWaitMs,
    since: arrival.at,
    sinceWall: arrival.wall,
    heldAt: arrival.at,
    staleSince: null,
    isReported: false,
    isDoubted: false,
  };
}

/** The host shows a session other than before: the old one is remembered as replaced. */
function replacedBy(watch: Watch, item: Heartbeat, arrival: Arrival): Watch {
  const replaced = [...watch.replaced, watch.session].filter((session) => session !== item.session);
  return { ...observed(item, arrival), movedAfter: watch.heldAt, replaced: replaced.slice(-REPLACED_MAX) };
}

function stale(watch: Watch, item: Heartbeat, arrival: Arrival, behindAfter: number): Sighting {
  const staleSince = watch.staleSince ?? arrival.at;
  const toleratedMs = behindAfter * Math.max(watch.intervalMs, item.timing.intervalMs);
  if (elapsed(staleSince, arrival.at) <= toleratedMs) return { watch: { ...watch, staleSince }, saw: 'stale' };
  // Rewound: nothing shows that the host moved, so this is no sign of life, neither for it nor for the store.
  return { watch: { ...replacedBy(watch, item, arrival), movedAfter: watch.movedAfter }, saw: 'first' };
}

export function look(watch: Watch | undefined, item: Heartbeat, arrival: Arrival, behindAfter: number): Sighting {
  if (watch === undefined || watch.principal !== item.principal) {
    return { watch: { ...observed(item, arrival), movedAfter: null, replaced: [] }, saw: 'first' };
  }
  if (watch.session !== item.session) {
    if (watch.replaced.includes(item.session)) return stale(watch, item, arrival, behindAfter);
    return { watch: replacedBy(watch, item, arrival), saw: 'moved' };
  }
  if (item.seq < watch.seq) return stale(watch, item, arrival, behindAfter);
  if (item.seq === watch.seq) return { watch: { ...watch, heldAt: arrival.at, staleSince: null }, saw: 'same' };
  const { replaced, heldAt } = watch;
  return { watch: { ...observed(item, arrival), movedAfter: heldAt, replaced }, saw: 'moved' };
}

/** The observer doubts itself: every count begins again at this answer (S13). What was reported stays known. */
export function restarted(watch: Watch, arrival: Arrival): Watch {
  return { ...watch, since: arrival.at, sinceWall: arrival.wall, staleSince: null };
}
