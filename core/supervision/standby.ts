/**
 * A host that stands by for a slot: it says so only after the monitors of all services have said "stopped" (S20),
 * because somebody relies on it, for instance the first owner. Nothing is started or stopped here. What is found is
 * looked at again later and later, for as long as the order stands.
 */
import type { Order } from '../protocol/records.ts';
import { after, isReached } from '../time/time.ts';
import { adoptOrder } from './goals.ts';
import { begin } from './moves.ts';
import { NEW_SERVICE } from './state.ts';
import { answer, recordOf, set, type Work } from './work.ts';

const PROBE_RETRY_MS = 1_000;
const PROBE_RETRY_MAX_MS = 30_000;

export function beginStandby(work: Work, order: Order): void {
  adoptOrder(work, order, 'standby');
}

export function advanceStandby(work: Work): void {
  const { order, askAt } = work.state;
  if (order === null) return;
  if (askAt !== null) {
    if (!isReached(askAt, work.now)) return;
    // All at once: "stopped" of some time ago is not "stopped" now.
    const services = Object.fromEntries(order.spec.services.map(({ name }) => [name, NEW_SERVICE]));
    set(work, { askAt: null, services });
  }
  for (const service of order.spec.services) {
    const { phase, doing, detail } = recordOf(work, service.name);
    if (phase === 'unknown' && doing === null && detail === '') begin(work, service, 'monitor');
  }
  if (Object.values(work.state.services).every(({ doing }) => doing === null)) conclude(work);
}

function conclude(work: Work): void {
  const { services, reported, refusals } = work.state;
  const doubts = Object.entries(services).flatMap(([name, { phase, detail }]) =>
    phase === 'disabled' ? [] : [`${name} ${detail}`],
  );
  if (doubts.length === 0) {
    set(work, { refusals: 0, why: '' });
    if (reported !== 'standing-by') answer(work, 'standing-by', '');
    return;
  }
  const why = `not proven stopped: ${doubts.join('; ')}`;
  const isNews = reported !== 'refused' || work.state.why !== why;
  const pause = Math.min(PROBE_RETRY_MS * 2 ** Math.min(refusals, 10), PROBE_RETRY_MAX_MS);
  set(work, { refusals: refusals + 1, askAt: after(work.now, pause), why });
  if (isNews) answer(work, 'refused', why);
}
