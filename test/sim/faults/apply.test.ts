import { describe, expect, jest, test } from '@jest/globals';
import type { ScheduledFault } from '../../../sim/contract/faults.ts';
import type { Scene } from '../../../sim/contract/scene.ts';
import { createControl } from '../../../sim/control/control.ts';
import { scheduleFaults } from '../../../sim/faults/apply.ts';
import { createHosts } from '../../../sim/hosts/hosts.ts';
import { instanceIdOf } from '../../../sim/scene/instance-ids.ts';
import { createEc2 } from '../../../sim/world/ec2.ts';
import { createStore } from '../../../sim/world/store.ts';
import { factsOf, testStage } from '../world/stage.ts';

jest.setTimeout(60_000); // Thousands of virtual events, on a machine that others use.

/** Machines with their guards and agents, which no definition has told anything yet. */
function world(
  faults: readonly ScheduledFault[],
  acts: Scene['acts'] = [],
  noise: Scene['noise'] = {},
  ends: Readonly<Record<string, 'stopped' | 'crashed'>> = {},
) {
  const at = testStage(5);
  const hosts = ['a', 'a', 'b'].map((zone, i) => ({
    ...{ name: `h${i + 1}`, instanceId: instanceIdOf(i + 1), zone, guardLevel: 'watchdog' as const },
    ...{ clockRate: 1, wallOffsetMs: 0, isOnAtFirst: true, ends: ends[`h${i + 1}`] },
  }));
  const scene: Scene = {
    ...{ seed: 5, profile: 'fast', cluster: 'sim', yaml: '', hosts, faultsForMs: 100_000, quietForMs: 0 },
    ...{ noise, faults, acts },
  };
  const store = createStore(at.stage);
  const machines = createHosts(at.stage, scene, { store });
  const ec2 = createEc2(at.stage, scene, machines.power);
  const control = createControl(at.stage, scene, { store, ec2 });
  const schedule = scheduleFaults(at.stage, scene, { store, hosts: machines, ec2, control });
  const reader = store.forHost(at.process(), 'h1', 'nobody', 'm');
  return {
    ...at,
    ...{ store, machines, ec2, schedule },
    read: () => reader.own.read(),
    /** Whether a read of h1 gets through at that moment. */
    isWhole: async (ms: number) => {
      await at.timeline.run(ms);
      return (await at.outcome(reader.own.read(), 100)) === undefined;
    },
    isOn: (host: string) => machines.truth().find((machine) => machine.host === host)?.power === 'on',
    told: () => factsOf(at.facts, 'fault').map(({ kind, subject, now }) => `${kind} ${subject} ${now}`),
  };
}

describe('scheduled faults', () => {
  test('overlapping causes nest: a host is cut until the last of them has ended', async () => {
    const at = world([
      { at: 1_000, kind: 'cut', subject: 'h1', forMs: 2_000 },
      { at: 2_000, kind: 'zone_cut', subject: 'a', forMs: 3_000 },
      { at: 2_500, kind: 'zone_cut', subject: 'b', forMs: 9_000 },
    ]);
    expect(await at.isWhole(500)).toBe(true);
    expect(await at.isWhole(1_500)).toBe(false);
    expect(await at.isWhole(4_000)).toBe(false);
    expect(await at.isWhole(5_500)).toBe(true);
    expect(at.told()).toEqual([
      ...['cut h1 begins', 'zone_cut a begins', 'zone_cut b begins', 'cut h1 ends', 'zone_cut a ends'],
    ]);
  });

  test('lost requests and lost answers together are a cut, one of them is what remains', async () => {
    const at = world([
      { at: 0, kind: 'cut_requests', subject: 'h1', forMs: 1_000 },
      { at: 0, kind: 'cut_answers', subject: 'h1', forMs: 2_000 },
    ]);
    expect(await at.isWhole(500)).toBe(false);
    expect(await at.isWhole(1_500)).toBe(false);
    expect(await at.isWhole(2_500)).toBe(true);
  });

  test('a machine that crashed boots in place, one that somebody stopped is started through EC2', async () => {
    const at = world([
      { at: 1_000, kind: 'crash', subject: 'h1', forMs: 5_000 },
      { at: 1_000, kind: 'stopped_by_hand', subject: 'h2', forMs: 5_000 },
    ]);
    await at.timeline.run(3_000);
    expect([at.isOn('h1'), at.ec2.isRunning(instanceIdOf(1))]).toEqual([false, true]);
    expect(at.ec2.isRunning(instanceIdOf(2))).toBe(false);
    await at.timeline.run(6_100);
    expect(at.isOn('h1')).toBe(true);
    await at.timeline.run(90_000);
    expect(['h1', 'h2', 'h3'].map(at.isOn)).toEqual([true, true, true]);
    expect(at.ec2.isRunning(instanceIdOf(2))).toBe(true);
  });

  test('healed: everything works again, what stood is told as ended, and nothing begins any more', async () => {
    const at = world([
      { at: 1_000, kind: 'store_down', subject: '', forMs: 90_000 },
      { at: 1_000, kind: 'zone_lost', subject: 'a', forMs: 90_000 },
      { at: 1_000, kind: 'guard_stopped', subject: 'h3', forMs: 90_000 },
      { at: 20_000, kind: 'cut', subject: 'h1', forMs: 90_000 },
    ]);
    expect(await at.isWhole(9_000)).toBe(false);
    expect(['h1', 'h2', 'h3'].map(at.isOn)).toEqual([false, false, true]);
    at.schedule.healAll();
    expect(await at.isWhole(25_000)).toBe(true);
    expect(['h1', 'h2', 'h3'].map(at.isOn)).toEqual([true, true, true]);
    expect(at.told().slice(3)).toEqual(['store_down  ends', 'zone_lost a ends', 'guard_stopped h3 ends']);
  });

  test('looked after: the faults of that host alone end, it runs again, and operators put in order what they would at the end', async () => {
    const at = world(
      [
        { at: 1_000, kind: 'cut', subject: 'h1', forMs: 90_000 },
        { at: 1_000, kind: 'crash', subject: 'h2', forMs: 90_000 },
        { at: 1_000, kind: 'zone_cut', subject: 'b', forMs: 90_000 },
        { at: 1_000, kind: 'crash', subject: 'h3', forMs: 90_000 },
        { at: 20_000, kind: 'cut', subject: 'h1', forMs: 2_000 },
      ],
      [
        { at: 100_050, do: 'switch', isOn: true },
        { at: 9_000, do: 'look-after', hosts: ['h1', 'h2'] },
      ],
    );
    expect(await at.isWhole(8_000)).toBe(false);
    expect(['h1', 'h2', 'h3'].map(at.isOn)).toEqual([true, false, false]);
    expect(await at.isWhole(10_000)).toBe(true);
    expect(['h1', 'h2', 'h3'].map(at.isOn)).toEqual([true, true, false]);
    expect(at.told().slice(4)).toEqual(['cut h1 ends', 'crash h2 ends']);
    expect(factsOf(at.facts, 'operator')).toHaveLength(1);
    // What is over is not ended again at the time that was drawn for it; what is drawn for later comes.
    expect(await at.isWhole(21_000)).toBe(false);
    await at.timeline.run(99_000);
    expect(at.told().filter((told) => told === 'crash h2 ends')).toHaveLength(1);
  });

  test('healed, but for hosts whose power goes for good: EC2 shows one as stopped, and one that crashed as running', async () => {
    const at = world(
      [{ at: 1_000, kind: 'crash', subject: 'h2', forMs: 2_000 }],
      [],
      {},
      { h1: 'stopped', h2: 'crashed' },
    );
    await at.timeline.run(9_000);
    expect(['h1', 'h2', 'h3'].map(at.isOn)).toEqual([true, true, true]);
    at.schedule.healAll();
    await at.timeline.run(200_000);
    expect(['h1', 'h2', 'h3'].map(at.isOn)).toEqual([false, false, true]);
    expect([1, 2, 3].map((n) => at.ec2.isRunning(instanceIdOf(n)))).toEqual([false, true, true]);
  });

  test('looked after: what is drawn per call becomes rarer with each time', async () => {
    const acts = [1, 2, 3].map((n) => ({ at: 30_000 + n * 1_000, do: 'look-after' as const, hosts: ['h1'] }));
    const at = world([], acts, { loss: 1 });
    const isLost = async (from: number): Promise<number> => {
      await at.timeline.run(from);
      let lost = 0;
      for (let n = 0; n < 200; n += 1) lost += (await at.outcome(at.read(), 100)) === undefined ? 0 : 1;
      return lost;
    };
    expect(await isLost(500)).toBe(200);
    expect(await isLost(90_000)).toBeLessThan(160);
  });

  test('a new owner is hit right after the write that names it, once', async () => {
    const at = world([{ at: 100, kind: 'owner_hit_at_change', subject: '', forMs: 3_000, amount: 1 }]);
    const slot = { slot: 0, epoch: 4, owner: { host: 'h2', principal: 'p', session: 's' } };
    const group = (epoch: number) => ({ group: 'g', rev: 1, standbys: [], slots: [{ ...slot, epoch }] });
    await at.timeline.run(1_000);
    const write = (before: number, after: number): void =>
      at.schedule.onFact({
        ...{ type: 'group_written', at: at.timeline.now() },
        // Only what tells a change of owner is read.
        ...(JSON.parse(JSON.stringify({ before: group(before), after: group(after) })) as {
          before: null;
          after: never;
        }),
      });
    write(4, 4);
    await at.timeline.run(1_100);
    expect(at.isOn('h2')).toBe(true);
    write(3, 4);
    await at.timeline.run(1_200);
    expect(at.isOn('h2')).toBe(false);
    await at.timeline.run(30_000);
    expect(at.isOn('h2')).toBe(true);
    write(4, 5);
    await at.timeline.run(30_100);
    expect(at.isOn('h2')).toBe(true);
  });
});
