import { describe, expect, test } from '@jest/globals';
import type { Event, Execution } from '../../../core/workflow/workflow.ts';
import { activeStates, begin, load, redrive, step } from '../../../core/workflow/workflow.ts';
import { finish, FN, machineOf, START_MS } from './run-machine.ts';

const work = { Type: 'Task', Resource: FN, TimeoutSeconds: 10, End: true };
const start = { name: 'e1', input: { k: 1 }, startedAtMs: START_MS };

test('the events of an execution, in full', () => {
  const machine = load(
    machineOf({
      Work: { ...work, Parameters: { 'n.$': '$.k' }, End: undefined, Next: 'Done' },
      Done: { Type: 'Succeed' },
    }),
  );
  const first = begin(machine, start);
  expect(first.effects).toEqual([
    { do: 'invoke', taskId: 't1', resource: FN, input: { n: 1 }, stateName: 'Work' },
    { do: 'wake', atMs: START_MS + 10_000 },
  ]);
  const second = step(machine, first.state, { type: 'task_succeeded', taskId: 't1', output: 'ok' }, START_MS + 5);
  expect(second.effects).toEqual([{ do: 'ended', status: 'SUCCEEDED', output: 'ok' }]);
  const [t0, t5] = [START_MS, START_MS + 5];
  expect([...first.history, ...second.history]).toEqual([
    { id: 1, atMs: t0, type: 'ExecutionStarted', input: { k: 1 } },
    { id: 2, atMs: t0, type: 'StateEntered', where: '', state: 'Work', input: { k: 1 } },
    { id: 3, atMs: t0, type: 'TaskScheduled', where: '', state: 'Work', taskId: 't1', resource: FN, input: { n: 1 } },
    { id: 4, atMs: t5, type: 'TaskSucceeded', where: '', state: 'Work', taskId: 't1', output: 'ok' },
    { id: 5, atMs: t5, type: 'StateExited', where: '', state: 'Work', output: 'ok' },
    { id: 6, atMs: t5, type: 'StateEntered', where: '', state: 'Done', input: 'ok' },
    { id: 7, atMs: t5, type: 'StateExited', where: '', state: 'Done', output: 'ok' },
    { id: 8, atMs: t5, type: 'ExecutionSucceeded', output: 'ok' },
  ]);
});

test('a step leaves the state it was given as it was', () => {
  const machine = load(machineOf({ Work: work }));
  const { state } = begin(machine, start);
  const before = JSON.stringify(state);
  step(machine, state, { type: 'task_succeeded', taskId: 't1', output: 1 }, START_MS + 1);
  expect(JSON.stringify(state)).toBe(before);
});

describe('what changes nothing', () => {
  const machine = load(machineOf({ Work: work }));
  const { state } = begin(machine, start);
  const ended = step(machine, state, { type: 'task_succeeded', taskId: 't1', output: 1 }, START_MS + 1).state;
  const rows: [string, Execution, Event][] = [
    ['an early tick', state, { type: 'tick' }],
    ['an unknown task', state, { type: 'task_failed', taskId: 't9', error: 'E', cause: '' }],
    ['a repeated answer', ended, { type: 'task_failed', taskId: 't1', error: 'E', cause: '' }],
    ['a stop after the end', ended, { type: 'stop', error: 'E', cause: '' }],
  ];
  test.each(rows)('%s', (_name, from, event) => {
    const after = step(machine, from, event, START_MS + 2);
    expect(after.history).toEqual([]);
    expect({ ...after.state, atMs: 0 }).toEqual({ ...from, atMs: 0 });
    expect(after.effects.every((effect) => effect.do === 'wake')).toBe(true);
  });
});

test('stop aborts and gives up what is in flight', () => {
  const machine = load(machineOf({ Work: work }));
  const { state } = begin(machine, start);
  const stopped = step(machine, state, { type: 'stop', error: 'Stopped', cause: 'by hand' }, START_MS + 1);
  expect(stopped.effects).toEqual([
    { do: 'cancel', taskId: 't1' },
    { do: 'ended', status: 'ABORTED', error: 'Stopped', cause: 'by hand' },
  ]);
  expect(stopped.state.status).toBe('ABORTED');
});

test('the clock may step back; the times of an execution do not', () => {
  const machine = load(machineOf({ Work: work }));
  const { state } = begin(machine, start);
  const { history } = step(machine, state, { type: 'task_succeeded', taskId: 't1', output: 1 }, START_MS - 60_000);
  expect(history.map((event) => event.atMs)).toEqual([START_MS, START_MS, START_MS]);
});

test('resume invokes what was in flight with a full time-out, and a wait keeps its end', () => {
  const machine = load(
    machineOf({
      Both: {
        Type: 'Parallel',
        Branches: [machineOf({ Work: work }), machineOf({ Pause: { Type: 'Wait', Seconds: 100, End: true } })],
        End: true,
      },
    }),
  );
  const { state } = begin(machine, start);
  const resumed = step(machine, state, { type: 'resume' }, START_MS + 95_000);
  expect(resumed.effects).toEqual([
    { do: 'invoke', taskId: 't1', resource: FN, input: { k: 1 }, stateName: 'Work' },
    { do: 'wake', atMs: START_MS + 100_000 },
  ]);
  const later = step(machine, resumed.state, { type: 'tick' }, START_MS + 100_000);
  expect(activeStates(later.state)).toEqual([{ where: 'Both[0]', state: 'Work', waitsFor: 'task' }]);
  expect(later.effects).toEqual([{ do: 'wake', atMs: START_MS + 105_000 }]);
});

describe('redrive', () => {
  test('goes on from the failed state with that state’s input, retries counted anew', () => {
    const machine = load(
      machineOf({
        Before: { Type: 'Pass', Result: 'made', ResultPath: '$.made', Next: 'Work' },
        Work: { ...work, Retry: [{ ErrorEquals: ['E'], MaxAttempts: 1 }] },
      }),
    );
    const failed = finish(machine, begin(machine, start), () => ({ error: 'E' }));
    expect(failed).toMatchObject({ status: 'FAILED', endedAtMs: 1000 });
    const again = finish(machine, redrive(machine, failed.state, START_MS + 60_000), ({ earlier, input }) =>
      earlier === 0 ? { error: 'E' } : { output: input },
    );
    expect(again).toMatchObject({ status: 'SUCCEEDED', output: { k: 1, made: 'made' }, endedAtMs: 61_000 });
    expect(again.entered).toEqual(['Work']);
    expect(again.history[0]).toMatchObject({ type: 'ExecutionRedriven', id: failed.history.length + 1 });
    expect(again.state.redrives).toBe(1);
  });

  test('repeats only the branches and iterations that had not succeeded', () => {
    const each = {
      Type: 'Map',
      ItemsPath: '$.items',
      MaxConcurrency: 1,
      ItemProcessor: machineOf({ Do: work }),
      End: true,
    };
    const machine = load(
      machineOf({
        Both: { Type: 'Parallel', Branches: [machineOf({ Quick: work }), machineOf({ Each: each })], End: true },
      }),
    );
    const first = finish(machine, begin(machine, { ...start, input: { items: [1, 2, 3] } }), ({ stateName, input }) =>
      stateName === 'Do' && input === 2 ? { error: 'E' } : { output: ['first', input] },
    );
    expect(first.status).toBe('FAILED');
    const asked: unknown[] = [];
    const again = finish(machine, redrive(machine, first.state, START_MS), ({ stateName, input }) => {
      asked.push([stateName, input]);
      return { output: ['again', input] };
    });
    expect(asked).toEqual([
      ['Do', 2],
      ['Do', 3],
    ]);
    expect(again.output).toEqual([
      ['first', { items: [1, 2, 3] }],
      [
        ['first', 1],
        ['again', 2],
        ['again', 3],
      ],
    ]);
  });

  test('of an aborted wait waits anew; the machine’s own time-out starts again', () => {
    const machine = load(machineOf({ Pause: { Type: 'Wait', Seconds: 50, End: true } }, { TimeoutSeconds: 60 }));
    const stopped = step(
      machine,
      begin(machine, start).state,
      { type: 'stop', error: '', cause: '' },
      START_MS + 40_000,
    );
    const again = finish(machine, redrive(machine, stopped.state, START_MS + 40_000), () => ({}));
    expect(again).toMatchObject({ status: 'SUCCEEDED', endedAtMs: 90_000 });
  });

  test('of a running or succeeded execution is a bug of the caller', () => {
    const machine = load(machineOf({ Work: work }));
    expect(() => redrive(machine, begin(machine, start).state, START_MS)).toThrow(/invariant/);
  });
});
