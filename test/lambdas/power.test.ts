/** Power: what EC2's reads prove, what its events start, and what is ordered when a host is only suspected. */
import { describe, expect, jest, test } from '@jest/globals';
import type { PowerReading } from '../../core/ports.ts';
import { type HostRecord, keys } from '../../core/protocol/records.ts';
import { stateChange, unknown } from './machines.ts';
import { evidence, LEASE_FIRST, M1, movedAway, PAIR, POWER_ONLY, says, settled } from './power-stage.ts';
import type { World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

const host = async (world: World, change: (old: HostRecord) => HostRecord): Promise<void> => {
  const stored = await world.ports.registry.get<HostRecord>(keys.host(world.cluster, 'h1'));
  if (stored !== undefined) await world.ports.registry.put(stored.key, change(stored.body), stored.version);
};

describe('off by itself', () => {
  test('the event starts the run, two reads are the evidence, and the slot runs elsewhere within 2.6 s', async () => {
    const world = await settled({ events: true });
    world.machines.cut(M1);
    const tookMs = await world.until('db runs on h2', () => movedAway(world));
    expect(tookMs).toBeLessThanOrEqual(2_600);
    expect(evidence(world)).toEqual(['power-off']);
    expect(says(world)).toContain('Open: EC2 reports that the machine of h1 is going down or is off; it owns db/0');
    expect(world.machines.stops).toEqual([]);
    await world.whole();
    expect(world.runs.filter(({ work }) => work === 'HA')).toMatchObject([{ outcome: 'Recovered', host: 'h1' }]);
    const [first, second] = world.hostRecord('h1')?.off?.reads ?? [];
    expect((second?.askedAtMs ?? 0) - (first?.answeredAtMs ?? 0)).toBeGreaterThanOrEqual(2_000);
    expect(world.slot('db/0').tookOverBy).toMatchObject({ kind: 'power-off', host: 'h1' });
    expect(world.alerts.pages).toEqual([]);
  });

  test.each([true, false])(
    'what it sent before it went off may land for m: where that is 5 s, so far apart are the reads (event: %s)',
    async (events) => {
      const world = await settled({ yaml: PAIR.replace('profile: demo', 'profile: conservative'), events });
      world.machines.cut(M1);
      const cutAtMs = world.clock.boot.now();
      await world.until('db runs on h2', () => movedAway(world), 60_000);
      expect(evidence(world)).toEqual(['power-off']);
      expect(world.clock.boot.now() - cutAtMs).toBeGreaterThanOrEqual(5_000);
      const { writeLifeMs, reads } = world.hostRecord('h1')?.off ?? {};
      const [first, second] = reads ?? [];
      expect((second?.askedAtMs ?? 0) - (first?.answeredAtMs ?? 0)).toBeGreaterThanOrEqual(5_000);
      expect(writeLifeMs).toBe(5_000);
    },
  );

  test('without the event the sweep finds it, and nobody is ordered to stop what is off', async () => {
    const world = await settled();
    world.machines.cut(M1);
    await world.until('db runs on h2', () => movedAway(world));
    expect(evidence(world)).toEqual(['power-off']);
    expect(world.machines.stops).toEqual([]);
  });

  test('then it is left in peace: no further run about a session that is over and owns nothing', async () => {
    const world = await settled({ events: true });
    world.machines.cut(M1);
    await world.whole();
    const runs = world.workflow.names.length;
    await world.run(120_000);
    expect(world.workflow.names).toHaveLength(runs);
    world.machines.start(M1);
    await world.until('h1 is up', () => world.hostRecord('h1')?.status === 'Up');
    await world.whole();
    expect(world.owner('db/0')).toBe('h2');
  });

  test('late and repeated events, about lives long over or machines of nobody, change nothing', async () => {
    const world = await settled();
    const events = (['stopping', 'stopped', 'shutting-down', 'terminated', 'pending', 'running'] as const).flatMap(
      (state) => [stateChange(M1, state), stateChange(M1, state), stateChange('i-0123456789abcdef0', state)],
    );
    const groups = JSON.stringify(world.groups);
    const answers = Promise.all(events.map((event) => world.instanceState(event)));
    await world.run(15_000);
    await answers;
    expect(JSON.stringify(world.groups)).toBe(groups);
    expect(world.machines.stops).toEqual([]);
    expect(world.hostRecord('h1')?.off).toBeUndefined();
    expect(world.runs.every(({ work, outcome }) => work !== 'HA' || outcome === 'Alive')).toBe(true);
    expect(world.hostRecord('h1')?.status).toBe('Up');
  });

  test('repeated events while it is off are one run', async () => {
    const world = await settled();
    world.machines.cut(M1);
    const answers = Promise.all([1, 2, 3].map(() => world.instanceState(stateChange(M1, 'stopped'))));
    await world.until('db runs on h2', () => movedAway(world));
    await answers;
    await world.whole();
    expect(world.runs.filter(({ work }) => work === 'HA')).toHaveLength(1);
  });

  test('an event that is no event is refused', async () => {
    const world = await settled();
    const event = { ...stateChange(M1, 'stopped'), detail: { 'instance-id': 'h1', state: 'stopped' } };
    await expect(world.instanceState(event)).rejects.toMatchObject({
      code: 'config_invalid',
    });
  });
});

describe('suspected, and powered off', () => {
  test('a crash: the silent host is stopped, and the stop is read back; quicker than its lease', async () => {
    const world = await settled({ yaml: PAIR.replace('profile: demo', 'profile: fast') });
    world.host('h1').die();
    expect(await world.until('db runs on h2', () => movedAway(world))).toBeLessThan(12_000);
    expect(evidence(world)).toEqual(['power-off']);
    expect(world.machines.stops).toMatchObject([{ machine: M1, order: { skipOsShutdown: true, force: false } }]);
    expect(world.hostRecord('h1')?.powerFence).toMatchObject({ forcedAtMs: null });
  });

  test('cut off from the store, with services that run on: powered off before they start elsewhere', async () => {
    const world = await settled();
    world.host('h1').isCut = true;
    await world.until('db runs on h2', () => movedAway(world));
    expect(world.machines.stops).toHaveLength(1);
  });

  test('its guard answers by SSM that its session stands: no power fence, the lease decides', async () => {
    const world = await settled();
    world.host('h1').isCut = true;
    const { session } = world.host('h1');
    world.guardAsk.set(M1, () => ({ outcome: 'answered', session, stands: true, running: ['db/0'] }));
    await world.until('db runs on h2', () => movedAway(world));
    expect(world.machines.stops).toEqual([]);
    expect(evidence(world)).toEqual(['lease-over']);
    expect(says(world)).toContain('Ask guard: alive: its guard says that this session stands and runs db/0');
    expect(says(world)).toContain('its guard answered that this session stands');
  });

  test.each([
    ['another session', { outcome: 'answered', session: 'other', stands: true, running: [] }],
    ['a deadline that has passed', { outcome: 'answered', session: null, stands: false, running: [] }],
    ['an error', { outcome: 'unknown', says: 'InvalidInstanceId' }],
  ] as const)('its guard answers with %s: that does not protect it', async (_, answer) => {
    const world = await settled();
    world.host('h1').isCut = true;
    world.guardAsk.set(M1, answer);
    await world.until('db runs on h2', () => movedAway(world));
    expect(world.machines.stops).toHaveLength(1);
  });

  test('a guard that never answers holds nothing up', async () => {
    const world = await settled();
    const { ports } = world;
    Object.assign(ports.guardAsk, { check: () => new Promise(() => undefined) });
    world.machines.cut(M1);
    await world.until('db runs on h2', () => movedAway(world), 5_000);
    expect(says(world)).toContain('did not answer by SSM within 300 ms');
  });

  test('stuck in stopping: the lease wins', async () => {
    const world = await settled();
    Object.assign(world.machines.of(M1), { isStuck: true, isForceStuck: true });
    world.host('h1').isCut = true;
    await world.until('db runs on h2', () => movedAway(world));
    expect(evidence(world)).toEqual(['lease-over']);
    expect(world.machines.stops.map(({ order }) => order.force)).toEqual([false]);
  });

  test('a slot that accepts only power-off waits for the forced stop', async () => {
    const world = await settled({ yaml: POWER_ONLY });
    Object.assign(world.machines.of(M1), { isStuck: true, stopMs: 3_000 });
    world.host('h1').isCut = true;
    await world.until('db runs on h2', () => movedAway(world));
    expect(evidence(world)).toEqual(['power-off']);
    expect(world.machines.stops.map(({ order }) => order.force)).toEqual([false, true]);
    expect(world.runs.filter(({ work }) => work === 'HA').map(({ outcome }) => outcome)).toEqual(['Recovered']);
  });

  test('throttled all along: lease-over comes when it would have come anyway, and no run fails', async () => {
    const world = await settled();
    world.machines.isThrottled = true;
    world.host('h1').isCut = true;
    const tookMs = await world.until('db runs on h2', () => movedAway(world));
    expect(tookMs).toBeLessThanOrEqual(5_000);
    expect(evidence(world)).toEqual(['lease-over']);
    expect(world.machines.stops).toEqual([]);
    await world.whole();
    expect(world.runs.filter(({ work }) => work === 'HA').map(({ outcome }) => outcome)).toEqual(['Recovered']);
  });

  const LIES: readonly (readonly [string, (truth: PowerReading) => PowerReading])[] = [
    ['empty', () => unknown('no such instance in the answer')],
    ['stale: running', (truth) => ({ ...truth, state: 'running' })],
    [
      'stale: stopped in the life before',
      (truth) => ({ ...truth, state: 'stopped', launchTime: '2001-01-01T00:00:00Z' }),
    ],
    ['stopped, of another machine', (truth) => ({ ...truth, state: 'stopped', principal: 'arn:other' })],
    ['stopping for ever', (truth) => ({ ...truth, state: 'stopping' })],
    ['stopped, and may be hibernated', (truth) => ({ ...truth, state: 'stopped', canHibernate: true })],
    ['stopped, and nobody knows whether hibernated', (truth) => ({ ...truth, state: 'stopped', canHibernate: null })],
  ];

  test.each(LIES)('EC2 says nothing of use (%s): lease-over, and never power-off', async (_, lie) => {
    const world = await settled();
    world.machines.lie = (machine, truth) => (machine === M1 ? lie(truth) : truth);
    world.host('h1').isCut = true;
    await world.until('db runs on h2', () => movedAway(world));
    expect(evidence(world)).toEqual(['lease-over']);
    expect(world.hostRecord('h1')?.off).toBeUndefined();
  });

  test('stopped and started again by somebody else: no power-off about the new life, and it is not stopped (S17)', async () => {
    const world = await settled();
    world.host('h1').script.bootMs = 1_500;
    world.machines.cut(M1);
    world.machines.start(M1);
    await world.until('the old session has its end', () => evidence(world).length > 0);
    await world.whole();
    await world.run(5_000);
    expect(evidence(world)).toEqual(['successor']);
    expect(world.machines.stops).toEqual([]);
    expect(world.hostRecord('h1')?.off).toBeUndefined();
    expect(world.hostRecord('h1')?.status).toBe('Up');
  });

  test('started again between order and stop: EC2 is asked once more before anything is done', async () => {
    const world = await settled();
    let reads = 0;
    world.machines.lie = (machine, truth) => {
      if (machine === M1) reads += 1;
      // Ask EC2, the first look, and the last before the order.
      return machine === M1 && reads >= 3 ? { ...truth, launchTime: '2030-01-01T00:00:00.000Z' } : truth;
    };
    world.host('h1').isCut = true;
    await world.until('db runs on h2', () => movedAway(world));
    expect(world.machines.stops).toEqual([]);
    expect(evidence(world)).toEqual(['lease-over']);
  });

  test('it renews while the brake looks: nothing is ordered, and the run ends as Alive', async () => {
    const world = await settled();
    world.host('h1').isCut = true;
    await world.until('the fence is considered', () => world.workflow.visited.has('Await proof'));
    world.host('h1').isCut = false;
    await world.until('the run has ended', () => world.workflow.running.length === 0);
    expect(world.machines.stops).toEqual([]);
    expect(world.runs.filter(({ work }) => work === 'HA').map(({ outcome }) => outcome)).toEqual(['Alive']);
  });

  test('HA switched off meanwhile: nothing is ordered', async () => {
    const world = await settled();
    world.host('h1').isCut = true;
    await world.until('a run is open', () => world.workflow.running.length > 0);
    await world.setHaEnabled(false);
    await world.run(3_000);
    expect(world.machines.stops).toEqual([]);
    expect(says(world)).toContain('HA is switched off');
  });

  test('[[lease], [ec2]]: the lease does; without a lease that proves anything, EC2 is ordered', async () => {
    const lease = await settled({ yaml: LEASE_FIRST });
    lease.host('h1').die();
    await lease.until('db runs on h2', () => movedAway(lease));
    expect(lease.machines.stops).toEqual([]);
    expect(evidence(lease)).toEqual(['lease-over']);

    const none = await settled({ yaml: LEASE_FIRST, scripts: { h1: { guardLevel: 'none' } } });
    none.host('h1').isCut = true;
    await none.until('db runs on h2', () => movedAway(none));
    expect(none.machines.stops).toHaveLength(1);
    expect(evidence(none)).toEqual(['power-off']);
  });

  test('only power-off is accepted and it cannot be had: held with the reason, and a person is called', async () => {
    const world = await settled({ yaml: POWER_ONLY });
    await host(world, (old) => ({ ...old, seen: old.seen === null ? null : { ...old.seen, launchTime: undefined } }));
    world.host('h1').die();
    await world.until('it is held', () => world.runs.some(({ phase }) => phase === 'Held'), 60_000);
    expect(world.runs.findLast(({ phase }) => phase === 'Held')?.summary).toContain('recorded no launch time');
    expect(world.alerts.pages.length).toBeGreaterThan(0);
    expect(world.slot('db/0').epoch).toBe(1);
  });
});
