/**
 * Processes found by a mark in their environment, and ended until none is left.
 *
 * A sweep lists `/proc` once. One empty sweep does not settle it: a process that forked into a lower pid and died before
 * its turn hides its child, and a process half-way through `exec` shows no environment at all. So two sweeps in a row,
 * some time apart, must find nothing; a young process without an environment, and a killed one that is not dead yet,
 * count as something.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isDead, isMidExec, listPids, processStat, rawEnvironment, uptimeTicks } from './proc.ts';

export { environmentOf, processStart } from './proc.ts';

const SWEEP_GAP_MS = 5;

/**
 * Pids whose environment holds exactly `mark` (`NAME=value`; all of them, if several), or whose kernel session is listed.
 * The dead and the caller are left out.
 */
export function findMarked(mark: string | readonly string[], sessionIds: readonly number[] = []): number[] {
  return sweep(listOf(mark), new Set(sessionIds)).pids;
}

function listOf(mark: string | readonly string[]): readonly string[] {
  return typeof mark === 'string' ? [mark] : mark;
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
  /** Kernel sessions that belong to the mark whatever their environment shows (a service may overwrite its own). */
  readonly sessionIds?: readonly number[];
  readonly limitMs?: number;
}

/** SIGKILLs everything that carries every mark, again and again, until two sweeps in a row find none; `left` if the limit passes first. */
export async function endMarked(mark: string | readonly string[], options: EndOptions = {}): Promise<'ended' | 'left'> {
  const marks = typeof mark === 'string' ? [mark] : mark;
  const sessions = new Set(options.sessionIds);
  const killed = new Map<number, number>();
  const sweepsMax = Math.max(2, Math.ceil((options.limitMs ?? 5_000) / SWEEP_GAP_MS));
  let emptySweeps = 0;
  for (let n = 0; n < sweepsMax; n += 1) {
    const found = sweep(marks, sessions);
    for (const pid of found.pids) note(pid, killed, sessions);
    signalAll(found.pids, 'SIGKILL');
    const isEmpty = found.pids.length === 0 && !found.isUnsettled && !isAnyAlive(killed);
    emptySweeps = isEmpty ? emptySweeps + 1 : 0;
    if (emptySweeps === 2) return 'ended';
    await delay(SWEEP_GAP_MS);
  }
  return 'left';
}

/** Remembers who is killed, and the session of a marked leader: its members belong to the mark too. */
function note(pid: number, killed: Map<number, number>, sessions: Set<number>): void {
  const stat = processStat(pid);
  if (stat === undefined) return;
  killed.set(pid, stat.startTicks);
  if (stat.session === pid) sessions.add(pid);
}

/** A killed process lets go of its memory, and with it of its mark, before it lets go of its files. */
function isAnyAlive(killed: ReadonlyMap<number, number>): boolean {
  return [...killed].some(([pid, startTicks]) => {
    const stat = processStat(pid);
    return stat !== undefined && stat.startTicks === startTicks && !isDead(stat);
  });
}

interface Sweep {
  readonly pids: number[];
  readonly isUnsettled: boolean;
}

function sweep(marks: readonly string[], sessions: ReadonlySet<number>): Sweep {
  const pids: number[] = [];
  let isUnsettled = false;
  const nowTicks = uptimeTicks();
  for (const pid of listPids()) {
    if (pid === process.pid) continue;
    const environment = rawEnvironment(pid);
    const isMarked = environment !== undefined && holdsAll(environment, marks);
    if (!isMarked && environment !== '' && sessions.size === 0) continue;
    const stat = processStat(pid);
    if (stat === undefined || isDead(stat)) continue;
    if (isMarked || sessions.has(stat.session)) pids.push(pid);
    else if (environment === '' && isMidExec(stat, nowTicks)) isUnsettled = true;
  }
  return { pids, isUnsettled };
}

function holdsAll(environment: string, marks: readonly string[]): boolean {
  const framed = `\0${environment}`;
  return marks.every((mark) => framed.includes(`\0${mark}\0`));
}
