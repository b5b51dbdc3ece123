/**
 * Supervision of one slot as a step function: state and event and time in, state and effects out.
 *
 * Safety carried here: no start without a leave that answers a question asked since the last stop (S6); no dependant
 * before its dependency is active; never again in a released epoch (S6); `released` only after every service was
 * stopped, probed stopped, and the guard has proven it (S7). Total: an event that does not fit changes nothing.
 */
import { isCovered } from '../config/model.ts';
import { unreachable } from '../failures/invariant.ts';
import type { Order } from '../protocol/records.ts';
import type { Instant } from '../time/time.ts';
import { serviceNamed } from './dependencies.ts';
import { advance, nextWake, onLeave, onReleaseDone } from './engine.ts';
import { answerAgain, beginOrder, goDown, goRelease, goUp } from './goals.ts';
import { move } from './moves.ts';
import { SERVICE_TABLE, signalOf, type ServiceEvent } from './service-table.ts';
import { SLOT_TABLE, type Command, type Turn } from './slot-table.ts';
import { beginStandby } from './standby.ts';
import type { SlotEvent, SlotState, SlotStep } from './state.ts';
import { answer, report, set, type Work } from './work.ts';

export function slotStep(state: SlotState, event: SlotEvent, now: Instant): SlotStep {
  const work: Work = { state, now, effects: [] };
  apply(work, event);
  advance(work);
  const at = nextWake(work.state);
  if (at !== undefined) work.effects.push({ do: 'wake', at });
  return { state: work.state, effects: work.effects };
}

function apply(work: Work, event: SlotEvent): void {
  switch (event.type) {
    case 'start':
      return onStart(work, event.order);
    case 'standby':
      return onStandby(work, event.order);
    case 'stop':
      return onStop(work, event.reason, event.order ?? work.state.order);
    case 'resume':
      return turn(work, 'resume', work.state.order);
    case 'leave':
      if (event.run === work.state.ask) onLeave(work, event.granted, event.why);
      return;
    case 'release_done':
      if (event.run === work.state.release.run) onReleaseDone(work, event.proven);
      return;
    case 'action_done':
    case 'monitor':
    case 'process_died':
      return onService(work, event);
    case 'tick':
      return;
    default:
      return unreachable(event);
  }
}

function onStart(work: Work, order: Order): void {
  const { releasedEpoch, want, next } = work.state;
  if (order.epoch <= releasedEpoch) return report(work, order, 'refused', `epoch ${releasedEpoch} was released here`);
  const standing = standingEpoch(work.state);
  if (order.epoch < standing) return report(work, order, 'refused', `epoch ${standing} stands here`);
  const isSame = order.epoch === standing && next?.verb !== 'standby';
  if (want === 'replace' && isSame) return; // Under way already.
  turn(work, isSame ? 'same' : 'newer', order);
}

function onStandby(work: Work, order: Order): void {
  const standing = standingEpoch(work.state);
  if (work.state.next?.verb === 'standby' && order.epoch === standing) return; // Under way already.
  turn(work, order.epoch > standing ? 'standby-newer' : 'standby', order);
}

function onStop(work: Work, reason: 'release' | 'lease' | 'order', order: Order | null): void {
  if (reason !== 'release') return turn(work, reason, order);
  const standing = standingEpoch(work.state);
  if (order !== null && order.epoch < standing) return report(work, order, 'refused', `epoch ${standing} stands here`);
  turn(work, 'release', order);
}

/** The epoch that orders are measured by; a standby has none. */
function standingEpoch(state: SlotState): number {
  if (state.want === 'idle' || state.want === 'standby') return 0;
  return state.next?.epoch ?? state.order?.epoch ?? 0;
}

function turn(work: Work, command: Command, order: Order | null): void {
  if (order !== null) perform(work, SLOT_TABLE[work.state.want][command], order);
}

function perform(work: Work, what: Turn, order: Order): void {
  switch (what) {
    case 'ignore':
      return;
    case 'begin':
      return beginOrder(work, order);
    case 'run':
      rename(work, order);
      return goUp(work);
    case 'go-on':
      rename(work, order);
      return set(work, { want: 'run', why: '', reported: null, ask: null, askAt: null });
    case 'answer':
      rename(work, order);
      return answerAgain(work);
    case 'replace':
      goDown(work, 'replace');
      return set(work, { next: order, reported: null });
    case 'go-on-newer':
      if (!isCarriedOver(work.state, order)) return perform(work, 'replace', order);
      set(work, { order });
      return goUp(work);
    case 'pause':
    case 'halt':
      return goDown(work, what);
    case 'release':
      return goRelease(work, order);
    case 'release-again':
      return releaseAgain(work, order);
    case 'stand-by':
      return isSameOrder(work.state, order) ? answerAgain(work) : beginStandby(work, order);
    case 'stand-by-if-released':
      if (work.state.release.done) perform(work, 'stand-by', order);
      return;
    case 'refuse':
      return report(work, order, 'refused', `epoch ${standingEpoch(work.state)} must be released first`);
    default:
      return unreachable(what);
  }
}

/** A standby order that is merely repeated; any other is probed anew. */
function isSameOrder({ want, order: standing }: SlotState, order: Order): boolean {
  return want === 'standby' && JSON.stringify(standing) === JSON.stringify(order);
}

/**
 * Of what is not covered two may run, so a newer epoch is no reason to end a service that is well: it goes on with the
 * `HOLDFAST_EPOCH` it was started with. What the new definition changes or leaves out has to stop.
 */
function isCarriedOver({ order: standing }: SlotState, order: Order): boolean {
  if (standing === null || isCovered(standing.spec) || isCovered(order.spec)) return false;
  const defined = new Set(order.spec.services.map((service) => JSON.stringify(service)));
  return standing.spec.services.every((service) => defined.has(JSON.stringify(service)));
}

/** The same epoch under another order: answers go to the newest; what runs keeps the definition it was started with (S20). */
function rename(work: Work, order: Order): void {
  set(work, { order: { ...order, spec: work.state.order?.spec ?? order.spec } });
}

function releaseAgain(work: Work, order: Order): void {
  const { release, reported } = work.state;
  const isSame = order.epoch === work.state.order?.epoch;
  if (isSame && release.done) {
    rename(work, order);
    return answer(work, 'released', '');
  }
  if (isSame && reported !== 'failed') return rename(work, order); // Under way.
  goRelease(work, order);
}

function onService(work: Work, event: ServiceEvent): void {
  const service = serviceNamed(work.state, event.service);
  const record = work.state.services[event.service];
  if (service === undefined || record === undefined) return;
  const doing = event.type === 'action_done' ? event.action : 'monitor';
  const isAnswer =
    event.type === 'process_died' ? event.run === record.life : event.run === record.run && doing === record.doing;
  if (isAnswer) move(work, service, SERVICE_TABLE[record.phase][signalOf(event)], event);
}
