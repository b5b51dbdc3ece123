/** Runs a machine to its end in virtual time: no clock, no promise, every answer given by the test. */
import type { Effect, Execution, HistoryEvent, Json, Machine, Step } from '../../../core/workflow/workflow.ts';
import { begin, load, step } from '../../../core/workflow/workflow.ts';

export interface Task {
  readonly resource: string;
  readonly input: Json;
  readonly stateName: string;
  /** How many times this state has been invoked before. */
  readonly earlier: number;
}

/** What a task answers: `output`, or `error` (with a cause), or nothing at all; after `afterMs`. */
export interface Reply {
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
  readonly never?: true;
  readonly afterMs?: number;
}

export type Tasks = (task: Task) => Reply;

export interface Run {
  readonly state: Execution;
  readonly status: string;
  readonly output: Json;
  readonly failure: { error: string; cause: string } | null;
  readonly history: readonly HistoryEvent[];
  readonly effects: readonly Effect[];
  /** Names of the states entered, in order. */
  readonly entered: readonly string[];
  readonly endedAtMs: number;
}

export const START_MS = 1_750_000_000_000;
const STEPS_MAX = 100_000;

interface Pending {
  readonly atMs: number;
  readonly order: number;
  readonly taskId: string;
  readonly reply: Reply;
}

/** `between` sees each state before the next step and may give back another that must be as good. */
export function runMachine(
  asl: unknown,
  input: Json,
  tasks: Tasks = () => ({ output: {} }),
  between: (state: Execution) => Execution = (state) => state,
): Run {
  const machine = load(asl);
  return finish(machine, begin(machine, { name: 'run-1', input, startedAtMs: START_MS }), tasks, between);
}

export function finish(
  machine: Machine,
  first: Step,
  tasks: Tasks,
  between: (state: Execution) => Execution = (state) => state,
): Run {
  const history: HistoryEvent[] = [];
  const effects: Effect[] = [];
  const pending: Pending[] = [];
  const invoked = new Map<string, number>();
  let nowMs = first.state.atMs;
  let current = first;

  for (let steps = 0; steps < STEPS_MAX; steps += 1) {
    history.push(...current.history);
    effects.push(...current.effects);
    let wakeAtMs: number | null = null;
    for (const effect of current.effects) {
      if (effect.do === 'wake') wakeAtMs = effect.atMs;
      if (effect.do !== 'invoke') continue;
      const earlier = invoked.get(effect.stateName) ?? 0;
      invoked.set(effect.stateName, earlier + 1);
      const { taskId, resource, input, stateName } = effect;
      const reply = tasks({ resource, input, stateName, earlier });
      if (reply.never === undefined)
        pending.push({ atMs: nowMs + (reply.afterMs ?? 0), order: effects.length, taskId, reply });
    }
    if (current.state.status !== 'RUNNING') {
      const { status, output, failure, endedAtMs } = current.state;
      const entered = history.flatMap((event) => (event.type === 'StateEntered' ? [event.state] : []));
      return {
        state: current.state,
        status,
        output,
        failure,
        history,
        effects,
        entered,
        endedAtMs: (endedAtMs ?? 0) - START_MS,
      };
    }
    pending.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
    const next = pending[0];
    const state = between(current.state);
    if (next !== undefined && (wakeAtMs === null || next.atMs < wakeAtMs)) {
      pending.shift();
      nowMs = Math.max(nowMs, next.atMs);
      const { taskId, reply } = next;
      const event =
        reply.error === undefined
          ? ({ type: 'task_succeeded', taskId, output: reply.output } as const)
          : ({ type: 'task_failed', taskId, error: reply.error, cause: reply.cause ?? '' } as const);
      current = step(machine, state, event, nowMs);
    } else if (wakeAtMs !== null) {
      nowMs = Math.max(nowMs, wakeAtMs);
      current = step(machine, state, { type: 'tick' }, nowMs);
    } else {
      throw new Error('the execution waits for nothing that will happen');
    }
  }
  throw new Error(`the execution did not end in ${STEPS_MAX} steps`);
}

/** A machine of the given states, beginning with the first. */
export function machineOf(
  states: Record<string, unknown>,
  rest: Record<string, unknown> = {},
): Record<string, unknown> {
  return { StartAt: Object.keys(states)[0], States: states, ...rest };
}

export const FN = 'arn:aws:lambda:eu-west-1:123456789012:function:step';
