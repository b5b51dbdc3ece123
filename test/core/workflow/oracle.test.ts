/**
 * The same machines and inputs through another implementation of the language, and its validator: what they agree on
 * is not our own reading of it. Where aws-local-stepfunctions is known to differ from Step Functions (names of the
 * context object, `$$.Execution.Input` inside a Map, States.TaskFailed on Parallel and Map, a ResultPath through a
 * scalar, paths on a null input, a falsy Result, its 60 s default time-out) no machine here treads.
 */
import { describe, expect, test } from '@jest/globals';
import validate from 'asl-validator';
import { StateMachine } from 'aws-local-stepfunctions';
import type { Json } from '../../../core/workflow/workflow.ts';
import type { Reply } from './run-machine.ts';
import { load } from '../../../core/workflow/workflow.ts';
import { FN, machineOf, runMachine } from './run-machine.ts';

type Answers = Readonly<Record<string, readonly Reply[]>>;

interface Case {
  readonly name: string;
  readonly asl: Record<string, unknown>;
  readonly inputs: readonly Json[];
  /** By state, one after the other; the last one for every further call. Without: the input is the answer. */
  readonly answers?: Answers;
}

function replyOf(answers: Answers, state: string, earlier: number, input: Json): Reply {
  const own = answers[state];
  return own === undefined ? { output: input } : (own[Math.min(earlier, own.length - 1)] ?? { output: input });
}

interface Result {
  readonly output?: Json;
  readonly error?: string;
}

function ours({ asl, answers = {} }: Case, input: Json): Result {
  const run = runMachine(asl, input, ({ stateName, earlier, input: given }) =>
    replyOf(answers, stateName, earlier, given),
  );
  return run.status === 'SUCCEEDED' ? { output: run.output } : { error: run.failure?.error ?? '' };
}

function statesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    key === 'States' && typeof inner === 'object' && inner !== null
      ? [...Object.keys(inner), ...statesIn(inner)]
      : statesIn(inner),
  );
}

type LocalMachine = ConstructorParameters<typeof StateMachine>[0];

async function theirs({ asl, answers = {} }: Case, input: Json): Promise<Result> {
  const names = statesIn(asl);
  const calls = new Map<string, number>();
  const handler = (state: string) => (given: Json) => {
    const earlier = calls.get(state) ?? 0;
    calls.set(state, earlier + 1);
    const reply = replyOf(answers, state, earlier, given);
    if (reply.error === undefined) return reply.output;
    throw Object.assign(new Error(reply.cause ?? ''), { name: reply.error });
  };
  const machine = new StateMachine(JSON.parse(JSON.stringify(asl)) as LocalMachine, {
    validationOptions: { noValidate: true },
  });
  const each = <T>(value: (name: string) => T) => Object.fromEntries(names.map((name) => [name, value(name)]));
  const overrides = {
    taskResourceLocalHandlers: each(handler) as never,
    waitTimeOverrides: each(() => 0),
    retryIntervalOverrides: each(() => 0),
  };
  try {
    return { output: JSON.parse(JSON.stringify(await machine.run(input as never, { overrides }).result)) as Json };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { error: cause instanceof Error ? cause.name : String(cause) };
  }
}

const task = (fields: Record<string, unknown> = {}) => ({ Type: 'Task', Resource: FN, End: true, ...fields });
const one = (fields: Record<string, unknown> = {}) => machineOf({ Work: task(fields) });
const done = { Type: 'Succeed' };

const CASES: readonly Case[] = [
  { name: 'a task hands its answer on', asl: one(), inputs: [{ a: 1 }, [], 'x', null, 7] },
  {
    name: 'paths and templates',
    asl: one({
      InputPath: '$.in',
      Parameters: { 'a.$': '$.a', deep: { 'b.$': '$.list[1]', keep: [1, { 'c.$': '$.a' }] } },
      ResultSelector: { 'picked.$': '$.deep' },
      ResultPath: '$.out.here',
      OutputPath: '$.out',
    }),
    inputs: [
      { in: { a: 1, list: [1, 2] } },
      { in: { a: null, list: [1, { x: 2 }] }, out: { old: true } },
      { in: { a: 1 } },
      {},
    ],
  },
  { name: 'a dropped result', asl: one({ ResultPath: null }), inputs: [{ a: 1 }, 5] },
  { name: 'null paths', asl: one({ InputPath: null, OutputPath: null }), inputs: [{ a: 1 }] },
  {
    name: 'choices',
    asl: machineOf({
      Pick: {
        Type: 'Choice',
        Choices: [
          {
            And: [
              { Variable: '$.n', IsPresent: true },
              { Variable: '$.n', NumericGreaterThan: 3 },
            ],
            Next: 'High',
          },
          {
            Or: [{ Variable: '$.s', StringEquals: 'a' }, { Not: { Variable: '$.b', BooleanEquals: false } }],
            Next: 'Or',
          },
          { Variable: '$.z', IsNull: true, Next: 'Null' },
        ],
        Default: 'None',
      },
      High: { Type: 'Pass', Result: 'high', End: true },
      Or: { Type: 'Pass', Result: 'or', End: true },
      Null: { Type: 'Pass', Result: 'null', End: true },
      None: { Type: 'Pass', Result: 'none', End: true },
    }),
    inputs: [
      { n: 4 },
      { n: 3, s: 'a' },
      { s: 'b', b: true },
      { s: 'b', b: false, z: null },
      { s: 'b', b: false, z: 1 },
      { s: 'b', b: false },
    ],
  },
  {
    name: 'numbers',
    asl: machineOf({
      Pick: {
        Type: 'Choice',
        Choices: [
          { Variable: '$.n', NumericEquals: 0, Next: 'Zero' },
          { Variable: '$.n', NumericLessThan: 0, Next: 'Less' },
          { Variable: '$.n', NumericLessThanEquals: 1.5, Next: 'Some' },
          { Variable: '$.n', NumericGreaterThanEquals: 10, Next: 'Many' },
        ],
      },
      Zero: { Type: 'Pass', Result: 'zero', End: true },
      Less: { Type: 'Fail', Error: 'TooLow', Cause: 'c' },
      Some: { Type: 'Pass', Result: 1, End: true },
      Many: { Type: 'Pass', Result: 10, End: true },
    }),
    inputs: [{ n: 0 }, { n: -1 }, { n: 1.5 }, { n: 10 }, { n: 5 }],
  },
  {
    name: 'retry until it works or is used up',
    asl: one({
      Retry: [
        { ErrorEquals: ['Boom'], MaxAttempts: 2 },
        { ErrorEquals: ['States.ALL'], MaxAttempts: 1 },
      ],
    }),
    inputs: [{}],
    answers: { Work: [{ error: 'Boom' }, { error: 'Other' }, { error: 'Boom' }, { output: 'at last' }] },
  },
  {
    name: 'a used-up retrier',
    asl: one({ Retry: [{ ErrorEquals: ['Boom'], MaxAttempts: 1 }] }),
    inputs: [{}],
    answers: { Work: [{ error: 'Boom' }] },
  },
  {
    name: 'catch by name, beside the input',
    asl: machineOf({
      Work: task({
        End: undefined,
        Next: 'Done',
        Catch: [
          { ErrorEquals: ['A', 'B'], ResultPath: '$.error', Next: 'Named' },
          { ErrorEquals: ['States.TaskFailed'], ResultPath: null, Next: 'Any' },
        ],
      }),
      Done: done,
      Named: { Type: 'Pass', ResultPath: '$.named', End: true },
      Any: { Type: 'Pass', Result: 'any', ResultPath: '$.named', End: true },
    }),
    inputs: [{ k: 1 }],
    answers: { Work: [{ error: 'B', cause: 'why' }] },
  },
  {
    name: 'catch of every error',
    asl: machineOf({
      Work: task({ End: undefined, Next: 'Done', Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Done' }] }),
      Done: done,
    }),
    inputs: [{ k: 1 }],
    answers: { Work: [{ error: 'Anything', cause: 'why' }] },
  },
  {
    name: 'no catch for a path that leads nowhere',
    asl: machineOf({
      Work: task({
        End: undefined,
        InputPath: '$.x',
        Next: 'Done',
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Done' }],
      }),
      Done: done,
    }),
    inputs: [{ k: 1 }, { x: 2 }],
  },
  {
    name: 'parallel branches',
    asl: machineOf({
      Both: {
        Type: 'Parallel',
        InputPath: '$.in',
        Branches: [machineOf({ A: task() }), machineOf({ B: { Type: 'Pass', Parameters: { 'v.$': '$' }, End: true } })],
        ResultSelector: { 'a.$': '$[0]', 'b.$': '$[1].v' },
        ResultPath: '$.both',
        End: true,
      },
    }),
    inputs: [{ in: { x: 1 } }, { in: 'x' }],
  },
  {
    name: 'a failed branch, caught by its own error',
    asl: machineOf({
      Both: {
        Type: 'Parallel',
        Branches: [machineOf({ A: task() }), machineOf({ B: task() })],
        Catch: [{ ErrorEquals: ['no_host'], ResultPath: '$.e', Next: 'Caught' }],
        Next: 'Done',
      },
      Done: done,
      Caught: { Type: 'Pass', End: true },
    }),
    inputs: [{ x: 1 }],
    answers: { B: [{ error: 'no_host', cause: 'none' }] },
  },
  {
    name: 'a retried Parallel',
    asl: machineOf({
      Both: {
        Type: 'Parallel',
        Branches: [machineOf({ A: task() }), machineOf({ B: task() })],
        Retry: [{ ErrorEquals: ['Boom'], MaxAttempts: 2 }],
        End: true,
      },
    }),
    inputs: [{ x: 1 }],
    answers: { B: [{ error: 'Boom' }, { error: 'Boom' }, { output: 'ok' }] },
  },
  {
    name: 'map with selector',
    asl: machineOf({
      Each: {
        Type: 'Map',
        ItemsPath: '$.items',
        ItemSelector: { 'i.$': '$$.Map.Item.Index', 'v.$': '$$.Map.Item.Value', 'all.$': '$.k' },
        MaxConcurrency: 1,
        ItemProcessor: machineOf({ Do: task() }),
        ResultPath: '$.done',
        End: true,
      },
    }),
    inputs: [{ k: 1, items: ['a', { b: 1 }, null] }, { k: 1, items: [] }, { k: 1, items: {} }, { items: [1] }],
  },
  {
    name: 'map in map, with a soft failure inside',
    asl: machineOf({
      Waves: {
        Type: 'Map',
        MaxConcurrency: 1,
        ItemProcessor: machineOf({
          Slots: {
            Type: 'Map',
            ItemProcessor: {
              ...machineOf({
                Place: task({ Catch: [{ ErrorEquals: ['no_host'], ResultPath: '$.e', Next: 'Soft' }] }),
                Soft: { Type: 'Pass', OutputPath: '$.e.Error', End: true },
              }),
              ProcessorConfig: { Mode: 'INLINE' },
            },
            End: true,
          },
        }),
        End: true,
      },
    }),
    inputs: [[[{ s: 1 }, { s: 2 }], [{ s: 3 }], []]],
    answers: { Place: [{ output: 'first' }, { error: 'no_host' }, { output: 'third' }] },
  },
  {
    name: 'a failed iteration ends the map',
    asl: machineOf({ Each: { Type: 'Map', MaxConcurrency: 1, ItemProcessor: machineOf({ Do: task() }), End: true } }),
    inputs: [[1, 2, 3]],
    answers: { Do: [{ output: 1 }, { error: 'Boom' }] },
  },
  {
    name: 'wait, and a loop that counts',
    asl: machineOf({
      Count: { Type: 'Pass', Parameters: { 'n.$': 'States.MathAdd($.n, 1)', 'to.$': '$.to' }, Next: 'Pause' },
      Pause: { Type: 'Wait', SecondsPath: '$.n', Next: 'Enough' },
      Enough: {
        Type: 'Choice',
        Choices: [{ Variable: '$.n', NumericGreaterThanEquals: 3, Next: 'Done' }],
        Default: 'Count',
      },
      Done: { Type: 'Succeed', OutputPath: '$.n' },
    }),
    inputs: [
      { n: 0, to: 3 },
      { n: 7, to: 3 },
    ],
  },
  {
    name: 'intrinsic functions',
    asl: machineOf({
      Only: {
        Type: 'Pass',
        Parameters: {
          'text.$': "States.Format('{} of {}, {}', $.a, $.list[0], true)",
          'n.$': 'States.MathAdd(States.ArrayLength($.list), -1)',
          'list.$': "States.Array($.a, 'x', 3)",
        },
        End: true,
      },
    }),
    inputs: [
      { a: 'A', list: [1, 2] },
      { a: 'it, (is)', list: ['z'] },
    ],
  },
];

describe.each(CASES)('$name', (given) => {
  test('asl-validator accepts it', () => {
    // The validator writes into what it is given.
    const { isValid, errorsText } = validate(JSON.parse(JSON.stringify(given.asl)));
    expect(isValid ? '' : errorsText()).toBe('');
  });

  test.each(given.inputs.map((input) => [JSON.stringify(input), input] as const))('with %s', async (_text, input) => {
    expect(ours(given, input)).toEqual(await theirs(given, input));
  });
});

describe('what asl-validator refuses, load refuses', () => {
  const rows: [string, Record<string, unknown>][] = [
    ['dangling Next', machineOf({ A: { Type: 'Pass', Next: 'X' } })],
    ['Next and End', machineOf({ A: { Type: 'Pass', Next: 'B', End: true }, B: done })],
    ['no end', machineOf({ A: { Type: 'Pass', Next: 'A' } })],
    ['unknown type', machineOf({ A: { Type: 'Sleep', End: true } })],
    ['unknown field', machineOf({ A: { Type: 'Pass', TimeoutSeconds: 5, End: true } })],
    ['twice the same name', machineOf({ A: { Type: 'Map', ItemProcessor: machineOf({ A: done }), End: true } })],
    ['two durations', machineOf({ A: { Type: 'Wait', Seconds: 1, SecondsPath: '$.s', End: true } })],
    ['time-out 0', one({ TimeoutSeconds: 0 })],
    ['a path that is none', machineOf({ A: { Type: 'Pass', InputPath: 'x', End: true } })],
  ];
  test.each(rows)('%s', (_name, asl) => {
    expect(validate(JSON.parse(JSON.stringify(asl))).isValid).toBe(false);
    expect(() => load(asl)).toThrow(/refused/);
  });
});
