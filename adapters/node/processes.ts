/**
 * Processes found by marks in their environment, and ended until none is left. What belongs to a mark: `sweep.ts`.
 *
 * One empty sweep does not settle it: a process that forked into a lower pid and died before its turn hides its child,
 * and a process half-way through `exec` shows no environment at all. So two sweeps in a row, some time apart, must find
 * nothing; a young process without an environment, and a killed one that is not dead yet, count as something.
 *
 * Services are started under a leader that keeps the marks and the kernel session (`agent/services/leader.ts`), so that
 * even one that clears its environment is found by its session or its parent. Everything is therefore stopped before it
 * is killed, and the leader dies last: as long as such a one will not die, the leader stays as the evidence. What still
 * escapes: a process that clears its environment AND starts a session of its own, once its parent is gone; one that
 * clears it and whose leader somebody else has killed; whatever another daemon (systemd, docker, cron) was asked to start.
 */
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { invariant } from '../../core/failures/invariant.ts';
import { isDead, processStat } from './proc.ts';
import { type Found, sweep, sweepGently, type Target } from './sweep.ts';

export { environmentOf, processStart } from './proc.ts';

const SWEEP_GAP_MS = 5;
const LIMIT_MS = 5_000;
/** So many sets are dealt with before others get their turn. */
const PART = 32;
/** Something that goes on multiplying is killed as it is. */
const FREEZES_MAX = 3;

/**
 * Pids that belong to `mark` (`NAME=value`; all of them, if several), ascending; with `sessionIds` also the members of
 * these kernel sessions. The dead and the caller are left out.
 */
export function findMarked(mark: string | readonly string[], sessionIds: readonly number[] = []): number[] {
  const [found] = sweep([targetOf(mark, sessionIds)]);
  return [...(found?.members.keys() ?? [])];
}

/** `findMarked` for many sets of marks in one sweep. */
export function findAllMarked(sets: readonly (readonly string[])[]): number[][] {
  return sweep(sets.map((marks) => targetOf(marks, []))).map(({ members }) => [...members.keys()]);
}

function targetOf(mark: string | readonly string[], sessionIds: readonly number[]): Target {
  const marks = typeof mark === 'string' ? [mark] : mark;
  invariant(marks.length > 0 && !marks.includes(''), 'no marks: that would be every process of the machine');
  return { marks, givenSessions: new Set(sessionIds), ledSessions: new Set() };
}

/** Sends `signal` to each; returns how many were there to take it. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): number {
  let reached = 0;
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
      reached += 1;
    } catch {
      // Gone already, or of another user: the next sweep shows which.
    }
  }
  return reached;
}

export interface EndOptions {
  /** Kernel sessions that belong to the mark with every member. */
  readonly sessionIds?: readonly number[];
  readonly limitMs?: number;
}

/**
 * SIGKILLs everything that belongs to the marks, again and again, until two sweeps in a row find nothing; `left` if the
 * limit passes first. Calls under way at the same time share their sweeps, and each ends as soon as its own is settled.
 */
export function endMarked(mark: string | readonly string[], options: EndOptions = {}): Promise<'ended' | 'left'> {
  return new Promise((resolve) => {
    endings.add({
      target: targetOf(mark, options.sessionIds ?? []),
      frozen: new Map(),
      killed: new Map(),
      freezes: 0,
      limit: performance.now() + (options.limitMs ?? LIMIT_MS),
      emptySweeps: 0,
      resolve,
    });
    if (!isSweeping) void sweepUntilSettled();
  });
}

/** Many sets of marks at the price of one; the outcomes are in the order of the sets. */
export function endAllMarked(
  sets: readonly (readonly string[])[],
  options: { readonly limitMs?: number } = {},
): Promise<readonly ('ended' | 'left')[]> {
  return Promise.all(sets.map((marks) => endMarked(marks, options)));
}

interface Ending {
  target: Target;
  /** Start by pid of what was sent a SIGSTOP, and a SIGKILL. */
  readonly frozen: Map<number, number>;
  readonly killed: Map<number, number>;
  freezes: number;
  /** By `performance.now()`. */
  readonly limit: number;
  emptySweeps: number;
  readonly resolve: (outcome: 'ended' | 'left') => void;
}

const endings = new Set<Ending>();
let isSweeping = false;

async function sweepUntilSettled(): Promise<void> {
  isSweeping = true;
  await Promise.resolve(); // Whatever is asked for in the same breath joins the first sweep.
  while (endings.size > 0) {
    const round = [...endings];
    const found = await sweepOrNothing(round);
    for (const [index, ending] of round.entries()) {
      if (index % PART === PART - 1) await turn();
      const outcome = judge(ending, found?.[index]);
      if (outcome === 'open') continue;
      endings.delete(ending);
      ending.resolve(outcome);
    }
    if (endings.size > 0) await delay(SWEEP_GAP_MS);
  }
  isSweeping = false;
}

/** Undefined: the machine could not be looked at (no file descriptor, no memory), which proves nothing. */
async function sweepOrNothing(round: readonly Ending[]): Promise<readonly Found[] | undefined> {
  try {
    return await sweepGently(round.map(({ target }) => target));
  } catch {
    return undefined;
  }
}

function judge(ending: Ending, found: Found | undefined): 'ended' | 'left' | 'open' {
  const isOver = performance.now() >= ending.limit;
  if (found !== undefined) {
    ending.target = { ...ending.target, ledSessions: found.ledSessions };
    if (isOver || !freeze(ending, found)) kill(ending, found);
  }
  const isEmpty = found?.members.size === 0 && !found.isUnsettled && !isAnyAlive(ending.killed);
  ending.emptySweeps = isEmpty ? ending.emptySweeps + 1 : 0;
  if (ending.emptySweeps === 2) return 'ended';
  // A limit does not part two empty sweeps: on a slow machine nothing would ever be proven.
  return isOver && !isEmpty ? 'left' : 'open';
}

/**
 * All of it is stopped before any of it is killed: a child that is just dropping its environment and leaving the session
 * is known by its parent only. False: nothing new was found, or enough was tried.
 */
function freeze(ending: Ending, { members }: Found): boolean {
  const fresh = [...members].filter(([pid, { stat }]) => ending.frozen.get(pid) !== stat.startTicks);
  if (fresh.length === 0 || ending.freezes === FREEZES_MAX) return false;
  ending.freezes += 1;
  for (const [pid, { stat }] of fresh) {
    signalAll([pid], 'SIGSTOP');
    ending.frozen.set(pid, stat.startTicks);
  }
  return true;
}

/** A marked leader dies after the members that are found by it alone. */
function kill(ending: Ending, { members }: Found): void {
  const isAnyHidden = [...members.values()].some(({ isMarked }) => !isMarked);
  for (const [pid, { stat, isMarked }] of members) {
    if (isAnyHidden && isMarked && stat.session === pid) continue;
    signalAll([pid], 'SIGKILL');
    ending.killed.set(pid, stat.startTicks);
  }
}

/**
 * A killed process lets go of its memory, and with it of its mark, before it lets go of its files. One that cannot be
 * looked at counts as alive.
 */
function isAnyAlive(killed: ReadonlyMap<number, number>): boolean {
  try {
    return [...killed].some(([pid, startTicks]) => {
      const stat = processStat(pid);
      return stat !== undefined && stat.startTicks === startTicks && !isDead(stat);
    });
  } catch {
    return true;
  }
}
