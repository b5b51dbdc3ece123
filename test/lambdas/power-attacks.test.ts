/** What could stop a machine that is well, or lose an operator's word: slow answers, suspended processes, changed policies. */
import { describe, expect, jest, test } from '@jest/globals';
import type { BrakeRecord } from '../../core/protocol/brake-records.ts';
import { type HostRecord, keys } from '../../core/protocol/records.ts';
import { recordOff } from '../../lambdas/shared/power-reads.ts';
import { startFenceRun, startHaRun } from '../../lambdas/shared/start-run.ts';
import { stateChange } from './machines.ts';
import { DB, definitionOf } from './definitions.ts';
import { evidence, fenced, M1, movedAway, PAIR, settled } from './power-stage.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

const change = async (world: World, decide: (old: HostRecord) => HostRecord): Promise<void> => {
  const stored = await world.ports.registry.get<HostRecord>(keys.host(world.cluster, 'h1'));
  if (stored !== undefined) await world.ports.registry.put(stored.key, decide(stored.body), stored.version);
};

const brakeOf = (world: World): BrakeRecord | undefined => world.record<BrakeRecord>(keys.budget(world.cluster));

describe('right before a stop is sent', () => {
  test('the host renews while EC2 takes its time for the last read: nothing is ordered', async () => {
    const world = await settled();
    let reads = 0;
    // Ask EC2 and the first look are quick; the last read before the order is not.
    world.machines.readMs = (machine) => {
      if (machine === M1) reads += 1;
      return machine === M1 && reads === 3 ? 800 : 0;
    };
    world.host('h1').isCut = true;
    await world.until('the last read is under way', () => reads === 3);
    world.host('h1').isCut = false;
    await world.run(5_000);
    expect(world.machines.stops).toEqual([]);
    expect(world.owner('db/0')).toBe('h1');
  });

  test('an order that is still on its way when the wait is over is not sent any more', async () => {
    const world = await settled();
    // The process is suspended with its order half sent, and goes on when the host has long been back.
    world.machines.orderMs = 60_000;
    world.host('h1').isCut = true;
    await world.until('db runs on h2', () => movedAway(world));
    expect(evidence(world)).toEqual(['lease-over']);
    world.host('h1').isCut = false;
    await world.until('h1 is up', () => world.hostRecord('h1')?.status === 'Up');
    await world.run(90_000);
    expect(world.machines.stops).toEqual([]);
    expect(world.host('h1').isUp).toBe(true);
  });

  test('EC2 is taken out of the policy meanwhile: nothing is ordered', async () => {
    const world = await settled();
    let reads = 0;
    world.machines.readMs = (machine) => {
      if (machine === M1) reads += 1;
      return machine === M1 && reads === 3 ? 500 : 0;
    };
    world.host('h1').isCut = true;
    await world.until('the last read is under way', () => reads === 3);
    await world.apply(PAIR.replaceAll('[[ec2], [lease]]', '[[lease]]'));
    await world.until('db runs on h2', () => movedAway(world));
    expect(world.machines.stops).toEqual([]);
    expect(evidence(world)).toEqual(['lease-over']);
  });
});

describe("an operator's order is not lost", () => {
  test.each(['Alive: close', 'Verdict'])('given while a run about the host is about to end (%s)', async (state) => {
    const world = await settled();
    let run: string | null = null;
    world.invoke = async (task) => {
      const answer = task.state === 'Verdict' ? await world.call(task) : null;
      if (task.state === state && run === null)
        run = (await startFenceRun(world.ports, { cluster: world.cluster, host: 'h1', by: 'anna' })).run;
      return answer ?? world.call(task);
    };
    world.host('h1').isCut = true;
    await world.until('a run is open', () => world.workflow.running.length > 0);
    world.host('h1').isCut = false;
    await world.until('db runs on h2', () => movedAway(world));
    expect(run).not.toBeNull();
    expect(world.machines.stops).toHaveLength(1);
    await world.whole();
    expect(world.workflow.running).toEqual([]);
  });

  test('whoever gave it is gone before its run was started: reconcile starts it, and once', async () => {
    const world = await settled();
    const { session } = world.host('h1');
    const atMs = world.clock.wall.now();
    await change(world, (old) => ({ ...old, fenceOrder: { session: session ?? '', by: 'anna', atMs } }));
    await world.until('db runs on h2', () => movedAway(world));
    expect(world.machines.stops).toHaveLength(1);
    await world.whole();
    expect(world.runs.filter(({ work }) => work === 'HA')).toHaveLength(1);
  });

  test('an order about another session of the host is nobody’s', async () => {
    const world = await settled();
    const atMs = world.clock.wall.now();
    await change(world, (old) => ({ ...old, fenceOrder: { session: 'before', by: 'anna', atMs } }));
    await world.run(5_000);
    expect(world.workflow.running).toEqual([]);
    expect(world.machines.stops).toEqual([]);
  });
});

describe('two lives of one machine', () => {
  test('reads about a session that the observer has not met yet are kept; those about an older one displace nothing', async () => {
    const world = await settled();
    world.machines.cut(M1);
    await world.until('db runs on h2', () => movedAway(world));
    const { off } = world.hostRecord('h1') ?? {};
    if (off === undefined) throw new Error('no reads were recorded');
    const at = { cluster: world.cluster, host: 'h1' };
    await change(world, (old) => ({ ...old, followed: ['older'] }));
    await recordOff(world.ports, at, { ...off, session: 'older' });
    expect(world.hostRecord('h1')?.off?.session).toBe(off.session);
    await recordOff(world.ports, at, { ...off, session: 'newer' });
    expect(world.hostRecord('h1')?.off?.session).toBe('newer');
  });

  test('a record that proves nothing, since its reads are too close for an m that is not known, gives way to one that does', async () => {
    const world = await settled();
    world.machines.cut(M1);
    await world.until('db runs on h2', () => movedAway(world));
    const { off } = world.hostRecord('h1') ?? {};
    if (off === undefined) throw new Error('no reads were recorded');
    const { writeLifeMs, ...old } = off;
    expect(writeLifeMs).toBe(100);
    await change(world, (record) => ({ ...record, off: old }));
    const at = { cluster: world.cluster, host: 'h1' };
    await recordOff(world.ports, at, off);
    expect(world.hostRecord('h1')?.off).toEqual(off);
    await recordOff(world.ports, at, { ...off, machine: 'i-other' });
    expect(world.hostRecord('h1')?.off).toEqual(off);
  });
});

describe('who else asks', () => {
  test('another cluster that defines the same machines has no say about a session that is not its own', async () => {
    const world = await settled({ yaml: PAIR.replaceAll('[[ec2], [lease]]', '[[lease]]'), events: true });
    await world.apply(PAIR.replace('cluster: pair', 'cluster: other').replaceAll(/\bdb\b/g, 'cache'));
    world.cluster = 'pair';
    await world.run(3_000);
    world.host('h1').isCut = true;
    await world.until('db runs on h2', () => movedAway(world));
    await world.run(5_000);
    expect(evidence(world)).toEqual(['lease-over']);
    expect(world.machines.stops).toEqual([]);
    expect(world.runs.filter(({ cluster, work }) => cluster === 'other' && work === 'HA')).toEqual([]);
    await world.instanceState(stateChange(M1, 'stopping'));
    await expect(startFenceRun(world.ports, { cluster: 'other', host: 'h2', by: 'anna' })).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(world.runs.filter(({ cluster, work }) => cluster === 'other' && work === 'HA')).toEqual([]);
  });

  test('two failures of one host are both asked about for as long as they last, whoever asks first', async () => {
    const world = await settled();
    for (let n = 0; n < 6; n += 1) {
      for (const session of ['before', 'long-before']) {
        await startHaRun(world.ports, { cluster: world.cluster, host: 'h1', session, seq: 0 });
        await world.until('its run has ended', () => world.workflow.running.length === 0, 120_000);
      }
      await world.run(20_000);
    }
    for (const session of ['before', 'long-before']) {
      const runs = world.workflow.names.filter((name) => name.startsWith(`ha.h1.${session}.0`));
      expect(runs.length).toBeGreaterThanOrEqual(3);
    }
  });
});

describe('a storm that is asked about late', () => {
  const GROUPS = ['one', 'two', 'three'].map((name, at) =>
    DB.replaceAll(/\bdb\b/g, name).replace(
      'redundancy:',
      `accepts: [power-off]\n    placement: { prefer: [{ host: h${at + 1} }] }\n    redundancy:`,
    ),
  );
  const yaml = fenced(definitionOf({ hosts: 5, groups: GROUPS }), '[[lease], [ec2]]').replace(
    'profile: demo',
    'profile: conservative',
  );

  test('three of five fell silent at once, and EC2 comes only after their leases: nothing is fenced, then one per window', async () => {
    const world = await createWorld({ yaml });
    await world.whole(120_000);
    await world.run(20_000);
    for (const name of ['h1', 'h2', 'h3']) world.host(name).isCut = true;
    await world.until('the brake is asked', () => brakeOf(world) !== undefined, 200_000);
    expect(brakeOf(world)?.storm?.hosts).toEqual(['h1', 'h2', 'h3']);
    await world.run(50_000);
    expect(world.machines.stops).toEqual([]);
    await world.until('the first turn', () => world.machines.stops.length === 1, 60_000);
    await world.run(50_000);
    expect(world.machines.stops).toHaveLength(1);
    await world.until('all three run elsewhere', () => world.isWhole(), 600_000);
    expect(new Set(world.machines.stops.map(({ machine }) => machine)).size).toBe(3);
  });
});
