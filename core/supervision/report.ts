/** A slot as the heartbeat shows it. */
import type { ServiceDefinition } from '../config/model.ts';
import type { SlotPhase, SlotReport } from '../protocol/records.ts';
import { isActive, leftRunning } from './dependencies.ts';
import { isQuiet } from './engine.ts';
import type { ServiceRecord, SlotState, Want } from './state.ts';

export type Health = SlotReport['health'];

const HEALTH_OF = { none: 'ok', minor: 'warn', major: 'degraded', critical: 'failed' } as const satisfies Record<
  ServiceDefinition['impact'],
  Health
>;

const WORST_FIRST: readonly Health[] = ['failed', 'degraded', 'warn', 'ok'];

/** The worst member by its impact. A service counts from its failure until it is active again; one that has yet to start for the first time does not. */
export function slotHealth(state: SlotState): Health {
  if (state.want === 'fail') return 'failed';
  if (state.want === 'standby') return state.reported === 'refused' ? 'warn' : 'ok';
  const bad = (state.order?.spec.services ?? [])
    .filter((service) => isBad(state, service.name))
    .map(({ impact }) => HEALTH_OF[impact]);
  return WORST_FIRST.find((health) => bad.includes(health)) ?? 'ok';
}

function isBad(state: SlotState, name: string): boolean {
  const record = state.services[name];
  if (record === undefined) return false;
  const isMissed = state.want === 'run' && state.reported === 'started' && record.phase !== 'enabled-active';
  return record.phase === 'failed' || record.condition !== 'none' || record.restarting !== 'no' || isMissed;
}

/** Undefined: no order has ever named this slot here. */
export function slotReport(state: SlotState): SlotReport | undefined {
  const { order } = state;
  if (order === null || state.want === 'idle') return undefined;
  const detail = slotDetail(state);
  return {
    group: order.group,
    slot: order.slot,
    epoch: order.epoch,
    phase: slotPhase(state, state.want),
    health: slotHealth(state),
    ...(detail === '' ? {} : { detail }),
  };
}

function slotPhase(state: SlotState, want: Exclude<Want, 'idle'>): SlotPhase {
  switch (want) {
    case 'standby':
      return state.reported === 'standing-by' ? 'Standby' : 'Unknown';
    case 'watch':
      return Object.keys(state.services).every((name) => isActive(state, name)) ? 'Active' : 'Unknown';
    case 'run':
      return state.reported === 'started' ? 'Active' : 'Starting';
    case 'pause':
    case 'halt':
      return downPhase(state);
    case 'release':
      return state.release.done ? 'Stopped' : state.reported === 'failed' ? 'Failed' : 'Stopping';
    case 'fail':
      return isQuiet(state) ? 'Failed' : 'Stopping';
    case 'replace':
      return 'Stopping';
  }
}

function downPhase(state: SlotState): SlotPhase {
  if (!isQuiet(state)) return 'Stopping';
  return leftRunning(state).length > 0 ? 'Failed' : 'Stopped';
}

/** Kept short: it travels in every heartbeat. */
const DETAIL_MAX = 120;

function slotDetail(state: SlotState): string {
  const notes = Object.entries(state.services).flatMap(([name, service]) => noteOf(name, service));
  return [state.why, ...notes]
    .filter((text) => text !== '')
    .join('; ')
    .slice(0, DETAIL_MAX);
}

function noteOf(name: string, service: ServiceRecord): readonly string[] {
  if (service.phase === 'failed') return [`${name} ${service.condition}`];
  return service.restarting !== 'no' ? [`${name} restarting: ${service.detail}`] : [];
}
