/** OCF resource agents, as they are shipped: what their exit codes say, held against what this host knows and finds. */
import { endMarked, findMarked } from '../../adapters/node/processes.ts';
import { ocfAction, ocfMonitor, ocfWords } from '../../core/supervision/ocf-codes.ts';
import { createOcfActions, type Ended, KILL_LIMIT_MS, type OcfActions } from './ocf-actions.ts';
import { agentFile, ocfEnvironment } from './ocf-environment.ts';
import type { ActionOutcome, Lives, MonitorOutcome, Runner } from './runner.ts';
import type { ServiceLogs } from './service-log.ts';
import type { Unit } from './unit.ts';

const NOT_INSTALLED = 5;

export interface OcfOptions {
  readonly lives: Lives;
  readonly logs: ServiceLogs;
  /** Usually `/usr/lib/ocf`. */
  readonly ocfRoot: string;
}

export function createOcfRunner(options: OcfOptions): Runner {
  const { lives, logs, ocfRoot } = options;
  const actions = createOcfActions({ ocfRoot, logs });
  return {
    start: (unit, timeoutMs) => start(actions, lives, unit, timeoutMs),
    async stop(unit, timeoutMs) {
      const ended = await actions.run(unit, { action: 'stop', timeoutMs, intervalMs: 0 });
      if (ended.how === 'missing' && lives.get(unit) === undefined) return { result: 'success', detail: ended.detail };
      return actionOutcome('stop', ended);
    },
    async monitor(unit, timeoutMs, isProbe) {
      logs.bound(unit);
      const intervalMs = isProbe ? 0 : unit.service.monitor.everyMs;
      return judge(lives, unit, await actions.run(unit, { action: 'monitor', timeoutMs, intervalMs }));
    },
    async kill(unit) {
      await actions.supersede(unit);
      const how = await endMarked(unit.marks, { limitMs: KILL_LIMIT_MS });
      return { result: how === 'ended' ? 'success' : 'failed', detail: '' };
    },
    watch: () => () => undefined, // What an agent stands for need not be a process: its monitor tells.
    cleanup(unit) {
      const { timeoutMs } = unit.service.actions.stop;
      const env = ocfEnvironment(ocfRoot, unit, { action: 'stop', timeoutMs, intervalMs: 0 });
      return { service: unit.service.name, argv: [agentFile(ocfRoot, unit), 'stop'], env, timeoutMs };
    },
  };
}

async function start(actions: OcfActions, lives: Lives, unit: Unit, timeoutMs: number): Promise<ActionOutcome> {
  lives.set(unit, { epoch: unit.epoch });
  const ended = await actions.run(unit, { action: 'start', timeoutMs, intervalMs: 0 });
  // Nothing was done, so nothing is left to be doubted.
  if (ended.how === 'missing' || (ended.how === 'exit' && ended.code === NOT_INSTALLED)) lives.set(unit, undefined);
  return actionOutcome('start', ended);
}

function judge(lives: Lives, unit: Unit, ended: Ended): MonitorOutcome {
  const life = lives.get(unit);
  const said = monitorOutcome(ended, life !== undefined);
  if (said.result === 'running') return { ...said, epoch: life?.epoch };
  if (said.result !== 'stopped') return said;
  // An agent that says "not running" is believed if no process of the service is left either.
  const left = findMarked(unit.marks);
  if (left.length > 0) return { result: 'failed', detail: `says stopped, but left: ${left.join(' ')}` };
  lives.set(unit, undefined);
  return said;
}

function actionOutcome(action: 'start' | 'stop', ended: Ended): ActionOutcome {
  if (ended.how === 'exit') {
    const result = ocfAction(action, ended.code);
    return { result, detail: result === 'success' ? '' : ocfWords(ended.code) };
  }
  return { result: ended.how === 'timed_out' ? 'timed_out' : 'failed', detail: ended.detail };
}

/** Where the software is missing nothing of it runs, unless this host has started it and not seen it stop. */
function monitorOutcome(ended: Ended, wasStarted: boolean): MonitorOutcome {
  if (ended.how === 'timed_out') return { result: 'timed_out', detail: ended.detail };
  if (ended.how === 'missing') return { result: wasStarted ? 'failed' : 'stopped', detail: ended.detail };
  if (ended.code === NOT_INSTALLED && wasStarted) return { result: 'failed', detail: ocfWords(ended.code) };
  const result = ocfMonitor(ended.code);
  return { result, detail: result === 'running' ? '' : ocfWords(ended.code) };
}
