/** Turning a slot towards another goal. What is to be done about it follows in the engine. */
import type { Order } from '../protocol/records.ts';
import { startOrder } from './dependencies.ts';
import { NEW_SERVICE, NO_RELEASE, type ServiceRecord, type Want } from './state.ts';
import { answer, set, setService, type Work } from './work.ts';

/** On its way down, from wherever it is; an action in flight is superseded by the stop. */
export function startDown(work: Work, name: string): void {
  setService(work, name, {
    phase: 'disabling',
    doing: null,
    condition: 'none',
    stopFailures: 0,
    killed: false,
    monitorFailures: 0,
    monitorAt: null,
  });
}

/** An order for this slot begins from knowing nothing: every service is probed before anything is done to it (S10 of features). */
export function beginOrder(work: Work, order: Order): void {
  if (startOrder(order.spec) === undefined) {
    // None of it is ever touched.
    adoptOrder(work, { ...order, spec: { ...order.spec, services: [] } }, 'fail');
    set(work, { why: 'dependencies dangle or go round' });
    return;
  }
  adoptOrder(work, order, 'run');
}

/** Takes the order as the standing one, with all services unknown. */
export function adoptOrder(work: Work, order: Order, want: Want): void {
  const services = Object.fromEntries(order.spec.services.map((service) => [service.name, NEW_SERVICE]));
  set(work, { order, want, services, next: null, why: '', reported: null, release: NO_RELEASE, ...NO_LEAVE });
}

const NO_LEAVE = { ask: null, askAt: null, refusals: 0 } as const;

/**
 * Everything goes down; a leave that was asked for is void. What could not be stopped before is tried again, except
 * when the slot fails because of just that.
 */
export function goDown(work: Work, want: Want, options: { retryLeft: boolean } = { retryLeft: true }): void {
  set(work, { want, ...NO_LEAVE });
  for (const [name, service] of Object.entries(work.state.services)) {
    setService(work, name, { restarting: 'no' });
    if (mustGoDown(service, options.retryLeft)) startDown(work, name);
  }
}

function mustGoDown(service: ServiceRecord, retryLeft: boolean): boolean {
  switch (service.phase) {
    case 'unknown':
    case 'enabling':
    case 'enabled-active':
      return true;
    case 'failed':
      return retryLeft && service.condition === 'stop-failed';
    case 'disabled':
    case 'disabling': // Under way already.
      return false;
  }
}

export function failSlot(work: Work, why: string): void {
  goDown(work, 'fail', { retryLeft: false });
  set(work, { why, reported: null });
}

/** Up again in the same epoch. Services given up on get a new chance, from a proven stop. */
export function goUp(work: Work): void {
  for (const [name, service] of Object.entries(work.state.services)) {
    setService(work, name, { startFailures: 0 });
    if (service.phase === 'failed') startDown(work, name);
  }
  set(work, { want: work.state.next === null ? 'run' : 'replace', why: '', reported: null, ...NO_LEAVE });
}

/** Gives the epoch up for good, from this moment: nothing of it starts again, whatever becomes of the stop (S6). */
export function goRelease(work: Work, order: Order): void {
  if (work.state.order === null || work.state.want === 'standby') adoptOrder(work, order, 'release');
  const spec = work.state.order?.spec ?? order.spec; // What runs is what was started, whatever the definition says now (S20).
  set(work, {
    order: { ...order, spec },
    next: null,
    why: '',
    reported: null,
    release: NO_RELEASE,
    releasedEpoch: Math.max(work.state.releasedEpoch, order.epoch),
  });
  goDown(work, 'release');
}

/** Repeats what the standing order was answered: answers get lost, and orders are level-triggered. */
export function answerAgain(work: Work): void {
  if (work.state.reported !== null) answer(work, work.state.reported, work.state.why);
}
