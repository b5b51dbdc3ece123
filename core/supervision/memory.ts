/** What must survive a crash of the agent, and what a slot is when the agent comes back with it. */
import type { Order } from '../protocol/records.ts';
import { EMPTY_SLOT, NEW_SERVICE, NO_RELEASE, type ServicePhase, type SlotState, type Want } from './state.ts';

/** `up`: something of it may run. */
export type Standing = 'up' | 'standby' | 'halted' | 'failed' | 'releasing' | 'released';

export interface SlotMemory {
  readonly order: Order;
  readonly standing: Standing;
  readonly why: string;
  readonly releasedEpoch: number;
}

export function rememberedOf(state: SlotState): SlotMemory | undefined {
  if (state.order === null || state.want === 'idle') return undefined;
  return {
    order: state.order,
    standing: standingOf(state, state.want),
    why: state.why,
    releasedEpoch: state.releasedEpoch,
  };
}

function standingOf(state: SlotState, want: Exclude<Want, 'idle'>): Standing {
  switch (want) {
    case 'standby':
      return 'standby';
    case 'watch':
    case 'run':
    case 'pause':
    case 'replace':
      return 'up';
    case 'halt':
      return 'halted';
    case 'fail':
      return 'failed';
    case 'release':
      return state.release.done ? 'released' : 'releasing';
  }
}

const WANTS = {
  up: 'watch',
  standby: 'standby',
  halted: 'halt',
  failed: 'fail',
  releasing: 'release',
  released: 'release',
} as const satisfies Record<Standing, Want>;

/**
 * What may run is probed and watched, and started only when its order arrives again. A standby is probed, too: that it
 * stood by once is no proof that nothing runs now. What was on its way down goes on
 * down: stopping something twice does no harm, leaving half of it would.
 */
export function restoredSlot(memory: SlotMemory): SlotState {
  const { services } = memory.order.spec;
  return {
    ...EMPTY_SLOT,
    order: memory.order,
    want: WANTS[memory.standing],
    why: memory.why,
    releasedEpoch: memory.releasedEpoch,
    release: { ...NO_RELEASE, done: memory.standing === 'released' },
    reported: memory.standing === 'released' ? 'released' : null,
    services: Object.fromEntries(
      services.map(({ name }) => [name, { ...NEW_SERVICE, phase: PHASES[memory.standing] }]),
    ),
  };
}

const PHASES = {
  up: 'unknown',
  standby: 'unknown',
  halted: 'disabling',
  failed: 'disabling',
  releasing: 'disabling',
  released: 'disabled',
} as const satisfies Record<Standing, ServicePhase>;
