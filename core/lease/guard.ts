/**
 * The guard as a pure step function: it owns the session, the deadline, the kill list and the leave to start.
 *
 * The shell (agent/guard) feeds it events with the boot clock's time and performs the effects in order; `save` must be
 * on disk before the effects behind it are performed. Whatever the agent does or fails to do, `tick` alone stops what
 * is covered in time: clean stop at deadline − (s + 2w), kill at deadline − 2w, and no feeding of the watchdog from
 * then on until everything covered is proven stopped (S4, S5).
 *
 * Messages may have waited in a frozen process for any time. None is believed for when it arrives: renewals carry the
 * moment they were sent, stops carry their number, and answers go only to the agent that asked.
 */
import { unreachable } from '../failures/invariant.ts';
import type { AgentMessage } from '../protocol/guard-link.ts';
import { after, type Instant } from '../time/time.ts';
import {
  covered,
  type GuardEffect,
  type GuardEvent,
  type GuardState,
  type GuardStep,
  send,
  unchanged,
} from './guard-state.ts';
import { mayFeed, renewedDeadline } from './lease.ts';
import { onClose, onLeave, onLeaveRecorded, onRelease, onReleaseProbed, onReleaseRecorded } from './leave.ts';
import { withSession } from './ledger.ts';
import { beginStop, beginStopIfDue, driveStop, heardOfStop, lastKill, onProven, withStopping } from './stopping.ts';

export function guardStep(state: GuardState, event: GuardEvent, now: Instant): GuardStep {
  switch (event.type) {
    case 'tick':
      return onTick(state, now);
    case 'agent':
      return onAgent(state, event.message, now);
    case 'agent_exited':
      return onAgentExited(state);
    case 'proven':
      return onProven(state, event);
    case 'release_probed':
      return onReleaseProbed(state, event);
    case 'leave_recorded':
      return onLeaveRecorded(state, event, now);
    case 'release_recorded':
      return onReleaseRecorded(state, event);
    case 'session_recorded':
      return onSessionRecorded(state, event.session);
    case 'drain':
      if (state.isDraining) return unchanged(state);
      return { state: { ...state, isDraining: true }, effects: [send({ type: 'drain' })] };
    default:
      return unreachable(event);
  }
}

/** A fresh session in the same guard process, after everything covered was proven stopped (S1, S3). Told when it is on disk. */
export function nextSession(state: GuardState, session: string): GuardStep {
  const ledger = withSession(state.ledger, session);
  const fresh = {
    isRecorded: false,
    isRegistered: false,
    isOffered: false,
    isOver: false,
    deadline: null,
    stopping: null,
  };
  return {
    state: { ...state, ...fresh, session, ledger },
    effects: [
      { do: 'save', ledger },
      { do: 'confirm_session', session },
    ],
  };
}

/** Who to be is said as it is now: more than one session may have come and gone while the disk took its time. */
function onSessionRecorded(state: GuardState, session: string): GuardStep {
  if (session !== state.session || state.isOver) return unchanged(state);
  const next: GuardState = { ...state, isRecorded: true };
  return { state: next, effects: next.agentReady ? [hello(next)] : [] };
}

function hello(state: GuardState): GuardEffect {
  const handover = state.ledger.sessions.filter((session) => session !== state.session);
  const { session, isRegistered, timing, level } = state;
  return send({ type: 'session', session, isRegistered, timing, handover, level });
}

function onTick(state: GuardState, now: Instant): GuardStep {
  const effects: GuardEffect[] = [send({ type: 'pulse' })];
  const begun = beginStopIfDue(state, now);
  effects.push(...begun.effects);
  const driven = driveStop(begun.state, now);
  effects.push(...driven.effects);
  const next = driven.state;
  const watchdogMs = next.timing?.watchdogMs ?? 0;
  const isCoveredUnproven = covered(next).length > 0;
  if (mayFeed({ isCoveredUnproven, deadline: next.deadline, now, watchdogMs })) effects.push({ do: 'feed' });
  return { state: next, effects };
}

/**
 * What the dead agent said of its own work ends with it; its successor is told to stop when it is ready. A session that
 * it may have sent, without a word that it stands, is given up: nobody could say when it was written, in which terms, and
 * whether it has been revoked since. Nothing covered was started in it.
 */
function onAgentExited(state: GuardState): GuardStep {
  const alone = withStopping(state, { isAgentDone: false, isAgentAtWork: false });
  const next: GuardState = { ...alone, agentReady: false, agentLife: state.agentLife + 1 };
  if (!state.isOffered || state.isRegistered || state.isOver) return unchanged(next);
  return { state: { ...next, isOver: true }, effects: [{ do: 'new_session' }] };
}

function onAgent(state: GuardState, message: AgentMessage, now: Instant): GuardStep {
  const life = state.agentLife;
  switch (message.type) {
    case 'ready':
      return onReady(state);
    case 'arm':
      // A session is judged by the timing it registered with (S19): a new one waits for the next session.
      if (message.session !== state.session || state.isRegistered || state.isOver) return unchanged(state);
      if (state.stopping !== null) return unchanged(state);
      return {
        state: { ...state, isOffered: true, timing: message.timing },
        effects: [{ do: 'arm', timeoutMs: message.timing.watchdogMs }],
      };
    case 'registered':
      return onRegistered(state, message);
    case 'renewed':
      if (message.session !== state.session || !state.isRegistered || state.timing === null) return unchanged(state);
      return unchanged({ ...state, deadline: renewedDeadline(state.deadline, message, state.timing) });
    case 'refused':
      return onRefused(state, message, now);
    case 'leave':
      return onLeave(state, { id: message.id, life }, message.request, now);
    case 'release':
      return onRelease(state, { id: message.id, life }, message.ref);
    case 'stopping':
      return unchanged(heardOfStop(state, message.stop, { isAgentAtWork: true }));
    case 'stopped':
      return unchanged(heardOfStop(state, message.stop, { isAgentDone: true }));
    case 'close':
      return onClose(state, { id: message.id, life }, message.session);
    case 'drained':
      return { state, effects: state.isDraining && state.ledger.entries.length === 0 ? [{ do: 'exit' }] : [] };
    default:
      return unreachable(message);
  }
}

/** A fresh agent learns who to be and what is under way. A session that is over has no name to give: its successor's follows. */
function onReady(state: GuardState): GuardStep {
  const next: GuardState = { ...state, agentReady: true };
  const effects: GuardEffect[] = [];
  if (state.isRecorded && !state.isOver) effects.push(hello(next));
  const { stopping } = state;
  if (stopping !== null) effects.push(send({ type: 'stop_covered', stop: stopping.no, why: stopping.why }));
  if (state.isDraining) effects.push(send({ type: 'drain' }));
  return { state: next, effects };
}

function onRegistered(state: GuardState, message: Extract<AgentMessage, { type: 'registered' }>): GuardStep {
  const isWanted = message.session === state.session && !state.isOver && state.stopping === null;
  if (!isWanted || state.timing === null) return unchanged(state);
  const deadline = renewedDeadline(state.deadline, message, state.timing);
  return {
    state: { ...state, isRegistered: true, deadline },
    effects: [{ do: 'log', level: 'info', text: `session ${message.session} stands` }],
  };
}

/**
 * Another session stands in the item: this one is over, at once, whatever any peer says (S3). The deadline still bounds
 * the stop and the feeding: by it everything is quiet, as it would have been without the answer.
 */
function onRefused(state: GuardState, message: Extract<AgentMessage, { type: 'refused' }>, now: Instant): GuardStep {
  if (message.session !== state.session || state.isOver) return unchanged(state);
  const why = `the store holds session ${message.found}`;
  const over: GuardState = { ...state, isRegistered: false, isOver: true };
  if (state.stopping !== null) return unchanged(withStopping(over, { endsSession: true }));
  if (covered(state).length === 0) {
    return {
      state: over,
      effects: [{ do: 'log', level: 'warn', text: `session over: ${why}` }, { do: 'new_session' }],
    };
  }
  const clean = after(now, state.timing?.cleanStopMs ?? 0);
  const last = lastKill(state, now);
  return beginStop(over, { why, killAt: last < clean ? last : clean, endsSession: true }, now);
}
