/** What is read again right before a machine is stopped: each single fact that speaks against it is enough (S16, S17). */
import { describe, expect, jest, test } from '@jest/globals';
import type { FenceOrder } from '../../core/protocol/power-records.ts';
import { type HostRecord, keys, REVOKED_PREFIX } from '../../core/protocol/records.ts';
import { poweredSession } from '../../core/recovery/power-off.ts';
import { tryPowerFence } from '../../lambdas/ha-fence/power-fence.ts';
import type { Watching } from '../../lambdas/ha-fence/watching.ts';
import { loadCluster } from '../../lambdas/shared/cluster.ts';
import { M1, settled } from './power-stage.ts';
import type { World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

const RUN = 'ha.h1.mine.1';

async function changeHost(world: World, decide: (old: HostRecord) => HostRecord): Promise<void> {
  const stored = await world.ports.registry.get<HostRecord>(keys.host(world.cluster, 'h1'));
  if (stored !== undefined) await world.ports.registry.put(stored.key, decide(stored.body), stored.version);
}

const claimedBy = (world: World, run: string): Promise<void> =>
  changeHost(world, (old) => ({
    ...old,
    claim: { run, session: old.seen?.session ?? '', atMs: world.clock.wall.now() },
  }));

interface Case {
  /** Before anything is read. */
  readonly before?: (world: World, session: string) => Promise<void> | void;
  readonly order?: boolean;
  readonly powerFence?: boolean;
  /** Added to the version that the run was opened about. */
  readonly seqBy?: number;
  readonly isOver?: () => boolean;
}

/** Machines that were put out of reach of their Auto Scaling groups by the last try. */
let spared: string[] = [];

/** One try by a run that has the claim, of a host that is silent; no other run is about. */
async function stopsAfter(given: Case = {}): Promise<number> {
  spared = [];
  const world = await settled();
  Object.assign(world.workflow, { start: async () => ({ outcome: 'exists' }), status: async () => 'RUNNING' });
  world.host('h1').isCut = true;
  const session = world.host('h1').session ?? '';
  await claimedBy(world, RUN);
  await world.run(1_000);
  const seq = (world.heartbeat('h1')?.seq ?? 0) + (given.seqBy ?? 0);
  const facts = await loadCluster(world.ports, world.cluster);
  const host = facts.hosts.find((one) => one.host === 'h1');
  const about = host === undefined ? undefined : poweredSession(host, session);
  if (host === undefined || about === undefined) throw new Error('h1 is not known');
  await given.before?.(world, session);
  const work = {
    ...{ cluster: world.cluster, host: 'h1', session, seq, verb: 'ha' as const, epoch: 0, to: null, slots: [] },
    ...{ waves: [], round: 0, powerFence: given.powerFence ?? true, next: '', says: '' },
  };
  const watching: Watching = {
    ...{ facts, host, session, run: RUN, work, isLeaseOfNoUse: () => false },
    ...{ isOver: given.isOver ?? (() => false), say: () => Promise.resolve() },
    spare: async (machine) => void spared.push(machine),
  };
  const order: FenceOrder | null = given.order === true ? { session, by: 'anna', atMs: world.clock.wall.now() } : null;
  const reading = await world.ports.power.read(M1);
  const tried = tryPowerFence(world.ports, watching, { host, about, reading, order });
  await world.run(10_000);
  await tried;
  return world.machines.stops.length;
}

/** The item as it would stand if somebody else had written it. */
function rewrite(world: World, change: Readonly<Record<string, unknown>>): void {
  const { principal } = world.host('h1');
  const text = world.tables.heartbeats.get(principal) ?? '{}';
  world.tables.heartbeats.set(principal, JSON.stringify({ ...(JSON.parse(text) as object), ...change }));
}

describe('right before a stop', () => {
  test('nothing speaks against it: stopped', async () => {
    expect(await stopsAfter()).toBe(1);
    expect(spared).toEqual([M1]);
  });

  test('its session was revoked, and it is the newest: stopped', async () => {
    expect(await stopsAfter({ before: (world) => rewrite(world, { session: `${REVOKED_PREFIX}${RUN}` }) })).toBe(1);
  });

  test('an order needs neither the version nor the leave of the guard', async () => {
    expect(await stopsAfter({ order: true, powerFence: false, seqBy: -3 })).toBe(1);
  });

  const AGAINST: readonly (readonly [string, Case])[] = [
    ['another run has the claim', { before: (world) => claimedBy(world, 'ha.h1.theirs.1') }],
    ['nobody has the claim', { before: (world) => changeHost(world, (old) => ({ ...old, claim: null })) }],
    ['it has renewed since the run was opened', { seqBy: -1 }],
    ['its item is gone', { before: (world) => void world.tables.heartbeats.delete(world.host('h1').principal) }],
    [
      'another session stands in its item, though a person ordered it',
      { order: true, before: (world) => rewrite(world, { session: 'newer' }) },
    ],
    [
      'a session was revoked that is not the one in question',
      {
        before: async (world) => {
          rewrite(world, { session: `${REVOKED_PREFIX}ha.h1.theirs.1` });
          await changeHost(world, (old) => ({
            ...old,
            seen: old.seen === null ? null : { ...old.seen, session: 'newer' },
          }));
        },
      },
    ],
    ['its guard answered that its session stands', { powerFence: false }],
    ['HA is switched off, though a person ordered it', { order: true, before: (world) => world.setHaEnabled(false) }],
    ['the wait is over', { isOver: () => true }],
  ];

  test.each(AGAINST)('%s: left alone, and no Auto Scaling group is changed', async (_, given) => {
    expect(await stopsAfter(given)).toBe(0);
    expect(spared).toEqual([]);
  });

  test('the wait ends while the order is on its way: not sent', async () => {
    let isOver = false;
    const before = (world: World): void => {
      world.machines.orderMs = 500;
      const { power } = world.ports;
      const stop = power.stop.bind(power);
      Object.assign(power, {
        stop: (...order: Parameters<typeof stop>) => {
          isOver = true;
          return stop(...order);
        },
      });
    };
    expect(await stopsAfter({ before, isOver: () => isOver })).toBe(0);
  });

  test('the process is suspended with its order half sent: not sent when it goes on', async () => {
    const before = (world: World): void => void (world.machines.orderMs = 3_000);
    expect(await stopsAfter({ before })).toBe(0);
  });
});
