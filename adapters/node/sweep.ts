/**
 * One look at all processes of the machine, for any number of sets of marks at once.
 *
 * What belongs to a set: a process whose environment holds every mark; a member of a kernel session that such a process
 * leads; a child of one that belongs. The last two find a service that has overwritten or dropped its environment. They
 * yield to what a process says itself: one whose environment holds another value of a mark belongs to someone else
 * (the agent in the session of the guard, a service under the agent).
 */
import { setImmediate as turn } from 'node:timers/promises';
import { isDead, isMidExec, listPids, processStat, type ProcessStat, rawEnvironment, uptimeTicks } from './proc.ts';

export interface Target {
  readonly marks: readonly string[];
  /** Kernel sessions that belong to it with every member, whatever the environments say. */
  readonly givenSessions: ReadonlySet<number>;
  /** Sessions whose leader was found to belong to it before, and may be gone by now. */
  readonly ledSessions: ReadonlySet<number>;
}

export interface Member {
  readonly stat: ProcessStat;
  /** It shows the marks itself: found without the others, too. */
  readonly isMarked: boolean;
}

export interface Found {
  /** By pid, ascending; the dead and the caller are left out. */
  readonly members: ReadonlyMap<number, Member>;
  /** Sessions led by members, or by one that has died between two looks at it. */
  readonly ledSessions: ReadonlySet<number>;
  /** A young process is half-way through `exec`, so that it cannot be told whose it is. */
  readonly isUnsettled: boolean;
}

interface Claim {
  readonly target: Target;
  readonly members: Map<number, Member>;
  readonly ledSessions: Set<number>;
}

interface Seen {
  readonly pid: number;
  readonly stat: ProcessStat;
  readonly environment: string | undefined;
}

/** Everything that lives, by the two ways in which a process without marks belongs to others. */
interface Living {
  readonly bySession: ReadonlyMap<number, readonly Seen[]>;
  readonly byParent: ReadonlyMap<number, readonly Seen[]>;
  readonly midExec: readonly number[];
}

/** Looking at one process takes some 20 µs: after so many others get their turn. */
const PART = 64;

export function sweep(targets: readonly Target[]): readonly Found[] {
  const parts = sweepInParts(targets);
  for (;;) {
    const part = parts.next();
    if (part.done === true) return part.value;
  }
}

/** The same without holding up the event loop. What changes meanwhile is no different from what changes after a look. */
export async function sweepGently(targets: readonly Target[]): Promise<readonly Found[]> {
  const parts = sweepInParts(targets);
  for (;;) {
    const part = parts.next();
    if (part.done === true) return part.value;
    await turn();
  }
}

type InParts<T> = Generator<undefined, T>;

function* sweepInParts(targets: readonly Target[]): InParts<readonly Found[]> {
  const claims = targets.map((target): Claim => {
    return { target, members: new Map(), ledSessions: new Set(target.ledSessions) };
  });
  const environments = yield* claimMarked(claims);
  const living = yield* lookAt(environments, claims.some(hasAnything));
  return claims.map((claim) => {
    if (hasAnything(claim)) claimRelated(claim, living);
    const members = new Map([...claim.members].sort(([a], [b]) => a - b));
    const isUnsettled = living.midExec.some((pid) => !members.has(pid));
    return { members, ledSessions: claim.ledSessions, isUnsettled };
  });
}

function hasAnything({ target, members, ledSessions }: Claim): boolean {
  return members.size + ledSessions.size + target.givenSessions.size > 0;
}

/** Gives every process to the sets whose marks it carries; returns all environments. */
function* claimMarked(claims: readonly Claim[]): InParts<ReadonlyMap<number, string | undefined>> {
  const byLastMark = Map.groupBy(claims, ({ target }) => target.marks.at(-1) ?? '');
  const environments = new Map<number, string | undefined>();
  for (const pid of listPids()) {
    if (pid === process.pid) continue;
    const environment = rawEnvironment(pid);
    environments.set(pid, environment);
    if (environments.size % PART === 0) yield;
    const entries = new Set(environment?.split('\0'));
    const owners = [...entries]
      .flatMap((entry) => byLastMark.get(entry) ?? [])
      .filter(({ target }) => target.marks.every((mark) => entries.has(mark)));
    if (owners.length > 0) claimMarkedPid(pid, owners);
  }
  return environments;
}

function claimMarkedPid(pid: number, owners: readonly Claim[]): void {
  const stat = processStat(pid);
  for (const { members, ledSessions } of owners) {
    // One that is gone by now may have led a session; if it did not, no process has that session.
    if (stat === undefined || stat.session === pid) ledSessions.add(pid);
    if (stat !== undefined && !isDead(stat)) members.set(pid, { stat, isMarked: true });
  }
}

/** As long as nothing is claimed, only those without an environment are looked at: half the cost of the usual sweep. */
function* lookAt(environments: ReadonlyMap<number, string | undefined>, isAnythingClaimed: boolean): InParts<Living> {
  const nowTicks = uptimeTicks();
  const seen: Seen[] = [];
  for (const [pid, environment] of environments) {
    if (!isAnythingClaimed && environment !== '') continue;
    const stat = processStat(pid);
    if (stat === undefined || isDead(stat)) continue;
    seen.push({ pid, stat, environment });
    if (seen.length % PART === 0) yield;
  }
  const midExec = seen.filter(({ stat, environment }) => environment === '' && isMidExec(stat, nowTicks));
  return {
    bySession: Map.groupBy(seen, ({ stat }) => stat.session),
    byParent: Map.groupBy(seen, ({ stat }) => stat.parent),
    midExec: midExec.map(({ pid }) => pid),
  };
}

function claimRelated({ target, members, ledSessions }: Claim, { bySession, byParent }: Living): void {
  const claim = ({ pid, stat }: Seen): void => {
    if (members.has(pid)) return;
    members.set(pid, { stat, isMarked: false });
    if (stat.session === pid) ledSessions.add(pid);
  };
  const claimUnlessOther = (seen: Seen): void => {
    if (!contradicts(seen.environment, target.marks)) claim(seen);
  };
  for (const session of target.givenSessions) bySession.get(session)?.forEach(claim);
  for (const session of ledSessions) bySession.get(session)?.forEach(claimUnlessOther);
  // A map visits what is added meanwhile.
  for (const parent of members.keys()) {
    byParent.get(parent)?.forEach(claimUnlessOther);
    if (ledSessions.has(parent)) bySession.get(parent)?.forEach(claimUnlessOther);
  }
}

/** It carries the name of a mark with another value. */
function contradicts(environment: string | undefined, marks: readonly string[]): boolean {
  const framed = `\0${environment ?? ''}\0`;
  return marks.some((mark) => {
    const name = mark.slice(0, mark.indexOf('=') + 1);
    return framed.includes(`\0${name}`) && !framed.includes(`\0${mark}\0`);
  });
}
