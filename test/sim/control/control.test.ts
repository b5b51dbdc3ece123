import { describe, expect, test } from '@jest/globals';
import type { PowerReading } from '../../../core/ports.ts';
import { type GroupRecord, type HostRecord, keys, type RunRecord } from '../../../core/protocol/records.ts';
import type { Noise } from '../../../sim/contract/faults.ts';
import type { Mutation } from '../../../sim/contract/mutations.ts';
import { FAST_PAIR, heartbeatOf, LittleHost, LittleWorld, type WorldOptions } from './little-world.ts';

const MINUTE = 60_000;

/** Two hosts that renew, and a definition; `db/0` is active on one of them after three minutes at most. */
async function pair(options: WorldOptions = {}) {
  const world = new LittleWorld(options);
  const hosts = [new LittleHost(world, 1), new LittleHost(world, 2)] as const;
  const applied = world.control.act({ at: 0, do: 'apply', yaml: FAST_PAIR });
  for (const host of hosts) await host.boot();
  await world.run(2_000);
  world.control.start();
  await world.run(3 * MINUTE);
  const slot = () => world.record<GroupRecord>(keys.group('pair', 'db').pk, 'GROUP#db')?.slots[0];
  const owner = () => hosts.find(({ name }) => name === slot()?.owner?.host);
  return { world, hosts, applied: await applied, slot, owner };
}

const ALL: Noise = {
  lambda_twice: 0.1,
  lambda_late: 0.1,
  lambda_killed: 0.1,
  lambda_frozen: 0.1,
  step_late: 0.1,
  throttled: 0.02,
  answer_lost: 0.02,
};

describe('control plane', () => {
  test('places what was applied, and takes a silent host’s slot over after its lease', async () => {
    const { world, applied, slot, owner } = await pair();
    expect(applied).toEqual({ status: 200, says: 'definition 1' });
    expect(slot()).toMatchObject({ epoch: 1, phase: 'Active' });
    const old = owner();
    if (old === undefined) throw new Error('nobody owns it');
    old.isOn = false;
    const silentFrom = world.timeline.now();
    await world.run(2 * MINUTE);
    expect(slot()).toMatchObject({ epoch: 2, phase: 'Active', tookOverBy: { kind: 'lease-over' } });
    expect(owner()).not.toBe(old);
    const ended = world.facts('run_ended').filter(({ run }) => run.startsWith('ha.'));
    expect(ended.map(({ status }) => status)).toEqual(['SUCCEEDED']);
    // L_c + ε = 13 s after the last beat, which came within a second before.
    const states = world.facts('state_entered').filter(({ run }) => run === ended[0]?.run);
    expect(states[0]?.state).toBe('Open');
    const restarted = states.find(({ state }) => state === 'Plan');
    expect((restarted?.at ?? 0) - silentFrom).toBeGreaterThan(12_000);
  });

  test('the same seed tells the same facts, whatever else ran in between', async () => {
    const story = async (seed: number): Promise<string> => {
      const { world, owner } = await pair({ seed, noise: ALL });
      const old = owner();
      if (old !== undefined) old.isOn = false;
      await world.run(2 * MINUTE);
      return JSON.stringify(world.told);
    };
    const first = await story(7);
    const other = await story(8);
    expect(await story(7)).toBe(first);
    expect(other).not.toBe(first);
  });

  test('with every fault of its own, it comes to the end all the same', async () => {
    for (const seed of [11, 12, 13]) {
      const { world, owner, slot } = await pair({ seed, noise: ALL });
      world.control.setNoise({});
      await world.run(4 * MINUTE);
      const old = owner();
      if (old === undefined) throw new Error(`nobody owns it in world ${seed}`);
      world.control.setNoise(ALL);
      old.isOn = false;
      await world.run(3 * MINUTE);
      world.control.setNoise({});
      await world.run(5 * MINUTE);
      expect({ seed, phase: slot()?.phase, host: slot()?.owner?.host === old.name }).toEqual({
        seed,
        phase: 'Active',
        host: false,
      });
    }
  });

  test('stopped runs end, and are redriven from where they stood', async () => {
    const { world, owner } = await pair();
    const old = owner();
    if (old !== undefined) old.isOn = false;
    await world.run(8_000);
    const [run = ''] = world.control.runsUnderWay();
    world.control.stopRun(5);
    await world.run(100);
    expect(world.control.runsUnderWay()).toEqual([]);
    expect(world.facts('run_ended').at(-1)).toMatchObject({ run, status: 'ABORTED' });
    world.control.redriveRun(3);
    expect(world.control.runsUnderWay()).toEqual([run]);
    await world.run(MINUTE);
    expect(world.facts('run_ended').at(-1)).toMatchObject({ run, status: 'SUCCEEDED' });
    world.control.stopRun(0);
    world.control.redriveRun(0);
  });

  test('refusals are answers', async () => {
    const { world } = await pair();
    const acts = [
      world.control.act({ at: 0, do: 'apply', yaml: 'nonsense' }),
      world.control.act({ at: 0, do: 'move', where: 'db/9', to: null }),
      world.control.act({ at: 0, do: 'host', host: 'h9', verb: 'drain' }),
      world.control.act({ at: 0, do: 'switch', isOn: false }),
    ];
    await world.run(MINUTE);
    const answers = await Promise.all(acts);
    expect(answers.map(({ status }) => status)).toEqual([400, 404, 404, 200]);
    expect(world.facts('operator')).toHaveLength(5);
  });

  test('the local runtime reconciles every second', async () => {
    const world = new LittleWorld({ profile: 'demo' });
    world.control.start();
    await world.run(10_500);
    const begun = world.facts('invocation').filter(({ now }) => now === 'begun');
    expect(begun.filter(({ fn }) => fn === 'reconcile')).toHaveLength(11);
    expect(begun.filter(({ fn }) => fn === 'find-behind')).toHaveLength(1);
  });
});

describe('mutations', () => {
  const takenOverAfter = async (options: WorldOptions): Promise<number> => {
    const { world, owner, slot } = await pair(options);
    const old = owner();
    if (old === undefined) throw new Error('nobody owns it');
    old.isOn = false;
    const from = world.timeline.now();
    for (let s = 0; s < 240 && slot()?.epoch === 1; s += 1) await world.run(500);
    return (world.timeline.now() - from) / 1_000;
  };

  test('start-before-evidence gives the slot away before the lease is over, and stores no false moment', async () => {
    expect(await takenOverAfter({})).toBeGreaterThan(12);
    expect(await takenOverAfter({ mutation: 'start-before-evidence' })).toBeLessThan(8);
    const { world, owner } = await pair({ mutation: 'start-before-evidence' });
    const old = owner();
    if (old !== undefined) old.isOn = false;
    await world.run(30_000);
    const runs = [...world.tables.registry.keys()].filter((pk) => pk.startsWith('R#ha.'));
    const observed = runs.map((pk) => world.record<RunRecord>(pk, 'RUN')?.observedAtMs ?? 0);
    expect(observed.length).toBeGreaterThan(0);
    expect(Math.min(...observed)).toBeGreaterThan(1_700_000_000_000);
  });

  const shownOff = async (mutation: Mutation | undefined, event: string, state: PowerReading['state']) => {
    const { world, hosts } = await pair(mutation === undefined ? {} : { mutation });
    const [{ machine, principal, name }] = hosts;
    world.readings.set(machine, {
      state,
      principal,
      launchTime: '2026-01-05T08:00:00Z',
      canHibernate: false,
      checks: 'ok',
      impairedSince: null,
      says: '',
    });
    const type = { 'detail-type': 'EC2 Instance State-change Notification' };
    world.control.ec2Event({ ...type, detail: { 'instance-id': machine, state: event } });
    await world.run(MINUTE);
    return world.record<HostRecord>('C#pair', `HOST#${name}`)?.off !== undefined;
  };

  test('event-as-evidence: a late event shows a running machine off', async () => {
    expect(await shownOff(undefined, 'stopped', 'stopped')).toBe(true);
    expect(await shownOff(undefined, 'stopped', 'running')).toBe(false);
    expect(await shownOff('event-as-evidence', 'stopped', 'running')).toBe(true);
    expect(await shownOff('event-as-evidence', 'running', 'running')).toBe(false);
  });

  test('accept-stopping: a machine on its way down is shown off', async () => {
    expect(await shownOff(undefined, 'stopping', 'stopping')).toBe(false);
    expect(await shownOff('accept-stopping', 'stopping', 'stopping')).toBe(true);
  });

  test('an environment that is wired right leaves the item of a silent host alone until L_c + ε', async () => {
    const { world, owner } = await pair();
    const old = owner();
    if (old === undefined) throw new Error('nobody owns it');
    old.isOn = false;
    await world.run(11_500);
    expect(heartbeatOf(world, old.principal)?.session).toBe(old.session);
  });
});
