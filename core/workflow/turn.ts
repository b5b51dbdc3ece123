/** One call of the interpreter: its own copy of the execution, and what has come of it so far. */
import type { ExecutionStatus } from '../ports.ts';
import type { Activity, Effect, Execution, Failure, Frame, HistoryEvent, Scope, Step } from './execution.ts';
import type { Json } from './json.ts';
import type { Machine, StateDefinition } from './machine.ts';
import { invariant } from '../failures/invariant.ts';

export interface Turn {
  readonly machine: Machine;
  readonly state: Execution;
  readonly effects: Effect[];
  readonly history: HistoryEvent[];
}

type Unnumbered<T> = T extends HistoryEvent ? Omit<T, 'id' | 'atMs'> : never;

/** Copies `state`, so that the caller's value stays as it was; time never runs backwards in an execution. */
export function openTurn(machine: Machine, state: Execution, nowMs: number): Turn {
  const copy = JSON.parse(JSON.stringify(state)) as Execution;
  copy.atMs = Math.max(copy.atMs, nowMs);
  return { machine, state: copy, effects: [], history: [] };
}

export function record(turn: Turn, event: Unnumbered<HistoryEvent>): void {
  turn.state.events += 1;
  turn.history.push({ id: turn.state.events, atMs: turn.state.atMs, ...event });
}

export function definitionOf(turn: Turn, name: string): StateDefinition {
  const found = turn.machine.states[name];
  invariant(found !== undefined, `the machine has the state ${name} that its execution is in`);
  return found;
}

export function frameOf(activity: Frame): Frame {
  return { state: activity.state, input: activity.input, attempts: activity.attempts };
}

/** Scopes that wait for an answer or for time, in the order of the definition. What has failed for good waits for nothing. */
export function waitingScopes(scope: Scope): readonly Scope[] {
  if (scope.failure !== null) return [];
  const { current } = scope;
  if (current.is === 'fork') return current.children.flatMap((child) => (child === null ? [] : waitingScopes(child)));
  return current.is === 'task' || current.is === 'wait' || current.is === 'backoff' ? [scope] : [];
}

/** What a running execution is doing, for people: its innermost states and what each waits for. */
export function activeStates(
  execution: Execution,
): readonly { readonly where: string; readonly state: string; readonly waitsFor: 'task' | 'wait' | 'backoff' }[] {
  if (execution.status !== 'RUNNING') return [];
  return waitingScopes(execution.root).flatMap(({ where, current }) =>
    current.is === 'task' || current.is === 'wait' || current.is === 'backoff'
      ? [{ where, state: current.state, waitsFor: current.is }]
      : [],
  );
}

export function dueAtMs(activity: Activity): number | null {
  return activity.is === 'task' || activity.is === 'wait' || activity.is === 'backoff' ? activity.dueAtMs : null;
}

/** Gives up every task below; one that was to be invoked in this very turn is not invoked at all. */
export function cancelTasks(turn: Turn, scope: Scope): void {
  for (const { current } of waitingScopes(scope)) {
    if (current.is !== 'task') continue;
    const planned = turn.effects.findIndex((effect) => effect.do === 'invoke' && effect.taskId === current.taskId);
    if (planned >= 0) turn.effects.splice(planned, 1);
    else turn.effects.push({ do: 'cancel', taskId: current.taskId });
  }
}

const ENDING = { FAILED: 'ExecutionFailed', ABORTED: 'ExecutionAborted', TIMED_OUT: 'ExecutionTimedOut' } as const;

/** The tree is kept as it stands: a redrive goes on from there. */
export function endUnsuccessfully(
  turn: Turn,
  status: Exclude<ExecutionStatus, 'RUNNING' | 'SUCCEEDED'>,
  why: Failure,
): void {
  cancelTasks(turn, turn.state.root);
  turn.state.status = status;
  turn.state.endedAtMs = turn.state.atMs;
  turn.state.failure = why;
  record(turn, { type: ENDING[status], ...why });
  turn.effects.push({ do: 'ended', status, ...why });
}

function endSuccessfully(turn: Turn, output: Json): void {
  turn.state.status = 'SUCCEEDED';
  turn.state.endedAtMs = turn.state.atMs;
  turn.state.output = output;
  record(turn, { type: 'ExecutionSucceeded', output });
  turn.effects.push({ do: 'ended', status: 'SUCCEEDED', output });
}

/** Ends the execution if its root has ended, or says when to look again. */
export function closeTurn(turn: Turn): Step {
  const { state } = turn;
  if (state.status === 'RUNNING') {
    if (state.root.failure !== null) endUnsuccessfully(turn, 'FAILED', state.root.failure);
    else if (state.root.current.is === 'done') endSuccessfully(turn, state.root.current.output);
  }
  if (state.status === 'RUNNING') {
    const dues = [state.timeoutAtMs, ...waitingScopes(state.root).map((scope) => dueAtMs(scope.current))];
    const atMs = dues.reduce<number | null>(
      (first, due) => (due !== null && (first === null || due < first) ? due : first),
      null,
    );
    if (atMs !== null) turn.effects.push({ do: 'wake', atMs });
  }
  return { state, effects: turn.effects, history: turn.history };
}
