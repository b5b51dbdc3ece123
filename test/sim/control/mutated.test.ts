import { describe, expect, test } from '@jest/globals';
import { MemoryClock } from '../../../adapters/memory/memory-clock.ts';
import { pack } from '../../../adapters/node/packing.ts';
import { TIMING_PROFILES } from '../../../core/config/timing-profiles.ts';
import type { PowerReading } from '../../../core/ports.ts';
import { type Heartbeat, type HostRecord, keys, type RunRecord } from '../../../core/protocol/records.ts';
import type { ControlPorts } from '../../../lambdas/shared/ports.ts';
import type { Mutation } from '../../../sim/contract/mutations.ts';
import type { SimStore } from '../../../sim/contract/parts.ts';
import type { FunctionName } from '../../../sim/control/functions.ts';
import { mutatedHandler, mutatedPorts } from '../../../sim/control/mutated.ts';
import { LittleHost, LittleWorld } from './little-world.ts';

const MACHINE = 'i-00000000000000001';

const reading = (state: PowerReading['state']): PowerReading => ({
  state,
  principal: `arn:aws:ec2:local:000000000000:instance/${MACHINE}`,
  launchTime: '2026-01-05T08:00:00Z',
  canHibernate: false,
  checks: 'ok',
  impairedSince: null,
  says: '',
});

async function wired(mutation: Mutation | null, fn: FunctionName, state: PowerReading['state'] = 'running') {
  const world = new LittleWorld();
  const host = new LittleHost(world, 1);
  await host.boot();
  const clock = new MemoryClock({ bootMs: 1_000, wallMs: 2_000_000 });
  const store = world.store({
    faults: (op) => (op === 'heartbeats.scan' ? clock.sleeper.sleep(3_000) : undefined),
  });
  const right = {
    heartbeats: store.heartbeats(),
    registry: store.registry(),
    power: { read: async () => reading(state), stop: async () => undefined, start: async () => undefined },
    boot: clock.boot,
    wall: clock.wall,
  } as unknown as ControlPorts; // All that the mutations touch.
  const simStore = { record: (pk: string, sk: string) => world.record(pk, sk) } as SimStore; // Likewise.
  const mutated = mutatedPorts(right, { mutation, fn, store: simStore });
  return { world, host, clock, right, mutated, ports: mutated.ports };
}

/** What the sweep reads of its clocks right after a scan that took 6 s, and again later. */
async function stamps(mutation: Mutation | null, fn: FunctionName): Promise<readonly number[]> {
  const { ports, clock } = await wired(mutation, fn);
  const scanned = ports.heartbeats.scan().then(() => [ports.boot.now(), ports.wall.now(), ports.boot.now()]);
  await clock.advance(10_000);
  return scanned;
}

describe('mutations of the control plane', () => {
  test('stamp-before-answer: the sweep takes the moment of asking for that of the answer, once', async () => {
    expect(await stamps(null, 'find-behind')).toEqual([7_000, 2_006_000, 7_000]);
    expect(await stamps('stamp-before-answer', 'find-behind')).toEqual([1_000, 2_000_000, 7_000]);
    expect(await stamps('stamp-before-answer', 'reconcile')).toEqual([7_000, 2_006_000, 7_000]);
  });

  test('compare-wall-clocks: a late host was observed when its own wall clock says that it wrote', async () => {
    const late = async (mutation: Mutation | null): Promise<number | undefined> => {
      const { ports, clock, host, world } = await wired(mutation, 'find-behind');
      const scanned = ports.heartbeats.scan();
      await clock.advance(10_000);
      const [item] = await scanned;
      const { session, seq } = item as Heartbeat; // There is one.
      const { name, principal } = host;
      const key = keys.late('pair', name);
      await ports.registry.put(key, { host: name, principal, session, seq, observedAtMs: 5_000 }, null);
      await ports.registry.put(keys.observer(), { observedAtMs: 5_000 }, null);
      expect(world.record(keys.observer().pk, keys.observer().sk)).toEqual({ observedAtMs: 5_000 });
      return world.record<{ observedAtMs: number }>(key.pk, key.sk)?.observedAtMs;
    };
    expect(await late(null)).toBe(5_000);
    expect(await late('compare-wall-clocks')).toBe(1_767_603_600_000);
  });

  test('accept-stopping: stopping reads as stopped, and everything else as it is', async () => {
    const { ports } = await wired('accept-stopping', 'ha-fence', 'stopping');
    expect(await ports.power.read(MACHINE)).toEqual(reading('stopped'));
    for (const state of ['running', 'shutting-down', 'unknown'] as const) {
      const other = await wired('accept-stopping', 'ha-fence', state);
      expect(await other.ports.power.read(MACHINE)).toEqual(reading(state));
    }
  });

  test('event-as-evidence: reads after an event say what it said, in the function that takes events', async () => {
    const event = { detail: { 'instance-id': MACHINE, state: 'stopped' } };
    const readBy = async (fn: FunctionName, mutation: Mutation | null = 'event-as-evidence'): Promise<string> => {
      const { ports, mutated } = await wired(mutation, fn, 'running');
      const handler = mutatedHandler(async () => (await ports.power.read(MACHINE)).state, mutated);
      return String(await handler(event));
    };
    expect(await readBy('instance-state')).toBe('stopped');
    expect(await readBy('ha-fence')).toBe('running');
    expect(await readBy('instance-state', null)).toBe('running');
  });

  test('todays-timing: every session shows the timing in force, and its own stays stored', async () => {
    const { ports, right, host, clock } = await wired('todays-timing', 'ha-fence');
    const own = (await right.heartbeats.read(host.principal))?.timing;
    const timing = { ...TIMING_PROFILES.fast, takerWaitMs: 4_000 };
    await right.registry.put(keys.cluster('pair'), { cluster: 'pair', rev: 7, incarnation: 'i' }, null);
    await right.registry.put(keys.definition('pair', 7), { packed: pack({ timing }) }, null);
    const at = keys.host('pair', 'h1');
    await right.registry.put(at, { host: 'h1', seen: { session: host.session, timing: own }, why: '' }, null);

    const scanned = ports.heartbeats.scan();
    await clock.advance(10_000);
    expect((await scanned)[0]?.timing.takerWaitMs).toBe(4_000);
    expect((await ports.heartbeats.read(host.principal))?.timing.takerWaitMs).toBe(4_000);
    const shown = await ports.registry.get<HostRecord>(at);
    expect(shown?.body.seen?.timing.takerWaitMs).toBe(4_000);
    const [listed] = await ports.registry.query<HostRecord>(at.pk, { prefix: 'HOST#', limit: 5 });
    expect(listed?.body.seen?.timing.takerWaitMs).toBe(4_000);
    await ports.registry.put(at, { ...shown?.body, why: 'changed' }, 1);
    const stored = (await right.registry.get<HostRecord>(at))?.body;
    expect(stored).toMatchObject({ why: 'changed', seen: { timing: { takerWaitMs: 12_000 } } });
  });

  test('start-before-evidence: every wait looks over, and its true beginning stays stored', async () => {
    const { ports, right } = await wired('start-before-evidence', 'ha-fence');
    const run = keys.run('ha.h1');
    const host = keys.host('pair', 'h1');
    await right.registry.put(run, { run: 'ha.h1', observedAtMs: 77_000 }, null);
    await right.registry.put(host, { host: 'h1', principal: 'p', tombstoneAtMs: 88_000 }, null);
    const shownRun = await ports.registry.get<RunRecord>(run);
    const shownHost = await ports.registry.get<HostRecord>(host);
    expect([shownRun?.body.observedAtMs, shownHost?.body.tombstoneAtMs]).toEqual([0, 0]);
    await ports.registry.put(run, { ...shownRun?.body, phase: 'Fencing' }, 1);
    await ports.registry.put(host, { ...shownHost?.body, why: 'x' }, 1);
    expect((await right.registry.get(run))?.body).toEqual({ run: 'ha.h1', observedAtMs: 77_000, phase: 'Fencing' });
    expect((await right.registry.get(host))?.body).toEqual({
      host: 'h1',
      principal: 'p',
      tombstoneAtMs: 88_000,
      why: 'x',
    });
  });

  test('no other mutation changes a port', async () => {
    for (const mutation of [null, 'feed-at-1w', 'forget-m'] as const) {
      const { ports, right } = await wired(mutation, 'find-behind');
      expect(ports).toBe(right);
    }
  });
});
