/** Whoever has one host has its credentials, and may write anything into its own item. That is its own trouble, nobody else's (S16). */
import { describe, expect, jest, test } from '@jest/globals';
import { HaError } from '../../core/failures/failures.ts';
import { settleMs } from '../../core/detection/storm.ts';
import { parseHeartbeat } from '../../core/protocol/heartbeat-parse.ts';
import { keys } from '../../core/protocol/records.ts';
import { readReport } from '../../lambdas/shared/reports.ts';
import { CRON, DB, definitionOf } from './definitions.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

const THREE = definitionOf({ hosts: 3, groups: [DB, CRON] });

async function settled(): Promise<World> {
  const world = await createWorld({ yaml: THREE });
  await world.whole();
  await world.run(2_000);
  return world;
}

/** Any host that owns nothing which the others need. */
function hostileOf(world: World): string {
  const owners = ['db/0', 'cron/0'].map((slot) => world.owner(slot));
  const found = ['h1', 'h2', 'h3'].find((name) => !owners.includes(name));
  if (found === undefined) throw new Error('every host owns something');
  return found;
}

function spoil(world: World, name: string, change: object): void {
  const { principal } = world.host(name);
  const item = JSON.parse(world.tables.heartbeats.get(principal) ?? '{}') as object;
  world.tables.heartbeats.set(principal, JSON.stringify({ ...item, ...change }));
}

/** Where its slots go is another matter: the hostile one may be next in line. */
async function isFoundOut(world: World, limitMs: number): Promise<void> {
  const from = world.owner('db/0') ?? '';
  world.machines.cut(world.machineOf(from));
  await world.until(`${from} is fenced`, () => world.hostRecord(from)?.status === 'Fenced', limitMs);
}

describe('a host that somebody hostile has', () => {
  test('whose records cannot be written: those that fail are still found', async () => {
    const world = await settled();
    const hostile = hostileOf(world);
    world.faults = (op, phase, subject) => {
      // As DynamoDB does with a record that has become too large.
      if (op === 'registry.put' && phase === 'before' && subject.endsWith(`/HOST#${hostile}`))
        throw new HaError('limit_exceeded', 'Item size has exceeded the maximum allowed size');
    };
    spoil(world, hostile, { session: 'another', seq: 1 });
    await world.run(1_000);
    await isFoundOut(world, 20_000);
  });

  test('which claims an endless lease: an observer that doubts itself does not wait for its end', async () => {
    const world = await settled();
    const hostile = hostileOf(world);
    const item = world.heartbeat(hostile);
    spoil(world, hostile, { timing: { ...item?.timing, takerWaitMs: 1e12 } });
    await world.run(1_000);
    world.isControlDown = true;
    await world.run(5_000);
    world.isControlDown = false;
    await world.run(1_000);
    await isFoundOut(world, 150_000);
  });

  test('which claims to renew once in years: no look before a fence waits for that', async () => {
    const world = await settled();
    const { timing } = world;
    const item = { timing: { ...timing, intervalMs: 1e12 } };
    // 5 s of the slowest profile, and what is added to them.
    expect(settleMs(timing, [item])).toBe(5_000 * (1 + timing.jitter) + timing.renewCapMs);
    expect(settleMs({ ...timing, intervalMs: 8_000 }, [item])).toBe(8_000 * (1 + timing.jitter) + timing.renewCapMs);
  });

  test('which calls itself another machine: is in none of its events, and cannot hide them', async () => {
    const world = await settled();
    const hostile = hostileOf(world);
    const victim = world.machineOf(world.owner('db/0') ?? '');
    world.host(hostile).die();
    spoil(world, hostile, { session: 'another', seq: 1, machine: victim });
    await world.until('it is on record', () => world.hostRecord(hostile)?.seen?.machine === victim, 5_000);
    spoil(world, hostile, { seq: 'none' });
    const detail = { 'instance-id': victim, state: 'running' };
    const event = { 'detail-type': 'EC2 Instance State-change Notification', detail };
    expect(await world.instanceState(event)).toMatchObject({ hosts: [`pair/${world.owner('db/0') ?? ''}`] });
  });

  test('which reports of a slot that is not its own: what is shown of the group is what its owner says', async () => {
    const world = await settled();
    const hostile = hostileOf(world);
    const slots = [{ group: 'db', slot: 0, epoch: world.slot('db/0').epoch, phase: 'Active', health: 'failed' }];
    world.host(hostile).die();
    spoil(world, hostile, { slots });
    const { heartbeats } = world.tables;
    const { principal } = world.host(hostile);
    // A scan may show it first.
    const items = [...heartbeats].toSorted(([a], [b]) => Number(b === principal) - Number(a === principal));
    heartbeats.clear();
    for (const [key, text] of items) heartbeats.set(key, text);
    await world.run(200);
    const { body } = await world.http('GET', '/api/v1/status?cluster=pair');
    const status = JSON.parse(body) as { groups: { name: string; health: string }[] };
    expect(status.groups.find(({ name }) => name === 'db')?.health).toBe('ok');
  });
});

describe('a report', () => {
  const told = async (body: unknown): ReturnType<typeof readReport> => {
    const { ports } = await createWorld({ yaml: THREE });
    await ports.registry.put(keys.report('p', 'o'), body, null);
    return readReport(ports, 'p', 'o');
  };
  const REPORT = { order: 'o', session: 's', group: 'db', slot: 0, epoch: 1, outcome: 'started', detail: 'well' };

  test('as hosts write it is read; long words, which records of groups repeat, are cut', async () => {
    expect(await told(REPORT)).toEqual(REPORT);
    expect((await told({ ...REPORT, detail: 'a'.repeat(300_000) }))?.detail).toHaveLength(1_024);
  });

  test.each([[null], ['text'], [[]], [{ ...REPORT, epoch: 'one' }], [{ ...REPORT, outcome: 'won' }]])(
    '%p is none',
    async (body) => {
      expect(await told(body)).toBeUndefined();
    },
  );
});

describe('what is no item of a host', () => {
  const stored = async (change: object): Promise<ReturnType<typeof parseHeartbeat>> => {
    const world = await settled();
    const { principal, ...item } = world.heartbeat('h1') ?? { principal: '' };
    return parseHeartbeat({ pk: principal, ...item, ...change });
  };

  test.each([
    ['a session that is long', { session: 'x'.repeat(101) }],
    ['a session that no execution can be named by', { session: 'a/b' }],
    ['a session of two lines', { session: 'a\n' }],
    ['a long name of a machine', { machine: 'i'.repeat(1_025) }],
    ['a long incarnation', { incarnation: 'i'.repeat(300_000) }],
  ])('%s: is left out of scans, and no record repeats it', async (_, change) => {
    expect(await stored(change)).toHaveProperty('malformed');
  });

  test('one as hosts write it is read', async () => {
    expect(await stored({})).toHaveProperty('heartbeat.host', 'h1');
    expect(await stored({ session: 'revoked:ha.h1.00000003-0000-4000-8000-000000000001.20' })).toHaveProperty(
      'heartbeat',
    );
  });
});
