/** The loop of find-behind: one invocation follows another, with or without the memory of the one before (S13). */
import { expect, jest, test } from '@jest/globals';
import { HaError } from '../../core/failures/failures.ts';
import type { ObserverRecord } from '../../core/protocol/observer-records.ts';
import { keys } from '../../core/protocol/records.ts';
import { findBehind, type FindBehindResult } from '../../lambdas/find-behind/handler.ts';
import { PAIR } from './definitions.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

const MINUTE_MS = 60_000;

/** A world whose sweeps are made by the handler alone. */
const swept = (): Promise<World> => createWorld({ yaml: PAIR, sweeps: false });

const isReported = (world: World): boolean => world.workflow.names.some((name) => name.startsWith('ha.'));

/** Invokes the handler every minute, as Lambda does: on any of its environments, and never awaited. */
function schedule(
  world: World,
  environments: readonly ((event: unknown) => Promise<FindBehindResult>)[],
): FindBehindResult[] {
  const results: FindBehindResult[] = [];
  let turn = 0;
  const fire = (): void => {
    const invoke = environments[turn % environments.length];
    turn += 1;
    void invoke?.({}).then((result) => results.push(result));
    world.clock.after(MINUTE_MS, fire);
  };
  fire();
  return results;
}

test.each([1, 2, 3])(
  '%s environments take turns: no gap, no early report, and a death is found as fast as ever',
  async (count) => {
    const world = await swept();
    const results = schedule(
      world,
      Array.from({ length: count }, () => findBehind(world.ports)),
    );
    await world.whole();
    await world.run(3 * MINUTE_MS);
    expect(isReported(world)).toBe(false);
    // Each ends when it sees that a newer one has claimed: after a minute, not after its own limit.
    expect(results.length).toBeGreaterThanOrEqual(2);
    expect(results[0]?.failures).toBe(0);
    // In the first moments of an invocation, whose environment may last have swept minutes ago.
    const generation = world.record<ObserverRecord>(keys.observer())?.generation ?? 0;
    const isNext = (): boolean => (world.record<ObserverRecord>(keys.observer())?.generation ?? 0) > generation;
    await world.until('the next has begun', isNext, 2 * MINUTE_MS);
    world.host(world.owner('db/0') ?? '').die();
    const tookMs = await world.until('it is reported', () => isReported(world));
    expect(tookMs).toBeLessThan(2_000);
  },
  30_000,
);

test('after a pause of everybody: every observation starts anew, and one L_c of grace on top', async () => {
  const world = await swept();
  let hasEnded = false;
  void findBehind(world.ports)({}).then(() => (hasEnded = true));
  await world.whole();
  // No call follows, so it ends by itself.
  await world.until('it has ended', () => hasEnded, 2 * MINUTE_MS);
  await world.run(30_000);
  world.host(world.owner('db/0') ?? '').die();
  await world.run(10_000);
  // Nobody looked for 40 s. A cold environment that begins now knows it from the registry.
  void findBehind(world.ports)({});
  const tookMs = await world.until('it is reported', () => isReported(world));
  expect(tookMs).toBeGreaterThanOrEqual(3_350);
  expect(tookMs).toBeLessThan(6_000);
});

test('a loop whose reads fail for a while finds the gap itself, and counts it once', async () => {
  const world = await swept();
  const late = (): number => world.metrics.values('SweepLate').reduce((sum, value) => sum + value, 0);
  void findBehind(world.ports)({});
  await world.run(5_000);
  expect(late()).toBe(0);
  world.faults = (op) => {
    if (op === 'heartbeats.scan') throw new HaError('store_unavailable', 'scripted');
  };
  await world.run(5_000);
  world.faults = () => undefined;
  await world.run(5_000);
  expect(late()).toBe(1);
});

test('the newest claim sweeps; an older loop ends at its next turn and changes nothing of the record', async () => {
  const world = await swept();
  let ended = 0;
  void findBehind(world.ports)({}).then(() => (ended += 1));
  await world.run(5_000);
  expect(world.record<ObserverRecord>(keys.observer())?.generation).toBe(1);
  const mark = world.record<ObserverRecord>(keys.observer())?.lastSweepMs ?? 0;
  expect(world.clock.wall.now() - mark).toBeLessThanOrEqual(250);
  void findBehind(world.ports)({}).then(() => (ended += 1));
  await world.run(2_000);
  expect(ended).toBe(1);
  expect(world.record<ObserverRecord>(keys.observer())?.generation).toBe(2);
});

test('a host whose new session cannot be written down keeps no other from its failover', async () => {
  const world = await swept();
  const sweep = findBehind(world.ports);
  const sweeps = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) {
      await world.run(250);
      await sweep({ once: true });
    }
  };
  await sweeps(40);
  const owner = world.owner('db/0') ?? '';
  const other = owner === 'h1' ? 'h2' : 'h1';
  const session = world.heartbeat(other)?.session;
  world.faults = (op, _phase, subject) => {
    if (op === 'registry.put' && subject.includes(`HOST#${other}`)) throw new HaError('store_unavailable', 'scripted');
  };
  world.host(other).die();
  world.host(other).boot();
  await world.until('it is back', () => world.heartbeat(other)?.session !== session);
  world.host(owner).die();
  await sweeps(20);
  expect(world.hostRecord(other)?.seen?.session).toBe(session);
  expect(world.workflow.names.filter((name) => name.startsWith(`ha.${owner}`))).toHaveLength(1);
});
