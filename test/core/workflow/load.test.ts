import { describe, expect, test } from '@jest/globals';
import { failureCode, messageOf } from '../../../core/failures/failures.ts';
import { load, substitute } from '../../../core/workflow/workflow.ts';
import { FN, machineOf } from './run-machine.ts';

function refusal(asl: unknown): string {
  try {
    load(asl);
  } catch (error) {
    expect(failureCode(error)).toBe('config_invalid');
    return messageOf(error);
  }
  return 'was loaded';
}

const task = (fields: Record<string, unknown>) =>
  machineOf({ Work: { Type: 'Task', Resource: FN, End: true, ...fields } });
const pass = (fields: Record<string, unknown>) => machineOf({ Only: { Type: 'Pass', End: true, ...fields } });
const wait = (fields: Record<string, unknown>) => machineOf({ Pause: { Type: 'Wait', End: true, ...fields } });
const map = (fields: Record<string, unknown>) =>
  machineOf({ Each: { Type: 'Map', ItemProcessor: pass({}), End: true, ...fields } });
const choice = (rule: unknown) => machineOf({ Pick: { Type: 'Choice', Choices: [rule] }, Done: { Type: 'Succeed' } });
const retry = (retrier: Record<string, unknown>) => task({ Retry: [{ ErrorEquals: ['A'], ...retrier }] });

describe('what is not implemented is refused, with the state, the field and the value', () => {
  const rows: [string, unknown, string, string][] = [
    ['JSONata', { ...pass({}), QueryLanguage: 'JSONata' }, 'the machine, field QueryLanguage', '"JSONata"'],
    ['JSONata in a state', pass({ QueryLanguage: 'JSONata' }), 'state "Only", field QueryLanguage', '"JSONata"'],
    ['variables', pass({ Assign: { a: 1 } }), 'state "Only", field Assign', '{"a":1}'],
    ['unknown type', pass({ Type: 'Sleep' }), 'state "Only", field Type', '"Sleep"'],
    ['unknown field', task({ TimeoutSecond: 5 }), 'state "Work", field TimeoutSecond', '5'],
    ['fractional time-out', task({ TimeoutSeconds: 1.5 }), 'state "Work", field TimeoutSeconds', '1.5'],
    ['time-out 0', task({ TimeoutSeconds: 0 }), 'state "Work", field TimeoutSeconds', '0'],
    ['TimeoutSecondsPath', task({ TimeoutSecondsPath: '$.t' }), 'state "Work", field TimeoutSecondsPath', '"$.t"'],
    ['heartbeat', task({ HeartbeatSeconds: 5 }), 'state "Work", field HeartbeatSeconds', '5'],
    ['no resource', task({ Resource: undefined }), 'state "Work", field Resource', 'is missing'],
    [
      'task token',
      task({ Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken', Parameters: {} }),
      'state "Work", field Resource',
      'waitForTaskToken',
    ],
    [
      'other service',
      task({ Resource: 'arn:aws:states:::sns:publish' }),
      'state "Work", field Resource',
      'sns:publish',
    ],
    ['not substituted', task({ Resource: '${Fn}' }), 'state "Work", field Resource', '${Fn}'],
    [
      'no function',
      task({ Resource: 'arn:aws:states:::lambda:invoke', Parameters: { Payload: {} } }),
      'state "Work", field Parameters.FunctionName',
      'needs the name',
    ],
    [
      'asynchronous invoke',
      task({ Resource: 'arn:aws:states:::lambda:invoke', Parameters: { FunctionName: 'f', InvocationType: 'Event' } }),
      'state "Work", field Parameters.InvocationType',
      'FunctionName and Payload only',
    ],
    ['jitter', retry({ JitterStrategy: 'FULL' }), 'state "Work", field Retry[0].JitterStrategy', '"FULL"'],
    ['interval 0', retry({ IntervalSeconds: 0 }), 'state "Work", field Retry[0].IntervalSeconds', '0'],
    ['rate under 1', retry({ BackoffRate: 0.5 }), 'state "Work", field Retry[0].BackoffRate', '0.5'],
    [
      'delay too short',
      retry({ IntervalSeconds: 5, MaxDelaySeconds: 5 }),
      'state "Work", field Retry[0].MaxDelaySeconds',
      'greater than IntervalSeconds',
    ],
    ['no error names', retry({ ErrorEquals: [] }), 'state "Work", field Retry[0].ErrorEquals', 'at least one'],
    [
      'ALL not alone',
      retry({ ErrorEquals: ['States.ALL', 'A'] }),
      'state "Work", field Retry[0].ErrorEquals',
      'stand alone',
    ],
    [
      'ALL not last',
      task({ Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['A'] }] }),
      'state "Work", field Retry[0].ErrorEquals',
      'last',
    ],
    [
      'misspelt error',
      retry({ ErrorEquals: ['States.TimeOut'] }),
      'state "Work", field Retry[0].ErrorEquals',
      'States.TimeOut',
    ],
    [
      'terminal error',
      retry({ ErrorEquals: ['States.Runtime'] }),
      'state "Work", field Retry[0].ErrorEquals',
      'cannot be matched',
    ],
    ['Retry on a Pass', pass({ Retry: [{ ErrorEquals: ['A'] }] }), 'state "Only", field Retry', 'not supported'],
    ['filter', pass({ InputPath: '$.a[?(@.b)]' }), 'state "Only", field InputPath', '[?('],
    ['slice', pass({ InputPath: '$.a[0:2]' }), 'state "Only", field InputPath', '0:2'],
    ['descent', pass({ OutputPath: '$..a' }), 'state "Only", field OutputPath', '"$..a"'],
    ['wildcard', pass({ InputPath: '$.a[*]' }), 'state "Only", field InputPath', '[*]'],
    ['negative index', pass({ InputPath: '$.a[-1]' }), 'state "Only", field InputPath', '[-1]'],
    ['no path', pass({ InputPath: 'a.b' }), 'state "Only", field InputPath', '"a.b"'],
    ['context in ResultPath', pass({ ResultPath: '$$.Execution.Name' }), 'state "Only", field ResultPath', 'context'],
    ['state name', pass({ Parameters: { 'n.$': '$$.State.Name' } }), 'state "Only", field Parameters', '$$.State.Name'],
    ['token', task({ Parameters: { 't.$': '$$.Task.Token' } }), 'state "Work", field Parameters', '$$.Task.Token'],
    [
      'item outside',
      pass({ Parameters: { 'n.$': '$$.Map.Item.Value' } }),
      'state "Only", field Parameters',
      'ItemSelector only',
    ],
    [
      'other function',
      pass({ Parameters: { a: { 'n.$': 'States.UUID()' } } }),
      'state "Only", field Parameters.a.n.$',
      'States.UUID',
    ],
    ['plain text in .$', pass({ Parameters: { 'n.$': 'text' } }), 'state "Only", field Parameters.n.$', '"text"'],
    ['number in .$', pass({ Parameters: { 'n.$': 5 } }), 'state "Only", field Parameters.n.$', '5'],
    [
      'arity',
      pass({ Parameters: { 'n.$': 'States.MathAdd(1)' } }),
      'state "Only", field Parameters.n.$',
      '2 arguments',
    ],
    ['quotes', pass({ Parameters: { 'n.$': "States.Array('a)" } }), 'state "Only", field Parameters.n.$', 'unbalanced'],
    ['twice', pass({ Parameters: { n: 1, 'n.$': '$.a' } }), 'state "Only", field Parameters.n.$', 'twice'],
    ['Parameters as text', pass({ Parameters: '$.a' }), 'state "Only", field Parameters', 'object'],
    ['Result and Parameters', pass({ Result: 1, Parameters: {} }), 'state "Only", field Parameters', 'beside Result'],
    ['timestamp wait', wait({ Timestamp: '2026-01-01T00:00:00Z' }), 'state "Pause", field Timestamp', '2026'],
    ['no duration', wait({}), 'state "Pause", field Seconds', 'exactly one'],
    ['two durations', wait({ Seconds: 1, SecondsPath: '$.s' }), 'state "Pause", field Seconds', 'exactly one'],
    [
      'other comparison',
      choice({ Variable: '$.a', StringMatches: 'a*', Next: 'Done' }),
      'state "Pick", field Choices[0].StringMatches',
      'a*',
    ],
    [
      'path comparison',
      choice({ Variable: '$.a', NumericEqualsPath: '$.b', Next: 'Done' }),
      'state "Pick", field Choices[0].NumericEqualsPath',
      '"$.b"',
    ],
    [
      'two comparisons',
      choice({ Variable: '$.a', IsNull: true, IsPresent: true, Next: 'Done' }),
      'state "Pick", field Choices[0].IsPresent',
      'beside',
    ],
    [
      'operator beside a comparison',
      choice({ Variable: '$.a', IsNull: true, And: [], Next: 'Done' }),
      'state "Pick", field Choices[0]',
      'beside',
    ],
    [
      'wrong operand',
      choice({ Variable: '$.a', NumericEquals: '5', Next: 'Done' }),
      'state "Pick", field Choices[0].NumericEquals',
      'number',
    ],
    [
      'Next inside a rule',
      choice({ Not: { Variable: '$.a', IsNull: true, Next: 'Done' }, Next: 'Done' }),
      'state "Pick", field Choices[0].Not.Next',
      'beside',
    ],
    ['legacy Iterator', map({ Iterator: pass({}) }), 'state "Each", field Iterator', 'not supported'],
    [
      'distributed',
      map({ ItemProcessor: { ...pass({}), ProcessorConfig: { Mode: 'DISTRIBUTED' } } }),
      'state "Each", field ItemProcessor.ProcessorConfig.Mode',
      'DISTRIBUTED',
    ],
    ['tolerated failures', map({ ToleratedFailureCount: 1 }), 'state "Each", field ToleratedFailureCount', '1'],
    [
      'cause from a path',
      machineOf({ End: { Type: 'Fail', CausePath: '$.c' } }),
      'state "End", field CausePath',
      '"$.c"',
    ],
  ];
  test.each(rows)('%s', (_name, asl, place, detail) => {
    const text = refusal(asl);
    expect(text).toContain(place);
    expect(text).toContain(detail);
  });
});

describe('the graph', () => {
  const end = { Type: 'Succeed' };
  const rows: [string, unknown, string][] = [
    ['no such start', { StartAt: 'X', States: { A: end } }, 'the machine, field StartAt: there is no state "X" here'],
    ['no such next', pass({ End: undefined, Next: 'X' }), 'state "Only", field Next: there is no state "X" here'],
    [
      'no such default',
      machineOf({ P: { Type: 'Choice', Choices: [{ Variable: '$', IsNull: true, Next: 'A' }], Default: 'X' }, A: end }),
      'state "P", field Default: there is no state "X" here',
    ],
    [
      'no such catch',
      task({ Catch: [{ ErrorEquals: ['A'], Next: 'X' }] }),
      'state "Work", field Catch[0].Next: there is no state "X" here',
    ],
    ['unreachable', machineOf({ A: end, B: end }), 'state "B": nothing leads to it'],
    [
      'only reachable from the unreachable',
      machineOf({ A: end, B: { Type: 'Pass', Next: 'C' }, C: end }),
      'state "C": nothing leads to it',
    ],
    ['no end', machineOf({ A: { Type: 'Pass', Next: 'A' } }), 'the machine: no state ends it'],
    ['neither Next nor End', pass({ End: undefined }), 'state "Only", field Next: exactly one of Next and End'],
    [
      'both',
      machineOf({ A: { Type: 'Pass', Next: 'B', End: true }, B: end }),
      'state "A", field Next: exactly one of Next and End',
    ],
    [
      'name used inside and outside',
      machineOf({ A: { Type: 'Map', ItemProcessor: machineOf({ A: end }), End: true } }),
      'state "A": the name is used twice',
    ],
    [
      'name used in two branches',
      machineOf({ P: { Type: 'Parallel', Branches: [machineOf({ A: end }), machineOf({ A: end })], End: true } }),
      'state "A": the name is used twice',
    ],
    [
      'out of a branch',
      machineOf({
        P: { Type: 'Parallel', Branches: [machineOf({ A: { Type: 'Pass', Next: 'B' } })], Next: 'B' },
        B: end,
      }),
      'state "A", field Next: there is no state "B" here',
    ],
    [
      'branch without a start',
      machineOf({ P: { Type: 'Parallel', Branches: [{ StartAt: 'X', States: { A: end } }], End: true } }),
      'state "P", Branches[0], field StartAt: there is no state "X" here',
    ],
    ['long name', machineOf({ A: end, ['n'.repeat(81)]: end }), 'the name must have 1 to 80 characters'],
    ['no object', 'text', 'the machine'],
  ];
  test.each(rows)('%s', (_name, asl, text) => {
    expect(refusal(asl)).toContain(text);
  });
});

test('all problems are named at once', () => {
  const text = refusal(machineOf({ A: { Type: 'Pass', Assign: {}, Next: 'B' }, B: { Type: 'Sleep' } }));
  expect(text).toContain('state "A", field Assign');
  expect(text).toContain('state "B", field Type');
});

test('a definition with every supported field loads', () => {
  const asl = {
    Comment: 'c',
    Version: '1.0',
    QueryLanguage: 'JSONPath',
    TimeoutSeconds: 60,
    ...task({
      Comment: 'c',
      QueryLanguage: 'JSONPath',
      TimeoutSeconds: 5,
      Retry: [
        {
          ErrorEquals: ['States.TaskFailed', 'Lambda.TooManyRequestsException'],
          IntervalSeconds: 2,
          MaxAttempts: 0,
          BackoffRate: 1.5,
          MaxDelaySeconds: 9,
        },
      ],
    }),
  };
  expect(load(asl)).toMatchObject({ startAt: 'Work', timeoutSeconds: 60 });
  // Machines are plain JSON too: one can be kept beside the executions that run it.
  expect(JSON.parse(JSON.stringify(load(asl)))).toEqual(load(asl));
});

describe('substitute', () => {
  test('replaces in every string, also in part, and nowhere else', () => {
    const asl = { a: '${Fn}', b: ['arn:${Region}:${Fn}', 5, null], '${Fn}': true };
    expect(substitute(asl, { Fn: 'f-$&', Region: 'eu' })).toEqual({
      a: 'f-$&',
      b: ['arn:eu:f-$&', 5, null],
      '${Fn}': true,
    });
  });
  test.each(['${Nope}', '${constructor}', '${}'])('refuses %s', (text) => {
    expect(() => substitute([text], { Fn: 'f' })).toThrow(/known names: Fn/);
  });
});
