import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { Execution } from '../../../core/workflow/workflow.ts';
import type { Reply, Tasks } from './run-machine.ts';
import { asJson, begin, load, redrive } from '../../../core/workflow/workflow.ts';
import { finish, FN, machineOf, runMachine, START_MS } from './run-machine.ts';

jest.setTimeout(60_000); // Thousands of cases, on a machine that others use.

/** Random machines in which every kind of state may stand anywhere, and random answers to their tasks. */
const errors = fc.constantFrom('A', 'B', 'States.Timeout');

const reply: fc.Arbitrary<Reply> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ output: fc.jsonValue({ maxDepth: 1 }), afterMs: fc.nat(4000) }) },
  { weight: 2, arbitrary: fc.record({ error: errors, afterMs: fc.nat(4000) }) },
  { weight: 1, arbitrary: fc.constant({ never: true as const }) },
);

interface Shape {
  readonly kind: 'task' | 'pass' | 'wait' | 'choice' | 'parallel' | 'map';
  readonly retries: number;
  readonly isCaught: boolean;
  readonly seconds: number;
  readonly inner: readonly Shape[];
}

const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.record({
    kind: fc.constantFrom('task', 'task', 'task', 'pass', 'wait', 'choice', 'parallel', 'map'),
    retries: fc.nat(2),
    isCaught: fc.boolean(),
    seconds: fc.integer({ min: 1, max: 5 }),
    inner: fc.oneof({ depthSize: 'small' }, fc.constant([]), fc.array(tie('shape'), { minLength: 1, maxLength: 3 })),
  }),
}));

/** A sequence of the given shapes, with a last state that every Catch leads to. */
function sequence(shapes: readonly Shape[], prefix: string): Record<string, unknown> {
  const states: Record<string, unknown> = {};
  const last = `${prefix}last`;
  shapes.forEach((each, index) => {
    const name = `${prefix}${index}`;
    const Next = index + 1 < shapes.length ? `${prefix}${index + 1}` : last;
    states[name] = stateOf(each, name, Next, last);
  });
  states[last] = { Type: 'Pass', End: true };
  return { StartAt: shapes.length === 0 ? last : `${prefix}0`, States: states };
}

function stateOf(each: Shape, name: string, Next: string, last: string): Record<string, unknown> {
  const guard = {
    ...(each.retries === 0 ? {} : { Retry: [{ ErrorEquals: ['A', 'States.Timeout'], MaxAttempts: each.retries }] }),
    ...(each.isCaught ? { Catch: [{ ErrorEquals: ['States.ALL'], Next: last }] } : {}),
  };
  switch (each.kind) {
    case 'task':
      return { Type: 'Task', Resource: FN, TimeoutSeconds: each.seconds, Next, ...guard };
    case 'pass':
      return { Type: 'Pass', Result: name, Next };
    case 'wait':
      return { Type: 'Wait', Seconds: each.seconds, Next };
    case 'choice':
      return { Type: 'Choice', Choices: [{ Variable: '$', IsNull: true, Next: last }], Default: Next };
    case 'parallel':
      return {
        Type: 'Parallel',
        Branches: [sequence(each.inner, `${name}a`), sequence(each.inner, `${name}b`)],
        Next,
        ...guard,
      };
    case 'map':
      return {
        Type: 'Map',
        InputPath: '$$.Execution.Input',
        ItemsPath: '$.items',
        MaxConcurrency: each.seconds - 1,
        ItemProcessor: sequence(each.inner, `${name}m`),
        Next,
        ...guard,
      };
  }
}

const machines = fc
  .record({ shapes: fc.array(shape, { minLength: 1, maxLength: 4 }), isLimited: fc.boolean() })
  .map(({ shapes, isLimited }) => ({ ...sequence(shapes, 's'), ...(isLimited ? { TimeoutSeconds: 9 } : {}) }));

/** Answers by the order of invocation, round and round. */
function answering(replies: readonly Reply[]): Tasks {
  let asked = 0;
  return () => {
    asked += 1;
    return replies[asked % replies.length] ?? { output: null };
  };
}

const input = { items: [1, 2, 3] };
const replies = fc.array(reply, { minLength: 1, maxLength: 12 });
const runs = { numRuns: 2000 };

describe('any machine, any answers', () => {
  test('the same events give the same bytes, and writing the state down between any two steps changes nothing', () => {
    fc.assert(
      fc.property(machines, replies, (asl, given) => {
        const plain = runMachine(asl, input, answering(given));
        const written = runMachine(asl, input, answering(given), (state) => asJson(state) as unknown as Execution);
        expect(JSON.stringify(written)).toBe(JSON.stringify(plain));
      }),
      runs,
    );
  });

  test('it ends exactly once, as what its state says, and never both succeeds and fails', () => {
    fc.assert(
      fc.property(machines, replies, (asl, given) => {
        const run = runMachine(asl, input, answering(given));
        const ends = run.effects.filter((effect) => effect.do === 'ended');
        expect(ends).toHaveLength(1);
        expect(ends[0]).toMatchObject({ status: run.status });
        const endings = run.history.filter((event) =>
          /^Execution(Succeeded|Failed|Aborted|TimedOut)$/.test(event.type),
        );
        expect(endings).toHaveLength(1);
        expect(run.history.at(-1)).toBe(endings[0]);
        expect(run.state.failure === null).toBe(run.status === 'SUCCEEDED');
      }),
      runs,
    );
  });

  test('no task is left: each is answered, timed out or given up, and none is both', () => {
    fc.assert(
      fc.property(machines, replies, (asl, given) => {
        const run = runMachine(asl, input, answering(given));
        const ids = (types: readonly string[]) =>
          run.history.flatMap((event) => ('taskId' in event && types.includes(event.type) ? [event.taskId] : []));
        const answered = ids(['TaskSucceeded', 'TaskFailed']);
        const cancelled = run.effects.flatMap((effect) => (effect.do === 'cancel' ? [effect.taskId] : []));
        const invoked = run.effects.flatMap((effect) => (effect.do === 'invoke' ? [effect.taskId] : []));
        expect([...answered, ...cancelled].sort()).toEqual([...invoked].sort());
        expect(new Set(invoked).size).toBe(invoked.length);
        expect(run.history.map((event) => event.id)).toEqual(run.history.map((_, index) => index + 1));
      }),
      runs,
    );
  });

  test('an unsuccessful one, redriven with tasks that answer, succeeds', () => {
    fc.assert(
      fc.property(machines, replies, (asl, given) => {
        const run = runMachine(asl, input, answering(given));
        fc.pre(run.status !== 'SUCCEEDED');
        const machine = load({ ...asl, TimeoutSeconds: 100_000 });
        const again = finish(machine, redrive(machine, run.state, START_MS + 1_000_000), () => ({ output: 1 }));
        expect(again.status).toBe('SUCCEEDED');
      }),
      { numRuns: 500 },
    );
  });
});

test('the generator makes machines that succeed, fail and time out', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(machines, replies, (asl, given) => {
      seen.add(runMachine(asl, input, answering(given)).status);
    }),
    { numRuns: 300, seed: 7 },
  );
  expect([...seen].sort()).toEqual(['FAILED', 'SUCCEEDED', 'TIMED_OUT']);
});

test('begin takes its input as JSON would', () => {
  const machine = load(machineOf({ Only: { Type: 'Pass', End: true } }));
  const { state } = begin(machine, { name: 'n', input: { a: undefined, b: [undefined] }, startedAtMs: 0 });
  expect(state.output).toEqual({ b: [null] });
});
