import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../../core/workflow/workflow.ts';
import { FN, machineOf, runMachine, START_MS } from './run-machine.ts';

const end = { Type: 'Succeed' };

describe('Choice', () => {
  const input = { s: 'up', n: 5, t: true, z: null, o: {} };
  const rows: [string, Record<string, unknown>, boolean][] = [
    ['StringEquals', { Variable: '$.s', StringEquals: 'up' }, true],
    ['StringEquals, other value', { Variable: '$.s', StringEquals: 'down' }, false],
    ['StringEquals on a number', { Variable: '$.n', StringEquals: '5' }, false],
    ['NumericEquals', { Variable: '$.n', NumericEquals: 5 }, true],
    ['NumericGreaterThan, equal', { Variable: '$.n', NumericGreaterThan: 5 }, false],
    ['NumericGreaterThan', { Variable: '$.n', NumericGreaterThan: 4.5 }, true],
    ['NumericGreaterThanEquals', { Variable: '$.n', NumericGreaterThanEquals: 5 }, true],
    ['NumericLessThan, equal', { Variable: '$.n', NumericLessThan: 5 }, false],
    ['NumericLessThan', { Variable: '$.n', NumericLessThan: 6 }, true],
    ['NumericLessThanEquals', { Variable: '$.n', NumericLessThanEquals: 5 }, true],
    ['NumericLessThan on null is no match', { Variable: '$.z', NumericLessThan: 6 }, false],
    ['BooleanEquals', { Variable: '$.t', BooleanEquals: true }, true],
    ['BooleanEquals on a string', { Variable: '$.s', BooleanEquals: true }, false],
    ['IsNull', { Variable: '$.z', IsNull: true }, true],
    ['IsNull false', { Variable: '$.s', IsNull: false }, true],
    ['IsPresent on a null', { Variable: '$.z', IsPresent: true }, true],
    ['IsPresent, missing', { Variable: '$.o.x', IsPresent: true }, false],
    ['IsPresent false, missing', { Variable: '$.o.x', IsPresent: false }, true],
    [
      'And',
      {
        And: [
          { Variable: '$.n', NumericEquals: 5 },
          { Variable: '$.s', StringEquals: 'up' },
        ],
      },
      true,
    ],
    [
      'And, one false',
      {
        And: [
          { Variable: '$.n', NumericEquals: 5 },
          { Variable: '$.s', StringEquals: 'x' },
        ],
      },
      false,
    ],
    [
      'Or',
      {
        Or: [
          { Variable: '$.n', NumericEquals: 6 },
          { Variable: '$.s', StringEquals: 'up' },
        ],
      },
      true,
    ],
    ['Not', { Not: { Variable: '$.n', NumericEquals: 5 } }, false],
    [
      'And guards a path that may be missing',
      {
        And: [
          { Variable: '$.o.x', IsPresent: true },
          { Variable: '$.o.x', StringEquals: 'up' },
        ],
      },
      false,
    ],
    ['context object', { Variable: '$$.Execution.Name', StringEquals: 'run-1' }, true],
  ];
  test.each(rows)('%s', (_name, rule, matches) => {
    const asl = machineOf({
      Pick: { Type: 'Choice', Choices: [{ ...rule, Next: 'Yes' }], Default: 'No' },
      Yes: end,
      No: end,
    });
    expect(runMachine(asl, input).entered).toEqual(['Pick', matches ? 'Yes' : 'No']);
  });

  test('takes the first rule that matches', () => {
    const asl = machineOf({
      Pick: {
        Type: 'Choice',
        Choices: [
          { Variable: '$.n', NumericEquals: 5, Next: 'A' },
          { Variable: '$.n', NumericGreaterThan: 1, Next: 'B' },
        ],
      },
      A: end,
      B: end,
    });
    expect(runMachine(asl, input).entered).toEqual(['Pick', 'A']);
  });

  test('without a match or a default it fails; a missing variable is a fault of the definition', () => {
    const asl = (Variable: string) =>
      machineOf({ Pick: { Type: 'Choice', Choices: [{ Variable, NumericEquals: 6, Next: 'A' }] }, A: end });
    expect(runMachine(asl('$.n'), input).failure?.error).toBe('States.NoChoiceMatched');
    expect(runMachine(asl('$.x'), input).failure?.error).toBe('States.Runtime');
  });
});

describe('Wait', () => {
  const wait = (fields: Record<string, unknown>) => machineOf({ Pause: { Type: 'Wait', End: true, ...fields } });
  test('waits its seconds and hands its input on', () => {
    expect(runMachine(wait({ Seconds: 30 }), { a: 1 })).toMatchObject({ output: { a: 1 }, endedAtMs: 30_000 });
  });
  test('SecondsPath reads the narrowed input', () => {
    const run = runMachine(wait({ InputPath: '$.in', SecondsPath: '$.s', OutputPath: '$.o' }), {
      in: { s: 2, o: 'out' },
    });
    expect(run).toMatchObject({ output: 'out', endedAtMs: 2000 });
  });
  test('no seconds are no wait', () => {
    expect(runMachine(wait({ Seconds: 0 }), 1).effects.map((effect) => effect.do)).toEqual(['ended']);
  });
  test.each([[-1], [1.5], ['3'], [null]] as [Json][])('SecondsPath to %j fails', (s) => {
    expect(runMachine(wait({ SecondsPath: '$.s' }), { s }).failure?.error).toBe('States.Runtime');
  });
});

test('Succeed narrows, Fail names its error and cause', () => {
  const succeed = machineOf({ End: { Type: 'Succeed', InputPath: '$.a', OutputPath: '$.b' } });
  expect(runMachine(succeed, { a: { b: 3 } })).toMatchObject({ status: 'SUCCEEDED', output: 3 });
  const fail = machineOf({ End: { Type: 'Fail', Error: 'no_host', Cause: 'nobody left' } });
  expect(runMachine(fail, {})).toMatchObject({ status: 'FAILED', failure: { error: 'no_host', cause: 'nobody left' } });
});

describe('Retry', () => {
  const asl = (Retry: unknown[], rest: Record<string, unknown> = {}) =>
    machineOf({ Work: { Type: 'Task', Resource: FN, End: true, Retry, ...rest } });
  const failing = (error: string) => () => ({ error, cause: 'c' });
  const starts = (run: ReturnType<typeof runMachine>) =>
    run.history.flatMap((event) => (event.type === 'TaskScheduled' ? [event.atMs - START_MS] : []));

  test('defaults: 3 more attempts after 1, 2 and 4 s', () => {
    const run = runMachine(asl([{ ErrorEquals: ['States.ALL'] }]), {}, failing('Boom'));
    expect(starts(run)).toEqual([0, 1000, 3000, 7000]);
    expect(run).toMatchObject({ status: 'FAILED', failure: { error: 'Boom', cause: 'c' } });
    expect(run.entered).toEqual(['Work']);
  });
  test('interval, rate and longest delay', () => {
    const retrier = { ErrorEquals: ['Boom'], IntervalSeconds: 2, MaxAttempts: 4, BackoffRate: 3, MaxDelaySeconds: 10 };
    expect(starts(runMachine(asl([retrier]), {}, failing('Boom')))).toEqual([0, 2000, 8000, 18_000, 28_000]);
  });
  test('MaxAttempts 0 never tries again', () => {
    expect(starts(runMachine(asl([{ ErrorEquals: ['Boom'], MaxAttempts: 0 }]), {}, failing('Boom')))).toEqual([0]);
  });
  test('each retrier counts for itself, and the first that matches decides', () => {
    const retry = [
      { ErrorEquals: ['A'], MaxAttempts: 1, IntervalSeconds: 1 },
      { ErrorEquals: ['States.ALL'], MaxAttempts: 2, IntervalSeconds: 10, BackoffRate: 1 },
    ];
    const errors = ['A', 'B', 'A', 'unused'];
    const run = runMachine(asl(retry), {}, ({ earlier }) => ({ error: errors[earlier] ?? 'unused' }));
    // The second A finds its own retrier used up: the wildcard behind it is not asked.
    expect(starts(run)).toEqual([0, 1000, 11_000]);
    expect(run.failure?.error).toBe('A');
  });
  test('success after a retry', () => {
    const run = runMachine(asl([{ ErrorEquals: ['Boom'] }]), {}, ({ earlier }) =>
      earlier === 0 ? { error: 'Boom' } : { output: 'ok' },
    );
    expect(run).toMatchObject({ status: 'SUCCEEDED', output: 'ok', endedAtMs: 1000 });
  });
  test('entering the state again starts a new count', () => {
    const machine = machineOf({
      Work: {
        Type: 'Task',
        Resource: FN,
        Retry: [{ ErrorEquals: ['Boom'], MaxAttempts: 1 }],
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.e', Next: 'Again' }],
        Next: 'Done',
      },
      Again: { Type: 'Choice', Choices: [{ Variable: '$.twice', IsPresent: true, Next: 'Done' }], Default: 'Mark' },
      Mark: { Type: 'Pass', Result: true, ResultPath: '$.twice', Next: 'Work' },
      Done: end,
    });
    expect(starts(runMachine(machine, {}, failing('Boom')))).toEqual([0, 1000, 1000, 2000]);
  });
});

describe('Catch', () => {
  const asl = (Catch: unknown[], rest: Record<string, unknown> = {}) =>
    machineOf({
      Work: { Type: 'Task', Resource: FN, Next: 'Done', Catch, ...rest },
      Done: end,
      Caught: { Type: 'Pass', End: true },
    });
  const rows: [string, string, Record<string, unknown>, boolean][] = [
    ['by name', 'no_host', { ErrorEquals: ['other', 'no_host'] }, true],
    ['another name', 'no_host', { ErrorEquals: ['other'] }, false],
    ['States.ALL', 'no_host', { ErrorEquals: ['States.ALL'] }, true],
    ['States.TaskFailed', 'no_host', { ErrorEquals: ['States.TaskFailed'] }, true],
    ['States.ALL does not stop a fault of the definition', 'States.Runtime', { ErrorEquals: ['States.ALL'] }, false],
  ];
  test.each(rows)('%s', (_name, error, catcher, isCaught) => {
    const run = runMachine(asl([{ ...catcher, Next: 'Caught' }]), { a: 1 }, () => ({ error, cause: 'why' }));
    expect(run.status).toBe(isCaught ? 'SUCCEEDED' : 'FAILED');
    if (isCaught) expect(run.output).toEqual({ Error: error, Cause: 'why' });
  });

  test('ResultPath puts the error beside the input, null drops it; OutputPath is not applied', () => {
    const caught = (ResultPath: string | null) =>
      runMachine(
        asl([{ ErrorEquals: ['States.ALL'], ResultPath, Next: 'Caught' }], { OutputPath: '$.nope' }),
        { a: 1 },
        () => ({ error: 'E', cause: 'why' }),
      ).output;
    expect(caught('$.error')).toEqual({ a: 1, error: { Error: 'E', Cause: 'why' } });
    expect(caught(null)).toEqual({ a: 1 });
  });
});

describe('time-outs', () => {
  const silent = () => ({ never: true }) as const;
  const asl = (name: string) =>
    machineOf({
      Work: {
        Type: 'Task',
        Resource: FN,
        TimeoutSeconds: 7,
        Next: 'Done',
        Catch: [{ ErrorEquals: [name], Next: 'Caught' }],
      },
      Done: end,
      Caught: { Type: 'Pass', End: true },
    });
  test.each([
    ['States.Timeout', true],
    ['States.ALL', true],
    ['States.TaskFailed', false],
  ])('of a task, caught by %s: %s', (name, isCaught) => {
    const run = runMachine(asl(name), {}, silent);
    expect(run.status).toBe(isCaught ? 'SUCCEEDED' : 'FAILED');
    expect(run.endedAtMs).toBe(7000);
    expect(run.effects.filter((effect) => effect.do === 'cancel')).toEqual([{ do: 'cancel', taskId: 't1' }]);
    expect(run.history.map((event) => event.type)).toContain('TaskTimedOut');
  });
  test('an answer at the very moment is too late, one before it is not', () => {
    const at = (afterMs: number) => runMachine(asl('States.ALL'), {}, () => ({ output: 'ok', afterMs })).entered;
    expect(at(7000)).toEqual(['Work', 'Caught']);
    expect(at(6999)).toEqual(['Work', 'Done']);
  });
  test('of the machine, which nothing catches', () => {
    const machine = { ...asl('States.ALL'), TimeoutSeconds: 5 };
    const run = runMachine(machine, {}, silent);
    expect(run).toMatchObject({ status: 'TIMED_OUT', endedAtMs: 5000, failure: { error: 'States.Timeout' } });
    expect(run.effects.slice(-2).map((effect) => effect.do)).toEqual(['cancel', 'ended']);
  });
});

test('an endless loop ends at the history limit of Step Functions', () => {
  const asl = machineOf({
    Again: { Type: 'Pass', Next: 'Which' },
    Which: { Type: 'Choice', Choices: [{ Variable: '$.stop', IsPresent: true, Next: 'Done' }], Default: 'Again' },
    Done: end,
  });
  const run = runMachine(asl, {});
  expect(run.failure?.error).toBe('States.Runtime');
  expect(run.history.length).toBeLessThan(25_010);
});
