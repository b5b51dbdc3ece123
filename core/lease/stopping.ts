/** A stop of everything covered, from its beginning to the proof that nothing is left (S3, S4). */
import { after, elapsed, type Instant, isReached } from '../time/time.ts';
import {
  covered,
  type GuardEffect,
  type GuardEvent,
  type GuardState,
  type GuardStep,
  send,
  type Stopping,
  unchanged,
} from './guard-state.ts';
import { leaseStanding } from './lease.ts';
import { type Ledger, slotKey, withFloor } from './ledger.ts';

export function beginStopIfDue(state: GuardState, now: Instant): GuardStep {
  if (state.stopping !== null || covered(state).length === 0 || state.timing === null) return unchanged(state);
  const standing = leaseStanding(state.deadline, now, state.timing);
  if (standing === 'hold') return unchanged(state);
  return beginStop(state, { why: 'the lease runs out', killAt: lastKill(state, now), endsSession: false }, now);
}

/** Kill comes at deadline − 2w at the latest (S4). */
export function lastKill(state: GuardState, now: Instant): Instant {
  return state.deadline === null || state.timing === null ? now : after(state.deadline, -2 * state.timing.watchdogMs);
}

export function beginStop(
  state: GuardState,
  stop: Pick<Stopping, 'why' | 'killAt' | 'endsSession'>,
  now: Instant,
): GuardStep {
  const no = state.stops + 1;
  const stopping: Stopping = {
    ...stop,
    no,
    begunAt: now,
    isAgentAtWork: false,
    isTermSent: false,
    isAgentDone: false,
    isKillUnderWay: false,
  };
  return {
    state: { ...state, stopping, stops: no },
    effects: [
      { do: 'log', level: 'warn', text: `stopping everything covered: ${stop.why}` },
      send({ type: 'stop_covered', stop: no, why: stop.why }),
    ],
  };
}

/** One beat of a stop under way: ask again by SIGTERM if the agent is silent, kill when it is time. */
export function driveStop(state: GuardState, now: Instant): GuardStep {
  const { stopping, timing } = state;
  if (stopping === null || stopping.isKillUnderWay) return unchanged(state);
  const entries = covered(state);
  if (entries.length === 0) return finishStop(state);
  if (stopping.isAgentDone || isReached(stopping.killAt, now)) {
    const killing = withStopping(state, { isKillUnderWay: true });
    return { state: killing, effects: [{ do: 'kill', entries, killAgent: !stopping.isAgentDone }] };
  }
  const isAgentSilent = !stopping.isAgentAtWork && elapsed(stopping.begunAt, now) >= (timing?.guardPeriodMs ?? 0);
  if (isAgentSilent && !stopping.isTermSent) {
    return { state: withStopping(state, { isTermSent: true }), effects: [{ do: 'terminate', entries }] };
  }
  return unchanged(state);
}

/** Nothing covered is left. An ended session makes room for a new one; a lease that came back goes on. */
function finishStop(state: GuardState): GuardStep {
  const { stopping } = state;
  if (stopping === null) return unchanged(state);
  const next: GuardState = { ...state, stopping: null };
  if (stopping.endsSession) return { state: next, effects: [{ do: 'new_session' }] };
  return { state: next, effects: [send({ type: 'resume' })] };
}

/**
 * Entries leave the kill list. Their epoch is lost only with the session: a lease that comes back may start it again (S6).
 * While a stop is under way no leave for anything covered is given, so the keys name what was killed.
 */
export function onProven(state: GuardState, event: Extract<GuardEvent, { type: 'proven' }>): GuardStep {
  if (state.stopping?.isKillUnderWay !== true) return unchanged(state);
  const ended = withStopping(state, { isKillUnderWay: false });
  if (!event.isStopped || event.keys.length === 0) return unchanged(ended);
  const gone = covered(ended).filter((entry) => event.keys.includes(slotKey(entry)));
  const left: Ledger = { ...ended.ledger, entries: ended.ledger.entries.filter((entry) => !gone.includes(entry)) };
  const ledger = state.stopping.endsSession ? gone.reduce<Ledger>((next, entry) => withFloor(next, entry), left) : left;
  const saved: GuardState = { ...ended, ledger };
  const save: GuardEffect = { do: 'save', ledger };
  if (covered(saved).length > 0) return { state: saved, effects: [save] };
  const done = finishStop(saved);
  return { state: done.state, effects: [save, ...done.effects] };
}

/** What the agent says of stop `no`. */
export function heardOfStop(state: GuardState, no: number, change: Partial<Stopping>): GuardState {
  return state.stopping?.no === no ? withStopping(state, change) : state;
}

export function withStopping(state: GuardState, change: Partial<Stopping>): GuardState {
  return state.stopping === null ? state : { ...state, stopping: { ...state.stopping, ...change } };
}
