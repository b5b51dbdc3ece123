import type { GroupDefinition, ServiceDefinition } from '../../../core/config/model.ts';
import type { Order } from '../../../core/protocol/records.ts';
import { slotStep } from '../../../core/supervision/slot.ts';
import { EMPTY_SLOT, type Effect, type SlotEvent, type SlotState } from '../../../core/supervision/state.ts';
import { instant } from '../../../core/time/time.ts';

export function service(name: string, change: Partial<ServiceDefinition> = {}): ServiceDefinition {
  return {
    name,
    agent: { kind: 'exec' },
    params: {},
    command: ['true'],
    dependsOn: [],
    monitor: { everyMs: 1_000, timeoutMs: 500, failures: 2 },
    impact: 'critical',
    actions: { start: { timeoutMs: 3_000, attempts: 2 }, stop: { timeoutMs: 2_000, attempts: 2 } },
    ...change,
  };
}

/** volume ← database ← web, and address on its own. */
export const CHAIN: readonly ServiceDefinition[] = [
  service('web', { dependsOn: ['database'] }),
  service('database', { dependsOn: ['volume'] }),
  service('volume'),
  service('address'),
];

export function group(services: readonly ServiceDefinition[]): GroupDefinition {
  return {
    name: 'shop',
    domain: 'default',
    redundancy: { model: 'n-plus-m', active: 1, standby: 1 },
    placement: { require: {}, prefer: [], together: [], apart: [] },
    failback: 'never',
    priority: 10,
    limits: { restartsPerWindow: 2, windowMs: 90_000, movesPerWindow: 3, movesWindowMs: 3_600_000 },
    onControlPlaneLoss: 'failsafe',
    accepts: [],
    services,
  };
}

export function order(
  epoch: number,
  services: readonly ServiceDefinition[] = CHAIN,
  verb: Order['verb'] = 'start',
): Order {
  return {
    id: `o${epoch}-${verb}`,
    verb,
    group: 'shop',
    slot: 0,
    epoch,
    session: 's1',
    list: { no: 1, hosts: ['h1'] },
    spec: group(services),
  };
}

/** The same for a group that a lost lease does not stop. */
export function uncovered(given: Order): Order {
  return { ...given, spec: { ...given.spec, redundancy: { model: 'n', active: 1, exclusive: false } } };
}

/** A slot on a bench: events in, effects out, time set by hand. */
export class Bench {
  state: SlotState;
  now = 0;
  effects: Effect[] = [];

  constructor(state: SlotState = EMPTY_SLOT) {
    this.state = state;
  }

  send(event: SlotEvent): this {
    const step = slotStep(this.state, event, instant(this.now));
    this.state = step.state;
    this.effects.push(...step.effects);
    return this;
  }

  /** Names what has been asked for since the last take, wakes left out. */
  take(): string[] {
    const lines = this.effects.flatMap((effect) => line(effect));
    this.effects = [];
    return lines;
  }

  run(service: string): number {
    return this.state.services[service]?.run ?? -1;
  }

  probes(result: 'running' | 'stopped' | 'failed', ...names: string[]): this {
    for (const name of names) this.send({ type: 'monitor', service: name, run: this.run(name), result, detail: '' });
    return this;
  }

  done(action: 'start' | 'stop' | 'kill', name: string, result: 'success' | 'failed' | 'timed_out' = 'success'): this {
    return this.send({ type: 'action_done', service: name, action, run: this.run(name), result, detail: '' });
  }

  /** Stop and the probe that must follow it. */
  stopped(name: string): this {
    return this.done('stop', name).probes('stopped', name);
  }

  died(name: string, code = 1): this {
    return this.send({ type: 'process_died', service: name, run: this.state.services[name]?.life ?? -1, code });
  }

  leave(granted = true, why = ''): this {
    return this.send({ type: 'leave', run: this.state.ask ?? -1, granted, why });
  }

  /** Brings the whole chain up in `epoch`. */
  up(epoch = 1): this {
    this.send({ type: 'start', order: order(epoch) }).probes('stopped', 'web', 'database', 'volume', 'address');
    this.leave().done('start', 'volume').done('start', 'address');
    this.leave().done('start', 'database').leave().done('start', 'web');
    this.effects = [];
    return this;
  }
}

function line(effect: Effect): string[] {
  switch (effect.do) {
    case 'ask_leave':
      return ['ask leave'];
    case 'run_action':
      return [`${effect.action === 'monitor' && effect.probe ? 'probe' : effect.action} ${effect.service}`];
    case 'kill':
      return [`kill ${effect.service}`];
    case 'watch':
      return [`watch ${effect.service}`];
    case 'release':
      return [`release e${effect.epoch}`];
    case 'report':
      return [`report ${effect.order.id} ${effect.outcome}${effect.detail === '' ? '' : `: ${effect.detail}`}`];
    case 'wake':
      return [];
  }
}
