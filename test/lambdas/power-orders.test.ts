/** Power: slots of different policies, applications that are asked, operators' orders, and steps that run twice, late or not at all. */
import { describe, expect, jest, test } from '@jest/globals';
import { startFenceRun } from '../../lambdas/shared/start-run.ts';
import { DB, definitionOf } from './definitions.ts';
import { evidence, fenced, M1, movedAway, PAIR, says, settled } from './power-stage.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

describe('slots that accept different kinds', () => {
  const CACHE = DB.replaceAll(/\bdb\b/g, 'cache').replace('redundancy:', 'accepts: [lease-over]\n    redundancy:');
  const VAULT = DB.replaceAll(/\bdb\b/g, 'vault').replace('redundancy:', 'accepts: [power-off]\n    redundancy:');

  test('each gets its own: the wait for one kind holds up no slot that accepts another', async () => {
    const prefer = 'placement: { prefer: [{ host: h1 }] }\n    redundancy:';
    const groups = [CACHE, VAULT].map((group) => group.replace('redundancy:', prefer));
    const yaml = fenced(definitionOf({ hosts: 2, groups }), '[[ec2], [lease]]');
    const world = await createWorld({ yaml });
    await world.whole();
    await world.run(2_500);
    expect([world.owner('cache/0'), world.owner('vault/0')]).toEqual(['h1', 'h1']);
    world.host('h1').isCut = true;
    await world.until('both run on h2', () =>
      ['cache/0', 'vault/0'].every((slot) => world.owner(slot) === 'h2' && world.isActive(slot)),
    );
    const kinds = Object.fromEntries(world.truth.evidences.map(({ slot, kind }) => [slot, kind]));
    expect(kinds).toEqual({ 'cache/0': 'lease-over', 'vault/0': 'power-off' });
    await world.whole();
  });
});

describe('a policy of the lease alone', () => {
  test.each(['said by an event', 'found by the sweep'])(
    'EC2 says off, %s: the lease is counted all the same',
    async (how) => {
      const yaml = fenced(definitionOf({ hosts: 2, groups: [DB] }), '[[lease]]');
      const world = await settled({ yaml, events: how === 'said by an event' });
      world.machines.cut(M1);
      await world.until('db runs on h2', () => movedAway(world));
      expect(evidence(world)).toEqual(['lease-over']);
      await world.whole();
      expect(world.runs.filter(({ work }) => work === 'HA')).toMatchObject([{ outcome: 'Recovered' }]);
      expect(world.machines.stops).toEqual([]);
    },
  );
});

describe('applications are asked', () => {
  const probed = PAIR.replace(
    'redundancy: { model: n-plus-m',
    'probe: { tcp: "10.0.0.9:5432" }\n    redundancy: { model: n-plus-m',
  );

  test('an answer is a fact about the machine and protects nobody from the count of the lease', async () => {
    const world = await settled({ yaml: probed });
    world.probe.set('10.0.0.9:5432', 'answered');
    world.host('h1').isCut = true;
    await world.until('db runs on h2', () => movedAway(world));
    expect(world.probe.asked).toContain('10.0.0.9:5432');
    expect(says(world)).toContain('Ask probe: alive: db: something answers there');
  });

  test('silence is unknown', async () => {
    const world = await settled({ yaml: probed });
    world.host('h1').die();
    await world.until('db runs on h2', () => movedAway(world));
    expect(says(world)).toContain('Ask probe: unknown: db: silent');
  });
});

describe('an operator orders it', () => {
  const order = (world: World) => startFenceRun(world.ports, { cluster: world.cluster, host: 'h1', by: 'anna' });

  test('a host in good health is powered off, and its slots run elsewhere', async () => {
    const world = await settled();
    const { run, isNew } = await order(world);
    expect(isNew).toBe(true);
    await world.until('db runs on h2', () => movedAway(world));
    await world.whole();
    expect(world.machines.stops).toHaveLength(1);
    expect(evidence(world)).toEqual(['power-off']);
    expect(world.runRecord(run)).toMatchObject({ outcome: 'Recovered' });
    expect(says(world)).toContain('Open: anna ordered h1 to be powered off; it owns db/0');
  });

  test('twice is once', async () => {
    const world = await settled();
    const runs = [await order(world), await order(world)].map(({ run }) => run);
    expect(new Set(runs).size).toBe(1);
    await world.until('db runs on h2', () => movedAway(world));
    expect(world.machines.stops).toHaveLength(1);
  });

  test('even while its guard answers that its session stands', async () => {
    const world = await settled();
    const { session } = world.host('h1');
    world.guardAsk.set(M1, () => ({ outcome: 'answered', session, stands: true, running: [] }));
    await order(world);
    await world.until('db runs on h2', () => movedAway(world));
    expect(evidence(world)).toEqual(['power-off']);
  });

  test('stuck: when it falls silent after all, its lease counts from there', async () => {
    const world = await settled();
    Object.assign(world.machines.of(M1), { isStuck: true, isForceStuck: true });
    await order(world);
    await world.run(6_000);
    expect(world.truth.ownerChanges.filter(({ from }) => from !== null)).toEqual([]);
    world.host('h1').isCut = true;
    await world.until('db runs on h2', () => movedAway(world));
    expect(evidence(world)).toEqual(['lease-over']);
  });

  test.each([
    ['unknown host', 'not_found', async () => createWorld({ yaml: PAIR }), 'h9'],
    [
      'no ec2 in its policy',
      'conflict',
      async () => createWorld({ yaml: definitionOf({ hosts: 2, groups: [DB] }) }),
      'h1',
    ],
    ['no session', 'conflict', async () => createWorld({ yaml: PAIR, off: ['h1'] }), 'h1'],
  ])('refused before anything is written: %s', async (_, code, make, name) => {
    const world = await make();
    await world.run(3_000);
    await expect(startFenceRun(world.ports, { cluster: world.cluster, host: name, by: 'anna' })).rejects.toMatchObject({
      code,
    });
    expect(world.hostRecord('h1')?.fenceOrder).toBeUndefined();
    expect(world.machines.stops).toEqual([]);
  });

  test('refused while HA is switched off', async () => {
    const world = await settled();
    await world.setHaEnabled(false);
    await expect(order(world)).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('every step twice, late, or killed half-way', () => {
  const STEPS = [
    'Open',
    'Ask EC2',
    'Verdict',
    'Fence',
    'Await proof',
    'Stop',
    'Plan',
    'Place',
    'Await started',
    'Close',
  ];

  test.each(STEPS)('%s runs twice at once: one stop, one change of owner', async (step) => {
    const world = await settled({ events: true });
    world.invoke = async (task) => {
      if (task.state !== step) return world.call(task);
      const [answer] = await Promise.all([world.call(task), world.call(task).catch(() => undefined)]);
      return answer;
    };
    world.host('h1').isCut = true;
    await world.until('db runs on h2', () => movedAway(world));
    await world.whole();
    expect(world.truth.ownerChanges.filter(({ from }) => from === 'h1')).toHaveLength(1);
    expect(world.slot('db/0').epoch).toBe(2);
  });

  test.each(STEPS)('the answer of %s is lost: made good by the retry', async (step) => {
    const world = await settled({ events: true });
    let isLost = false;
    world.invoke = async (task) => {
      const answer = await world.call(task);
      if (task.state !== step || isLost || !task.run.startsWith('ha.')) return answer;
      isLost = true;
      throw Object.assign(new Error('killed'), { name: 'Lambda.Unknown' });
    };
    world.machines.cut(M1);
    await world.until('db runs on h2', () => movedAway(world));
    await world.whole();
    expect(isLost || step === 'Fence' || step === 'Await proof').toBe(true);
    expect(evidence(world)).toEqual(['power-off']);
    expect(world.truth.ownerChanges.filter(({ from }) => from === 'h1')).toHaveLength(1);
  });

  test('a late Await proof of a run that is long over stops nobody', async () => {
    const world = await settled();
    const tasks: Parameters<World['invoke']>[0][] = [];
    world.invoke = async (task) => {
      if (task.state === 'Await proof') tasks.push(task);
      return world.call(task);
    };
    world.host('h1').isCut = true;
    await world.until('db runs on h2', () => movedAway(world));
    world.host('h1').isCut = false;
    world.machines.start(M1);
    await world.until('h1 is up', () => world.hostRecord('h1')?.status === 'Up');
    const stops = world.machines.stops.length;
    const [late] = tasks;
    if (late === undefined) throw new Error('nothing was awaited');
    const again = world.call(late);
    await world.run(25_000);
    await again;
    expect(world.machines.stops).toHaveLength(stops);
    expect(world.host('h1').isUp).toBe(true);
  });
});
