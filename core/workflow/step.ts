/**
 * The interpreter of Amazon States Language (JSONPath) as a function of state, event and time.
 *
 * It holds no clock, timer or promise: the same events give the same bytes, an execution can be written down between
 * any two steps, and the simulator runs the very workflow that Step Functions runs.
 */
import type { Event, Execution, Failure, Scope, Step } from './execution.ts';
import type { Json } from './json.ts';
import type { Machine } from './machine.ts';
import type { Outcome } from './advance.ts';
import type { Turn } from './turn.ts';
import { invariant } from '../failures/invariant.ts';
import { afterTask, afterWait, enter, follow, join, start } from './advance.ts';
import { asJson } from './json.ts';
import {
  closeTurn,
  definitionOf,
  dueAtMs,
  endUnsuccessfully,
  frameOf,
  openTurn,
  record,
  waitingScopes,
} from './turn.ts';

/** Longest error name and cause that Step Functions keeps. */
const ERROR_CHARS_MAX = 256;
const CAUSE_CHARS_MAX = 32_768;

export function begin(
  machine: Machine,
  start: { readonly name: string; readonly input: unknown; readonly startedAtMs: number },
): Step {
  const input = asJson(start.input);
  const frame = { state: machine.startAt, input, attempts: [] };
  const { name, startedAtMs } = start;
  const blank: Execution = {
    format: 1,
    name,
    input,
    startedAtMs,
    status: 'RUNNING',
    endedAtMs: null,
    output: null,
    failure: null,
    redrives: 0,
    timeoutAtMs: timeoutAt(machine, startedAtMs),
    atMs: startedAtMs,
    tasks: 0,
    events: 0,
    root: { where: '', current: { is: 'halted', ...frame }, failure: null },
  };
  const turn = openTurn(machine, blank, startedAtMs);
  record(turn, { type: 'ExecutionStarted', input });
  follow(turn, turn.state.root, frame, enter(turn, '', frame));
  return closeTurn(turn);
}

function timeoutAt(machine: Machine, fromMs: number): number | null {
  return machine.timeoutSeconds === null ? null : fromMs + machine.timeoutSeconds * 1000;
}

/** Late and repeated events change nothing; what has fallen due by `nowMs` happens before the event. */
export function step(machine: Machine, state: Execution, event: Event, nowMs: number): Step {
  if (state.status !== 'RUNNING') return { state, effects: [], history: [] };
  const turn = openTurn(machine, state, nowMs);
  const { timeoutAtMs, atMs } = turn.state;
  if (timeoutAtMs !== null && timeoutAtMs <= atMs) {
    const cause = `the execution did not end within ${machine.timeoutSeconds ?? 0} s`;
    endUnsuccessfully(turn, 'TIMED_OUT', { error: 'States.Timeout', cause });
    return closeTurn(turn);
  }
  if (event.type === 'stop') {
    endUnsuccessfully(turn, 'ABORTED', shortened(event));
    return closeTurn(turn);
  }
  if (event.type === 'resume') invokeAgain(turn);
  passTime(turn);
  if (event.type === 'task_succeeded' || event.type === 'task_failed') answer(turn, event);
  return closeTurn(turn);
}

/** Starts again from where a failed, aborted or timed-out execution stood; what had succeeded is not repeated. */
export function redrive(machine: Machine, state: Execution, nowMs: number): Step {
  invariant(state.status !== 'RUNNING' && state.status !== 'SUCCEEDED', 'only an unsuccessful execution is redriven');
  const turn = openTurn(machine, state, nowMs);
  Object.assign(turn.state, { status: 'RUNNING', endedAtMs: null, failure: null } satisfies Partial<Execution>);
  turn.state.redrives += 1;
  turn.state.timeoutAtMs = timeoutAt(machine, turn.state.atMs);
  record(turn, { type: 'ExecutionRedriven' });
  restart(turn, turn.state.root);
  return closeTurn(turn);
}

function restart(turn: Turn, scope: Scope): void {
  const { current } = scope;
  scope.failure = null;
  if (current.is === 'done') return;
  const frame = { state: current.state, input: current.input, attempts: [] };
  if (current.is !== 'fork') {
    follow(turn, scope, frame, enter(turn, scope.where, frame));
    return;
  }
  for (const child of current.children) if (child !== null) restart(turn, child);
  follow(turn, scope, frame, join(turn, scope.where, { ...current, attempts: [] }));
}

/** Keeps the task's number: an answer to the lost invocation, should it still come, is as good as one to the new. */
function invokeAgain(turn: Turn): void {
  for (const scope of waitingScopes(turn.state.root)) {
    const { current } = scope;
    if (current.is !== 'task') continue;
    const definition = definitionOf(turn, current.state);
    const seconds = definition.type === 'Task' ? definition.timeoutSeconds : null;
    scope.current = { ...current, dueAtMs: seconds === null ? null : turn.state.atMs + seconds * 1000 };
    const { taskId, resource, payload: input, state: stateName } = current;
    turn.effects.push({ do: 'invoke', taskId, resource, input, stateName });
  }
}

/** Whatever is due, the longest overdue first. Ends: every timer set here lies in the future. */
function passTime(turn: Turn): void {
  for (;;) {
    let first: Scope | undefined;
    for (const scope of waitingScopes(turn.state.root)) {
      const due = dueAtMs(scope.current);
      if (due === null || due > turn.state.atMs) continue;
      const best = first === undefined ? null : dueAtMs(first.current);
      if (best === null || due < best) first = scope;
    }
    if (first === undefined) return;
    moveOn(turn, turn.state.root, first, () => overdue(turn, first));
  }
}

function overdue(turn: Turn, scope: Scope): Outcome {
  const { current, where } = scope;
  if (current.is === 'wait') return afterWait(turn, frameOf(current));
  if (current.is === 'backoff') return start(turn, where, frameOf(current));
  invariant(current.is === 'task', 'only a task, a wait or a back-off can fall due');
  const { taskId, state } = current;
  const failure: Failure = { error: 'States.Timeout', cause: 'the task did not answer within its TimeoutSeconds' };
  record(turn, { type: 'TaskTimedOut', where, state, taskId, ...failure });
  turn.effects.push({ do: 'cancel', taskId });
  return { is: 'fails', failure, activity: current };
}

function answer(turn: Turn, event: Extract<Event, { taskId: string }>): void {
  const { taskId } = event;
  const target = waitingScopes(turn.state.root).find(
    ({ current }) => current.is === 'task' && current.taskId === taskId,
  );
  if (target === undefined || target.current.is !== 'task') return;
  const task = target.current;
  const at = { where: target.where, state: task.state, taskId };
  moveOn(turn, turn.state.root, target, () => {
    if (event.type === 'task_succeeded') {
      const output: Json = asJson(event.output);
      record(turn, { type: 'TaskSucceeded', ...at, output });
      return afterTask(turn, frameOf(task), output);
    }
    const failure = shortened(event);
    record(turn, { type: 'TaskFailed', ...at, ...failure });
    return { is: 'fails', failure, activity: task };
  });
}

function shortened(event: Failure): Failure {
  return { error: event.error.slice(0, ERROR_CHARS_MAX), cause: event.cause.slice(0, CAUSE_CHARS_MAX) };
}

/** Moves `target` on, then lets every Parallel and Map above it see what has become of its child. */
function moveOn(turn: Turn, scope: Scope, target: Scope, work: () => Outcome): boolean {
  const { current } = scope;
  if (scope === target) {
    invariant(current.is !== 'done', 'what has ended does not move');
    follow(turn, scope, frameOf(current), work());
    return true;
  }
  if (current.is !== 'fork') return false;
  if (!current.children.some((child) => child !== null && moveOn(turn, child, target, work))) return false;
  follow(turn, scope, frameOf(current), join(turn, scope.where, current));
  return true;
}
