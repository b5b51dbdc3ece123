import { readdir, readFile, writeFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Bench } from './driver-bench.ts';
import { openBench } from './driver-bench.ts';

const TASK = { Type: 'Task', Resource: 'fn:work', TimeoutSeconds: 10, End: true };
const ONE = { StartAt: 'Work', States: { Work: TASK } };
const TWO = {
  StartAt: 'Work',
  States: {
    Work: { Type: 'Task', Resource: 'fn:work', TimeoutSeconds: 10, Next: 'More' },
    More: { ...TASK, Resource: 'fn:more' },
  },
};

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => bench.close());

test('runs an execution to its end and describes it', async () => {
  const driver = await bench.open(TWO);
  expect(await driver.start('run-1', { a: 1 })).toEqual({ outcome: 'started' });
  expect(await driver.status('run-1')).toBe('RUNNING');
  (await bench.call(0)).answer({ b: 2 });
  const second = await bench.call(1);
  expect(second).toMatchObject({ resource: 'fn:more', input: { b: 2 } });
  expect(await driver.describe('run-1')).toMatchObject({ active: [{ where: '', state: 'More', waitsFor: 'task' }] });
  second.answer('done');
  expect(await driver.whenEnded('run-1')).toBe('SUCCEEDED');
  expect(await driver.describe('run-1')).toMatchObject({ input: { a: 1 }, output: 'done', failure: null, active: [] });
  expect((await driver.history('run-1'))?.map((event) => event.type)).toEqual([
    'ExecutionStarted',
    'StateEntered',
    'TaskScheduled',
    'TaskSucceeded',
    'StateExited',
    'StateEntered',
    'TaskScheduled',
    'TaskSucceeded',
    'StateExited',
    'ExecutionSucceeded',
  ]);
  expect(bench.timers.pending()).toBe(0);
});

test('a thrown error is matched by its name; input and output pass through JSON', async () => {
  const retrying = { ...TASK, Retry: [{ ErrorEquals: ['store_throttled'], IntervalSeconds: 5 }] };
  const driver = await bench.open({ StartAt: 'Work', States: { Work: retrying } });
  await driver.start('run-1', { at: new Date(0), gone: undefined });
  const first = await bench.call(0);
  expect(first.input).toEqual({ at: '1970-01-01T00:00:00.000Z' });
  first.fail('store_throttled', 'slow down');
  await historyHas(driver, 'run-1', 'TaskFailed');
  bench.timers.pass(5000);
  (await bench.call(1)).answer({ x: undefined });
  expect(await driver.whenEnded('run-1')).toBe('SUCCEEDED');
  expect((await driver.describe('run-1'))?.output).toEqual({});
});

async function historyHas(driver: Awaited<ReturnType<Bench['open']>>, name: string, type: string): Promise<void> {
  for (let turn = 0; turn < 1000; turn += 1) {
    if ((await driver.history(name))?.some((event) => event.type === type) === true) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`no ${type} in the history of ${name}`);
}

describe('start', () => {
  test('is idempotent by name: running, ended, other input, at once', async () => {
    const driver = await bench.open(ONE);
    const both = await Promise.all([driver.start('run-1', { a: 1 }), driver.start('run-1', { a: 1 })]);
    expect(both.map(({ outcome }) => outcome)).toEqual(['started', 'exists']);
    expect(await driver.start('run-1', { a: 2 })).toEqual({ outcome: 'exists' });
    (await bench.call(0)).answer(1);
    await driver.whenEnded('run-1');
    expect(await driver.start('run-1', { a: 1 })).toEqual({ outcome: 'exists' });
    const next = await bench.open(ONE);
    expect(await next.start('run-1', { a: 1 })).toEqual({ outcome: 'exists' });
    expect(bench.calls).toHaveLength(1);
  });

  test.each([
    '',
    'a b',
    'a/b',
    'a:b',
    'a<b',
    'a*',
    'a"',
    'a#',
    'a\\',
    'a|b',
    'a~',
    'a$',
    'a&',
    'a,b',
    'a;b',
    'a\u0000',
    'a\u0085',
    'n'.repeat(81),
  ])('refuses the name %j', async (name) => {
    const driver = await bench.open(ONE);
    await expect(driver.start(name, {})).rejects.toMatchObject({ code: 'config_invalid' });
  });

  test.each(['n'.repeat(80), 'ha.h1.5e0c-1.42', '..', 'é'.repeat(80), "it's@home!"])(
    'takes the name %j and finds it again',
    async (name) => {
      const driver = await bench.open(ONE);
      await driver.start(name, {});
      (await bench.call(0)).answer('found');
      await driver.whenEnded(name);
      const next = await bench.open(ONE);
      expect(await next.describe(name)).toMatchObject({ name, status: 'SUCCEEDED', output: 'found' });
    },
  );

  test('refuses an input beyond what Step Functions takes', async () => {
    const driver = await bench.open(ONE);
    await expect(driver.start('run-1', { text: 'x'.repeat(262_144) })).rejects.toMatchObject({
      code: 'limit_exceeded',
    });
    expect(await driver.status('run-1')).toBeUndefined();
  });

  test('leaves nothing behind when the disk refuses it', async () => {
    const driver = await bench.open(ONE);
    await rm(join(bench.folder, 'executions'), { recursive: true });
    await expect(driver.start('run-1', {})).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(bench.calls).toHaveLength(0);
    await mkdir(join(bench.folder, 'executions'));
    expect(await driver.start('run-1', {})).toEqual({ outcome: 'started' });
  });
});

describe('time-outs', () => {
  test('a late answer is ignored', async () => {
    const caught = { ...TASK, Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Late' }] };
    const driver = await bench.open({
      StartAt: 'Work',
      States: { Work: caught, Late: { ...TASK, Resource: 'fn:late' } },
    });
    await driver.start('run-1', {});
    const first = await bench.call(0);
    bench.timers.pass(10_000);
    const second = await bench.call(1);
    first.answer('too late');
    second.answer('in time');
    expect(await driver.whenEnded('run-1')).toBe('SUCCEEDED');
    expect(await driver.describe('run-1')).toMatchObject({ output: 'in time' });
  });

  test('a task that never answers does not keep its place', async () => {
    const driver = await bench.open(ONE, { concurrencyMax: 1 });
    await driver.start('stuck', {});
    await driver.start('waiting', {});
    expect(bench.calls).toHaveLength(1);
    bench.timers.pass(9000);
    await driver.stop('stuck', 'by hand');
    (await bench.call(1)).answer('ok');
    expect(await driver.whenEnded('waiting')).toBe('SUCCEEDED');
  });
});

describe('a new driver over the folder of one that was killed', () => {
  test('invokes again what was in flight, and what the old one still hears changes nothing', async () => {
    const before = await bench.open(TWO);
    await before.start('run-1', { a: 1 });
    (await bench.call(0)).answer('first');
    const lost = await bench.call(1);
    const driver = await bench.open(TWO);
    expect(await driver.status('run-1')).toBe('RUNNING');
    const again = await bench.call(2);
    expect(again).toMatchObject({ resource: 'fn:more', input: 'first' });
    lost.answer('from the grave');
    again.answer('second');
    expect(await driver.whenEnded('run-1')).toBe('SUCCEEDED');
    expect((await driver.describe('run-1'))?.output).toBe('second');
    expect((await driver.history('run-1'))?.filter((event) => event.type === 'TaskScheduled')).toHaveLength(2);
  });

  test('keeps the end of a wait, also of one that passed meanwhile', async () => {
    const asl = { StartAt: 'Pause', States: { Pause: { Type: 'Wait', Seconds: 100, Next: 'Work' }, Work: TASK } };
    await (await bench.open(asl)).start('run-1', {});
    bench.timers.pass(60_000);
    await bench.open(asl);
    bench.timers.pass(39_999);
    expect(bench.calls).toHaveLength(0);
    await bench.open(asl);
    bench.timers.pass(1);
    await bench.call(0);

    const other = { StartAt: 'Pause', States: { Pause: { Type: 'Wait', Seconds: 5, Next: 'Work' }, Work: TASK } };
    const driver = await bench.open(other);
    await driver.start('run-2', {});
    driver.close();
    bench.timers.pass(3_600_000);
    const before = bench.calls.length;
    await bench.open(other);
    // run-1's task again, and run-2's that is due.
    await bench.call(before + 1);
  });

  test('goes on with the definition that the execution began with', async () => {
    await (await bench.open(TWO)).start('run-1', {});
    await bench.call(0);
    const driver = await bench.open(ONE);
    (await bench.call(1)).answer('x');
    expect((await bench.call(2)).resource).toBe('fn:more');
    await driver.start('run-2', {});
    (await bench.call(3)).answer('only');
    expect(await driver.whenEnded('run-2')).toBe('SUCCEEDED');
  });

  test('sets aside what it cannot read and goes on with the others', async () => {
    const before = await bench.open(ONE);
    await before.start('good', {});
    await before.start('torn', {});
    await before.start('foreign', {});
    before.close();
    const files = join(bench.folder, 'executions');
    const torn = await readFile(join(files, 'torn.json'), 'utf8');
    await writeFile(join(files, 'torn.json'), torn.slice(0, torn.length / 2));
    await writeFile(join(files, 'good.json.tmp'), 'half');
    const foreign = (await readFile(join(files, 'foreign.json'), 'utf8')).replace(
      /"definition":"[0-9a-f]+"/,
      `"definition":"${'0'.repeat(64)}"`,
    );
    await writeFile(join(files, 'foreign.json'), foreign);

    const driver = await bench.open(ONE);
    expect(driver.list({ limit: 10 }).map(({ name }) => name)).toEqual(['good']);
    expect((await readdir(join(bench.folder, 'corrupt'))).sort()).toEqual(['foreign.json', 'torn.json']);
    expect(await readdir(files)).toEqual(['good.json']);
    expect(bench.logs.filter((text) => text.includes('moved to corrupt/'))).toHaveLength(2);
    (await bench.call(bench.calls.length - 1)).answer(1);
    expect(await driver.whenEnded('good')).toBe('SUCCEEDED');
    expect(await driver.start('torn', {})).toEqual({ outcome: 'started' });
  });
});

describe('stop and redrive', () => {
  test('stop aborts; redrive goes on from there, once', async () => {
    const driver = await bench.open(TWO);
    await driver.start('run-1', {});
    (await bench.call(0)).answer('first');
    await bench.call(1);
    await expect(driver.redrive('run-1')).rejects.toMatchObject({ code: 'conflict' });
    await driver.stop('run-1', 'by hand');
    expect(await driver.describe('run-1')).toMatchObject({
      status: 'ABORTED',
      failure: { error: 'Stopped', cause: 'by hand' },
    });
    await driver.stop('run-1', 'again');

    const again = await bench.open(TWO);
    const both = await Promise.allSettled([again.redrive('run-1'), again.redrive('run-1')]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    const call = await bench.call(2);
    expect(call).toMatchObject({ resource: 'fn:more', input: 'first' });
    call.answer('second');
    expect(await again.whenEnded('run-1')).toBe('SUCCEEDED');
    expect(await again.describe('run-1')).toMatchObject({ output: 'second', redrives: 1 });
    await expect(again.redrive('run-1')).rejects.toMatchObject({ code: 'conflict' });
  });

  test('redrive of a failed execution survives a crash', async () => {
    const driver = await bench.open(ONE);
    await driver.start('run-1', {});
    (await bench.call(0)).fail('no_host', 'nobody');
    expect(await driver.whenEnded('run-1')).toBe('FAILED');
    await driver.redrive('run-1');
    await bench.call(1);
    const next = await bench.open(ONE);
    (await bench.call(2)).answer('ok');
    expect(await next.whenEnded('run-1')).toBe('SUCCEEDED');
  });

  test('unknown names', async () => {
    const driver = await bench.open(ONE);
    await expect(driver.stop('nobody', '')).rejects.toMatchObject({ code: 'not_found' });
    await expect(driver.redrive('nobody')).rejects.toMatchObject({ code: 'not_found' });
    expect(await driver.describe('nobody')).toBeUndefined();
    expect(await driver.history('nobody')).toBeUndefined();
    expect(await driver.status('nobody')).toBeUndefined();
  });
});

test('lists newest first, by status', async () => {
  const driver = await bench.open(ONE);
  for (const name of ['a', 'b', 'c']) {
    await driver.start(name, {});
    bench.timers.pass(10);
  }
  (await bench.call(1)).answer(1);
  await driver.whenEnded('b');
  const names = (status?: 'RUNNING' | 'SUCCEEDED', limit = 10) =>
    driver.list({ ...(status === undefined ? {} : { status }), limit }).map(({ name }) => name);
  expect(names()).toEqual(['c', 'b', 'a']);
  expect(names('RUNNING')).toEqual(['c', 'a']);
  expect(names('SUCCEEDED')).toEqual(['b']);
  expect(names(undefined, 1)).toEqual(['c']);
});

test('forgets the executions that ended first, and only those', async () => {
  const driver = await bench.open(ONE, { endedMax: 2 });
  await driver.start('running', {});
  for (const name of ['a', 'b', 'c']) {
    await driver.start(name, {});
    bench.timers.pass(10);
    (await bench.call(bench.calls.length - 1)).answer(1);
    await driver.whenEnded(name);
  }
  const next = await bench.open(ONE, { endedMax: 2 });
  expect(next.list({ limit: 10 }).map(({ name }) => name)).toEqual(['c', 'b', 'running']);
  expect((await readdir(join(bench.folder, 'executions'))).sort()).toEqual(['b.json', 'c.json', 'running.json']);
  expect(await next.start('a', {})).toEqual({ outcome: 'started' });
});

test('an execution whose state cannot be written waits, and goes on when it can', async () => {
  const driver = await bench.open(TWO);
  await driver.start('run-1', {});
  const first = await bench.call(0);
  await rm(join(bench.folder, 'executions'), { recursive: true });
  first.answer('first');
  while (bench.logs.length === 0) await new Promise((resolve) => setImmediate(resolve));
  // Nothing has happened outside that is not on disk.
  expect(bench.calls).toHaveLength(1);
  await mkdir(join(bench.folder, 'executions'));
  bench.timers.pass(1000);
  (await bench.call(1)).answer('second');
  expect(await driver.whenEnded('run-1')).toBe('SUCCEEDED');
});

test('a definition that is refused opens no driver', async () => {
  await expect(bench.open({ StartAt: 'X', States: {} })).rejects.toMatchObject({ code: 'config_invalid' });
});
