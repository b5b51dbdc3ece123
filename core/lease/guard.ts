/**
 * The guard as a pure step function: it owns the session, the deadline, the kill list and the leave to start.
 *
 * The shell (agent/guard) feeds it events with the boot clock's time and performs the effects in order; `save` must be
 * on disk before the effects behind it are performed. Whatever the agent does or fails to do, `tick` alone stops what
 * is covered in time: clean stop at deadline − (s + 2w), kill at deadline − 2w, and no feeding of the watchdog from
 * then on until everything covered is proven stopped (S4, S5).
 */
import type { Timing } from '../config/model.ts';
import { unreachable } from '../failures/invariant.ts';
import type { AgentMessage, GuardMessage, LeaveRequest, SlotRef } from '../protocol/guard-link.ts';
import type { GuardLevel } from '../protocol/records.ts';
import { after, elapsed, type Instant, isReached } from '../time/time.ts';
import { leaseStanding, mayFeed, renewedDeadline } from './lease.ts';
import {
  type Ledger,
  type LedgerEntry,
  slotKey,
  withCoveredLost,
  withEntry,
  withFloor,
  withSession,
} from './ledger.ts';

/** A stop of everything covered, under way. It runs to its end even if the lease comes back meanwhile. */
export interface Stopping {
  readonly why: string;
  readonly begunAt: Instant;
  /** From then on processes are killed. */
  readonly killAt: Instant;
  /** The agent said that it is at work; without this the guard itself asks the processes to end. */
  readonly isAgentAtWork: boolean;
  readonly isTermSent: boolean;
  readonly isAgentDone: boolean;
  /** The session is over for good (refused, drained), not just its lease. */
  readonly endsSession: boolean;
}

export interface GuardState {
  readonly session: string;
  readonly isRegistered: boolean;
  readonly level: GuardLevel;
  readonly timing: Timing | null;
  readonly deadline: Instant | null;
  readonly ledger: Ledger;
  readonly stopping: Stopping | null;
  /** A drain was asked for; the session closes once the agent reports it done. */
  readonly isDraining: boolean;
  readonly agentReady: boolean;
}

export type GuardEvent =
  | { readonly type: 'tick' }
  | { readonly type: 'agent'; readonly message: AgentMessage }
  | { readonly type: 'agent_exited' }
  /** The shell looked for processes of these covered entries and ran their cleanup; `isStopped`: none is left. */
  | { readonly type: 'proven'; readonly keys: readonly string[]; readonly isStopped: boolean }
  /** The shell killed and probed a slot that the agent wants to release. */
  | { readonly type: 'release_probed'; readonly id: number; readonly ref: SlotRef; readonly isStopped: boolean }
  | { readonly type: 'drain' };

export type GuardEffect =
  | { readonly do: 'save'; readonly ledger: Ledger }
  | { readonly do: 'feed' }
  /** Arm the watchdog, then answer `armed`. */
  | { readonly do: 'arm'; readonly timeoutMs: number }
  | { readonly do: 'send'; readonly message: GuardMessage }
  /** SIGTERM to the processes of these entries. */
  | { readonly do: 'terminate'; readonly entries: readonly LedgerEntry[] }
  /**
   * SIGKILL, cleanup, probe; answered by `proven`. An agent that has not said that it is done dies first: it may hold a
   * leave that it has not used yet, and would start the service after the proof.
   */
  | { readonly do: 'kill'; readonly entries: readonly LedgerEntry[]; readonly killAgent: boolean }
  /** SIGKILL what is left of one slot, probe; answered by `release_probed`. */
  | { readonly do: 'probe_release'; readonly id: number; readonly ref: SlotRef; readonly entry: LedgerEntry | null }
  /** A new session identity is needed: the shell answers by calling `nextSession`. */
  | { readonly do: 'new_session' }
  /** Drained: end the process in good order. */
  | { readonly do: 'exit' }
  | { readonly do: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly text: string };

export interface GuardStep {
  readonly state: GuardState;
  readonly effects: readonly GuardEffect[];
}

/** A guard that has just proven that nothing covered is left from before (S1). */
export function firstState(options: { session: string; level: GuardLevel; ledger: Ledger }): GuardState {
  return {
    session: options.session,
    isRegistered: false,
    level: options.level,
    timing: null,
    deadline: null,
    ledger: withSession({ ...withCoveredLost(options.ledger), entries: [], resets: 0 }, options.session),
    stopping: null,
    isDraining: false,
    agentReady: false,
  };
}

/** A fresh session in the same guard process, after everything covered was proven stopped (S1, S3). */
export function nextSession(state: GuardState, session: string): GuardStep {
  const ledger = withSession(state.ledger, session);
  const next: GuardState = { ...state, session, ledger, isRegistered: false, deadline: null, stopping: null };
  return { state: next, effects: [{ do: 'save', ledger }, ...(next.agentReady ? [hello(next)] : [])] };
}

export function guardStep(state: GuardState, event: GuardEvent, now: Instant): GuardStep {
  switch (event.type) {
    case 'tick':
      return onTick(state, now);
    case 'agent':
      return onAgent(state, event.message, now);
    case 'agent_exited':
      // What the dead agent said of its own work ends with it; its successor is told to stop when it is ready.
      return { state: { ...withStopping(state, { isAgentDone: false, isAgentAtWork: false }), agentReady: false }, effects: [] };
    case 'proven':
      return onProven(state, event);
    case 'release_probed':
      return onReleaseProbed(state, event);
    case 'drain':
      if (state.isDraining) return { state, effects: [] };
      return { state: { ...state, isDraining: true }, effects: [send({ type: 'drain' })] };
    default:
      return unreachable(event);
  }
}

function send(message: GuardMessage): GuardEffect {
  return { do: 'send', message };
}

function hello(state: GuardState): GuardEffect {
  const handover = state.ledger.sessions.filter((session) => session !== state.session);
  const { session, isRegistered, timing, level } = state;
  return send({ type: 'session', session, isRegistered, timing, handover, level });
}

/** Covered entries not yet proven stopped. */
export function covered(state: GuardState): readonly LedgerEntry[] {
  return state.ledger.entries.filter((entry) => entry.covered);
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

function beginStopIfDue(state: GuardState, now: Instant): GuardStep {
  if (state.stopping !== null || covered(state).length === 0 || state.timing === null) return { state, effects: [] };
  const standing = leaseStanding(state.deadline, now, state.timing);
  if (standing === 'hold') return { state, effects: [] };
  const killAt = state.deadline === null ? now : after(state.deadline, -2 * state.timing.watchdogMs);
  return beginStop(state, { why: 'the lease runs out', killAt, endsSession: false }, now);
}

function beginStop(
  state: GuardState,
  stop: Pick<Stopping, 'why' | 'killAt' | 'endsSession'>,
  now: Instant,
): GuardStep {
  const stopping: Stopping = { ...stop, begunAt: now, isAgentAtWork: false, isTermSent: false, isAgentDone: false };
  return {
    state: { ...state, stopping },
    effects: [
      { do: 'log', level: 'warn', text: `stopping everything covered: ${stop.why}` },
      send({ type: 'stop_covered', why: stop.why }),
    ],
  };
}

/** One beat of a stop under way: ask again by SIGTERM if the agent is silent, kill when it is time. */
function driveStop(state: GuardState, now: Instant): GuardStep {
  const { stopping, timing } = state;
  if (stopping === null) return { state, effects: [] };
  const entries = covered(state);
  if (entries.length === 0) return finishStop(state);
  const periodMs = timing?.guardPeriodMs ?? 0;
  if (stopping.isAgentDone || isReached(stopping.killAt, now)) {
    return { state, effects: [{ do: 'kill', entries, killAgent: !stopping.isAgentDone }] };
  }
  const isAgentSilent = !stopping.isAgentAtWork && elapsed(stopping.begunAt, now) >= periodMs;
  if (isAgentSilent && !stopping.isTermSent) {
    return { state: { ...state, stopping: { ...stopping, isTermSent: true } }, effects: [{ do: 'terminate', entries }] };
  }
  return { state, effects: [] };
}

/** Nothing covered is left. An ended session makes room for a new one; a lease that came back goes on. */
function finishStop(state: GuardState): GuardStep {
  const { stopping } = state;
  if (stopping === null) return { state, effects: [] };
  const next: GuardState = { ...state, stopping: null };
  if (stopping.endsSession) return { state: next, effects: [{ do: 'new_session' }] };
  return { state: next, effects: [send({ type: 'resume' })] };
}

function onProven(state: GuardState, event: Extract<GuardEvent, { type: 'proven' }>): GuardStep {
  if (!event.isStopped || state.stopping === null) return { state, effects: [] };
  // Entries leave the kill list. Their epoch is lost only with the session: a lease that comes back may start it again (S6).
  const keepsEpoch = !state.stopping.endsSession;
  const gone = state.ledger.entries.filter((entry) => event.keys.includes(slotKey(entry)));
  const entries = state.ledger.entries.filter((entry) => !gone.includes(entry));
  const ledger = keepsEpoch
    ? { ...state.ledger, entries }
    : gone.reduce<Ledger>((next, entry) => withFloor(next, entry), { ...state.ledger, entries });
  const saved: GuardState = { ...state, ledger };
  const save: GuardEffect = { do: 'save', ledger };
  if (covered(saved).length > 0) return { state: saved, effects: [save] };
  const done = finishStop(saved);
  return { state: done.state, effects: [save, ...done.effects] };
}

function onAgent(state: GuardState, message: AgentMessage, now: Instant): GuardStep {
  switch (message.type) {
    case 'ready': {
      const next = { ...state, agentReady: true };
      const again: GuardEffect[] =
        state.stopping === null ? [] : [send({ type: 'stop_covered', why: state.stopping.why })];
      return { state: next, effects: [hello(next), ...again] };
    }
    case 'arm':
      // A session is judged by the timing it registered with (S19): a new one waits for the next session.
      if (state.isRegistered || state.stopping !== null) return { state, effects: [] };
      return { state: { ...state, timing: message.timing }, effects: [{ do: 'arm', timeoutMs: message.timing.watchdogMs }] };
    case 'registered':
      return onRegistered(state, message);
    case 'renewed': {
      if (message.session !== state.session || !state.isRegistered || state.timing === null) return { state, effects: [] };
      return { state: { ...state, deadline: renewedDeadline(state.deadline, message, state.timing) }, effects: [] };
    }
    case 'refused':
      return onRefused(state, message, now);
    case 'leave': {
      const verdict = judgeLeave(state, message.request, now);
      const reply = send({ type: 'leave', id: message.id, granted: verdict === 'granted', why: verdict });
      if (verdict !== 'granted') return { state, effects: [reply] };
      const ledger = withEntry(state.ledger, message.request);
      return { state: { ...state, ledger }, effects: [{ do: 'save', ledger }, reply] };
    }
    case 'release': {
      const entry = state.ledger.entries.find((other) => slotKey(other) === slotKey(message.ref)) ?? null;
      if (entry !== null && entry.epoch > message.ref.epoch) {
        const why = `epoch ${entry.epoch} of ${slotKey(entry)} runs here, not ${message.ref.epoch}`;
        return { state, effects: [send({ type: 'release', id: message.id, released: false, why })] };
      }
      return { state, effects: [{ do: 'probe_release', id: message.id, ref: message.ref, entry }] };
    }
    case 'stopping':
      return { state: withStopping(state, { isAgentAtWork: true }), effects: [] };
    case 'stopped':
      return { state: withStopping(state, { isAgentDone: true }), effects: [] };
    case 'drained':
      return { state, effects: state.isDraining && state.ledger.entries.length === 0 ? [{ do: 'exit' }] : [] };
    default:
      return unreachable(message);
  }
}

function withStopping(state: GuardState, change: Partial<Stopping>): GuardState {
  return state.stopping === null ? state : { ...state, stopping: { ...state.stopping, ...change } };
}

function onRegistered(state: GuardState, message: Extract<AgentMessage, { type: 'registered' }>): GuardStep {
  if (message.session !== state.session || state.stopping !== null || state.timing === null) return { state, effects: [] };
  const deadline = renewedDeadline(state.deadline, message, state.timing);
  return {
    state: { ...state, isRegistered: true, deadline },
    effects: [{ do: 'log', level: 'info', text: `session ${message.session} stands` }],
  };
}

/** Another session stands in the item: this one is over, at once, whatever any peer says (S3). */
function onRefused(state: GuardState, message: Extract<AgentMessage, { type: 'refused' }>, now: Instant): GuardStep {
  if (message.session !== state.session) return { state, effects: [] };
  const why = `the store holds session ${message.found}`;
  const ended: GuardState = { ...state, isRegistered: false, deadline: null };
  if (covered(state).length === 0) {
    return { state: ended, effects: [{ do: 'log', level: 'warn', text: `session over: ${why}` }, { do: 'new_session' }] };
  }
  if (state.stopping !== null) {
    const stopping = { ...state.stopping, endsSession: true };
    return { state: { ...ended, stopping }, effects: [] };
  }
  const cleanStopMs = state.timing?.cleanStopMs ?? 0;
  const clean = after(now, cleanStopMs);
  const last = state.deadline === null || state.timing === null ? now : after(state.deadline, -2 * state.timing.watchdogMs);
  return beginStop(ended, { why, killAt: last < clean ? last : clean, endsSession: true }, now);
}

/** S6: who may start what, and when. Returns 'granted' or the reason against it. */
export function judgeLeave(state: GuardState, request: LeaveRequest, now: Instant): string {
  const key = slotKey(request);
  const floor = state.ledger.floors[key] ?? 0;
  if (request.epoch <= floor) return `epoch ${request.epoch} of ${key} is over here (released or lost up to ${floor})`;
  if (request.session !== state.session) return `the order is for session ${request.session}, this one is ${state.session}`;
  const running = state.ledger.entries.find((entry) => slotKey(entry) === key);
  if (running !== undefined && running.epoch > request.epoch) return `epoch ${running.epoch} of ${key} was started here`;
  if (state.isDraining) return 'this host is draining';
  // What is not covered may be restarted through a lost lease: two of it are allowed, and stopping it would do harm.
  const isRestart = running !== undefined && running.epoch === request.epoch && running.session === state.session;
  if (!request.covered && isRestart) return 'granted';
  if (state.stopping !== null) return `stopping: ${state.stopping.why}`;
  if (!state.isRegistered || state.timing === null) return 'no session stands';
  if (leaseStanding(state.deadline, now, state.timing) !== 'hold') return 'the lease runs out';
  return 'granted';
}

function onReleaseProbed(state: GuardState, event: Extract<GuardEvent, { type: 'release_probed' }>): GuardStep {
  const reply = (released: boolean, why: string): GuardEffect => send({ type: 'release', id: event.id, released, why });
  if (!event.isStopped) {
    return { state, effects: [reply(false, `something of ${slotKey(event.ref)} is still running`)] };
  }
  const current = state.ledger.entries.find((entry) => slotKey(entry) === slotKey(event.ref));
  if (current !== undefined && current.epoch > event.ref.epoch) {
    return { state, effects: [reply(false, `epoch ${current.epoch} was started meanwhile`)] };
  }
  const ledger = withFloor(state.ledger, event.ref);
  return { state: { ...state, ledger }, effects: [{ do: 'save', ledger }, reply(true, 'proven stopped')] };
}
