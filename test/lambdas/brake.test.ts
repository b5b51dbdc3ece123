/** The brake over the in-memory stores: its look at the hosts, its record under two runs at once, whom it tells. */
import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { MemoryAlerts } from '../../adapters/memory/memory-alerts.ts';
import { MemoryMetrics } from '../../adapters/memory/memory-metrics.ts';
import { MemoryClock } from '../../adapters/memory/memory-clock.ts';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { type MemoryHooks, memoryTables } from '../../adapters/memory/memory-tables.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { Registry } from '../../core/ports.ts';
import type { BrakeRecord } from '../../core/protocol/brake-records.ts';
import { type EventRecord, type HostRecord, keys } from '../../core/protocol/records.ts';
import { brake, type BrakeAnswer, type BrakePorts } from '../../lambdas/shared/brake.ts';
import type { ClusterFacts } from '../../lambdas/shared/cluster.ts';
import { definition, host } from '../core/placement/fixtures.ts';
import { item } from '../core/recovery/fixtures.ts';

jest.setTimeout(60_000); // Two thousand interleavings, on a machine that others use.

/** In three zones of three; profile fast: 10 calls per window in the cluster, 5 in a zone, one host of each is left. */
const NINE = ['a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'c1', 'c2', 'c3'];

interface Stage {
  readonly ports: BrakePorts;
  readonly facts: ClusterFacts;
  readonly alerts: MemoryAlerts;
  readonly metrics: MemoryMetrics;
  readonly clock: MemoryClock;
  readonly brakeRecord: () => BrakeRecord | undefined;
  readonly events: () => readonly EventRecord[];
}

interface StageOptions {
  readonly hosts?: readonly string[];
  readonly dead: readonly string[];
  readonly hooks?: MemoryHooks;
  readonly registry?: (real: Registry) => Registry;
  /** How much longer than asked the brake sleeps. */
  readonly oversleepMs?: number;
  /** Instead of letting time pass. */
  readonly sleep?: () => Promise<void>;
}

/** Living hosts renew while the brake sleeps; dead ones do not. Virtual time passes in sleeps alone. */
async function stage(options: StageOptions): Promise<Stage> {
  const { hosts = NINE, dead } = options;
  const clock = new MemoryClock();
  const tables = memoryTables();
  const store = new MemoryStore(tables, options.hooks ?? {});
  const plain = new MemoryStore(tables);
  const seq = new Map(hosts.map((name) => [name, 5]));
  const plant = (name: string): void => plain.plant(`p-${name}`, item(name, `s-${name}`, { seq: seq.get(name) ?? 0 }));
  for (const name of hosts) plant(name);
  const real = store.registry();
  for (const name of hosts) {
    const status = dead.includes(name) ? 'Investigating' : 'Up';
    const record: Omit<HostRecord, 'seen'> & { seen: null } = {
      host: name,
      principal: `p-${name}`,
      status,
      statusSinceMs: clock.wall.now(),
      why: '',
      admin: 'enabled',
      adminReason: '',
      claim: null,
      seen: null,
      tombstoneAtMs: null,
    };
    await plain.registry().put(keys.host('c', name), record, null);
  }
  let ids = 0;
  const alerts = new MemoryAlerts();
  const metrics = new MemoryMetrics();
  const ports: BrakePorts = {
    metrics,
    heartbeats: store.heartbeats(),
    registry: options.registry?.(real) ?? real,
    wall: clock.wall,
    boot: clock.boot,
    sleeper: {
      sleep: async (ms) => {
        for (const name of hosts.filter((one) => !dead.includes(one))) {
          seq.set(name, (seq.get(name) ?? 0) + 1);
          plant(name);
        }
        await (options.sleep?.() ?? clock.advance(ms + (options.oversleepMs ?? 0)));
      },
    },
    ids: { next: () => `${String((ids += 1)).padStart(8, '0')}-0000-4000-8000-000000000000` },
    alerts,
  };
  const defined = definition(
    [],
    hosts.map((name) => host(name, { zone: name.slice(0, 1) })),
  );
  const account = { partition: 'aws', region: 'local', id: '0' };
  const facts: ClusterFacts = {
    record: { cluster: 'c', rev: 1, incarnation: 'i', haEnabled: true, account },
    definition: defined,
    hosts: (await plain.registry().query<HostRecord>(keys.cluster('c').pk, { prefix: 'HOST#', limit: 100 })).map(
      ({ body }) => body,
    ),
    groups: [],
    heartbeats: new Map(),
    specOf: () => undefined,
  };
  const read = <T>(pk: string): readonly T[] =>
    [...(tables.registry.get(pk) ?? [])].map(([, text]) => (JSON.parse(text) as { body: T }).body);
  return {
    ports,
    facts,
    alerts,
    metrics,
    clock,
    brakeRecord: () => read<BrakeRecord>(keys.budget('c').pk)[0],
    events: () =>
      [...tables.registry.keys()].filter((pk) => pk.startsWith('E#c')).flatMap((pk) => read<EventRecord>(pk)),
  };
}

const ask = ({ ports, facts }: Stage, name: string): Promise<BrakeAnswer> =>
  brake(ports, facts, { host: name, run: `ha.${name}`, session: `s-${name}` });

describe('the look (S13)', () => {
  test('one host of nine is silent, the others renew: it may go, and it is paid for before the call', async () => {
    const world = await stage({ dead: ['a1'] });
    expect(await ask(world, 'a1')).toEqual({
      go: true,
      says: '1 of 9 hosts are silent; this is destructive call 1 of 8 within 60 s',
    });
    expect(world.brakeRecord()?.spent).toMatchObject([{ host: 'a1', session: 's-a1', zone: 'a', run: 'ha.a1' }]);
    expect(world.events()).toEqual([]);
    expect(world.metrics.recorded).toEqual([]);
  });

  test.each<[string, Omit<StageOptions, 'dead'>, string]>([
    [
      'a read fails',
      {
        hooks: {
          faults: (op) => {
            if (op === 'heartbeats.scan') throw new HaError('store_unavailable', 'the store is away');
          },
        },
      },
      'the store is away',
    ],
    ['the process did not run meanwhile', { oversleepMs: 1_001 }, 'did not run for 1001 ms'],
  ])('%s: it says nothing, and nothing is done or spent', async (_, options, why) => {
    const world = await stage({ dead: ['a1'], ...options });
    const answer = await ask(world, 'a1');
    expect(answer).toMatchObject({ go: false, reason: 'storm' });
    expect(answer.says).toContain(why);
    expect(world.brakeRecord()).toBeUndefined();
  });

  test('a read that takes too long', async () => {
    const clock: { world?: MemoryClock } = {};
    const world = await stage({
      dead: ['a1'],
      hooks: {
        faults: async (op, phase) => {
          if (op === 'heartbeats.scan' && phase === 'before') await clock.world?.advance(1_001);
        },
      },
    });
    clock.world = world.clock;
    expect((await ask(world, 'a1')).says).toContain('took 1001 ms');
  });

  test('the host renewed, or registered anew: nothing is done to it', async () => {
    const world = await stage({ dead: [] });
    expect(await ask(world, 'a1')).toMatchObject({ go: false, says: 'a1 is not silent now: nothing is done to it' });
    const { ports, facts } = world;
    const older = await brake(ports, facts, { host: 'a1', run: 'r', session: 's-before' });
    expect(older).toMatchObject({ go: false, says: 'a1 has registered another session since: nothing is done to it' });
    expect(world.brakeRecord()?.spent).toEqual([]);
  });
});

describe('a storm (S14)', () => {
  test('two of three: held, an event with numbers, and one call to a person however often it is asked', async () => {
    const world = await stage({ hosts: ['a1', 'b1', 'c1'], dead: ['a1', 'b1'] });
    for (let round = 0; round < 3; round += 1) {
      expect(await ask(world, 'a1')).toMatchObject({ go: false, reason: 'storm' });
      expect(await ask(world, 'b1')).toMatchObject({ go: false, reason: 'storm' });
    }
    expect(world.alerts.pages).toMatchObject([{ subject: 'storm in c' }]);
    expect(world.alerts.pages[0]?.text).toContain('2 of 3 hosts fell silent within 60 s: a1, b1');
    expect(world.events().map(({ kind, subject }) => `${kind} ${subject}`)).toEqual([
      'brake.storm c',
      'brake.storm a1',
      'brake.storm b1',
    ]);
    // Two calls were held, however often they were asked for.
    expect(world.metrics.recorded).toEqual([
      { name: 'BudgetSpent', value: 1, cluster: 'c' },
      { name: 'BudgetSpent', value: 1, cluster: 'c' },
    ]);
  });

  test('of a pair whose other host is silent too, a person is called once', async () => {
    const world = await stage({ hosts: ['a1', 'b1'], dead: ['a1', 'b1'] });
    await ask(world, 'a1');
    await ask(world, 'a1');
    expect(world.alerts.pages).toMatchObject([{ subject: 'a1 is not fenced' }]);
  });
});

describe('two and more runs at once', () => {
  const scheduled =
    (s: fc.Scheduler) =>
    (real: Registry): Registry => ({
      get: async (key) => {
        await s.schedule(Promise.resolve(), `get ${key.sk}`);
        return real.get(key);
      },
      put: async (key, body, expected) => {
        await s.schedule(Promise.resolve(), `put ${key.sk}`);
        return real.put(key, body, expected);
      },
      remove: (key, expected) => real.remove(key, expected),
      query: (pk, options) => real.query(pk, options),
    });

  test('never spend more than the budget, and each step once, in whatever order their reads and writes fall', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.constantFrom('a1', 'a2', 'a3', 'b1'), { minLength: 2, maxLength: 6 }),
        async (s, asked) => {
          const dead = ['a1', 'a2', 'a3', 'b1'];
          const world = await stage({
            dead,
            registry: scheduled(s),
            sleep: () => s.schedule(Promise.resolve(), 'sleep'),
          });
          const answers = await s.waitFor(Promise.all(asked.map((name) => ask(world, name))));
          const gone = new Set(asked.filter((_, at) => answers[at]?.go === true));
          const spent = world.brakeRecord()?.spent.map((one) => one.host) ?? [];
          expect(spent.toSorted()).toEqual([...gone].toSorted());
          // Of a zone of three one is left (V12); whoever asked first went first, so none was held for nothing.
          const ofA = new Set(asked.filter((name) => name.startsWith('a'))).size;
          expect([...gone].filter((name) => name.startsWith('a'))).toHaveLength(Math.min(2, ofA));
          expect(gone.has('b1')).toBe(asked.includes('b1'));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
