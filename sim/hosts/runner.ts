/** How the agent drives services on a simulated machine: what the runners for real processes promise, on the process table. */
import type { CleanupCommand } from '../../core/protocol/guard-link.ts';
import { type Instant, isReached, after as later, type Millis } from '../../core/time/time.ts';
import type { ActionOutcome, Lives, MonitorOutcome, Runner, RunnerFor } from '../../agent/services/runner.ts';
import { epochOf, type Unit } from '../../agent/services/unit.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import type { NewService, ServiceTable, Which } from './service-table.ts';
import type { Troubles } from './troubles.ts';

const SETTLE_MS = [20, 250] as const;
const LOOK_MS = [0.5, 25] as const;
const POLL_MS = 25;
/** As the runner of real processes: longest that one kill may go on. */
const KILL_LIMIT_MS = 3_000;
/** Parts of all starts and looks that go wrong while the host has the trouble. */
const FAILS_TO_START = 0.8;
const LIES = 0.4;

export interface RunnerOptions {
  readonly agent: SimProcess;
  readonly lives: Lives;
  readonly table: ServiceTable;
  readonly random: Random;
  readonly troubles: Troubles;
  readonly isCovered: (where: string, epoch: number) => boolean;
}

export function simulatedRunners(options: RunnerOptions): RunnerFor {
  const exec = simulatedRunner(options, () => undefined);
  const ocf = simulatedRunner(options, cleanupOf);
  return (agent) => {
    switch (agent.kind) {
      case 'exec':
        return exec;
      case 'ocf':
        return ocf;
      default:
        return `${agent.kind}: this agent does not drive such services`;
    }
  };
}

function simulatedRunner(options: RunnerOptions, cleanup: Runner['cleanup']): Runner {
  const { agent, table, random, lives } = options;
  const look = (): Promise<void> => agent.call(() => waited(options, random.between(...LOOK_MS)));

  /** Looks again and again, until none is left. */
  const gone = async (unit: Unit, until: Instant, act: () => void): Promise<boolean> => {
    for (;;) {
      act();
      if (table.count(ofUnit(unit)) === 0) return true;
      if (isReached(until, agent.clock.boot.now())) return false;
      await agent.sleeper.sleep(POLL_MS);
    }
  };
  const limit = (ms: Millis): Instant => later(agent.clock.boot.now(), ms);

  return {
    start: (unit, timeoutMs) => start(options, unit, timeoutMs),
    async stop(unit, timeoutMs): Promise<ActionOutcome> {
      await agent.call(async () => {
        table.endStarting((what) => what.where === whereOf(unit) && what.service === unit.service.name);
        table.terminate(ofUnit(unit));
      });
      if (await gone(unit, limit(timeoutMs), () => undefined)) return { result: 'success', detail: '' };
      return { result: 'timed_out', detail: `still there after ${timeoutMs} ms` };
    },
    async monitor(unit): Promise<MonitorOutcome> {
      await look();
      return lied(options, unit, judged(table, lives, unit));
    },
    async kill(unit): Promise<ActionOutcome> {
      await look();
      const isGone = await gone(unit, limit(KILL_LIMIT_MS), () => table.kill(ofUnit(unit)));
      return { result: isGone ? 'success' : 'failed', detail: '' };
    },
    watch(unit, died) {
      let isWatching = true;
      const told = (): void => {
        if (isWatching) died(null);
      };
      const end = table.onDeath(lives.get(unit)?.pid ?? 0, () => agent.post(told));
      return () => {
        isWatching = false;
        end();
      };
    },
    cleanup,
  };
}

async function start(options: RunnerOptions, unit: Unit, timeoutMs: Millis): Promise<ActionOutcome> {
  const { agent, table, random, lives } = options;
  const isFailing = options.troubles.has('start_fails') && random.chance(FAILS_TO_START);
  if (isFailing && random.chance(0.5)) return { result: 'failed', detail: 'its command is not installed' };
  const pid = await agent.call(() => table.start(newService(options, unit)));
  if (pid === null) return { result: 'failed', detail: 'it was ended at its start' };
  lives.set(unit, { epoch: unit.epoch, pid });
  const settleMs = random.between(...SETTLE_MS);
  await agent.call(async () => {
    await waited(options, Math.min(settleMs, timeoutMs));
    if (isFailing) table.die(pid);
  });
  if (!table.isRunning(pid)) return { result: 'failed', detail: 'ended at once' };
  return { result: 'success', detail: '' };
}

function newService({ isCovered }: RunnerOptions, unit: Unit): NewService {
  const where = whereOf(unit);
  const epoch = epochOf(unit.env) ?? 0;
  const session = unit.env['HOLDFAST_SESSION'] ?? '';
  return { where, service: unit.service.name, epoch, session, covered: isCovered(where, epoch) };
}

/** As a monitor that looks at processes judges them. */
function judged(table: ServiceTable, lives: Lives, unit: Unit): MonitorOutcome {
  const life = lives.get(unit);
  if (life?.pid !== undefined && table.isRunning(life.pid)) {
    return { result: 'running', epoch: life.epoch, detail: '' };
  }
  const left = table.lives().filter(ofUnit(unit));
  const [oldest] = left;
  if (oldest === undefined) {
    lives.set(unit, undefined);
    return { result: 'stopped', detail: '' };
  }
  if (life !== undefined) return { result: 'failed', detail: `its main process is gone, left: ${left.length}` };
  lives.set(unit, { epoch: oldest.epoch, pid: oldest.pid });
  return { result: 'running', epoch: oldest.epoch, detail: '' };
}

function lied({ random, troubles }: RunnerOptions, unit: Unit, truth: MonitorOutcome): MonitorOutcome {
  if (!troubles.has('lies') || !random.chance(LIES)) return truth;
  if (truth.result === 'running') return { result: 'stopped', detail: '' };
  return { result: 'running', epoch: unit.epoch, detail: '' };
}

/** What an OCF agent leaves behind beside processes. */
function cleanupOf(unit: Unit): CleanupCommand {
  const { name, actions } = unit.service;
  return { service: name, argv: ['ocf', name, 'stop'], env: {}, timeoutMs: actions.stop.timeoutMs };
}

function whereOf(unit: Unit): string {
  return `${unit.group}/${unit.slot}`;
}

function ofUnit(unit: Unit): Which {
  const where = whereOf(unit);
  return (life) => life.where === where && life.service === unit.service.name;
}

function waited({ agent }: RunnerOptions, ms: Millis): Promise<void> {
  return agent.sleeper.sleep(ms);
}
