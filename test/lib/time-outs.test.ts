import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { WORKFLOW_MS } from '../../core/config/control-limits.ts';
import { STEP_TASK_TIMEOUT_MS } from '../../lib/time-outs.ts';

interface State {
  readonly Type: string;
  readonly TimeoutSeconds?: number;
  readonly Branches?: readonly { readonly States: States }[];
  readonly ItemProcessor?: { readonly States: States };
}
type States = Readonly<Record<string, State>>;

const ASL = JSON.parse(readFileSync(new URL('../../stepfunctions/ha-run.asl.json', import.meta.url), 'utf8')) as {
  readonly TimeoutSeconds: number;
  readonly States: States;
};

/** Of a state and whatever is inside it. */
function tasksIn(states: States): State[] {
  return Object.values(states).flatMap((state) => [
    ...(state.Type === 'Task' ? [state] : []),
    ...(state.Branches ?? []).flatMap((branch) => tasksIn(branch.States)),
    ...(state.ItemProcessor === undefined ? [] : tasksIn(state.ItemProcessor.States)),
  ]);
}

test('the workflow ends its steps when the stacks count on it', () => {
  const seconds = tasksIn(ASL.States).map(({ TimeoutSeconds }) => TimeoutSeconds);
  expect(seconds.length).toBeGreaterThan(15);
  expect([...new Set(seconds)]).toEqual([STEP_TASK_TIMEOUT_MS / 1_000]);
});

test('and itself', () => {
  expect(ASL.TimeoutSeconds).toBe(WORKFLOW_MS / 1_000);
});
