/**
 * The heart of the interpreter: moves one scope on until it waits for something, ends, or fails for good.
 *
 * `follow` walks the states of one sequence in a loop; a Parallel or Map walks its children the same way and is looked
 * at again (`join`) whenever one of them has moved. Nothing here waits: what must happen outside becomes an effect.
 */
import type { Activity, Failure, Frame, Scope } from './execution.ts';
import type { Json } from './json.ts';
import type { ChoiceState, MapState, ParallelState, TaskState, WaitState } from './machine.ts';
import type { Turn } from './turn.ts';
import { contextOf, fill, narrow, outputOf, withinLimit } from './data-flow.ts';
import { HISTORY_EVENTS_MAX, MAP_CONCURRENCY_MAX } from './execution.ts';
import { isJsonArray, isJsonObject } from './json.ts';
import { recourse } from './retry.ts';
import { testRule } from './rule.ts';
import { StateFailure } from './state-failure.ts';
import { readOrFail } from './template.ts';
import { cancelTasks, definitionOf, record } from './turn.ts';

type Fork = Extract<Activity, { is: 'fork' }>;

/** What a state came to. */
export type Outcome =
  | { readonly is: 'waits'; readonly activity: Activity }
  /** `next` null: the end of the scope. */
  | { readonly is: 'leaves'; readonly output: Json; readonly next: string | null }
  /** `activity` is kept for a redrive. */
  | { readonly is: 'fails'; readonly failure: Failure; readonly activity: Activity };

/** Takes a state's outcome, and then every state after it, as far as the scope gets. */
export function follow(turn: Turn, scope: Scope, from: Frame, outcome: Outcome): void {
  let frame = from;
  let result = outcome;
  for (;;) {
    if (result.is === 'fails') result = afterFailure(turn, frame, result);
    const at = { where: scope.where, state: frame.state };
    switch (result.is) {
      case 'waits':
        scope.current = result.activity;
        return;
      case 'fails':
        record(turn, { type: 'StateFailed', ...at, ...result.failure });
        scope.current = result.activity;
        scope.failure = result.failure;
        return;
      case 'leaves':
        record(turn, { type: 'StateExited', ...at, output: result.output });
        if (result.next === null) {
          scope.current = { is: 'done', output: result.output };
          return;
        }
        frame = { state: result.next, input: result.output, attempts: [] };
        // The bound of this loop is the history limit, which `start` enforces.
        result = enter(turn, scope.where, frame);
    }
  }
}

function afterFailure(turn: Turn, frame: Frame, failed: Extract<Outcome, { is: 'fails' }>): Outcome {
  const found = recourse(definitionOf(turn, frame.state), frame, failed.failure);
  switch (found.is) {
    case 'retry': {
      const dueAtMs = turn.state.atMs + found.delayMs;
      return {
        is: 'waits',
        activity: { is: 'backoff', state: frame.state, input: frame.input, attempts: found.attempts, dueAtMs },
      };
    }
    case 'catch':
      return { is: 'leaves', output: found.output, next: found.next };
    case 'none':
      return { ...failed, failure: found.failure };
  }
}

export function enter(turn: Turn, where: string, frame: Frame): Outcome {
  record(turn, { type: 'StateEntered', where, state: frame.state, input: frame.input });
  return start(turn, where, frame);
}

/** Does a state's work, or begins it. Also the way to try a state again. */
export function start(turn: Turn, where: string, frame: Frame): Outcome {
  return orFailure(frame, () => {
    if (turn.state.events >= HISTORY_EVENTS_MAX) {
      throw new StateFailure('States.Runtime', `the execution has reached ${HISTORY_EVENTS_MAX} history events`);
    }
    const state = definitionOf(turn, frame.state);
    if (state.type === 'Fail') throw new StateFailure(state.error ?? '', state.cause ?? '');

    const context = contextOf(turn.state);
    const input = narrow(state.inputPath, frame.input, context);
    switch (state.type) {
      case 'Task':
        return schedule(turn, where, frame, state, fill(state.parameters, input, context));
      case 'Pass': {
        const result = state.result === null ? fill(state.parameters, input, context) : state.result.value;
        return { is: 'leaves', output: outputOf(state, frame.input, result, context), next: state.next };
      }
      case 'Choice':
        return { is: 'leaves', output: narrow(state.outputPath, input, context), next: choose(state, input, context) };
      case 'Wait':
        return wait(turn, frame, state, input);
      case 'Parallel': {
        const inputs = state.branches.map(() => fill(state.parameters, input, context));
        return fork(turn, where, frame, inputs);
      }
      case 'Map':
        return fork(turn, where, frame, itemInputs(turn, state, input));
      case 'Succeed':
        return { is: 'leaves', output: narrow(state.outputPath, input, context), next: null };
    }
  });
}

function orFailure(frame: Frame, work: () => Outcome): Outcome {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof StateFailure)) throw error;
    return {
      is: 'fails',
      failure: { error: error.error, cause: error.message },
      activity: { is: 'halted', ...frame },
    };
  }
}

function choose(state: ChoiceState, input: Json, context: Json): string {
  const chosen = state.choices.find(({ rule }) => testRule(rule, { data: input, context }));
  const next = chosen?.next ?? state.default;
  if (next === null) throw new StateFailure('States.NoChoiceMatched', 'no choice matched and there is no Default');
  return next;
}

function schedule(turn: Turn, where: string, frame: Frame, state: TaskState, payload: Json): Outcome {
  const call = state.isLambdaInvoke ? lambdaCall(payload) : { resource: state.resource, payload };
  withinLimit(call.payload);
  turn.state.tasks += 1;
  const taskId = `t${turn.state.tasks}`;
  const { resource } = call;
  record(turn, { type: 'TaskScheduled', where, state: frame.state, taskId, resource, input: call.payload });
  turn.effects.push({ do: 'invoke', taskId, resource, input: call.payload, stateName: frame.state });
  const dueAtMs = state.timeoutSeconds === null ? null : turn.state.atMs + state.timeoutSeconds * 1000;
  return { is: 'waits', activity: { is: 'task', ...frame, taskId, ...call, dueAtMs } };
}

function lambdaCall(parameters: Json): { resource: string; payload: Json } {
  const resource = isJsonObject(parameters) ? parameters['FunctionName'] : undefined;
  if (typeof resource !== 'string' || resource === '' || !isJsonObject(parameters)) {
    throw new StateFailure('States.Runtime', `FunctionName must be a string, got ${JSON.stringify(resource)}`);
  }
  return { resource, payload: parameters['Payload'] ?? {} };
}

/** Output of a task that has answered. */
export function afterTask(turn: Turn, frame: Frame, answer: Json): Outcome {
  return orFailure(frame, () => {
    const state = definitionOf(turn, frame.state);
    if (state.type !== 'Task') throw new Error('invariant violated: a task belongs to a Task state');
    withinLimit(answer);
    const result = state.isLambdaInvoke ? { Payload: answer, StatusCode: 200 } : answer;
    return { is: 'leaves', output: outputOf(state, frame.input, result, contextOf(turn.state)), next: state.next };
  });
}

function wait(turn: Turn, frame: Frame, state: WaitState, input: Json): Outcome {
  const context = contextOf(turn.state);
  const seconds =
    typeof state.seconds === 'number' ? state.seconds : readOrFail(state.seconds, { data: input, context });
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < 0 || seconds > 99_999_999) {
    throw new StateFailure(
      'States.Runtime',
      `SecondsPath must give whole seconds from 0 on, got ${JSON.stringify(seconds)}`,
    );
  }
  if (seconds === 0) return afterWait(turn, frame);
  return { is: 'waits', activity: { is: 'wait', ...frame, dueAtMs: turn.state.atMs + seconds * 1000 } };
}

export function afterWait(turn: Turn, frame: Frame): Outcome {
  return orFailure(frame, () => {
    const state = definitionOf(turn, frame.state);
    if (state.type !== 'Wait') throw new Error('invariant violated: a wait belongs to a Wait state');
    const context = contextOf(turn.state);
    const output = narrow(state.outputPath, narrow(state.inputPath, frame.input, context), context);
    return { is: 'leaves', output, next: state.next };
  });
}

function itemInputs(turn: Turn, state: MapState, input: Json): readonly Json[] {
  const context = contextOf(turn.state);
  const items = readOrFail(state.itemsPath, { data: input, context });
  if (!isJsonArray(items)) {
    throw new StateFailure('States.Runtime', `ItemsPath '${state.itemsPath.text}' must lead to an array`);
  }
  return items.map((Value, Index) =>
    fill(state.itemSelector, state.itemSelector === null ? Value : input, {
      ...context,
      Map: { Item: { Index, Value } },
    }),
  );
}

function fork(turn: Turn, where: string, frame: Frame, inputs: readonly Json[]): Outcome {
  return join(turn, where, { is: 'fork', ...frame, children: inputs.map(() => null), inputs });
}

/** Begins children as far as allowed, then says what the Parallel or Map has come to. The first failure decides. */
export function join(turn: Turn, where: string, activity: Fork): Outcome {
  const state = definitionOf(turn, activity.state);
  if (state.type !== 'Parallel' && state.type !== 'Map')
    throw new Error('invariant violated: a fork is a Parallel or Map');
  const { children } = activity;
  const limit =
    state.type === 'Map' ? Math.min(state.maxConcurrency || MAP_CONCURRENCY_MAX, MAP_CONCURRENCY_MAX) : children.length;
  for (;;) {
    const failure = children.find((child) => child !== null && child.failure !== null)?.failure;
    if (failure !== undefined && failure !== null) {
      for (const child of children) if (child !== null) cancelTasks(turn, child);
      return { is: 'fails', failure, activity };
    }
    const index = children.indexOf(null);
    const active = children.filter((child) => child !== null && child.current.is !== 'done').length;
    if (index < 0 || active >= limit) break;
    children[index] = beginChild(turn, `${where === '' ? '' : `${where}/`}${activity.state}[${index}]`, {
      state: startOf(state, index),
      input: activity.inputs[index] ?? null,
      attempts: [],
    });
  }
  const results = children.flatMap((child) => (child?.current.is === 'done' ? [child.current.output] : []));
  if (results.length < children.length) return { is: 'waits', activity };
  const frame = { state: activity.state, input: activity.input, attempts: activity.attempts };
  return orFailure(frame, () => {
    const output = outputOf(state, activity.input, results, contextOf(turn.state));
    return { is: 'leaves', output, next: state.next };
  });
}

function startOf(state: ParallelState | MapState, index: number): string {
  return state.type === 'Map' ? state.processor : (state.branches[index] ?? '');
}

function beginChild(turn: Turn, where: string, frame: Frame): Scope {
  const scope: Scope = { where, current: { is: 'halted', ...frame }, failure: null };
  follow(turn, scope, frame, enter(turn, where, frame));
  return scope;
}
