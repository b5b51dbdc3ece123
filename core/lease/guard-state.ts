/** What the guard knows, what happens to it, and what it wants done: the words of `guardStep`. */
import type { Timing } from '../config/model.ts';
import type { AgentMessage, GuardMessage, LeaveRequest, SlotRef } from '../protocol/guard-link.ts';
import type { GuardLevel } from '../protocol/records.ts';
import type { Instant } from '../time/time.ts';
import { type Ledger, type LedgerEntry, withCoveredLost, withSession } from './ledger.ts';

/** A stop of everything covered, under way. It runs to its end even if the lease comes back meanwhile. */
export interface Stopping {
  /** Number of this stop: what the agent says of an earlier one says nothing about this one. */
  readonly no: number;
  readonly why: string;
  readonly begunAt: Instant;
  /** From then on processes are killed. */
  readonly killAt: Instant;
  /** The agent said that it is at work; without this the guard itself asks the processes to end. */
  readonly isAgentAtWork: boolean;
  readonly isTermSent: boolean;
  readonly isAgentDone: boolean;
  /** A kill is not over yet. The stop cannot end before it: its `proven` must not speak about what was started later. */
  readonly isKillUnderWay: boolean;
  /** The session is over for good (refused), not just its lease. */
  readonly endsSession: boolean;
}

export interface GuardState {
  readonly session: string;
  /** The session is on disk among those that this machine may show as hand-over (S1): an agent may be told. */
  readonly isRecorded: boolean;
  readonly isRegistered: boolean;
  /** An agent was told to go ahead with this session: its registration may be on its way, or stand already. */
  readonly isOffered: boolean;
  /** The store has refused the session (S3). It is never registered again; a new one is named once nothing covered is left. */
  readonly isOver: boolean;
  readonly level: GuardLevel;
  readonly timing: Timing | null;
  /** By when everything covered is quiet (+ b). A refused session keeps it: it may be stopped and fed until then, not longer. */
  readonly deadline: Instant | null;
  readonly ledger: Ledger;
  readonly stopping: Stopping | null;
  /** Stops begun so far. */
  readonly stops: number;
  /** Slots that are being probed for a release: nothing of them starts meanwhile. A slot appears once for each probe. */
  readonly releasing: readonly string[];
  /** A drain was asked for; the session closes once the agent reports it done. */
  readonly isDraining: boolean;
  readonly agentReady: boolean;
  /** Agents that have ended. An answer goes only to the life that asked: its successor counts its questions from 1 again. */
  readonly agentLife: number;
}

/** One question of one agent. */
export interface Asked {
  readonly id: number;
  readonly life: number;
}

export type GuardEvent =
  | { readonly type: 'tick' }
  | { readonly type: 'agent'; readonly message: AgentMessage }
  | { readonly type: 'agent_exited' }
  /** A `kill` has ended; nothing of these covered entries is left (`isStopped`: and nobody could still start any). */
  | { readonly type: 'proven'; readonly keys: readonly string[]; readonly isStopped: boolean }
  /** The shell killed and probed a slot that the agent wants to release. */
  | { readonly type: 'release_probed'; readonly asked: Asked; readonly ref: SlotRef; readonly isStopped: boolean }
  /** The record before a leave is on disk, or could not be written. */
  | {
      readonly type: 'leave_recorded';
      readonly asked: Asked;
      readonly request: LeaveRequest;
      readonly isSaved: boolean;
    }
  | { readonly type: 'release_recorded'; readonly asked: Asked; readonly isSaved: boolean }
  | { readonly type: 'session_recorded'; readonly session: string }
  | { readonly type: 'drain' };

export type GuardEffect =
  /** On disk before the effects behind it are performed. */
  | { readonly do: 'save'; readonly ledger: Ledger }
  /** Answered by `leave_recorded` at once: a leave is judged again when its record stands, however long that took. */
  | { readonly do: 'confirm_leave'; readonly asked: Asked; readonly request: LeaveRequest }
  /** Answered by `release_recorded` at once. */
  | { readonly do: 'confirm_release'; readonly asked: Asked }
  /** Answered by `session_recorded` at once. */
  | { readonly do: 'confirm_session'; readonly session: string }
  | { readonly do: 'feed' }
  /** Arm the watchdog, then answer `armed`. */
  | { readonly do: 'arm'; readonly timeoutMs: number }
  | { readonly do: 'send'; readonly message: GuardMessage }
  /** SIGTERM to the processes of these entries. */
  | { readonly do: 'terminate'; readonly entries: readonly LedgerEntry[] }
  /**
   * SIGKILL, cleanup, probe; answered by `proven`, whatever came of it. An agent that has not said that it is done dies
   * first: it may hold a leave that it has not used yet, and would start the service after the proof.
   */
  | { readonly do: 'kill'; readonly entries: readonly LedgerEntry[]; readonly killAgent: boolean }
  /** SIGKILL what is left of one slot, probe; answered by `release_probed`. */
  | { readonly do: 'probe_release'; readonly asked: Asked; readonly ref: SlotRef; readonly entry: LedgerEntry | null }
  /** A new session identity is needed: the shell answers by calling `nextSession`. */
  | { readonly do: 'new_session' }
  /** Drained: end the process in good order. */
  | { readonly do: 'exit' }
  | { readonly do: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly text: string };

export interface GuardStep {
  readonly state: GuardState;
  readonly effects: readonly GuardEffect[];
}

/** A guard that has just proven that nothing covered is left from before (S1). Its ledger is to be written before its first event. */
export function firstState(options: { session: string; level: GuardLevel; ledger: Ledger }): GuardState {
  return {
    session: options.session,
    isRecorded: true,
    isRegistered: false,
    isOffered: false,
    isOver: false,
    level: options.level,
    timing: null,
    deadline: null,
    ledger: withSession({ ...withCoveredLost(options.ledger), entries: [], resets: 0 }, options.session),
    stopping: null,
    stops: 0,
    releasing: [],
    isDraining: false,
    agentReady: false,
    agentLife: 0,
  };
}

/** Covered entries not yet proven stopped. */
export function covered(state: GuardState): readonly LedgerEntry[] {
  return state.ledger.entries.filter((entry) => entry.covered);
}

export function unchanged(state: GuardState): GuardStep {
  return { state, effects: [] };
}

export function send(message: GuardMessage): GuardEffect {
  return { do: 'send', message };
}
