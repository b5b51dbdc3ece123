import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import {
  endAllMarked,
  endMarked,
  environmentOf,
  findAllMarked,
  findMarked,
  processStart,
  signalAll,
} from '../../../adapters/node/processes.ts';
import { processStat } from '../../../adapters/node/proc.ts';
import { until } from '../../local/fleet/until.ts';

/** Real processes on a busy machine. */
jest.setTimeout(30_000);

/** For looking into kernel sessions only. */
const NOBODY = 'HOLDFAST_TEST=nobody';

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

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

function isShown(pid: number, mark: string): boolean {
  const [name = '', value] = mark.split('=');
  return environmentOf(pid)?.[name] === value;
}

afterEach(async () => {
  await endAllMarked(marks.map((mark) => [mark]));
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
    const { pid } = run(mark, 'env -i sh -c "sleep 1000 & sleep 1000" & wait');
    await until('the hidden children', () => findMarked(mark).length === 4);
    expect(findMarked(mark).filter((each) => isShown(each, mark))).toEqual([pid]);
    expect(await endMarked(mark)).toBe('ended');
    expect(findMarked(mark, [pid])).toEqual([]);
  });

  test('finds one that has left the session, too, by its parent', async () => {
    const mark = freshMark();
    const { pid } = run(mark, 'env -i setsid sh -c "sleep 1000 & sleep 1000" & wait');
    await until('the hidden children', () => findMarked(mark).length === 4);
    const hidden = findMarked(mark).filter((each) => each !== pid);
    expect(await endMarked(mark)).toBe('ended');
    expect(hidden.filter((each) => findMarked(NOBODY, [each]).length > 0)).toEqual([]);
  });

  test('a hidden child that has lost its leader in the middle of the end is ended with its session', async () => {
    const mark = freshMark();
    const { child, pid } = run(
      mark,
      `env -i sh -c 'n=0; while [ $n -lt 2000 ]; do sleep 0.01 & n=$((n+1)); done' & wait`,
    );
    await until('hidden children', () => findMarked(mark).length > 3);
    const ending = endMarked(mark);
    const isFound = () => ['T', undefined].includes(processStat(pid)?.state); // All is stopped before any is killed.
    await until('the leader to be found', isFound);
    child.kill('SIGKILL');
    expect(await ending).toBe('ended');
    expect(findMarked(NOBODY, [pid])).toEqual([]);
  });

  test('what says itself that it belongs elsewhere is not taken for its session or its parent', async () => {
    const mark = freshMark();
    const [name = ''] = mark.split('=');
    const { pid } = run(mark, `${name}=other sleep 1000 & wait`);
    await until('the other', () => findMarked(`${name}=other`).length === 1);
    const [other = 0] = findMarked(`${name}=other`);
    expect(findMarked(mark)).toEqual([pid]);
    expect(await endMarked(mark)).toBe('ended');
    expect(processStart(other)).toBeDefined();
    expect(await endMarked([`${name}=other`])).toBe('ended');
  });

  test('ends many sets with shared sweeps, and nothing else', async () => {
    const [one, none, two, bystander] = [freshMark(), freshMark(), freshMark(), freshMark()];
    run(one, 'env -i sleep 1000 & wait');
    run(two, 'sleep 1000 & wait');
    const { pid } = run(bystander, 'exec sleep 1000');
    const counts = () => findAllMarked([[one], [none], [two], [bystander]]).map((pids) => pids.length);
    await until('all of them', () => counts().join(' ') === '2 0 2 1');
    expect(await endAllMarked([[one], [none], [two]])).toEqual(['ended', 'ended', 'ended']);
    expect(findAllMarked([[one], [none], [two], [bystander]])).toEqual([[], [], [], [pid]]);
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
    expect(await endMarked(mark, { limitMs: 0 })).toBe('left');
  });

  test('no marks at all would be every process of the machine: refused', async () => {
    expect(() => findMarked([])).toThrow('no marks');
    await expect(endMarked([])).rejects.toThrow('no marks');
    await expect(endAllMarked([[]])).rejects.toThrow('no marks');
  });

  test('leaves zombies out: they hold nothing any more', async () => {
    const mark = freshMark();
    // The shell becomes a sleeper that never reaps its dead child.
    const { pid } = run(mark, 'sleep 0 & exec sleep 1000');
    await until('the child to be dead', () => childrenOf(pid).some((child) => processStat(child)?.state === 'Z'));
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
