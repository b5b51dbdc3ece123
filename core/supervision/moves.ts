/** What one signal does to one service: the leaves of `service-table.ts`. The engine decides what follows from it. */
import { isCovered, type ServiceDefinition } from '../config/model.ts';
import type { Order } from '../protocol/records.ts';
import { after, elapsed, type Instant } from '../time/time.ts';
import { isVital } from './dependencies.ts';
import { failSlot, startDown } from './goals.ts';
import type { Move, ServiceEvent } from './service-table.ts';
import type { ActionResult, Condition, Doing, MonitorResult } from './state.ts';
import { nextRun, recordOf, set, setService, type Work } from './work.ts';

export function move(work: Work, service: ServiceDefinition, what: Move, event: ServiceEvent): void {
  switch (what) {
    case 'ignore':
      return;
    case 'adopt':
      return adopt(work, service, event);
    case 'down':
      return down(work, service);
    case 'clear':
      return clear(work, service, event);
    case 'activate':
      return activate(work, service, event.run);
    case 'start-again':
      return startAgain(work, service, event);
    case 'fine':
      return setService(work, service.name, { monitorFailures: 0, ...idleUntilMonitor(work, service) });
    case 'miss':
      return miss(work, service, event);
    case 'crash':
      return crash(work, service, words(event));
    case 'verify':
      return begin(work, service, 'monitor');
    case 'stop-again':
      return stopAgain(work, service, event);
    case 'insist':
      return insist(work, service, event);
  }
}

/** Begins an action; its answer is known by the number. */
export function begin(work: Work, service: ServiceDefinition, doing: Doing): void {
  const { name } = service;
  const run = nextRun(work);
  const isPeriodic = recordOf(work, name).phase === 'enabled-active';
  setService(work, name, { doing, run });
  if (doing === 'kill') {
    work.effects.push({ do: 'kill', service: name, run });
    return;
  }
  const timeoutMs = doing === 'monitor' ? service.monitor.timeoutMs : service.actions[doing].timeoutMs;
  work.effects.push({
    do: 'run_action',
    service: name,
    action: doing,
    run,
    timeoutMs,
    probe: doing === 'monitor' && !isPeriodic,
  });
}

/** A shorter interval would only measure the monitor itself. */
const MONITOR_EVERY_MIN_MS = 50;

function idleUntilMonitor(work: Work, service: ServiceDefinition): { doing: null; monitorAt: Instant } {
  return { doing: null, monitorAt: after(work.now, Math.max(service.monitor.everyMs, MONITOR_EVERY_MIN_MS)) };
}

function activate(work: Work, service: ServiceDefinition, life: number): void {
  setService(work, service.name, {
    phase: 'enabled-active',
    life,
    condition: 'none',
    detail: '',
    startFailures: 0,
    monitorFailures: 0,
    restarting: 'no',
    ...idleUntilMonitor(work, service),
  });
  work.effects.push({ do: 'watch', service: service.name, run: life });
}

function adopt(work: Work, service: ServiceDefinition, event: ServiceEvent): void {
  const epoch = event.type === 'monitor' ? event.epoch : undefined;
  const detail = `found running, started ${epoch === undefined ? 'by nobody known' : `in epoch ${epoch}`}`;
  if (work.state.want === 'standby') return doubt(work, service, detail);
  if (isOfOrder(epoch, work.state.order)) return activate(work, service, event.run);
  setService(work, service.name, { detail });
  clear(work, service, event);
}

/** Of what is not covered an older epoch is as good: ending it would do harm and prevent none. */
function isOfOrder(epoch: number | undefined, order: Order | null): boolean {
  if (epoch === undefined || order === null) return false;
  return epoch === order.epoch || (epoch < order.epoch && !isCovered(order.spec));
}

/** A standby stops nothing that it has not started; what it found is said. */
function doubt(work: Work, service: ServiceDefinition, detail: string): void {
  setService(work, service.name, { doing: null, detail });
}

/** Without an order nothing is stopped on a doubt: it is looked at again, and cleared up when the order arrives. */
function clear(work: Work, service: ServiceDefinition, event: ServiceEvent): void {
  if (work.state.want === 'standby') return doubt(work, service, words(event));
  if (work.state.want === 'watch')
    return setService(work, service.name, { ...idleUntilMonitor(work, service), detail: words(event) });
  startDown(work, service.name);
}

function down(work: Work, service: ServiceDefinition): void {
  const isGivenUp = recordOf(work, service.name).condition !== 'none';
  setService(work, service.name, {
    phase: isGivenUp ? 'failed' : 'disabled',
    doing: null,
    monitorAt: null,
    killed: false,
  });
}

/** A failed start is cleaned up by a stop before anything else is tried. */
function startAgain(work: Work, service: ServiceDefinition, event: ServiceEvent): void {
  const startFailures = recordOf(work, service.name).startFailures + 1;
  setService(work, service.name, { startFailures, detail: words(event) });
  startDown(work, service.name);
  if (startFailures >= service.actions.start.attempts) giveUp(work, service, 'start-failed', words(event));
}

function miss(work: Work, service: ServiceDefinition, event: ServiceEvent): void {
  const monitorFailures = recordOf(work, service.name).monitorFailures + 1;
  setService(work, service.name, { monitorFailures, ...idleUntilMonitor(work, service), detail: words(event) });
  // A doubt is no reason to stop what could not be started again yet.
  if (monitorFailures >= service.monitor.failures && work.state.want !== 'watch') crash(work, service, words(event));
}

function crash(work: Work, service: ServiceDefinition, detail: string): void {
  const { name } = service;
  if (work.state.want === 'watch') {
    setService(work, name, { phase: 'unknown', restarting: 'due', detail, ...idleUntilMonitor(work, service) });
    return;
  }
  const limits = work.state.order?.spec.limits ?? { restartsPerWindow: 0, windowMs: 0 };
  const restarts = recordOf(work, name).restarts.filter((at) => elapsed(at, work.now) < limits.windowMs);
  setService(work, name, { restarts, restarting: 'due', detail });
  startDown(work, name);
  if (restarts.length < limits.restartsPerWindow) return;
  giveUp(work, service, 'restarts-spent', `${detail}; restarted ${restarts.length} times within ${limits.windowMs} ms`);
}

function stopAgain(work: Work, service: ServiceDefinition, event: ServiceEvent): void {
  const stopFailures = recordOf(work, service.name).stopFailures + 1;
  setService(work, service.name, { stopFailures, detail: words(event) });
  if (stopFailures < service.actions.stop.attempts && !timedOut(event)) return begin(work, service, 'stop');
  insist(work, service, event);
}

function insist(work: Work, service: ServiceDefinition, event: ServiceEvent): void {
  if (!recordOf(work, service.name).killed) {
    setService(work, service.name, { killed: true });
    return begin(work, service, 'kill');
  }
  setService(work, service.name, { phase: 'failed', doing: null, monitorAt: null });
  giveUp(work, service, 'stop-failed', `after the kill: ${words(event)}`);
}

/** Nothing more is tried for this service; the slot fails with it only if its health would be `failed` without it. */
function giveUp(work: Work, service: ServiceDefinition, condition: Condition, detail: string): void {
  setService(work, service.name, { condition, detail, restarting: 'no' });
  const { order, want } = work.state;
  if (want === 'run' && order !== null && isVital(order.spec, service.name)) {
    failSlot(work, `${service.name}: ${CONDITION_WORDS[condition]}: ${detail}`);
  } else if (want === 'fail' && condition === 'stop-failed') {
    set(work, { why: `${work.state.why}; ${service.name}: stop_failed` });
  }
}

const CONDITION_WORDS: Readonly<Record<Condition, string>> = {
  none: '',
  'start-failed': 'start_failed',
  'restarts-spent': 'crashed too often',
  'stop-failed': 'stop_failed',
};

const timedOut = (event: ServiceEvent): boolean => event.type === 'action_done' && event.result === 'timed_out';

const RESULT_WORDS: Readonly<Record<ActionResult | MonitorResult, string>> = {
  success: 'succeeded',
  failed: 'failed',
  timed_out: 'timed out',
  running: 'says running',
  stopped: 'says stopped',
};

function words(event: ServiceEvent): string {
  switch (event.type) {
    case 'process_died':
      return event.code === null ? 'its process died' : `its process died with exit ${event.code}`;
    case 'monitor':
      return `monitor ${RESULT_WORDS[event.result]}${event.detail === '' ? '' : `: ${event.detail}`}`;
    case 'action_done':
      return `${event.action} ${RESULT_WORDS[event.result]}${event.detail === '' ? '' : `: ${event.detail}`}`;
  }
}
