import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { memoryTables, type MemoryOperation, type MemoryTables } from '../../adapters/memory/memory-tables.ts';
import { type BeatLoop, startBeating } from '../../agent/beat.ts';
import { HaError } from '../../core/failures/failures.ts';
import { TIMING } from '../core/lease/host-model.ts';
import { beat, registration, TTL } from '../contract/fixtures.ts';
import { fakeTime, type FakedTime, pass, realTime, sleepThrough } from './faked-time.ts';

/** I 250 ms and no jitter, r 200 ms, w 400 ms. */
const EVEN = { ...TIMING, jitter: 0 };

type Fault = (op: MemoryOperation, phase: 'before' | 'after') => void | Promise<void>;

let faults: Fault;
let guardSilentMs: number;
let renewed: { seq: number; sentAt: number; answeredAt: number }[];
let refused: string[];
let logged: string[];
let loop: BeatLoop;
let control: MemoryStore;
let tables: MemoryTables;
let stamps: number;
let time: FakedTime;

beforeEach(async () => {
  time = fakeTime();
  const { clock, wall, timers, sleeper } = time;
  faults = () => undefined;
  guardSilentMs = 0;
  renewed = [];
  refused = [];
  logged = [];
  stamps = 0;
  tables = memoryTables();
  control = new MemoryStore(tables);
  await control.ownHeartbeat('h1').register(registration('s1'), null, beat(), TTL);
  loop = startBeating('s1', EVEN, {
    clock,
    wall,
    timers,
    own: new MemoryStore(tables, { faults: (op, phase) => faults(op, phase), sleeper }).ownHeartbeat('h1'),
    random: () => 0.5,
    log: (_, text) => void logged.push(text),
    beat: () => beat({ obeyed: ++stamps }),
    guardSilentMs: () => guardSilentMs,
    onRenewed: ({ seq }, sentAt, answeredAt) => void renewed.push({ seq, sentAt, answeredAt }),
    onRefused: (found) => void refused.push(found),
  });
});

afterEach(() => {
  loop.stop();
  realTime();
});

const lost = (): never => {
  throw new HaError('store_unavailable', 'no route');
};
const sleeping = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

test('the first beat goes out at once, then one per interval, each with its own t_send', async () => {
  await pass(1_000);
  expect(renewed).toEqual([
    { seq: 2, sentAt: 0, answeredAt: 0 },
    { seq: 3, sentAt: 250, answeredAt: 250 },
    { seq: 4, sentAt: 500, answeredAt: 500 },
    { seq: 5, sentAt: 750, answeredAt: 750 },
    { seq: 6, sentAt: 1_000, answeredAt: 1_000 },
  ]);
  expect((await control.heartbeats().read('h1'))?.obeyed).toBe(5);
  expect(logged).toEqual([]);
});

test('S2: one renewal at a time; an answer counts from when its renewal was sent', async () => {
  let atOnce = 0;
  let mostAtOnce = 0;
  faults = async (_, phase) => {
    if (phase === 'before') mostAtOnce = Math.max(mostAtOnce, (atOnce += 1));
    await sleeping(60);
    if (phase === 'after') atOnce -= 1;
  };
  await pass(2_000);
  expect(mostAtOnce).toBe(1);
  expect(renewed.length).toBeGreaterThan(5);
  for (const { sentAt, answeredAt } of renewed.slice(1)) expect(answeredAt - sentAt).toBe(120);
});

test('an answer after r is no answer; it is said once, and so is the recovery', async () => {
  await pass(100);
  faults = (_, phase) => (phase === 'after' ? sleeping(5_000) : undefined);
  await pass(1_400);
  expect(renewed).toHaveLength(1);
  faults = () => undefined;
  await pass(500);
  expect(renewed.length).toBeGreaterThan(1);
  expect(logged).toEqual(['no renewal: timed_out', expect.stringMatching(/^renewing again after \d+ ms: timed_out$/)]);
});

test('other trouble is said anew', async () => {
  faults = lost;
  await pass(600);
  faults = () => {
    throw new HaError('store_throttled', 'slow down');
  };
  await pass(600);
  expect(logged).toEqual(['no renewal: store_unavailable', 'no renewal: store_throttled']);
});

describe('in a hurry', () => {
  test('a new mark makes it beat every 50 ms for L_c + ε and 5 s, then as before', async () => {
    await pass(1_000);
    await control.heartbeats().hurry('h1', 77);
    await pass(1_000);
    // The beat at 1,250 brings the mark; then one every 50 ms.
    expect(renewed.slice(5, 9).map(({ sentAt }) => sentAt)).toEqual([1_250, 1_300, 1_350, 1_400]);
    await pass(9_000);
    const sent = renewed.map(({ sentAt }) => sentAt);
    const last = sent.filter((at) => at < 1_250 + 3_350 + 50 + 5_000).at(-1);
    expect(last).toBe(9_600);
    expect(sent.filter((at) => at > 9_650)).toEqual([9_900, 10_150, 10_400, 10_650, 10_900]);
  });

  test('a mark that stood there before this beating began is an old one', async () => {
    await pass(100);
    loop.stop();
    await control.heartbeats().hurry('h1', 77);
    const { clock, wall, timers } = time;
    renewed = [];
    loop = startBeating('s1', EVEN, {
      clock,
      wall,
      timers,
      own: control.ownHeartbeat('h1'),
      random: () => 0.5,
      log: (_, text) => void logged.push(text),
      beat,
      guardSilentMs: () => 0,
      onRenewed: ({ seq }, sentAt, answeredAt) => void renewed.push({ seq, sentAt, answeredAt }),
      onRefused: (found) => void refused.push(found),
    });
    await pass(1_000);
    expect(renewed.map(({ sentAt }) => sentAt)).toEqual([100, 350, 600, 850, 1_100]);
  });
});

describe('S2: a renewal that was given up and lands late', () => {
  test('takes nothing back of what a later one has written, and nothing ends', async () => {
    await pass(100);
    let late = 1;
    faults = (_, phase) => (phase === 'before' && late-- > 0 ? sleeping(900) : undefined);
    await pass(1_000);
    // Sent at 250 and given up at 450; sent again at 500, 750 and 1,000.
    expect(renewed.map(({ sentAt }) => sentAt)).toEqual([0, 500, 750, 1_000]);
    await pass(100);
    // It has landed at 1,150, with obeyed 2.
    expect(await control.heartbeats().read('h1')).toMatchObject({ seq: 5, obeyed: 5, sentAtBootMs: 1_000 });
    await pass(300);
    expect(renewed.at(-1)).toEqual({ seq: 7, sentAt: 1_500, answeredAt: 1_500 });
    expect(refused).toEqual([]);
  });

  test('an answer that says so is no acknowledgement, and the beating goes on', async () => {
    await pass(100);
    const stored = await control.heartbeats().read('h1');
    control.plant('h1', { ...stored, sentAtBootMs: 600 });
    await pass(500);
    expect(renewed.map(({ sentAt }) => sentAt)).toEqual([0]);
    expect(logged).toEqual(['no renewal: a renewal that was sent later stands already']);
    await pass(300);
    expect(renewed.map(({ sentAt }) => sentAt)).toEqual([0, 750]);
    expect(refused).toEqual([]);
  });
});

describe('S3', () => {
  test('refused ends the beating, and is passed on once', async () => {
    await pass(300);
    const seq = (await control.heartbeats().read('h1'))?.seq ?? 0;
    await control.heartbeats().revoke('h1', 's1', seq, 'run-7');
    await pass(2_000);
    expect(refused).toEqual(['revoked:run-7']);
    expect(renewed).toHaveLength(2);
  });

  test('a missing item is an outage: it beats on, creates nothing, and recovers', async () => {
    const tables = memoryTables();
    const own = new MemoryStore(tables).ownHeartbeat('h1');
    loop.stop();
    const { clock, wall, timers } = fakeTime();
    loop = startBeating('s1', EVEN, {
      clock,
      wall,
      timers,
      own,
      random: () => 0.5,
      log: (_, text) => void logged.push(text),
      beat,
      guardSilentMs: () => 0,
      onRenewed: () => void renewed.push({ seq: 0, sentAt: 0, answeredAt: 0 }),
      onRefused: (found) => void refused.push(found),
    });
    const before = renewed.length;
    await pass(1_000);
    expect(tables.heartbeats.size).toBe(0);
    expect(renewed).toHaveLength(before);
    expect(refused).toEqual([]);
    await own.register(registration('s1'), null, beat(), TTL);
    await pass(300);
    expect(renewed.length).toBeGreaterThan(before);
    expect(logged[0]).toBe('no renewal: the heartbeat item is missing');
  });
});

describe('an item that stays away', () => {
  const twiceTakerWaitMs = 2 * EVEN.takerWaitMs;

  test('for 2 L_c ends its session, which has long had no lease; nothing is written', async () => {
    await pass(100);
    tables.heartbeats.delete('h1');
    await pass(twiceTakerWaitMs);
    expect(refused).toEqual([]);
    await pass(1_000);
    expect(refused).toEqual(['no item of this host']);
    await pass(5_000);
    expect(refused).toHaveLength(1);
    expect(tables.heartbeats.size).toBe(0);
  });

  test('and comes back before: the session goes on, and the count begins anew', async () => {
    await pass(100);
    const kept = tables.heartbeats.get('h1') ?? '';
    tables.heartbeats.delete('h1');
    await pass(twiceTakerWaitMs - 500);
    const before = renewed.length;
    tables.heartbeats.set('h1', kept);
    await pass(500);
    expect(renewed.length).toBeGreaterThan(before);
    tables.heartbeats.delete('h1');
    await pass(twiceTakerWaitMs - 500);
    expect(refused).toEqual([]);
  });

  test('a store that does not answer is no missing item, however long', async () => {
    await pass(100);
    faults = lost;
    await pass(10 * twiceTakerWaitMs);
    expect(refused).toEqual([]);
  });
});

test('S4: an agent whose guard is silent for more than w stops beating, and goes on when it is heard again', async () => {
  guardSilentMs = 401;
  await pass(1_000);
  expect(renewed).toHaveLength(1);
  guardSilentMs = 400;
  await pass(500);
  expect(renewed.length).toBeGreaterThan(1);
  expect(logged[0]).toBe('no renewal: the guard has been silent for more than 400 ms');
});

test('a process that was not running says so, and counts the lease from after it woke', async () => {
  await pass(100);
  sleepThrough(5_000);
  await pass(300);
  expect(logged).toEqual([expect.stringMatching(/^the beat is \d+ ms late: this process was not running$/)]);
  expect(renewed.at(-1)?.sentAt).toBeGreaterThanOrEqual(5_100);
});

test('after stop() nothing is sent, and an answer that is under way is not passed on', async () => {
  faults = (_, phase) => (phase === 'after' ? sleeping(100) : undefined);
  await pass(260);
  const count = renewed.length;
  loop.stop();
  await pass(2_000);
  expect(renewed).toHaveLength(count);
  expect(refused).toEqual([]);
});
