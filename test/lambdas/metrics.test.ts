/** What the control plane measures, and what only looks like it. */
import { describe, expect, jest, test } from '@jest/globals';
import { MemoryAlerts } from '../../adapters/memory/memory-alerts.ts';
import { MemoryMetrics } from '../../adapters/memory/memory-metrics.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { MetricDocument } from '../../core/metrics/tally.ts';
import { findBehind } from '../../lambdas/find-behind/handler.ts';
import { reconcileHandler } from '../../lambdas/reconcile/handler.ts';
import { measuredAlerts } from '../../lambdas/shared/measured.ts';
import { definitionOf, DB, PAIR } from './definitions.ts';
import { M1, movedAway, settled as settledOnPower } from './power-stage.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

const MINUTE_MS = 60_000;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const last = (world: World, name: 'HostsBehind' | 'SlotsHeld'): number | undefined => world.metrics.values(name).at(-1);

async function settled(yaml = PAIR): Promise<World> {
  const world = await createWorld({ yaml });
  await world.whole();
  await world.run(2_000);
  return world;
}

describe('a failover', () => {
  test('counts once, with its downtime, though every step runs twice', async () => {
    const world = await settled();
    world.invoke = async (task) => {
      await world.call(task);
      return world.call(task);
    };
    const owner = world.owner('db/0') ?? '';
    world.host(owner).die();
    const tookMs = await world.until(
      'db runs elsewhere',
      () => world.isActive('db/0') && world.owner('db/0') !== owner,
    );
    await world.whole();
    expect(world.metrics.values('Failovers')).toEqual([1]);
    const [downMs = 0, ...more] = world.metrics.values('DowntimeMs');
    expect(more).toEqual([]);
    // The last renewal was up to an interval of .25 s, with jitter and a sweep, before the death; the report seen soon after the start.
    expect(downMs).toBeGreaterThan(tookMs - 600);
    expect(downMs).toBeLessThan(tookMs + 600);
    expect(world.metrics.recorded.filter(({ name }) => name === 'Failovers')).toMatchObject([{ cluster: 'pair' }]);
  });

  test('of a host that owned nothing is none, and neither is a planned move, nor a false alarm', async () => {
    const world = await settled(definitionOf({ hosts: 3, groups: [DB] }));
    const owner = world.owner('db/0') ?? '';
    const [idle = '', other = ''] = ['h1', 'h2', 'h3'].filter((name) => name !== owner);
    world.host(idle).die();
    const isClosed = (outcome: string): boolean =>
      world.runs.some((run) => run.work === 'HA' && run.outcome === outcome);
    await world.until('the run about the idle host has ended', () => isClosed('Recovered'));
    await world.move('db/0', other);
    await world.until('db has moved', () => world.isActive('db/0') && world.owner('db/0') === other);
    await world.whole();
    world.host(other).isCut = true;
    await world.until('it is looked into', () => world.workflow.running.length > 0);
    world.host(other).isCut = false;
    await world.until('it was alive', () => isClosed('Alive'));
    expect(world.metrics.values('Failovers')).toEqual([]);
    expect(world.metrics.values('DowntimeMs')).toEqual([]);
    expect(world.metrics.values('RunsHeld')).toEqual([]);
  });

  test('without a place for the slot is a held run and a held slot, until there is one', async () => {
    const world = await settled();
    expect(last(world, 'SlotsHeld')).toBe(0);
    const owner = world.owner('db/0') ?? '';
    const other = owner === 'h1' ? 'h2' : 'h1';
    world.host(other).die();
    await world.until('the standby is gone', () => world.hostRecord(other)?.claim === null && world.isWhole());
    world.host(owner).die();
    await world.until('db is held', () => world.slot('db/0').phase === 'Held');
    await world.until('it is measured', () => last(world, 'SlotsHeld') === 1);
    expect(sum(world.metrics.values('RunsHeld'))).toBe(
      world.runs.filter(({ phase, closedAtMs }) => phase === 'Held' && closedAtMs !== null).length,
    );
    expect(sum(world.metrics.values('RunsHeld'))).toBeGreaterThan(0);
    expect(world.metrics.values('Failovers')).toEqual([]);
    // The person who was called counts as one page, however often the reason is met again.
    expect(sum(world.metrics.values('Pages'))).toBe(world.alerts.pages.length);
    expect(world.alerts.pages.length).toBeGreaterThan(0);
    world.host(other).boot();
    await world.whole();
    await world.until('nothing is held any more', () => last(world, 'SlotsHeld') === 0);
  });
});

describe('hosts behind', () => {
  test('none, one, and none again when its session was ended', async () => {
    const world = await settled();
    expect(new Set(world.metrics.values('HostsBehind'))).toEqual(new Set([0]));
    world.host(world.owner('db/0') ?? '').die();
    await world.until('it is behind', () => last(world, 'HostsBehind') === 1);
    await world.whole();
    await world.run(2_000);
    expect(last(world, 'HostsBehind')).toBe(0);
  });

  test('one that is off is no longer behind, though its last renewal stands still for ever', async () => {
    const world = await settledOnPower({ events: true });
    world.machines.cut(M1);
    await world.until('db runs on h2', () => movedAway(world));
    await world.whole();
    await world.run(5_000);
    expect(world.hostRecord('h1')?.status).toBe('Down');
    expect(world.heartbeat('h1')?.session).toBe(world.hostRecord('h1')?.seen?.session);
    expect(last(world, 'HostsBehind')).toBe(0);
  });
});

describe('a cluster that cannot be looked after', () => {
  test('counts, and its hosts behind are still seen, when no run can be started', async () => {
    const world = await createWorld({ yaml: PAIR, sweeps: false });
    const healthy = findBehind(world.ports);
    for (let n = 0; n < 40; n += 1) {
      await world.run(250);
      await healthy({ once: true });
    }
    const denied = (): Promise<never> => Promise.reject(new HaError('store_unavailable', 'AccessDeniedException'));
    const metrics = new MemoryMetrics();
    const sweep = findBehind({ ...world.ports, metrics, workflow: { ...world.ports.workflow, start: denied } });
    await sweep({ once: true });
    expect(metrics.values('ClustersFailed')).toEqual([]);
    world.host(world.owner('db/0') ?? '').die();
    for (let n = 0; n < 20; n += 1) {
      await world.run(250);
      await sweep({ once: true });
    }
    expect(metrics.values('HostsBehind').at(-1)).toBe(1);
    expect(metrics.values('ClustersFailed').at(-1)).toBe(1);
  });

  test('counts in reconcile, once a pass', async () => {
    const world = await settled();
    const metrics = new MemoryMetrics();
    const pass = reconcileHandler({ ...world.ports, metrics });
    await pass({});
    expect(metrics.values('ClustersFailed')).toEqual([]);
    world.faults = (op) => {
      if (op === 'heartbeats.scan') throw new HaError('store_unavailable', 'away');
    };
    expect((await pass({})).failed).toHaveLength(1);
    expect(metrics.values('ClustersFailed')).toEqual([1]);
  });
});

const isOfSweeps = ({ values }: MetricDocument): boolean => values.some(({ name }) => name === 'SweepLate');

describe('the observer', () => {
  const alone = (): Promise<World> => createWorld({ yaml: PAIR, sweeps: false });
  /** With metrics of its own, as each Lambda has. */
  const lambdaOf = (world: World) => {
    const metrics = new MemoryMetrics();
    return { metrics, invoke: findBehind({ ...world.ports, metrics }) };
  };
  const late = (world: World): number => sum(world.metrics.values('SweepLate'));

  test('is late once after a pause, whoever notices it first, and never without one', async () => {
    const world = await alone();
    const sweep = findBehind(world.ports);
    for (let n = 0; n < 10; n += 1) {
      await sweep({ once: true });
      await world.run(250);
    }
    expect(late(world)).toBe(0);
    expect(world.metrics.values('SweepLate').length).toBeGreaterThan(10);
    // Calls that sweep once are a minute apart, whatever definitions ask for.
    await world.run(MINUTE_MS);
    await sweep({ once: true });
    expect(late(world)).toBe(0);
    // Both notice this one, also in an environment that knows nothing; where each call sweeps once it is two calls missed.
    await world.run(2 * MINUTE_MS + 40_000);
    await findBehind(world.ports)({ once: true });
    expect(late(world)).toBe(1);
    // A loop is to begin right after the sweep of the one before.
    await world.run(40_000);
    const loop = findBehind(world.ports)({});
    await world.run(1_000);
    expect(late(world)).toBe(2);
    await world.run(2 * MINUTE_MS);
    await loop;
    expect(late(world)).toBe(2);
  });

  test('a store that is away for minutes is late at each call, for no sweep can say so', async () => {
    const world = await alone();
    const sweep = findBehind(world.ports);
    await sweep({ once: true });
    world.faults = (op) => {
      if (op === 'heartbeats.scan') throw new HaError('store_unavailable', 'away');
    };
    for (let n = 0; n < 3; n += 1) {
      await world.run(3 * MINUTE_MS);
      await expect(sweep({ once: true })).rejects.toMatchObject({ code: 'store_unavailable' });
    }
    expect(late(world)).toBe(3);
    expect(world.metrics.values('SweepMs')).toHaveLength(1);
    // What a failed invocation measured is emitted like any other's.
    expect(world.metrics.emitted.filter((documents) => documents.some(isOfSweeps))).toHaveLength(4);
  });

  test('hundreds of sweeps are about one emission a minute, with zeros for alarms', async () => {
    const world = await alone();
    const { metrics, invoke } = lambdaOf(world);
    const fire = (): void => {
      void invoke({});
      world.clock.after(MINUTE_MS, fire);
    };
    fire();
    await world.run(5 * MINUTE_MS + 5_000);
    const emitted = metrics.emitted.filter((documents) => documents.some(isOfSweeps));
    expect(metrics.values('SweepMs').length).toBeGreaterThan(500);
    // Each invocation is relieved after a minute, and emits at its end.
    expect(emitted).toHaveLength(5);
    for (const documents of emitted) {
      expect(documents).toMatchObject([
        { cluster: null, values: [{ name: 'SweepMs' }, { name: 'SweepLate' }] },
        { cluster: 'pair', values: [{ name: 'HostsBehind', value: 0 }] },
      ]);
      expect(documents).toHaveLength(2);
    }
  });

  test('a loop that nobody relieves says meanwhile what it has measured', async () => {
    const world = await alone();
    const { metrics, invoke } = lambdaOf(world);
    const ended = invoke({});
    const emitted = (): number => metrics.emitted.length;
    await world.run(70_000);
    expect(emitted()).toBe(0);
    await world.run(10_000);
    expect(emitted()).toBe(1);
    await world.run(30_000);
    await ended;
    expect(emitted()).toBe(2);
  });
});

describe('the store', () => {
  test('throttled calls count, one each, and no other fault does', async () => {
    const world = await createWorld({ yaml: PAIR, sweeps: false });
    const failing = (code: 'store_throttled' | 'store_unavailable'): void => {
      world.faults = (op) => {
        if (op === 'heartbeats.scan') throw new HaError(code, 'scripted');
      };
    };
    await world.run(1_500);
    const before = sum(world.metrics.values('StoreThrottled'));
    expect(before).toBe(0);
    failing('store_unavailable');
    await expect(findBehind(world.ports)({ once: true })).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(world.metrics.values('StoreThrottled')).toEqual([]);
    failing('store_throttled');
    await expect(findBehind(world.ports)({ once: true })).rejects.toMatchObject({ code: 'store_throttled' });
    expect(world.metrics.values('StoreThrottled')).toEqual([1]);
    // Many who wait for one read are one throttled call.
    const readers = Array.from({ length: 5 }, () => world.ports.heartbeats.scan());
    const ends = await Promise.allSettled(readers);
    expect(ends.every(({ status }) => status === 'rejected')).toBe(true);
    expect(sum(world.metrics.values('StoreThrottled'))).toBeLessThanOrEqual(3);
  });

  test('no cluster, no gauge of one', async () => {
    const world = await createWorld({ yaml: PAIR, sweeps: false });
    const metrics = new MemoryMetrics();
    const nobody = { ...world.ports, metrics, registry: { ...world.ports.registry, query: () => Promise.resolve([]) } };
    await reconcileHandler(nobody)({});
    await findBehind(nobody)({ once: true });
    expect(metrics.recorded.filter(({ cluster }) => cluster !== null)).toEqual([]);
    expect(metrics.values('SweepMs')).toHaveLength(1);
  });
});

test('a page that nobody took is none', async () => {
  const metrics = new MemoryMetrics();
  let isDown = true;
  const alerts = measuredAlerts(
    new MemoryAlerts(() => {
      if (isDown) throw new HaError('store_unavailable', 'SNS');
    }),
    metrics,
  );
  await expect(alerts.page('db/0 is held', 'no host')).rejects.toMatchObject({ code: 'store_unavailable' });
  expect(metrics.values('Pages')).toEqual([]);
  isDown = false;
  await alerts.page('db/0 is held', 'no host');
  expect(metrics.values('Pages')).toEqual([1]);
});
