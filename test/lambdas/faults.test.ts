/** Deaths half-way, everything twice, answers lost: whatever happens to a run, the next attempt finishes the job. */
import { describe, expect, jest, test } from '@jest/globals';
import { HaError } from '../../core/failures/failures.ts';
import { EMPTY_SWEEP_MEMORY } from '../../lambdas/find-behind/sweep.ts';
import { definitionOf, DB, PAIR } from './definitions.ts';
import { ASL } from './virtual-workflow.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

/** What counts when two histories are compared: who owns what, in what state; not when, nor which run. */
function endState(world: World, isOwnerShown = true): object {
  const slots = world.groups.flatMap(({ group, slots: all }) =>
    all.map(({ slot, owner, epoch, phase, evidence, tookOverBy, claim }) => ({
      at: `${group}/${slot}`,
      owner: isOwnerShown ? owner?.host : typeof owner?.host,
      epoch,
      phase,
      evidence: evidence?.kind,
      tookOverBy: tookOverBy?.kind,
      claim,
    })),
  );
  const hosts = [...world.hosts.keys()].map((name) => ({
    name,
    status: world.hostRecord(name)?.status,
    claim: world.hostRecord(name)?.claim,
  }));
  return { slots, hosts };
}

/** Nothing is left lying about: no claim, and every run that was opened is closed. */
function expectTidy(world: World): void {
  for (const { slots } of world.groups) for (const { claim } of slots) expect(claim).toBeNull();
  for (const name of world.hosts.keys()) expect(world.hostRecord(name)?.claim).toBeNull();
  for (const run of world.runs) expect(run).toMatchObject({ closedAtMs: expect.any(Number) as unknown });
}

async function dies(prepare: (world: World) => void): Promise<World> {
  const world = await createWorld();
  await world.whole();
  await world.run(1_000);
  prepare(world);
  world.host('h1').die();
  await world.until(
    'ledger runs elsewhere',
    () => world.isActive('ledger/0') && world.owner('ledger/0') !== 'h1',
    120_000,
  );
  await world.whole(120_000);
  await world.run(5_000);
  return world;
}

async function moves(prepare: (world: World) => void): Promise<World> {
  const world = await createWorld({ yaml: PAIR, scripts: { h1: {} } });
  await world.whole();
  await world.run(3_000);
  prepare(world);
  await world.move('db/0');
  await world.run(300);
  await world.whole(120_000);
  await world.run(10_000);
  return world;
}

/** States of the whole file, inner ones included. */
function statesOf(machine: unknown): readonly string[] {
  if (typeof machine !== 'object' || machine === null) return [];
  const here =
    'States' in machine && typeof machine.States === 'object' && machine.States !== null
      ? Object.keys(machine.States)
      : [];
  return [...here, ...Object.values(machine).flatMap(statesOf)];
}

const VISITED_BY_DEATH = [
  'Open',
  'Opened',
  'Investigate',
  'Ask heartbeat',
  'Ask registry',
  'Ask EC2',
  'Ask guard',
  'Ask probe',
  'Verdict',
  'Judged',
  'Fence',
  'Await proof',
  'Proven',
  'Stop',
  'Stopped',
  'Plan',
  'Planned',
  'Restart',
  'Wave',
  'Place',
  'Placed',
  'Await started',
  'Started',
  'Slot done',
  'Close',
];
const VISITED_BY_MOVE = [
  'Open',
  'Opened',
  'Plan',
  'Planned',
  'Restart',
  'Wave',
  'Place',
  'Placed',
  'Take back',
  'Taken back',
  'Await started',
  'Started',
  'Slot done',
  'Close',
];

describe('a run is stopped by hand in the middle', () => {
  test('the lists below are what the two stories visit', async () => {
    const death = await dies((world) => world.workflow.visited.clear());
    expect([...death.workflow.visited].toSorted()).toEqual(VISITED_BY_DEATH.toSorted());
    const move = await moves((world) => world.workflow.visited.clear());
    expect([...move.workflow.visited].toSorted()).toEqual(VISITED_BY_MOVE.toSorted());
    expect(statesOf(ASL)).toEqual(expect.arrayContaining([...VISITED_BY_DEATH, ...VISITED_BY_MOVE]));
  });

  /** Stops the first run that enters `state`; `isLate`: the handler that was called for it goes on regardless (S17). */
  const stopAt = (world: World, state: string, isLate: boolean): void => {
    let stopped: string | null = null;
    world.workflow.onEnter = (run, entered) => {
      if (entered !== state || stopped !== null) return;
      stopped = run;
      world.workflow.stop(run);
    };
    world.invoke = async (task) => {
      if (task.run === stopped && task.state === state) {
        if (!isLate) throw new Error('never called');
        await world.clock.sleeper.sleep(700);
      }
      return world.call(task);
    };
  };

  test.each(VISITED_BY_DEATH.flatMap((state) => [[state, false] as const, [state, true] as const]))(
    'while a host dies, in state %s (its handler runs on, late: %s)',
    async (state, isLate) => {
      const world = await dies((prepared) => stopAt(prepared, state, isLate));
      expectTidy(world);
      expect(
        world.runs.some(({ outcome }) => outcome === 'Error') ||
          world.workflow.names.some((name) => world.workflow.execution(name)?.status === 'ABORTED'),
      ).toBe(true);
    },
  );

  test.each(VISITED_BY_MOVE.flatMap((state) => [[state, false] as const, [state, true] as const]))(
    'while a slot moves, in state %s (its handler runs on, late: %s)',
    async (state, isLate) => {
      const world = await moves((prepared) => stopAt(prepared, state, isLate));
      expectTidy(world);
      expect(world.isWhole()).toBe(true);
    },
  );
});

describe('every step twice (S17)', () => {
  const WAYS = {
    'one after the other, the second answer counts': (world: World) => {
      world.invoke = async (task) => {
        await world.call(task);
        return world.call(task);
      };
    },
    'at the same time': (world: World) => {
      world.invoke = async (task) => {
        const [, answer] = await Promise.all([world.call(task).catch(() => undefined), world.call(task)]);
        return answer;
      };
    },
    'the second one much later, and nobody listens': (world: World) => {
      world.invoke = async (task) => {
        void world.clock.sleeper.sleep(6_000).then(() => world.call(task).catch(() => undefined));
        return world.call(task);
      };
    },
  };

  test.each(Object.entries(WAYS))('a death, %s', async (_, way) => {
    const once = await dies(() => undefined);
    const twice = await dies(way);
    await twice.run(10_000);
    expect(endState(twice)).toEqual(endState(once));
    expectTidy(twice);
  });

  test.each(Object.entries(WAYS))('a move, %s', async (_, way) => {
    const once = await moves(() => undefined);
    const twice = await moves(way);
    await twice.run(10_000);
    expect(endState(twice)).toEqual(endState(once));
    expectTidy(twice);
  });
});

describe('killed right after a write', () => {
  /** Ends handlers by `error` after the commit of their write number `at`, and of no other. */
  const killAfter = (world: World, at: number, error: () => Error): { writes: number } => {
    const count = { writes: 0 };
    const isWrite = (op: string): boolean =>
      /^(registry\.(put|remove)|heartbeats\.(revoke|tombstone|direct))$/.test(op);
    let isInHandler = 0;
    world.invoke = async (task) => {
      isInHandler += 1;
      try {
        return await world.call(task);
      } finally {
        isInHandler -= 1;
      }
    };
    world.faults = (op, phase) => {
      if (isInHandler === 0 || phase !== 'after' || !isWrite(op)) return;
      count.writes += 1;
      if (count.writes === at) throw error();
    };
    return count;
  };

  const ERRORS = {
    'the answer was lost': () => new HaError('store_unavailable', 'answer lost'),
    'the handler was killed': () =>
      Object.assign(new Error('RequestId: 1 Error: Runtime exited'), { name: 'Lambda.Unknown' }),
  };

  test.each(Object.entries(ERRORS))(
    'a death: after each write of its run in turn, %s',
    async (_, error) => {
      const counted = { writes: 0 };
      const once = await dies((world) => Object.assign(counted, { of: killAfter(world, 0, error) }));
      const { writes } = (counted as unknown as { of: { writes: number } }).of;
      expect(writes).toBeGreaterThan(30);
      for (let at = 1; at <= writes; at += 1) {
        const world = await dies((prepared) => void killAfter(prepared, at, error));
        // A second later another host may be the better one.
        expect({ at, ...endState(world, false) }).toEqual({ at, ...endState(once, false) });
        expectTidy(world);
        expect(world.runs.filter(({ work }) => work === 'HA').map(({ outcome }) => outcome)).toEqual(['Recovered']);
      }
    },
    120_000,
  );

  test.each(Object.entries(ERRORS))(
    'a move: after each write of its run in turn, %s',
    async (_, error) => {
      const counted = { writes: 0 };
      const once = await moves((world) => Object.assign(counted, { of: killAfter(world, 0, error) }));
      const { writes } = (counted as unknown as { of: { writes: number } }).of;
      expect(writes).toBeGreaterThan(15);
      for (let at = 1; at <= writes; at += 1) {
        const world = await moves((prepared) => void killAfter(prepared, at, error));
        expect({ at, ...endState(world) }).toEqual({ at, ...endState(once) });
        expectTidy(world);
        expect(world.runs.filter(({ work }) => work === 'Move').map(({ outcome }) => outcome)).toEqual(['Moved']);
      }
    },
    120_000,
  );

  test('a vanished item: after each write of its run in turn', async () => {
    const story = async (at: number): Promise<{ world: World; writes: number }> => {
      const world = await createWorld({ yaml: PAIR });
      await world.whole();
      const owner = world.owner('db/0') ?? '';
      const count = killAfter(world, at, ERRORS['the answer was lost']);
      world.host(owner).die();
      world.tables.heartbeats.delete(world.host(owner).principal);
      await world.until('it was taken over', () => world.slot('db/0').epoch === 2 && world.isActive('db/0'), 60_000);
      await world.whole();
      return { world, writes: count.writes };
    };
    const { writes } = await story(0);
    for (let at = 1; at <= writes; at += 1) {
      const { world } = await story(at);
      expect(world.slot('db/0').tookOverBy?.kind).toBe('lease-over');
      expectTidy(world);
    }
  }, 60_000);

  test('the first placement: after each write of its runs in turn', async () => {
    const story = async (at: number): Promise<{ world: World; writes: number }> => {
      const world = await createWorld({ yaml: PAIR, off: ['h1', 'h2'] });
      const count = killAfter(world, at, ERRORS['the answer was lost']);
      for (const host of world.hosts.values()) host.boot();
      await world.whole();
      return { world, writes: count.writes };
    };
    const { world: once, writes } = await story(0);
    expect(once.slot('db/0').epoch).toBe(1);
    for (let at = 1; at <= writes; at += 1) {
      const { world } = await story(at);
      expect(world.slot('db/0').epoch).toBe(1);
      expectTidy(world);
    }
  }, 60_000);
});

describe('the control plane itself', () => {
  test('the observer loses its memory in the middle of a silence: only later, never earlier', async () => {
    const world = await createWorld();
    await world.whole();
    world.host('h1').die();
    const diedAtMs = world.clock.wall.now();
    await world.run(500);
    world.sweepMemory = EMPTY_SWEEP_MEMORY;
    await world.until('ledger runs elsewhere', () => world.isActive('ledger/0') && world.owner('ledger/0') !== 'h1');
    const [evidence] = world.truth.evidences;
    expect((evidence?.atMs ?? 0) - diedAtMs).toBeGreaterThanOrEqual(3_400 + 500);
    await world.whole();
  });

  test('the observer loses its memory again and again while a run waits: the run is not disturbed', async () => {
    const world = await dies((prepared) => {
      const forget = (): void => {
        prepared.sweepMemory = EMPTY_SWEEP_MEMORY;
        prepared.clock.after(1_300, forget);
      };
      forget();
    });
    expect(world.runs.filter(({ work }) => work === 'HA').map(({ outcome }) => outcome)).toEqual(['Recovered']);
  });

  test('down for ten minutes while the hosts keep beating: afterwards nothing moves', async () => {
    const world = await createWorld();
    await world.whole();
    await world.run(3_000);
    const before = world.groups;
    const runs = world.workflow.names.length;
    world.isControlDown = true;
    await world.run(600_000);
    world.isControlDown = false;
    await world.run(20_000);
    expect(world.groups).toEqual(before);
    expect(world.workflow.names).toHaveLength(runs);
    expect(world.alerts.pages).toEqual([]);
  }, 30_000);

  test('down in the middle of a failover: the retries or reconcile finish it', async () => {
    const world = await createWorld();
    await world.whole();
    world.host('h1').die();
    await world.run(2_000);
    world.isControlDown = true;
    await world.run(120_000);
    world.isControlDown = false;
    await world.until(
      'ledger runs elsewhere',
      () => world.isActive('ledger/0') && world.owner('ledger/0') !== 'h1',
      120_000,
    );
    await world.whole(120_000);
    expectTidy(world);
  });

  test('an outage of the store for everybody: nobody is taken over, covered services start again where they were', async () => {
    const world = await createWorld();
    await world.whole();
    const owners = world.groups.map(({ slots }) => slots.map(({ owner, epoch }) => [owner?.host, epoch]));
    world.isControlDown = true;
    for (const host of world.hosts.values()) host.isCut = true;
    await world.run(30_000);
    expect(world.truth.runners('ledger/0')).toEqual([]);
    world.isControlDown = false;
    for (const host of world.hosts.values()) host.isCut = false;
    await world.run(20_000);
    await world.whole();
    expect(world.groups.map(({ slots }) => slots.map(({ owner, epoch }) => [owner?.host, epoch]))).toEqual(owners);
    expect(world.alerts.pages).toEqual([]);
  });

  test('a cluster that cannot be read does not blind the observer of the others', async () => {
    const world = await createWorld({
      yaml: definitionOf({ cluster: 'bad', hosts: 2, groups: [DB] }),
      off: ['h1', 'h2'],
    });
    await world.apply(PAIR.replaceAll('i-0000000000000000', 'i-9999999999999999'));
    for (const name of ['h1', 'h2']) world.addHost(name).boot();
    await world.whole();
    world.faults = (_, phase, subject) => {
      if (phase === 'before' && subject.startsWith('C#bad')) throw new HaError('store_unavailable', 'bad');
    };
    const owner = world.owner('db/0');
    world.host(owner ?? '').die();
    await world.until('it was taken over', () => world.isActive('db/0') && world.owner('db/0') !== owner);
  });
});
