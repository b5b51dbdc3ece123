/** Leave to start, release of an epoch, and the close of a session: who may say what about a slot, and when (S6, S7). */
import type { LeaveRequest, SlotRef } from '../protocol/guard-link.ts';
import type { Instant } from '../time/time.ts';
import {
  type Asked,
  type GuardEffect,
  type GuardEvent,
  type GuardState,
  type GuardStep,
  send,
  unchanged,
} from './guard-state.ts';
import { leaseStanding } from './lease.ts';
import { slotKey, withEntry, withFloor } from './ledger.ts';

/** S6: who may start what, and when. Returns 'granted' or the reason against it. */
export function judgeLeave(state: GuardState, request: LeaveRequest, now: Instant): string {
  const key = slotKey(request);
  const floor = state.ledger.floors[key] ?? 0;
  if (request.epoch <= floor) return `epoch ${request.epoch} of ${key} is over here (released or lost up to ${floor})`;
  if (request.session !== state.session)
    return `the order is for session ${request.session}, this one is ${state.session}`;
  const running = state.ledger.entries.find((entry) => slotKey(entry) === key);
  if (running !== undefined && running.epoch > request.epoch)
    return `epoch ${running.epoch} of ${key} was started here`;
  if (state.isDraining) return 'this host is draining';
  if (state.releasing.includes(key)) return `${key} is being released`;
  // What is not covered may be restarted through a lost lease: two of it are allowed, and stopping it would do harm. What
  // was covered when it was started stays so, whatever the definition says now (S20).
  const isCovered = request.covered || running?.covered === true;
  const isRestart = running?.epoch === request.epoch && running.session === state.session;
  if (!isCovered && isRestart) return 'granted';
  if (state.stopping !== null) return `stopping: ${state.stopping.why}`;
  if (!state.isRegistered || state.timing === null) return 'no session stands';
  if (leaseStanding(state.deadline, now, state.timing) !== 'hold') return 'the lease runs out';
  return 'granted';
}

export function onLeave(state: GuardState, asked: Asked, request: LeaveRequest, now: Instant): GuardStep {
  const verdict = judgeLeave(state, request, now);
  if (verdict !== 'granted')
    return { state, effects: [send({ type: 'leave', id: asked.id, granted: false, why: verdict })] };
  const ledger = withEntry(state.ledger, request);
  return {
    state: { ...state, ledger },
    effects: [
      { do: 'save', ledger },
      { do: 'confirm_leave', asked, request },
    ],
  };
}

/**
 * The leave is on disk, or could not be written. Whatever happened while the disk took its time, the leave is given by
 * what holds now: a stop may have begun, or ended, since it was asked for. One that is not given stays on the kill list.
 */
export function onLeaveRecorded(
  state: GuardState,
  event: Extract<GuardEvent, { type: 'leave_recorded' }>,
  now: Instant,
): GuardStep {
  const { asked, request } = event;
  if (asked.life !== state.agentLife) return unchanged(state);
  const isListed = state.ledger.entries.some(
    (entry) =>
      slotKey(entry) === slotKey(request) && entry.epoch === request.epoch && entry.session === request.session,
  );
  const why = !event.isSaved
    ? 'the ledger cannot be written'
    : isListed
      ? judgeLeave(state, request, now)
      : `${slotKey(request)} was stopped meanwhile`;
  return { state, effects: [send({ type: 'leave', id: asked.id, granted: why === 'granted', why })] };
}

export function onRelease(state: GuardState, asked: Asked, ref: SlotRef): GuardStep {
  const entry = state.ledger.entries.find((other) => slotKey(other) === slotKey(ref)) ?? null;
  if (entry !== null && entry.epoch > ref.epoch) {
    const why = `epoch ${entry.epoch} of ${slotKey(entry)} runs here, not ${ref.epoch}`;
    return { state, effects: [send({ type: 'release', id: asked.id, released: false, why })] };
  }
  const releasing = [...state.releasing, slotKey(ref)];
  return { state: { ...state, releasing }, effects: [{ do: 'probe_release', asked, ref, entry }] };
}

export function onReleaseProbed(state: GuardState, event: Extract<GuardEvent, { type: 'release_probed' }>): GuardStep {
  const { asked, ref } = event;
  const at = state.releasing.indexOf(slotKey(ref));
  const probed: GuardState = { ...state, releasing: state.releasing.filter((_, index) => index !== at) };
  if (!event.isStopped) {
    return { state: probed, effects: released(probed, asked, `something of ${slotKey(ref)} is still running`) };
  }
  const current = probed.ledger.entries.find((entry) => slotKey(entry) === slotKey(ref));
  if (current !== undefined && current.epoch > ref.epoch) {
    return { state: probed, effects: released(probed, asked, `epoch ${current.epoch} was started meanwhile`) };
  }
  const ledger = withFloor(probed.ledger, ref);
  return {
    state: { ...probed, ledger },
    effects: [
      { do: 'save', ledger },
      { do: 'confirm_release', asked },
    ],
  };
}

/** On disk before it is reported (S6). */
export function onReleaseRecorded(
  state: GuardState,
  event: Extract<GuardEvent, { type: 'release_recorded' }>,
): GuardStep {
  return { state, effects: released(state, event.asked, event.isSaved ? null : 'the ledger cannot be written') };
}

/** `objection` null: it is released. */
function released(state: GuardState, asked: Asked, objection: string | null): readonly GuardEffect[] {
  if (asked.life !== state.agentLife) return [];
  const why = objection ?? 'proven stopped';
  return [send({ type: 'release', id: asked.id, released: objection === null, why })];
}

/** `closed` is evidence (S7), so it is the guard that says it: a restarted agent may know nothing of what still runs. */
export function onClose(state: GuardState, asked: Asked, session: string): GuardStep {
  const objection = objectionToClose(state, session);
  return {
    state,
    effects: [send({ type: 'close', id: asked.id, closed: objection === null, why: objection ?? 'nothing is left' })],
  };
}

function objectionToClose(state: GuardState, session: string): string | null {
  if (!state.isDraining) return 'this host is not draining';
  if (session !== state.session) return `the session is ${state.session}, not ${session}`;
  const left = [...state.ledger.entries.map(slotKey), ...state.releasing];
  return left.length === 0 ? null : `${left.join(', ')} may still be running`;
}
