import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { memoryTables, type MemoryOperation, type MemoryTables } from '../../adapters/memory/memory-tables.ts';
import { type Registering, registerSession } from '../../agent/registering.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { BootClock, Timers } from '../../core/ports.ts';
import { beat, registration, TTL } from '../contract/fixtures.ts';
import { fakeTime, pass, realTime } from './faked-time.ts';

type Fault = (op: MemoryOperation, phase: 'before' | 'after') => void | Promise<void>;

let tables: MemoryTables;
let store: MemoryStore;
let clock: BootClock;
let timers: Timers;
let logged: string[];
let isCurrent: boolean;

beforeEach(() => {
  tables = memoryTables();
  store = new MemoryStore(tables);
  ({ clock, timers } = fakeTime());
  logged = [];
  isCurrent = true;
});

afterEach(realTime);

const lost = (): never => {
  throw new HaError('store_unavailable', 'no route');
};
const sleeping = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** Begins to register s9 of machine i-0abc in boot-1; `end` is set when it is over. */
function begin(faults: Fault = () => undefined, handover: readonly string[] = []): { end: Registering | null } {
  const outcome: { end: Registering | null } = { end: null };
  void registerSession({
    own: new MemoryStore(tables, { faults: (op, phase) => faults(op, phase) }).ownHeartbeat('h1'),
    clock,
    timers,
    registration: registration('s9'),
    handover,
    beat,
    ttl: () => TTL,
    isCurrent: () => isCurrent,
    log: (_, text) => void logged.push(text),
  }).then((end) => {
    outcome.end = end;
  });
  return outcome;
}

const stands = (session: string, changes = {}) =>
  store.plant('h1', { ...registration(session, changes), ...beat(), seq: 4, directive: 2, ttl: TTL });
const standing = async (): Promise<string | undefined> => (await store.heartbeats().read('h1'))?.session;

test('registers over nothing, and the lease counts from before it asked', async () => {
  const outcome = begin(() => sleeping(30));
  await pass(200);
  expect(outcome.end).toMatchObject({
    outcome: 'registered',
    sentAt: 0,
    answeredAt: 120,
    heartbeat: { session: 's9', seq: 1 },
  });
});

test('S2: what the session before said of its boot clock goes with it', async () => {
  stands('s8', { bootId: 'boot-0', sentAtBootMs: 9_000_000 });
  const outcome = begin(() => sleeping(30), ['s8']);
  await pass(200);
  expect(outcome.end).toMatchObject({ outcome: 'registered', heartbeat: { session: 's9', sentAtBootMs: 0 } });
});

test('S2: an answer that is lost after the commit: registered, once, counted from the first attempt', async () => {
  let attempts = 0;
  const outcome = begin(async (op, phase) => {
    if (op !== 'own.register') return;
    if (phase === 'before') attempts += 1;
    else await sleeping(40).then(lost);
  });
  await pass(1_000);
  expect(outcome.end).toMatchObject({ outcome: 'registered', sentAt: 0, heartbeat: { session: 's9', seq: 1 } });
  expect(attempts).toBe(1);
  expect(logged).toEqual(['not registered: no route']);
});

test('an attempt that never arrived is repeated', async () => {
  let isLost = true;
  const outcome = begin((op, phase) => {
    if (op === 'own.register' && phase === 'before' && isLost) lost();
  });
  await pass(500);
  expect(outcome.end).toBeNull();
  isLost = false;
  await pass(200);
  expect(outcome.end).toMatchObject({ outcome: 'registered', sentAt: 0 });
});

test('S2: what may have stood and been revoked is not registered again', async () => {
  const outcome = begin(async (op, phase) => {
    if (op === 'own.register' && phase === 'after') {
      await store.heartbeats().revoke('h1', 's9', 1, 'run-7');
      lost();
    }
  });
  await pass(1_000);
  expect(outcome.end).toEqual({ outcome: 'spent', found: 'revoked:run-7' });
  expect(await standing()).toBe('revoked:run-7');
});

test('S2: nor is one that was gone with its item', async () => {
  stands('revoked:run-1');
  const outcome = begin((op, phase) => {
    if (op === 'own.register' && phase === 'after') {
      tables.heartbeats.clear();
      lost();
    }
  });
  await pass(1_000);
  expect(outcome.end).toEqual({ outcome: 'spent', found: 'none' });
  expect(await standing()).toBeUndefined();
});

test('a session that stands before this agent sent it is not taken for its own', async () => {
  stands('s9');
  const outcome = begin();
  await pass(100);
  expect(outcome.end).toEqual({ outcome: 'spent', found: 's9' });
});

test('S1: a clone waits, says so once, and registers when the session before is over by revocation', async () => {
  stands('s1', { machine: 'i-0def' });
  const outcome = begin();
  await pass(5_000);
  expect(outcome.end).toBeNull();
  expect(logged).toEqual(["not registered: machine i-0def holds this host's session; two machines with one identity?"]);
  expect(await standing()).toBe('s1');
  await store.heartbeats().revoke('h1', 's1', 4, 'run-7');
  await pass(200);
  expect(outcome.end).toMatchObject({ outcome: 'registered', heartbeat: { session: 's9', directive: 2 } });
});

test('a session handed over by the guard before gives way', async () => {
  stands('s8');
  const outcome = begin(() => undefined, ['s7', 's8']);
  await pass(100);
  expect(outcome.end).toMatchObject({ outcome: 'registered' });
});

test('it goes on through an outage of any length, and ends when the guard names another session', async () => {
  const outcome = begin(lost);
  await pass(600_000);
  expect(outcome.end).toBeNull();
  isCurrent = false;
  await pass(200);
  expect(outcome.end).toEqual({ outcome: 'dropped' });
  expect(logged).toEqual(['not registered: no route']);
});
