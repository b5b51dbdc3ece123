/**
 * Whether one destructive call on mere suspicion may be made now (S14): storm first, then the budget.
 *
 * One record per cluster holds the storm, the turns given in it and what was spent, and is written on the version that
 * was read. So of two runs that ask at once one writes first, and the other decides again on what stands then. The call
 * is paid for before it is made: a step that dies in between has spent for nothing, never the other way round.
 *
 * A zone that falls silent as a whole is no storm unless it is more than half of the cluster: zones do fail, and their
 * slots must go elsewhere. But a zone of two or more hosts is never fenced whole within one window.
 */
import type { BrakeLimits } from '../config/brake-limits.ts';
import { isStorm, type LookedAt, membersOf, stormCount } from '../detection/storm.ts';
import type { BrakedCall, BrakeRecord, Spent, StormRecord } from '../protocol/brake-records.ts';
import type { HostRecord } from '../protocol/records.ts';
import { type Millis, wallElapsed, type WallInstant } from '../time/time.ts';

export const NO_BRAKE: BrakeRecord = { spent: [], storm: null, held: [] };

export interface Act {
  readonly host: string;
  readonly session: string;
  readonly zone: string | null;
  readonly run: string;
}

export interface Asked {
  readonly act: Act;
  readonly looked: readonly LookedAt[];
  readonly limits: BrakeLimits;
  readonly nowMs: WallInstant;
}

export type Braked =
  | { readonly go: true; readonly record: BrakeRecord; readonly says: string }
  | { readonly go: false; readonly record: BrakeRecord; readonly says: string; readonly reason: 'storm' | 'budget' };

/** Moments that lie ahead belong to a process whose clock is ahead: they count. */
const isWithin = (atMs: WallInstant, windowMs: Millis, now: WallInstant): boolean => wallElapsed(atMs, now) < windowMs;

/** Pure and idempotent: asking again about the same (host, session) within the window spends nothing more, but for longer. */
export function brakeOn(before: BrakeRecord, given: Asked): Braked {
  const { act, limits, nowMs } = given;
  const asked: Asked = { ...given, looked: withMemory(given.looked, before.storm) };
  const spent = before.spent.filter(({ atMs }) => isWithin(atMs, limits.windowMs, nowMs));
  const record: BrakeRecord = { ...before, spent, storm: stormNow(before.storm, asked) };
  if (!asked.looked.some(({ host, isSilent }) => host === act.host && isSilent)) {
    const says = `${act.host} is not silent now: nothing is done to it`;
    return { go: false, record: { ...record, held: withoutHost(record.held, act.host) }, says, reason: 'storm' };
  }
  const storm = whyStorm(record.storm, asked);
  if (storm !== null) return held(record, asked, 'storm', storm);
  const others = membersOf(asked.looked).filter(({ host, isSilent }) => !isSilent && !isSpentOn(spent, host));
  if (others.length < limits.minHealthy) {
    const says = `no other host renews its lease, so it may be the control plane's own trouble: ${act.host} is not fenced`;
    return held(record, asked, 'storm', says);
  }
  const isPaid = spent.some(({ host, session }) => host === act.host && session === act.session);
  const over = isPaid ? null : whyOverBudget(spent, asked);
  if (over !== null) return held(record, asked, 'budget', over);
  return letGo(record, asked, isPaid);
}

/**
 * What the record alone refuses, before anybody looks at the hosts: in a storm of hundreds, each of their runs would read
 * every heartbeat twice, again and again, from a store that may be what is in trouble. null: look.
 */
export function heldWithoutLook(before: BrakeRecord, { act, limits, nowMs }: Omit<Asked, 'looked'>): Braked | null {
  const { storm } = before;
  const asked: Asked = { act, limits, nowMs, looked: [] };
  if (storm !== null && !hasTurn(storm, act) && isPacing(storm, limits, nowMs)) {
    return held(before, asked, 'storm', waitsForTurn(storm, act, limits));
  }
  const spent = before.spent.filter(({ atMs }) => isWithin(atMs, limits.windowMs, nowMs));
  const isPaid = spent.some(({ host, session }) => host === act.host && session === act.session);
  if (isPaid || spent.length < limits.perCluster) return null;
  return held(before, asked, 'budget', clusterIsSpent(limits.perCluster, asked));
}

/** A host of a storm on record has been silent since then at the latest, however often its status has changed meanwhile. */
function withMemory(looked: readonly LookedAt[], storm: StormRecord | null): readonly LookedAt[] {
  if (storm === null) return looked;
  return looked.map((one) => {
    if (!one.isSilent || !storm.hosts.includes(one.host)) return one;
    const isEarlier = one.silentSinceMs !== null && wallElapsed(one.silentSinceMs, storm.seenMs) > 0;
    return { ...one, silentSinceMs: isEarlier ? one.silentSinceMs : storm.seenMs };
  });
}

const isSpentOn = (spent: readonly Spent[], host: string): boolean => spent.some((one) => one.host === host);

function held(record: BrakeRecord, { act, nowMs }: Asked, reason: BrakedCall['reason'], says: string): Braked {
  const known = record.held.find(({ host, session }) => host === act.host && session === act.session);
  const sinceMs = known?.reason === reason ? known.sinceMs : nowMs;
  const call: BrakedCall = { host: act.host, session: act.session, reason, says, sinceMs, askedMs: nowMs };
  return { go: false, record: { ...record, held: [...withoutHost(record.held, act.host), call] }, says, reason };
}

const withoutHost = (calls: readonly BrakedCall[], host: string): readonly BrakedCall[] =>
  calls.filter((call) => call.host !== host);

function letGo(record: BrakeRecord, asked: Asked, isPaid: boolean): Braked {
  const { act, nowMs, limits, looked } = asked;
  const payment: Spent = { host: act.host, session: act.session, zone: act.zone, run: act.run, atMs: nowMs };
  const spent = isPaid ? repaid(record.spent, payment) : [...record.spent, payment];
  const members = membersOf(looked);
  const silent = members.filter(({ isSilent }) => isSilent).length;
  const { most } = clusterLimit(record.spent, asked);
  return {
    go: true,
    record: { spent, storm: withTurn(record.storm, act, nowMs), held: withoutHost(record.held, act.host) },
    says: `${silent} of ${members.length} hosts are silent; this is destructive call ${spent.length} of ${most} within ${inSeconds(limits.windowMs)}`,
  };
}

/**
 * A call that is let through once more takes no more of the budget, but its window begins anew: the step that was let
 * through before may have died ahead of its call, so that this one is the first that is made.
 */
function repaid(spent: readonly Spent[], { host, session, atMs }: Spent): readonly Spent[] {
  return spent.map((one) => {
    const isSame = one.host === host && one.session === session;
    return isSame && wallElapsed(one.atMs, atMs) > 0 ? { ...one, atMs } : one;
  });
}

// ---- storm -------------------------------------------------------------------------------------------------

/** The storm as this look leaves it: begun, grown, or as it stood. */
function stormNow(before: StormRecord | null, { looked, limits, nowMs }: Asked): StormRecord | null {
  // One that is on record is known since it began; one that is not may have begun before this first call was asked for.
  const withinMs = before === null ? (limits.reachMs ?? limits.windowMs) : limits.windowMs;
  const count = stormCount(looked, withinMs, nowMs);
  if (!isStorm(count)) return before;
  const says = `${count.silent.length} of ${count.counted.length} hosts fell silent within ${inSeconds(withinMs)}: ${named(count.silent)}`;
  if (before === null) return { sinceMs: nowMs, seenMs: nowMs, says, hosts: count.silent, turns: [] };
  const hosts = [...new Set([...before.hosts, ...count.silent])].toSorted();
  // The same silence seen again is no new storm: without this it would never have passed.
  return hosts.length > before.hosts.length ? { ...before, hosts, says, seenMs: nowMs } : before;
}

function whyStorm(storm: StormRecord | null, { act, looked, limits, nowMs }: Asked): string | null {
  if (storm === null) return null;
  if (isStorm(stormCount(looked, limits.windowMs, nowMs))) {
    return `${storm.says}. Nothing suspected is fenced in a storm; ${act.host} waits`;
  }
  if (hasTurn(storm, act) || !isPacing(storm, limits, nowMs)) return null;
  return waitsForTurn(storm, act, limits);
}

function waitsForTurn({ says }: StormRecord, { host }: Act, { windowMs }: BrakeLimits): string {
  const most = `until it has passed for ${inSeconds(windowMs)}, then one host per ${inSeconds(windowMs)}`;
  return `${says}. Nothing suspected is fenced ${most}; ${host} waits for its turn`;
}

const hasTurn = (storm: StormRecord, { host, session }: Pick<Act, 'host' | 'session'>): boolean =>
  storm.turns.some((turn) => turn.host === host && turn.session === session);

/** Less than a window has passed since the storm was last seen, or since the last turn. */
function isPacing(storm: StormRecord, { windowMs }: BrakeLimits, nowMs: WallInstant): boolean {
  return [storm.seenMs, ...storm.turns.map(({ atMs }) => atMs)].some((atMs) => isWithin(atMs, windowMs, nowMs));
}

function withTurn(storm: StormRecord | null, { host, session }: Act, nowMs: WallInstant): StormRecord | null {
  if (storm === null || hasTurn(storm, { host, session })) return storm;
  return { ...storm, turns: [...storm.turns, { host, session, atMs: nowMs }] };
}

/**
 * The record as the hosts stand now, by their status alone, so that reconcile can tell at each pass: calls are forgotten
 * whose host is no longer suspected, or that nobody asks for any more; the storm is over once a window has passed since it
 * was last seen and since the last turn, and no call waits for it.
 */
export function calmed(
  record: BrakeRecord,
  hosts: readonly Pick<HostRecord, 'host' | 'status'>[],
  limits: BrakeLimits,
  nowMs: WallInstant,
): BrakeRecord {
  const suspected = new Set(hosts.filter(({ status }) => SUSPECTED.includes(status)).map(({ host }) => host));
  const calls = record.held.filter(
    ({ host, askedMs }) => suspected.has(host) && wallElapsed(askedMs, nowMs) < FORGOTTEN_AFTER_MS + limits.windowMs,
  );
  const isOver =
    record.storm !== null && !isPacing(record.storm, limits, nowMs) && !calls.some(({ reason }) => reason === 'storm');
  const storm = isOver ? null : record.storm;
  return storm === record.storm && calls.length === record.held.length ? record : { ...record, storm, held: calls };
}

const SUSPECTED: readonly HostRecord['status'][] = ['Behind', 'Investigating', 'Disconnected', 'Fencing', 'Alert'];

/** Runs about a host are tried again at least once a minute; a call that is not asked for that long is nobody's. */
const FORGOTTEN_AFTER_MS = 10 * 60_000;

// ---- budget ------------------------------------------------------------------------------------------------

interface Limit {
  readonly spent: number;
  /** Calls per window. */
  readonly most: number;
}

/**
 * V12: what is spent within a window leaves `minHealthy` of those that stood when it began. The host that the call is about
 * counts though it is on record as down: its lease has shown that much, and a slot of it may accept nothing but its power.
 */
function clusterLimit(spent: readonly Spent[], { act, looked, limits }: Omit<Asked, 'nowMs'>): Limit {
  const most = Math.min(limits.perCluster, standing(looked, [...spent, act]) - limits.minHealthy);
  return { spent: spent.length, most };
}

function zoneLimit(spent: readonly Spent[], { act, looked, limits }: Asked): Limit | null {
  if (act.zone === null) return null;
  const ofZone = spent.filter(({ zone }) => zone === act.zone);
  const hosts = standing(
    looked.filter(({ zone }) => zone === act.zone),
    [...ofZone, act],
  );
  // A zone of one host is no watched set: nobody would be left in it.
  const most = hosts < 2 ? limits.perZone : Math.min(limits.perZone, hosts - limits.minHealthy);
  return { spent: ofZone.length, most };
}

/** Hosts that are not lost, or were not before this window's calls. */
function standing(looked: readonly LookedAt[], spent: readonly Pick<Spent, 'host'>[]): number {
  const members = membersOf(looked).map(({ host }) => host);
  return new Set([...members, ...spent.map(({ host }) => host)]).size;
}

function whyOverBudget(spent: readonly Spent[], asked: Asked): string | null {
  const cluster = clusterLimit(spent, asked);
  const window = inSeconds(asked.limits.windowMs);
  if (cluster.spent >= cluster.most) return clusterIsSpent(cluster.most, asked);
  const zone = zoneLimit(spent, asked);
  if (zone === null || zone.spent < zone.most) return null;
  return `the budget of ${zone.most} destructive calls per ${window} in zone ${asked.act.zone ?? ''} is spent; ${asked.act.host} waits`;
}

function clusterIsSpent(most: number, { act, limits }: Asked): string {
  return `the budget of ${Math.max(0, most)} destructive calls per ${inSeconds(limits.windowMs)} in this cluster is spent; ${act.host} waits`;
}

const inSeconds = (ms: Millis): string => `${ms / 1_000} s`;

/** A page stays readable in a large fleet. */
const NAMED_MAX = 5;

function named(hosts: readonly string[]): string {
  const more = hosts.length > NAMED_MAX ? ` and ${hosts.length - NAMED_MAX} more` : '';
  return `${hosts.slice(0, NAMED_MAX).join(', ')}${more}`;
}
