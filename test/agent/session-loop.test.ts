import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { memoryTables, type MemoryOperation } from '../../adapters/memory/memory-tables.ts';
import { createSessionLoop, type SessionLoop } from '../../agent/session-loop.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { AgentMessage, GuardMessage } from '../../core/protocol/guard-link.ts';
import type { Assignment } from '../../core/protocol/records.ts';
import { TIMING } from '../core/lease/host-model.ts';
import { beat } from '../contract/fixtures.ts';
import { fakeTime, pass, realTime } from './faked-time.ts';

const ASSIGNMENT: Assignment = { n: 1, cluster: 'c', host: 'h1', rev: 1, incarnation: 'i', timing: TIMING, orders: [] };

let said: AgentMessage[];
let sessions: SessionLoop;
let control: MemoryStore;
let faults: (op: MemoryOperation, phase: 'before' | 'after') => void | Promise<void>;
let rereads: number;

beforeEach(() => {
  const { clock, wall, timers, sleeper } = fakeTime();
  said = [];
  rereads = 0;
  // No answer comes at the very moment of the question: no two renewals are sent at one.
  faults = (_, phase) => (phase === 'after' ? sleeper.sleep(1) : undefined);
  const tables = memoryTables();
  control = new MemoryStore(tables);
  sessions = createSessionLoop({
    config: {
      cluster: 'c',
      host: 'h1',
      machine: 'm-h1',
      bootId: 'b',
      launchTime: 't',
    },
    clock,
    wall,
    timers,
    random: () => 0.5,
    own: new MemoryStore(tables, { faults: (op, phase) => faults(op, phase), sleeper }).ownHeartbeat('p-h1'),
    link: {
      send: (message) => void said.push(message),
      leave: () => Promise.resolve({ granted: false, why: '' }),
      release: () => Promise.resolve(false),
      close: () => Promise.resolve(false),
      silentFor: () => 0,
      onMessage: () => undefined,
    },
    assignments: {
      first: () => Promise.resolve(ASSIGNMENT),
      noticed: () => undefined,
      reread: () => void (rereads += 1),
      obeyed: () => 0,
      newest: () => null,
    },
    beat,
    log: () => undefined,
  });
});

afterEach(async () => {
  sessions.onGuard(told('last'));
  await pass(10);
  realTime();
});

function told(session: string, changes: Partial<Extract<GuardMessage, { type: 'session' }>> = {}): GuardMessage {
  return { type: 'session', session, isRegistered: false, timing: null, handover: [], level: 'init', ...changes };
}

const kinds = (): string[] => said.map(({ type }) => type);
const stored = () => control.heartbeats().read('p-h1');

test('the watchdog stands before the session does; then it is registered at that level, and beats at once', async () => {
  sessions.onGuard(told('s1'));
  await pass(1_000);
  expect(kinds()).toEqual(['arm']);
  expect(await stored()).toBeUndefined();
  sessions.onGuard({ type: 'armed', level: 'watchdog' });
  await pass(10);
  expect(kinds()).toEqual(['arm', 'registered', 'renewed']);
  expect(await stored()).toMatchObject({ session: 's1', guardLevel: 'watchdog', machine: 'm-h1', seq: 2 });
  expect(sessions.session()).toBe('s1');
  expect(rereads).toBe(1);
});

test('an agent that is told of a session that stands goes on renewing it', async () => {
  sessions.onGuard(told('s1'));
  await pass(0);
  sessions.onGuard({ type: 'armed', level: 'init' });
  await pass(10);
  said = [];
  sessions.onGuard(told('s1', { isRegistered: true, timing: TIMING }));
  await pass(10);
  expect(kinds()).toEqual(['renewed']);
  expect(await stored()).toMatchObject({ seq: 3 });
});

test('S3: refused is passed on once, and the next session waits for the guard to name it', async () => {
  sessions.onGuard(told('s1'));
  await pass(0);
  sessions.onGuard({ type: 'armed', level: 'init' });
  await pass(10);
  await control.heartbeats().revoke('p-h1', 's1', 2, 'run-7');
  await pass(2_000);
  expect(said.filter(({ type }) => type === 'refused')).toEqual([
    { type: 'refused', session: 's1', found: 'revoked:run-7' },
  ]);
  expect(sessions.session()).toBeNull();
  sessions.onGuard(told('s2', { handover: ['s1'] }));
  await pass(0);
  sessions.onGuard({ type: 'armed', level: 'init' });
  await pass(10);
  expect(await stored()).toMatchObject({ session: 's2' });
});

test('S2: a session that may have stood and ended is given back to the guard, not registered again', async () => {
  faults = (op, phase) => {
    if (op !== 'own.register' || phase !== 'after') return;
    void control.heartbeats().revoke('p-h1', 's1', 1, 'run-7');
    throw new HaError('timed_out', 'no answer');
  };
  sessions.onGuard(told('s1'));
  await pass(0);
  sessions.onGuard({ type: 'armed', level: 'init' });
  await pass(1_000);
  expect(said.at(-1)).toEqual({ type: 'refused', session: 's1', found: 'revoked:run-7' });
  expect(kinds()).not.toContain('registered');
  expect(await stored()).toMatchObject({ session: 'revoked:run-7' });
});
