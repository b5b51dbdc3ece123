/**
 * What follows from a slot's state now: the one place that begins actions.
 *
 * The order is a rule, not a script: a service stops when nothing stands on it any more, and starts when everything it
 * stands on is active and leave has been given. Whatever is independent runs in parallel.
 */
import { unreachable } from '../failures/invariant.ts';
import { after, isReached, type Instant } from '../time/time.ts';
import { directDependants, isActive, isEnded, isStartable, leftRunning } from './dependencies.ts';
import { beginOrder, startDown } from './goals.ts';
import { begin } from './moves.ts';
import { advanceStandby, beginStandby } from './standby.ts';
import type { SlotState } from './state.ts';
import { answer, nextRun, recordOf, report, set, setService, type Work } from './work.ts';

/** Leave refused: asked again after this, doubled each time up to the maximum, for as long as the order stands. */
const LEAVE_RETRY_MS = 250;
const LEAVE_RETRY_MAX_MS = 4_000;
const RELEASE_RETRY_MS = 1_000;
const RELEASE_ATTEMPTS_MAX = 5;

export function advance(work: Work): void {
  const { order, want } = work.state;
  if (order === null || want === 'idle') return;
  if (want === 'standby') return advanceStandby(work);
  if (want === 'run') undermine(work);
  beginStops(work);
  beginMonitors(work);
  if (want === 'run') askLeave(work);
  settle(work);
}

/** What stands on something that is not active (any more) comes down first, and starts after it. */
function undermine(work: Work): void {
  const services = work.state.order?.spec.services ?? [];
  for (let round = 0; round < services.length; round += 1) {
    for (const { name, dependsOn } of services) {
      const { phase } = recordOf(work, name);
      const isUp = phase === 'enabled-active' || phase === 'enabling';
      if (isUp && dependsOn.some((dependency) => isKnownDown(work.state, dependency))) startDown(work, name);
    }
  }
}

function isKnownDown(state: SlotState, name: string): boolean {
  return !isActive(state, name) && state.services[name]?.phase !== 'unknown';
}

function beginStops(work: Work): void {
  const spec = work.state.order?.spec;
  for (const service of spec?.services ?? []) {
    const record = recordOf(work, service.name);
    if (spec === undefined || record.phase !== 'disabling' || record.doing !== null) continue;
    if (directDependants(spec, service.name).every(({ name }) => isEnded(work.state, name)))
      begin(work, service, 'stop');
  }
}

function beginMonitors(work: Work): void {
  for (const service of work.state.order?.spec.services ?? []) {
    const { phase, doing, monitorAt } = recordOf(work, service.name);
    if (doing !== null) continue;
    const isDue = monitorAt !== null && isReached(monitorAt, work.now);
    const isProbe = phase === 'unknown' && (work.state.want === 'run' || monitorAt === null || isDue);
    if (isProbe || (phase === 'enabled-active' && isDue)) begin(work, service, 'monitor');
  }
}

function askLeave(work: Work): void {
  const { ask, askAt, order } = work.state;
  if (ask !== null || (askAt !== null && !isReached(askAt, work.now))) return;
  set(work, { askAt: null });
  if (!order?.spec.services.some((service) => isStartable(work.state, service))) return;
  const run = nextRun(work);
  set(work, { ask: run });
  work.effects.push({ do: 'ask_leave', run });
}

/** The guard has answered: what is ready at this moment starts now; a leave is never kept for later (S6). */
export function onLeave(work: Work, granted: boolean, why: string): void {
  set(work, { ask: null });
  if (work.state.want !== 'run') return;
  if (!granted) {
    const pause = Math.min(LEAVE_RETRY_MS * 2 ** Math.min(work.state.refusals, 10), LEAVE_RETRY_MAX_MS);
    set(work, { refusals: work.state.refusals + 1, askAt: after(work.now, pause), why: `no leave to start: ${why}` });
    return;
  }
  set(work, { refusals: 0, askAt: null, why: '' });
  const ready = (work.state.order?.spec.services ?? []).filter((service) => isStartable(work.state, service));
  for (const service of ready) {
    const { restarting, restarts } = recordOf(work, service.name);
    setService(work, service.name, {
      phase: 'enabling',
      restarting: restarting === 'no' ? 'no' : 'begun',
      restarts: restarting === 'due' ? [...restarts, work.now] : restarts,
    });
    begin(work, service, 'start');
  }
}

/** Nothing moves any more: is this where the slot was to go? */
function settle(work: Work): void {
  const { want } = work.state;
  switch (want) {
    case 'run':
      return settleUp(work);
    case 'fail':
      if (isQuiet(work.state) && work.state.reported === null) answer(work, 'failed', work.state.why);
      return;
    case 'release':
      return settleRelease(work);
    case 'replace':
      return settleReplace(work);
    case 'idle':
    case 'standby':
    case 'watch':
    case 'pause':
    case 'halt':
      return;
    default:
      return unreachable(want);
  }
}

function settleUp(work: Work): void {
  const { order, reported, services } = work.state;
  const isMoving = Object.values(services).some(
    ({ phase }) => !['disabled', 'enabled-active', 'failed'].includes(phase),
  );
  if (isMoving || reported === 'started' || order === null) return;
  if (order.spec.services.some((service) => isStartable(work.state, service))) return;
  const without = order.spec.services.filter(({ name }) => !isActive(work.state, name)).map(({ name }) => name);
  set(work, { why: without.length === 0 ? '' : `without ${without.join(', ')}` });
  answer(work, 'started', work.state.why);
}

function settleRelease(work: Work): void {
  const { order, release, reported } = work.state;
  if (order === null || !isQuiet(work.state) || release.done || release.run !== null || reported === 'failed') return;
  const left = leftRunning(work.state);
  if (left.length > 0) return failRelease(work, `still running: ${left.join(', ')}`);
  if (release.askAt !== null && !isReached(release.askAt, work.now)) return;
  const run = nextRun(work);
  set(work, { release: { ...release, run, attempts: release.attempts + 1 } });
  work.effects.push({ do: 'release', run, epoch: order.epoch });
}

/** Only the guard's proof makes it `released`; without one it is reported as a failed stop. */
export function onReleaseDone(work: Work, proven: boolean): void {
  const { release } = work.state;
  set(work, {
    release: { ...release, run: null, done: proven, askAt: proven ? null : after(work.now, RELEASE_RETRY_MS) },
  });
  if (proven) return answer(work, 'released', '');
  if (release.attempts >= RELEASE_ATTEMPTS_MAX) failRelease(work, 'the guard could not prove the slot stopped');
}

function failRelease(work: Work, why: string): void {
  set(work, { why: `stop_failed: ${why}` });
  answer(work, 'failed', work.state.why);
}

function settleReplace(work: Work): void {
  const { next } = work.state;
  if (next === null || !isQuiet(work.state)) return;
  const left = leftRunning(work.state);
  if (left.length === 0) {
    if (next.verb === 'standby') beginStandby(work, next);
    else beginOrder(work, next);
    return advance(work); // Once: what begins is no `replace`.
  }
  const why = `stop_failed: still running from epoch ${work.state.order?.epoch ?? 0}: ${left.join(', ')}`;
  set(work, { want: 'fail', next: null, why, reported: 'failed' });
  report(work, next, next.verb === 'standby' ? 'refused' : 'failed', why);
}

/** Nothing runs and nothing is under way, as far as it could be brought. Of a standby nothing was started. */
export function isQuiet(state: SlotState): boolean {
  return state.want === 'standby' || Object.keys(state.services).every((name) => isEnded(state, name));
}

/** The next moment at which time alone changes something. */
export function nextWake(state: SlotState): Instant | undefined {
  if (state.want === 'idle') return undefined;
  if (state.want === 'standby') return state.askAt ?? undefined;
  const due: Instant[] = [];
  for (const { doing, monitorAt } of Object.values(state.services)) {
    if (doing === null && monitorAt !== null) due.push(monitorAt);
  }
  if (state.want === 'run' && state.ask === null && state.askAt !== null) due.push(state.askAt);
  const { release } = state;
  if (state.want === 'release' && release.run === null && release.askAt !== null && state.reported === null)
    due.push(release.askAt);
  return due.length === 0 ? undefined : due.reduce((first, at) => (isReached(first, at) ? first : at));
}
