import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { memoryTables, type MemoryTables } from '../../adapters/memory/memory-tables.ts';
import { type Assignments, createAssignments } from '../../agent/assignments.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { FileStoreRead } from '../../core/ports.ts';
import { type Assignment, keys } from '../../core/protocol/records.ts';
import { TIMING } from '../core/lease/host-model.ts';
import { fakeTime, pass, realTime } from './faked-time.ts';

let tables: MemoryTables;
let control: MemoryStore;
let isDown: boolean;
let reads: number;
let known: FileStoreRead<string>;
let obeyed: number[];
let logged: string[];
let assignments: Assignments;

beforeEach(() => {
  const { timers } = fakeTime();
  tables = memoryTables();
  control = new MemoryStore(tables);
  isDown = false;
  reads = 0;
  known = { state: 'absent' };
  obeyed = [];
  logged = [];
  const faults = (_: string, phase: 'before' | 'after'): void => {
    if (phase === 'before') reads += 1;
    if (isDown) throw new HaError('store_unavailable', 'no route');
  };
  assignments = createAssignments({
    registry: new MemoryStore(tables, { faults }).registry(),
    timers,
    principal: 'p-h1',
    self: { cluster: 'c', host: 'h1' },
    incarnation: {
      read: () => Promise.resolve(known),
      write: (value) => {
        known = { state: 'read', value };
        return Promise.resolve();
      },
    },
    onAssignment: ({ n }) => void obeyed.push(n),
    log: (_, text) => void logged.push(text),
  });
});

afterEach(realTime);

async function write(n: number, changes: Partial<Assignment> = {}): Promise<void> {
  const registry = control.registry();
  const key = keys.assignment('p-h1');
  const body: Assignment = {
    n,
    cluster: 'c',
    host: 'h1',
    rev: 1,
    incarnation: 'i1',
    timing: TIMING,
    orders: [],
    ...changes,
  };
  await registry.put(key, body, (await registry.get(key))?.version ?? null);
}

test('it is read when a higher number is noticed, and not for one that is obeyed already', async () => {
  await write(4);
  assignments.noticed(4);
  await pass(10);
  expect(obeyed).toEqual([4]);
  expect(assignments.obeyed()).toBe(4);
  expect(assignments.newest()?.n).toBe(4);
  assignments.noticed(4);
  assignments.noticed(2);
  await pass(1_000);
  expect(reads).toBe(1);
});

test('numbers only rise: what is older than what was obeyed is never obeyed', async () => {
  await write(4);
  assignments.noticed(4);
  await pass(10);
  await write(3);
  assignments.reread();
  await pass(1_000);
  expect(obeyed).toEqual([4]);
  expect(assignments.newest()?.n).toBe(4);
  await write(5);
  assignments.reread();
  await pass(300);
  expect(obeyed).toEqual([4, 5]);
});

test('the same number again is obeyed again: a new session reads its orders though nothing has changed', async () => {
  await write(4);
  assignments.noticed(4);
  await pass(10);
  assignments.reread();
  await pass(300);
  expect(obeyed).toEqual([4, 4]);
});

test('a number that runs ahead of what can be read is waited for', async () => {
  await write(4);
  assignments.noticed(6);
  await pass(1_000);
  expect(assignments.obeyed()).toBe(4);
  await write(6);
  await pass(300);
  expect(assignments.obeyed()).toBe(6);
});

test('what cannot be read is asked for until it can, and said once', async () => {
  await write(1);
  isDown = true;
  assignments.noticed(1);
  await pass(2_000);
  expect(reads).toBeGreaterThan(5);
  isDown = false;
  await pass(300);
  expect(obeyed).toEqual([1]);
  expect(logged).toEqual(['the assignment cannot be read: no route']);
});

test('it is read once a minute anyway', async () => {
  await write(1);
  assignments.noticed(1);
  await pass(10);
  await write(2);
  await pass(59_000);
  expect(obeyed).toEqual([1]);
  await pass(2_000);
  expect(obeyed).toEqual([1, 2]);
  await write(3);
  await pass(60_000);
  expect(obeyed).toEqual([1, 2, 3]);
});

test('the first one is waited for', async () => {
  let first: Assignment | null = null;
  void assignments.first().then((found) => {
    first = found;
  });
  await pass(5_000);
  expect(first).toBeNull();
  expect(logged).toEqual(['waiting for the first assignment: is this host in an applied definition?']);
  await write(1);
  await pass(300);
  expect(first).toMatchObject({ n: 1 });
});

describe('S21: the registry that this host works under', () => {
  test('is remembered from the first assignment', async () => {
    await write(1);
    assignments.noticed(1);
    await pass(10);
    expect(known).toEqual({ state: 'read', value: 'i1' });
  });

  test.each<[string, FileStoreRead<string>, RegExp]>([
    [
      'was restored or replaced',
      { state: 'read', value: 'i0' },
      /incarnation i1, this host has worked under i0; nothing is obeyed/,
    ],
    [
      'cannot be told any more',
      { state: 'unreadable', why: 'half a file' },
      /cannot be read \(half a file\); nothing is obeyed/,
    ],
  ])('%s: nothing is obeyed', async (_, read, says) => {
    known = read;
    await write(1);
    assignments.noticed(1);
    await pass(1_000);
    expect(obeyed).toEqual([]);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatch(says);
  });

  test('speaks to another host: nothing is obeyed', async () => {
    await write(1, { host: 'h2' });
    assignments.noticed(1);
    await pass(1_000);
    expect(obeyed).toEqual([]);
    expect(logged).toEqual(['the assignment cannot be read: the assignment is for c/h2, this host is c/h1']);
  });
});
