/**
 * One sweep a minute (`findBehind.every: minute`): silent hosts are found whatever definitions say of the period, and on
 * whatever environments of Lambda the calls come (S13).
 */
import { createHash } from 'node:crypto';
import { describe, expect, jest, test } from '@jest/globals';
import { EMPTY_MEMORY, observe } from '../../core/detection/detect.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { LateRecord } from '../../core/protocol/observer-records.ts';
import { keys } from '../../core/protocol/records.ts';
import { instant, wallAfter, wallInstant } from '../../core/time/time.ts';
import { findBehind } from '../../lambdas/find-behind/handler.ts';
import { type MinuteRecord, packMemory } from '../../lambdas/find-behind/minute-memory.ts';
import { item, TIMING } from '../core/detection/fixtures.ts';
import { CRON, definitionOf, PAIR } from './definitions.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(120_000); // Many minutes of virtual time, on a machine that others use.

const MINUTE_MS = 60_000;
const ONCE = { once: true };

type Call = () => Promise<unknown>;

/** On which environment of Lambda each call comes. A boot clock is one environment's alone: their readings have nothing in common. */
const ENVIRONMENTS: readonly (readonly [string, (world: World) => Call])[] = [
  ['one environment', (world) => inTurn(world, 1)],
  ['two environments in turn', (world) => inTurn(world, 2)],
  ['a new environment at each call', coldly],
];

function coldly(world: World): Call {
  return () => environment(world, world.clock.wall.now())(ONCE);
}

function environment(world: World, bootedMs: number): ReturnType<typeof findBehind> {
  const boot = { now: () => instant(world.clock.boot.now() - bootedMs) };
  return findBehind({ ...world.ports, boot });
}

function inTurn(world: World, count: number): Call {
  const environments = Array.from({ length: count }, (_, n) => environment(world, n * 7_777_777));
  let turn = 0;
  return () => {
    turn += 1;
    return environments[turn % count]?.(ONCE) ?? Promise.reject(new Error('no environment'));
  };
}

/** A whole pair whose definition asks for a sweep each 250 ms, and gets one a minute. */
async function settled(callsOf: (world: World) => Call, yaml = PAIR): Promise<{ world: World; call: Call }> {
  const world = await createWorld({ yaml, sweeps: false });
  const call = callsOf(world);
  for (let n = 0; n < 5 && !(n > 2 && world.isWhole()); n += 1) {
    await call();
    await world.run(MINUTE_MS);
  }
  expect(world.isWhole()).toBe(true);
  expect(runsAbout(world)).toEqual([]);
  return { world, call };
}

const runsAbout = (world: World): readonly string[] => world.workflow.names.filter((name) => name.startsWith('ha.'));
const gaps = (world: World): number => world.metrics.values('SweepLate').reduce((sum, value) => sum + value, 0);

/** Calls once a minute until a run was started; how many calls it took. */
async function callsUntilFound(world: World, call: Call, mostCalls: number): Promise<number> {
  for (let calls = 1; calls <= mostCalls; calls += 1) {
    await call();
    if (runsAbout(world).length > 0) return calls;
    await world.run(MINUTE_MS);
  }
  throw new Error(`nobody was found in ${String(mostCalls)} calls\n${world.story()}`);
}

describe.each(ENVIRONMENTS)('%s', (_, callsOf) => {
  test('a host that dies is found at the third call, and its slot gets another owner', async () => {
    const { world, call } = await settled(callsOf);
    const owner = world.owner('db/0') ?? '';
    await call();
    await world.run(30_000);
    world.host(owner).die();
    await world.run(30_000);
    // The first shows its last version, the second that it stands still, the third that the other renewed meanwhile.
    expect(await callsUntilFound(world, call, 3)).toBe(3);
    expect(runsAbout(world)).toEqual([expect.stringMatching(`^ha\\.${owner}`)]);
    await world.until('the other owns it', () => world.isWhole() && world.owner('db/0') !== owner);
    expect(gaps(world)).toBe(0);
  });

  test('nobody is accused while all renew, and no call is late', async () => {
    const { world, call } = await settled(callsOf);
    for (let n = 0; n < 6; n += 1) {
      await call();
      await world.run(MINUTE_MS);
    }
    expect(runsAbout(world)).toEqual([]);
    expect(gaps(world)).toBe(0);
  });

  test('a gap of several minutes makes every observation begin anew', async () => {
    const { world, call, owner } = await seenTwice(callsOf);
    // Nobody looks for six minutes, of which one has passed.
    await world.run(5 * MINUTE_MS);
    const resumedMs = world.clock.wall.now();
    expect(await callsUntilFound(world, call, 3)).toBe(3);
    expect(world.clock.wall.now() - resumedMs).toBe(2 * MINUTE_MS);
    expect(world.record<LateRecord>(keys.late(world.cluster, owner))?.observedAtMs).toBe(resumedMs);
    expect(gaps(world)).toBe(1);
  });
});

/** An owner that died before two calls that saw its last version; a third would find it. */
async function seenTwice(callsOf: (world: World) => Call): Promise<{ world: World; call: Call; owner: string }> {
  const { world, call } = await settled(callsOf);
  const owner = world.owner('db/0') ?? '';
  world.host(owner).die();
  for (let n = 0; n < 2; n += 1) {
    await call();
    await world.run(MINUTE_MS);
  }
  return { world, call, owner };
}

/** The next so many calls find the store of heartbeats away. */
async function failedCalls(world: World, call: Call, count: number): Promise<void> {
  world.faults = (op) => {
    if (op === 'heartbeats.scan') throw new HaError('store_unavailable', 'scripted');
  };
  for (let n = 0; n < count; n += 1) {
    await expect(call()).rejects.toMatchObject({ code: 'store_unavailable' });
    await world.run(MINUTE_MS);
  }
  world.faults = () => undefined;
}

describe('calls that fail', () => {
  test('one is no gap: counts go on', async () => {
    const { world, call } = await seenTwice(coldly);
    await failedCalls(world, call, 1);
    expect(await callsUntilFound(world, call, 1)).toBe(1);
    expect(gaps(world)).toBe(0);
  });

  test('two are: counts begin anew', async () => {
    const { world, call } = await seenTwice(coldly);
    await failedCalls(world, call, 2);
    expect(await callsUntilFound(world, call, 3)).toBe(3);
    expect(gaps(world)).toBeGreaterThan(0);
  });
});

test('all hosts that die at once are doubted, and then found', async () => {
  const { world, call } = await settled((one) => inTurn(one, 2));
  await call();
  await world.run(MINUTE_MS);
  for (const host of world.hosts.values()) host.die();
  expect(await callsUntilFound(world, call, 4)).toBeLessThanOrEqual(3);
  expect(runsAbout(world)).toHaveLength(2);
});

test('a single host needs no witness', async () => {
  const { world, call } = await settled((one) => inTurn(one, 2), definitionOf({ hosts: 1, groups: [CRON] }));
  world.host('h1').die();
  expect(await callsUntilFound(world, call, 2)).toBe(2);
});

describe('what was observed, on record', () => {
  const memoryOf = (world: World): string | undefined => world.record<MinuteRecord>(keys.observer())?.memory;

  test('cannot be read: it is said, and observations begin anew', async () => {
    const { world, call } = await settled(coldly);
    world.host(world.owner('db/0') ?? '').die();
    await call();
    await world.run(MINUTE_MS);
    const key = keys.observer();
    const stored = await world.ports.registry.get<MinuteRecord>(key);
    if (stored === undefined) throw new Error('nobody has swept');
    await world.ports.registry.put(key, { ...stored.body, memory: 'not packed' }, stored.version);
    // Without what the first call saw it takes the three that a death takes.
    expect(await callsUntilFound(world, call, 4)).toBe(3);
    expect(world.logged).toContainEqual(expect.stringMatching(/^warn: .* begins anew: /));
  });

  test('is not replaced by a call that ends after the next has begun', async () => {
    const { world, call } = await settled(coldly);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { heartbeats } = world.ports;
    const scan = async () => {
      const items = await heartbeats.scan();
      await held;
      return items;
    };
    const slow = findBehind({ ...world.ports, heartbeats: { ...heartbeats, scan } })(ONCE);
    await world.run(MINUTE_MS);
    await call();
    const newest = memoryOf(world);
    release();
    await slow;
    expect(memoryOf(world)).toBe(newest);
  });

  test('by a clock that was a year ahead spoils nothing for those after it', async () => {
    const { world, call } = await settled(coldly);
    const ahead = { now: () => wallAfter(world.clock.wall.now(), 365 * 24 * 60 * MINUTE_MS) };
    await findBehind({ ...world.ports, wall: ahead })(ONCE);
    await world.run(MINUTE_MS);
    world.host(world.owner('db/0') ?? '').die();
    expect(await callsUntilFound(world, call, 3)).toBe(3);
  });

  test('is left to calls that sweep once: a loop drops it', async () => {
    const { world, call } = await settled(coldly);
    await call();
    expect(memoryOf(world)).toBeDefined();
    void findBehind(world.ports)({});
    await world.run(1_000);
    expect(memoryOf(world)).toBeUndefined();
  });

  test('of more hosts than a record holds: it is said, with what to change', async () => {
    const world = await createWorld({ yaml: PAIR, sweeps: false });
    const text = (n: number): string => createHash('sha256').update(String(n)).digest('hex');
    const items = Array.from({ length: 6_000 }, (_, n) => item(text(n), `${text(-1 - n)}:1`));
    const { memory } = observe(
      EMPTY_MEMORY,
      {
        scan: items,
        answeredAt: instant(0),
        answeredAtWall: wallInstant(0),
        previousAnswerAt: null,
        bindings: items.map(({ host, principal }) => ({ host, principal })),
      },
      TIMING,
    );
    const observed = { clusters: new Map([['pair', memory]]), previousAnswerAt: instant(0) };
    expect(() => packMemory(world.ports, observed)).toThrow(
      'what was observed of 6000 hosts fits into no record; set findBehind.every to loop, which keeps it in memory',
    );
  });
});
