/**
 * Plain commands: the service is one process in the foreground, and whatever it starts, under a leader of its own.
 *
 * It counts as started when it is still alive a moment later; what it says by its exit is that it is down.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { endMarked, environmentOf, findMarked, signalAll } from '../../adapters/node/processes.ts';
import { processStat } from '../../adapters/node/proc.ts';
import { type Child, startChild } from './child.ts';
import { commandProblem, createSessions, isEndedLeader, isServing, ledCommand } from './leader.ts';
import type { ActionOutcome, Life, Lives, MonitorOutcome, Runner } from './runner.ts';
import type { ServiceLogs } from './service-log.ts';
import { epochOf, type Unit } from './unit.ts';

const SETTLE_MS = 50;
const STOP_POLL_MS = 20;
const SWEEP_GAP_MS = 5;
/** A leader is gone at once, unless the machine hardly runs. */
const LEADERS_GONE_ROUNDS = 200;
const KILL_LIMIT_MS = 3_000;
/** How often an adopted process, which is no child of this agent, is looked at. */
const ADOPTED_POLL_MS = 100;

export interface ExecOptions {
  readonly lives: Lives;
  readonly logs: ServiceLogs;
  readonly resolveCommand: (argv: readonly string[]) => readonly string[];
}

export function createExecRunner(options: ExecOptions): Runner {
  const { lives } = options;
  /** Children of this agent, by pid: their death is known at once. */
  const children = new Map<number, Child>();
  const sessions = createSessions();

  async function start(unit: Unit, timeoutMs: number): Promise<ActionOutcome> {
    const argv = options.resolveCommand(unit.service.command);
    const env = execEnvironment(unit);
    const problem = commandProblem(argv, env['PATH'] ?? '');
    if (problem !== undefined) return { result: 'failed', detail: problem };
    const child = await startChild(unit, { argv: ledCommand(argv), env, logs: options.logs, isLed: true });
    if (typeof child === 'string') return { result: 'failed', detail: child };
    lives.set(unit, { epoch: unit.epoch, pid: child.pid, startTicks: child.startTicks });
    sessions.of(lives.get(unit));
    children.set(child.pid, child);
    void child.exited.then(() => children.delete(child.pid));
    const settled = delay(Math.min(settleMs(unit), timeoutMs), 'alive' as const, { ref: false });
    const first = await Promise.race([settled, child.exited]);
    if (first === 'alive') return { result: 'success', detail: '' };
    return { result: 'failed', detail: `ended at once with exit ${first ?? 'by a signal'}` };
  }

  async function monitor(unit: Unit): Promise<MonitorOutcome> {
    options.logs.bound(unit);
    const life = lives.get(unit);
    const sessionIds = sessions.of(life);
    if (isRunning(life)) return { result: 'running', epoch: life.epoch, detail: '' };
    const left = await leftOf(unit, sessionIds);
    if (left.length === 0) {
      sessions.forget(life);
      lives.set(unit, undefined);
      return { result: 'stopped', detail: '' };
    }
    const found = life === undefined ? leaderOf(left) : undefined;
    if (found === undefined) return { result: 'failed', detail: `its main process is gone, left: ${left.join(' ')}` };
    lives.set(unit, found);
    return { result: 'running', epoch: found.epoch, detail: '' };
  }

  return {
    start,
    stop(unit, timeoutMs) {
      const life = lives.get(unit);
      return stop(unit, life, sessions.of(life), timeoutMs);
    },
    monitor: (unit) => monitor(unit),
    async kill(unit) {
      const how = await endMarked(unit.marks, { sessionIds: sessions.of(lives.get(unit)), limitMs: KILL_LIMIT_MS });
      return { result: how === 'ended' ? 'success' : 'failed', detail: '' };
    },
    watch(unit, died) {
      const life = lives.get(unit);
      const child = life?.pid === undefined ? undefined : children.get(life.pid);
      return child === undefined ? watchAdopted(life, died) : watchChild(child, died);
    },
    cleanup: () => undefined,
  };
}

async function stop(
  unit: Unit,
  life: Life | undefined,
  sessionIds: readonly number[],
  timeoutMs: number,
): Promise<ActionOutcome> {
  const rounds = Math.max(1, Math.ceil(timeoutMs / STOP_POLL_MS));
  if (isRunning(life)) signalAll([-life.pid], 'SIGTERM');
  let isRestAsked = false;
  for (let round = 0; round < rounds; round += 1) {
    // A sweep costs milliseconds, a look at one process next to nothing.
    if (!isRunning(life)) {
      const left = findServing(unit, sessionIds);
      if (left.length === 0) return { result: 'success', detail: '' };
      if (!isRestAsked) signalAll(left, 'SIGTERM'); // Those that had left its group.
      isRestAsked = true;
    }
    await delay(STOP_POLL_MS);
  }
  return { result: 'timed_out', detail: `still there after ${timeoutMs} ms` };
}

/** Two looks: one sweep can miss a process that is just being forked. Leaders that nothing else is left of go as well. */
async function leftOf(unit: Unit, sessionIds: readonly number[]): Promise<readonly number[]> {
  const left = findServing(unit, sessionIds);
  if (left.length > 0) return left;
  for (let round = 0; round < LEADERS_GONE_ROUNDS; round += 1) {
    await delay(SWEEP_GAP_MS);
    const all = findMarked(unit.marks, sessionIds);
    if (all.length === 0 || !all.every(isEndedLeader)) return all;
    signalAll(all, 'SIGKILL');
  }
  return findMarked(unit.marks, sessionIds);
}

function findServing(unit: Unit, sessionIds: readonly number[]): readonly number[] {
  return findMarked(unit.marks, sessionIds).filter((pid) => !isEndedLeader(pid));
}

/** Without memory the main process is the oldest that leads a session, and tells its epoch itself. */
function leaderOf(pids: readonly number[]): Life | undefined {
  const leaders = pids.flatMap((pid): Life[] => {
    const stat = processStat(pid);
    const epoch = epochOf(environmentOf(pid));
    return stat?.session === pid && epoch !== undefined ? [{ epoch, pid, startTicks: stat.startTicks }] : [];
  });
  return leaders.sort((a, b) => (a.startTicks ?? 0) - (b.startTicks ?? 0))[0];
}

function isRunning(life: Life | undefined): life is Life & { readonly pid: number } {
  return life?.pid !== undefined && isServing(life.pid, life.startTicks);
}

function watchChild(child: Child, died: (code: number | null) => void): () => void {
  let isWatching = true;
  void child.exited.then((code) => {
    if (isWatching) died(code);
  });
  return () => {
    isWatching = false;
  };
}

function watchAdopted(life: Life | undefined, died: (code: number | null) => void): () => void {
  const timer = setInterval(() => {
    if (isRunning(life)) return;
    clearInterval(timer);
    died(null);
  }, ADOPTED_POLL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function settleMs(unit: Unit): number {
  const given = Number(unit.service.params['settleMs'] ?? SETTLE_MS);
  return Number.isFinite(given) && given >= 0 ? given : SETTLE_MS;
}

function execEnvironment(unit: Unit): Readonly<Record<string, string>> {
  const params = Object.entries(unit.service.params).map(
    ([name, value]) => [`HOLDFAST_PARAM_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`, value] as const,
  );
  return { ...unit.env, ...Object.fromEntries(params) };
}
