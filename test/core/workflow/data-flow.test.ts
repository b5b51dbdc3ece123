import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../../core/workflow/workflow.ts';
import { FN, machineOf, runMachine } from './run-machine.ts';

const INPUT = { a: 1, b: { c: 'x', list: [10, 20] }, 'odd name': true, none: null };

describe('Pass', () => {
  const rows: [string, Record<string, unknown>, Json][] = [
    ['hands its input on', {}, INPUT],
    ['InputPath', { InputPath: '$.b' }, { c: 'x', list: [10, 20] }],
    ['InputPath with index', { InputPath: '$.b.list[1]' }, 20],
    ['InputPath with quotes', { InputPath: "$['odd name']" }, true],
    ['InputPath to a null value', { InputPath: '$.none' }, null],
    ['InputPath null', { InputPath: null }, {}],
    ['OutputPath', { OutputPath: '$.b.c' }, 'x'],
    ['OutputPath null', { OutputPath: null }, {}],
    ['Result', { Result: [1, 2] }, [1, 2]],
    ['Result null', { Result: null }, null],
    [
      'Result with ResultPath',
      { Result: 5, ResultPath: '$.b.new.deep' },
      { ...INPUT, b: { c: 'x', list: [10, 20], new: { deep: 5 } } },
    ],
    [
      'ResultPath onto an element',
      { Result: 5, ResultPath: '$.b.list[0]' },
      { ...INPUT, b: { c: 'x', list: [5, 20] } },
    ],
    ['ResultPath null drops the result', { Result: 5, ResultPath: null }, INPUT],
    [
      'ResultPath keeps the raw input, not the narrowed one',
      { InputPath: '$.b.c', ResultPath: '$.r' },
      { ...INPUT, r: 'x' },
    ],
    ['Result with ResultPath and OutputPath', { Result: { k: 1 }, ResultPath: '$.r', OutputPath: '$.r.k' }, 1],
    [
      'Parameters',
      {
        Parameters: { lit: 'v', 'p.$': '$.a', deep: { 'q.$': '$.b.c' }, arr: [{ 'r.$': '$.none' }, 7], 'whole.$': '$' },
      },
      { lit: 'v', p: 1, deep: { q: 'x' }, arr: [{ r: null }, 7], whole: INPUT },
    ],
    ['Parameters see the narrowed input', { InputPath: '$.b', Parameters: { 'v.$': '$.c' } }, { v: 'x' }],
    [
      'context object',
      { Parameters: { 'n.$': '$$.Execution.Name', 'i.$': '$$.Execution.Input.b.c', 's.$': '$$.Execution.StartTime' } },
      { n: 'run-1', i: 'x', s: '2025-06-15T15:06:40.000Z' },
    ],
  ];
  test.each(rows)('%s', (_name, fields, output) => {
    const run = runMachine(machineOf({ Only: { Type: 'Pass', End: true, ...fields } }), INPUT);
    expect(run).toMatchObject({ status: 'SUCCEEDED', output });
    expect(run.output).toEqual(output);
  });
});

describe('intrinsic functions', () => {
  const rows: [string, Json][] = [
    ["States.Format('{} of {}', $.a, $.b.c)", '1 of x'],
    ["States.Format('a \\{\\} it\\'s {}', 'y, (z)')", "a {} it's y, (z)"],
    ["States.Format('{} {}', true, null)", 'true null'],
    ['States.MathAdd($.a, -3)', -2],
    ['States.ArrayLength($.b.list)', 2],
    ["States.Array($.a, 'it\\'s', 2.5, States.Array())", [1, "it's", 2.5, []]],
    ["States.Format('{}-{}', $$.Execution.Name, States.MathAdd(1, States.ArrayLength($.b.list)))", 'run-1-3'],
  ];
  test.each(rows)('%s', (call, output) => {
    const run = runMachine(machineOf({ Only: { Type: 'Pass', Parameters: { 'v.$': call }, End: true } }), INPUT);
    expect(run).toMatchObject({ status: 'SUCCEEDED', output: { v: output } });
  });

  test.each([
    ["States.Format('{}', $.b)"],
    ["States.Format('{} {}', $.a)"],
    ["States.Format('{}', $.a, $.a)"],
    ['States.MathAdd($.b.c, 1)'],
    ['States.MathAdd(1.5, 1)'],
    ['States.ArrayLength($.a)'],
  ])('%s fails', (call) => {
    const run = runMachine(machineOf({ Only: { Type: 'Pass', Parameters: { 'v.$': call }, End: true } }), INPUT);
    expect(run.failure?.error).toBe('States.IntrinsicFailure');
  });
});

describe('Task', () => {
  const task = (fields: Record<string, unknown>) =>
    machineOf({ Work: { Type: 'Task', Resource: FN, End: true, ...fields } });

  test('is given its effective input and puts its selected result where it was told', () => {
    const run = runMachine(
      task({
        InputPath: '$.b',
        Parameters: { 'c.$': '$.c' },
        ResultSelector: { 'got.$': '$.answer', 'who.$': '$$.Execution.Name' },
        ResultPath: '$.work',
        OutputPath: '$.work',
      }),
      INPUT,
      ({ resource, input, stateName }) => ({ output: { answer: [resource, input, stateName] } }),
    );
    expect(run.output).toEqual({ got: [FN, { c: 'x' }, 'Work'], who: 'run-1' });
  });

  test('an answer without a value is null', () => {
    expect(runMachine(task({}), INPUT, () => ({ output: undefined })).output).toBeNull();
  });

  test('lambda:invoke calls the function with the payload and wraps the answer', () => {
    const asl = task({
      Resource: 'arn:aws:states:::lambda:invoke',
      Parameters: { 'FunctionName.$': '$.b.c', Payload: { 'n.$': '$.a' } },
    });
    const run = runMachine(asl, INPUT, ({ resource, input }) => ({ output: { resource, input } }));
    expect(run.output).toEqual({ Payload: { resource: 'x', input: { n: 1 } }, StatusCode: 200 });
  });

  test('lambda:invoke without a name fails at run time if the path gives none', () => {
    const asl = task({ Resource: 'arn:aws:states:::lambda:invoke', Parameters: { 'FunctionName.$': '$.a' } });
    expect(runMachine(asl, INPUT).failure?.error).toBe('States.Runtime');
  });

  test('the longest payload passes, one byte more does not', () => {
    const answer = (chars: number) => runMachine(task({}), {}, () => ({ output: 'é'.repeat(chars) }));
    expect(answer(131_071).status).toBe('SUCCEEDED');
    expect(answer(131_072).failure?.error).toBe('States.DataLimitExceeded');
  });
});

describe('a path that leads nowhere ends the execution, whatever Catch says', () => {
  const rows: [string, Record<string, unknown>, string][] = [
    ['InputPath', { InputPath: '$.nope' }, 'States.Runtime'],
    ['Parameters', { Parameters: { 'v.$': '$.nope' } }, 'States.Runtime'],
    ['ResultSelector', { ResultSelector: { 'v.$': '$.nope' } }, 'States.Runtime'],
    ['OutputPath', { OutputPath: '$.nope' }, 'States.Runtime'],
    ['an index behind the end', { InputPath: '$.b.list[2]' }, 'States.Runtime'],
    ['a step into a string', { InputPath: '$.b.c.d' }, 'States.Runtime'],
    ['an inherited property', { InputPath: '$.constructor' }, 'States.Runtime'],
  ];
  test.each(rows)('%s', (_name, fields, error) => {
    const asl = machineOf({
      Work: {
        Type: 'Task',
        Resource: FN,
        Next: 'Done',
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Done' }],
        ...fields,
      },
      Done: { Type: 'Succeed' },
    });
    const run = runMachine(asl, INPUT);
    expect(run.status).toBe('FAILED');
    expect(run.failure?.error).toBe(error);
  });
});

test.each([
  ['through a string', 'text', '$.r'],
  ['through a number inside', { a: 1 }, '$.a.b'],
  ['behind the end of an array', { a: [] }, '$.a[0]'],
] as [string, Json, string][])(
  'a ResultPath that cannot be applied %s fails, and can be caught',
  (_name, input, path) => {
    const asl = machineOf({
      Work: {
        Type: 'Task',
        Resource: FN,
        ResultPath: path,
        Next: 'Done',
        Catch: [{ ErrorEquals: ['States.ResultPathMatchFailure'], Next: 'Caught' }],
      },
      Done: { Type: 'Succeed' },
      Caught: { Type: 'Pass', Result: 'caught', End: true },
    });
    expect(runMachine(asl, input)).toMatchObject({ status: 'SUCCEEDED', output: 'caught' });
  },
);

test('a field called __proto__ is a field like any other', () => {
  const asl = machineOf({ Only: { Type: 'Pass', Result: 1, ResultPath: '$.__proto__', End: true } });
  expect(JSON.stringify(runMachine(asl, {}).output)).toBe('{"__proto__":1}');
  expect(({} as Record<string, unknown>)['1']).toBeUndefined();
});
