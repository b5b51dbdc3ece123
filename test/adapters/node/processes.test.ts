import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { endMarked, environmentOf, findMarked, processStart, signalAll } from '../../../adapters/node/processes.ts';
import { until } from '../../local/fleet/until.ts';

/** Real processes on a busy machine. */
jest.setTimeout(30_000);

let marks: string[] = [];

function freshMark(): string {
  const mark = `HOLDFAST_TEST=${randomUUID()}`;
  marks.push(mark);
  return mark;
}

/** Runs a shell script whose environment holds the mark, in a kernel session of its own. */
function run(mark: string, script: string) {
  const [name = '', value = ''] = mark.split('=');
  const child = spawn('sh', ['-c', script], {
    env: { PATH: process.env['PATH'] ?? '', [name]: value },
    detached: true,
    stdio: 'ignore',
  });
  return { child, pid: child.pid ?? 0 };
}

afterEach(async () => {
  for (const mark of marks) await endMarked(mark);
  marks = [];
});

describe('processes by mark', () => {
  test('finds children and double forks in other sessions, and only exact entries', async () => {
    const mark = freshMark();
    const { child } = run(mark, '(setsid sh -c "sleep 1000 & exec setsid sleep 1000" &)');
    await once(child, 'exit');
    await until('both sleepers', () => findMarked(mark).length === 2);
    expect(findMarked(mark.slice(0, -1))).toEqual([]);
    expect(findMarked(mark.slice(1))).toEqual([]);
    expect(findMarked([mark, 'HOLDFAST_OTHER=1'])).toEqual([]);
    expect(await endMarked(mark)).toBe('ended');
    expect(findMarked(mark)).toEqual([]);
  });

  test('finds a process that hides its environment by its kernel session', async () => {
    const mark = freshMark();
    const { pid } = run(mark, 'env -i sleep 1000 & wait');
    await until('the hidden child', () => findMarked(mark, [pid]).length === 2);
    expect(findMarked(mark)).toEqual([pid]);
    expect(await endMarked(mark)).toBe('ended');
    expect(findMarked(mark, [pid])).toEqual([]);
  });

  test('ends what is stopped, and what forks all the time', async () => {
    const mark = freshMark();
    const { pid } = run(mark, 'while :; do sleep 0.01 & done');
    const stopped = run(mark, 'exec sleep 1000');
    signalAll([stopped.pid], 'SIGSTOP');
    await until('some forks', () => findMarked(mark, [pid]).length > 3);
    expect(await endMarked(mark)).toBe('ended');
    expect(findMarked(mark, [pid])).toEqual([]);
  });

  test('says "left" when the limit passes first', async () => {
    const mark = freshMark();
    const { pid } = run(mark, 'exec sleep 1000');
    await until('the process', () => findMarked(mark).includes(pid));
    // Room for two sweeps, of which the first finds something: never two empty ones.
    expect(await endMarked(mark, { limitMs: 10 })).toBe('left');
  });

  test('leaves zombies out: they hold nothing any more', async () => {
    const mark = freshMark();
    // The shell becomes a sleeper that never reaps its dead child.
    const { pid } = run(mark, 'sleep 0 & exec sleep 1000');
    await until('the child to be dead', () => findMarked(mark, [pid]).length === 1);
    expect(findMarked(mark, [pid])).toEqual([pid]);
  });

  test('never lists the caller', () => {
    const path = `PATH=${process.env['PATH'] ?? ''}`;
    expect(environmentOf(process.pid)?.['PATH']).toBe(process.env['PATH']);
    expect(findMarked(path)).not.toContain(process.pid);
  });

  test('tells processes by their start', async () => {
    const mark = freshMark();
    const { child, pid } = run(mark, 'exec sleep 1000');
    await until('the process', () => findMarked(mark).includes(pid));
    const start = processStart(pid);
    expect(start).toBeGreaterThan(processStart(process.pid) ?? Number.POSITIVE_INFINITY);
    expect(processStart(pid)).toBe(start);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(processStart(pid)).toBeUndefined();
    expect(signalAll([pid], 'SIGKILL')).toBe(0);
  });
});
