import { describe, expect, test } from '@jest/globals';
import { FN, machineOf, runMachine } from './run-machine.ts';

const branch = (name: string, fields: Record<string, unknown> = {}) =>
  machineOf({ [name]: { Type: 'Task', Resource: FN, End: true, ...fields } });

/** So that the state it leads to is reached in every machine. */
const unused = [{ ErrorEquals: ['unused'], Next: 'Caught' }];

describe('Parallel', () => {
  const asl = (rest: Record<string, unknown> = {}, fields: Record<string, unknown> = {}) =>
    machineOf({
      Both: { Type: 'Parallel', Branches: [branch('A', fields), branch('B')], Next: 'Done', Catch: unused, ...rest },
      Done: { Type: 'Pass', End: true },
      Caught: { Type: 'Pass', End: true },
    });

  test('runs its branches at once and gives their outputs in order', () => {
    const run = runMachine(asl({ Parameters: { 'v.$': '$.x' } }), { x: 4 }, ({ stateName, input }) => ({
      output: { stateName, input },
      afterMs: stateName === 'A' ? 20 : 10,
    }));
    expect(run.output).toEqual([
      { stateName: 'A', input: { v: 4 } },
      { stateName: 'B', input: { v: 4 } },
    ]);
    expect(run.endedAtMs).toBe(20);
    const where = run.history.flatMap((event) => (event.type === 'TaskSucceeded' ? [event.where] : []));
    expect(where).toEqual(['Both[1]', 'Both[0]']);
  });

  test('ResultSelector, ResultPath and OutputPath apply to the list', () => {
    const run = runMachine(
      asl({ ResultSelector: { 'b.$': '$[1]' }, ResultPath: '$.r', OutputPath: '$.r' }),
      { x: 1 },
      ({ stateName }) => ({ output: stateName }),
    );
    expect(run.output).toEqual({ b: 'B' });
  });

  test('the first failure ends the others, and Catch sees its name', () => {
    const run = runMachine(
      asl({ Catch: [{ ErrorEquals: ['no_host'], ResultPath: '$.e', Next: 'Caught' }] }),
      { x: 1 },
      ({ stateName }) =>
        stateName === 'B' ? { error: 'no_host', cause: 'none', afterMs: 5 } : { output: 1, afterMs: 50 },
    );
    expect(run.output).toEqual({ x: 1, e: { Error: 'no_host', Cause: 'none' } });
    expect(run.effects.filter((effect) => effect.do === 'cancel')).toEqual([{ do: 'cancel', taskId: 't1' }]);
    expect(run.endedAtMs).toBe(5);
  });

  test('Retry begins all branches anew', () => {
    const run = runMachine(asl({ Retry: [{ ErrorEquals: ['Boom'], MaxAttempts: 1 }] }), {}, ({ stateName, earlier }) =>
      stateName === 'B' && earlier === 0 ? { error: 'Boom' } : { output: `${stateName}${earlier}` },
    );
    expect(run.output).toEqual(['A1', 'B1']);
  });

  test('a failure caught inside a branch leaves the others alone', () => {
    const inner = machineOf({
      A: { Type: 'Task', Resource: FN, End: true, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Soft' }] },
      Soft: { Type: 'Pass', Result: 'soft', End: true },
    });
    const machine = machineOf({ Both: { Type: 'Parallel', Branches: [inner, branch('B')], End: true } });
    const run = runMachine(machine, {}, ({ stateName }) =>
      stateName === 'A' ? { error: 'Boom' } : { output: 'hard' },
    );
    expect(run.output).toEqual(['soft', 'hard']);
  });

  test('a branch that fails at once keeps the tasks of the others from being invoked at all', () => {
    const broken = machineOf({ Broken: { Type: 'Fail', Error: 'E' } });
    const machine = machineOf({ Both: { Type: 'Parallel', Branches: [branch('A'), broken], End: true } });
    const run = runMachine(machine, {});
    expect(run.effects).toEqual([{ do: 'ended', status: 'FAILED', error: 'E', cause: '' }]);
  });

  test('a fault of the definition inside a branch passes every Catch', () => {
    const run = runMachine(
      asl({ Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }] }, { InputPath: '$.nope' }),
      {},
    );
    expect(run.failure?.error).toBe('States.Runtime');
  });
});

describe('Map', () => {
  const asl = (rest: Record<string, unknown> = {}) =>
    machineOf({ Each: { Type: 'Map', ItemProcessor: branch('Do'), End: true, ...rest } });

  test('runs once per item and gives the outputs in order', () => {
    const run = runMachine(asl({ ItemsPath: '$.list' }), { list: [3, 1, 2] }, ({ input }) => ({
      output: [input],
      afterMs: Number(input),
    }));
    expect(run).toMatchObject({ output: [[3], [1], [2]], endedAtMs: 3 });
  });

  test('ItemSelector reads the input and the item', () => {
    const selector = { 'i.$': '$$.Map.Item.Index', 'v.$': '$$.Map.Item.Value.n', 'all.$': '$.k', text: 'x' };
    const run = runMachine(
      asl({ InputPath: '$.in', ItemsPath: '$.list', ItemSelector: selector }),
      { in: { k: 9, list: [{ n: 'a' }, { n: 'b' }] } },
      ({ input }) => ({ output: input }),
    );
    expect(run.output).toEqual([
      { i: 0, v: 'a', all: 9, text: 'x' },
      { i: 1, v: 'b', all: 9, text: 'x' },
    ]);
  });

  test('no items, no iterations', () => {
    expect(runMachine(asl(), [])).toMatchObject({ status: 'SUCCEEDED', output: [] });
  });

  test('what is no list fails', () => {
    expect(runMachine(asl(), { a: 1 }).failure?.error).toBe('States.Runtime');
  });

  test.each([
    [1, [1, 1, 1, 1, 1]],
    [2, [2, 2, 2, 2, 1]],
    [0, [5, 4, 3, 2, 1]],
  ])('MaxConcurrency %i', (MaxConcurrency, busy) => {
    let active = 0;
    const seen: number[] = [];
    const run = runMachine(asl({ MaxConcurrency }), [1, 2, 3, 4, 5], ({ input }) => ({
      output: input,
      afterMs: 10 + Number(input),
    }));
    for (const event of run.history) {
      if (event.type === 'TaskScheduled') active += 1;
      if (event.type === 'TaskSucceeded') {
        seen.push(active);
        active -= 1;
      }
    }
    expect(seen).toEqual(busy);
  });

  test('at most 40 iterations run at once, as in Step Functions', () => {
    const items = Array.from({ length: 50 }, (_, index) => index);
    const run = runMachine(asl(), items, () => ({ output: 0, afterMs: 10 }));
    const before = run.history.findIndex((event) => event.type === 'TaskSucceeded');
    expect(run.history.slice(0, before).filter((event) => event.type === 'TaskScheduled')).toHaveLength(40);
  });

  test('a failed iteration ends the Map; Retry begins it anew, Catch takes it up', () => {
    const one = runMachine(asl({ MaxConcurrency: 1 }), [1, 2, 3], ({ input }) =>
      input === 2 ? { error: 'E' } : { output: 0 },
    );
    expect(one).toMatchObject({ status: 'FAILED', failure: { error: 'E' } });
    expect(one.history.filter((event) => event.type === 'TaskScheduled')).toHaveLength(2);
    const again = runMachine(asl({ Retry: [{ ErrorEquals: ['E'] }] }), [1], ({ earlier }) =>
      earlier === 0 ? { error: 'E' } : { output: earlier },
    );
    expect(again).toMatchObject({ output: [1], endedAtMs: 1000 });
  });

  test('nests: waves of slots, waves one at a time', () => {
    const machine = machineOf({
      Waves: {
        Type: 'Map',
        MaxConcurrency: 1,
        ItemProcessor: machineOf({ Slots: { Type: 'Map', ItemProcessor: branch('Place'), End: true } }),
        End: true,
      },
    });
    const run = runMachine(machine, [[1, 2], [3]], ({ input }) => ({
      output: `${JSON.stringify(input)}!`,
      afterMs: 10,
    }));
    expect(run).toMatchObject({ output: [['1!', '2!'], ['3!']], endedAtMs: 20 });
    const where = run.history.flatMap((event) => (event.type === 'TaskScheduled' ? [event.where] : []));
    expect(where).toEqual(['Waves[0]/Slots[0]', 'Waves[0]/Slots[1]', 'Waves[1]/Slots[0]']);
  });
});
