/**
 * The observer of find-behind: one pure step per answer of the store.
 *
 * A host is behind when its (session, sequence) was seen unchanged for longer than `behindAfter` × its interval on
 * the observer's own clock. No clock of a host is read. The observer is the first suspect (S13): after a pause of its
 * own, or when all hosts fall silent at once, every count begins again and for one L_c nobody is reported.
 *
 * "At once" needs care, for in an outage of the store the first host crosses the line while others still look well.
 * So a host is reported only if another was seen to move after this one's next renewal was due (a witness that the
 * store still takes renewals), or if all are silent and the doubt about that has been spent. Neither waits for ever
 * (I11): every other host soon moves, or crosses the line too.
 */
import { GAP_PERIODS } from '../config/control-limits.ts';
import { TIMING_PROFILES } from '../config/timing-profiles.ts';
import type { Heartbeat } from '../protocol/records.ts';
import type { Instant, Millis, WallInstant } from '../time/time.ts';
import { elapsed } from '../time/time.ts';
import type { Arrival, Sighting, Watch } from './watch.ts';
import { isLive, look, restarted, silence } from './watch.ts';

/** A pause of the observer up to this long is never a gap: below it the scheduler, not a fault, is the likely cause. */
const GAP_MIN_MS = 1_000;

/** In intervals: one renewal with its jitter, and the age of an answer when it arrives. */
const WITNESS_MARGIN = 1.5;

export interface Binding {
  readonly host: string;
  readonly principal: string;
}

export interface Doubt {
  readonly why: 'gap' | 'all-silent';
  readonly from: Instant;
  /** Nothing is reported until this long after `from`. */
  readonly graceMs: Millis;
}

/** Kept between sweeps. Losing it delays; losing it at every sweep would find nobody. */
export interface DetectorMemory {
  readonly watches: ReadonlyMap<string, Watch>;
  /** First answer without an item, per host. */
  readonly missing: ReadonlyMap<string, Arrival>;
  readonly doubt: Doubt | null;
}

export const EMPTY_MEMORY: DetectorMemory = { watches: new Map(), missing: new Map(), doubt: null };

export interface Sweep {
  readonly scan: readonly Heartbeat[];
  /** Read after the whole answer had arrived. */
  readonly answeredAt: Instant;
  readonly answeredAtWall: WallInstant;
  /** Arrival of the last complete answer before this one, failed reads left out; null: none is known. */
  readonly previousAnswerAt: Instant | null;
  readonly bindings: readonly Binding[];
}

export interface DetectorTiming {
  readonly behindAfter: number;
  /**
   * A longer pause between two answers is a gap (S13). It must be longer than sweeps are really apart: if each one looked
   * like a gap, nobody would ever be found.
   */
  readonly gapMs: Millis;
  /** L_c of the cluster; the grace is the longer of this and what live sessions recorded. */
  readonly takerWaitMs: Millis;
}

export interface BehindHost extends Binding {
  readonly session: string;
  readonly seq: number;
  /** After the first answer that held (session, seq) had arrived: what the wait of L_c + ε counts from. */
  readonly observedAtWallMs: WallInstant;
  readonly silentMs: Millis;
}

export interface RecoveredHost extends Binding {
  readonly session: string;
  readonly seq: number;
}

export interface MissingHost extends Binding {
  readonly observedAtWallMs: WallInstant;
  readonly missingMs: Millis;
}

export interface Observation {
  readonly memory: DetectorMemory;
  /** All that are behind, at every sweep; by host. */
  readonly behind: readonly BehindHost[];
  /** Reported earlier, and now seen to have moved on. */
  readonly recovered: readonly RecoveredHost[];
  /** Defined hosts without an item. */
  readonly missing: readonly MissingHost[];
  /** Over the line, but no other host vouches for the store yet. */
  readonly unconfirmed: readonly string[];
  /** Set while the observer doubts itself: then `behind` is empty. */
  readonly doubt: Doubt | null;
}

/** What a gap is to an observer that sweeps at this period. */
export function gapAfterMs(sweepPeriodMs: Millis): Millis {
  return Math.max(GAP_MIN_MS, GAP_PERIODS * sweepPeriodMs);
}

function isGap(sweep: Sweep, timing: DetectorTiming): boolean {
  return sweep.previousAnswerAt !== null && elapsed(sweep.previousAnswerAt, sweep.answeredAt) > timing.gapMs;
}

interface Seen extends Sighting {
  readonly binding: Binding;
}

function lookAtAll(memory: DetectorMemory, sweep: Sweep, arrival: Arrival, behindAfter: number): readonly Seen[] {
  const items = new Map(sweep.scan.map((item) => [item.principal, item]));
  return [...sweep.bindings]
    .sort((a, b) => (a.host < b.host ? -1 : 1))
    .flatMap((binding) => {
      const item = items.get(binding.principal);
      if (item === undefined) return [];
      return [{ binding, ...look(memory.watches.get(binding.host), item, arrival, behindAfter) }];
    });
}

/**
 * Another live host moved on after this one's renewal was due, so the store was taking renewals then.
 *
 * In an outage from T on this never holds: this host was last seen to renew at T − I·(1+J) or later, and the others
 * were seen in their old version for the last time before T, but for the age of that answer. The margin covers both.
 */
function hasWitness(seen: Seen, live: readonly Seen[]): boolean {
  const { since, intervalMs } = seen.watch;
  return live.some(({ watch, binding }) => {
    if (watch.movedAfter === null || binding.host === seen.binding.host) return false;
    return elapsed(since, watch.movedAfter) > WITNESS_MARGIN * intervalMs;
  });
}

function missingHosts(memory: DetectorMemory, sweep: Sweep, arrival: Arrival): ReadonlyMap<string, Arrival> {
  const found = new Set(sweep.scan.map((item) => item.principal));
  const missing = sweep.bindings.filter((binding) => !found.has(binding.principal));
  return new Map(missing.map(({ host }) => [host, memory.missing.get(host) ?? arrival]));
}

/** A session says itself what its L_c is: it shall not hold back for ever what is to be said of others (S16). */
const LONGEST_WAIT_MS = Math.max(...Object.values(TIMING_PROFILES).map(({ takerWaitMs }) => takerWaitMs));

/** Starts the doubt over: counts from this answer, grace of the longest L_c in force. */
function doubting(why: Doubt['why'], seen: readonly Seen[], arrival: Arrival, timing: DetectorTiming): Doubt {
  const live = seen.filter(({ watch }) => isLive(watch));
  const waits = live.map(({ watch }) => Math.min(watch.takerWaitMs, LONGEST_WAIT_MS));
  return { why, from: arrival.at, graceMs: Math.max(timing.takerWaitMs, ...waits) };
}

interface Judgement {
  readonly behind: readonly Seen[];
  readonly unconfirmed: readonly Seen[];
  readonly doubtAll: boolean;
}

/** Who is over the line, and may it be said? Stale views say nothing either way, so they never accuse. */
function judge(live: readonly Seen[], now: Instant, timing: DetectorTiming): Judgement {
  const isOver = ({ watch }: Seen) => silence(watch, now) > timing.behindAfter * watch.intervalMs;
  const over = live.filter((seen) => seen.saw === 'same' && isOver(seen));
  const areAllSilent = live.every(isOver);
  if (over.length === 0) return { behind: [], unconfirmed: [], doubtAll: false };
  if (live.length === 1) return { behind: over, unconfirmed: [], doubtAll: false };
  if (areAllSilent) {
    const isSpent = live.some(({ watch }) => watch.isDoubted);
    return isSpent
      ? { behind: over, unconfirmed: [], doubtAll: false }
      : { behind: [], unconfirmed: [], doubtAll: true };
  }
  const vouched = over.filter((seen) => hasWitness(seen, live));
  return { behind: vouched, unconfirmed: over.filter((seen) => !vouched.includes(seen)), doubtAll: false };
}

/** A host whose item is missing keeps its memory; one that is no longer bound is forgotten. */
function unseen(memory: DetectorMemory, sweep: Sweep, seen: readonly Seen[]): readonly (readonly [string, Watch])[] {
  const found = new Set(seen.map(({ binding }) => binding.host));
  return sweep.bindings.flatMap(({ host }) => {
    const watch = found.has(host) ? undefined : memory.watches.get(host);
    return watch === undefined ? [] : [[host, watch] as const];
  });
}

export function observe(memory: DetectorMemory, sweep: Sweep, timing: DetectorTiming): Observation {
  const arrival: Arrival = { at: sweep.answeredAt, wall: sweep.answeredAtWall };
  const seen = lookAtAll(memory, sweep, arrival, timing.behindAfter);
  const live = seen.filter(({ watch }) => isLive(watch));
  const recovered = live
    .filter(({ binding, saw }) => saw === 'moved' && memory.watches.get(binding.host)?.isReported === true)
    .map(({ binding, watch }) => ({ ...binding, session: watch.session, seq: watch.seq }));

  const gap = isGap(sweep, timing);
  const inGrace = memory.doubt !== null && elapsed(memory.doubt.from, arrival.at) < memory.doubt.graceMs;
  const judged = gap || inGrace ? undefined : judge(live, arrival.at, timing);
  const why = gap ? 'gap' : judged?.doubtAll === true ? 'all-silent' : undefined;
  const doubt = why !== undefined ? doubting(why, seen, arrival, timing) : inGrace ? memory.doubt : null;

  const behind = judged?.behind ?? [];
  const told = seen.map((one): readonly [string, Watch] => {
    const isDoubted = one.watch.isDoubted || (why === 'all-silent' && isLive(one.watch));
    return [one.binding.host, { ...one.watch, isDoubted, isReported: one.watch.isReported || behind.includes(one) }];
  });
  const all = [...unseen(memory, sweep, seen), ...told];
  const watches = new Map(why === undefined ? all : all.map(([host, watch]) => [host, restarted(watch, arrival)]));
  const missing = missingHosts(why === 'gap' ? { ...memory, missing: new Map() } : memory, sweep, arrival);
  return {
    memory: { watches, missing, doubt },
    behind: behind.map(({ binding, watch }) => ({
      ...binding,
      session: watch.session,
      seq: watch.seq,
      observedAtWallMs: watch.sinceWall,
      silentMs: silence(watch, arrival.at),
    })),
    recovered,
    missing: [...missing]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([host, first]) => ({
        host,
        principal: sweep.bindings.find((binding) => binding.host === host)?.principal ?? '',
        observedAtWallMs: first.wall,
        missingMs: elapsed(first.at, arrival.at),
      })),
    unconfirmed: (judged?.unconfirmed ?? []).map(({ binding }) => binding.host),
    doubt,
  };
}
