import { describe, expect, test } from '@jest/globals';
import {
  definitionOf,
  evidenceOf,
  FakeWorld,
  groupDefinition,
  hostDefinition,
  lifeOn,
  ownerOf,
  QUIET_MS,
  wall,
} from './fake-world.ts';

const END_MS = 1_500_000;
const QUIET_FROM_MS = END_MS - QUIET_MS;
/** That a host is silent at the end is the matter of another checker (`returned.test.ts`). */
const isOfSlots = (says: string): boolean => !says.includes('renews no session');
const I5 = (world: FakeWorld): readonly string[] => world.at(END_MS).end().violations('I5').filter(isOfSlots);

/** All hosts but `dead` renew to the end. */
function renewing(world: FakeWorld, dead: readonly string[] = []): FakeWorld {
  for (const { name } of world.scene.hosts) {
    if (dead.includes(name)) continue;
    world
      .at(END_MS - 500)
      .believe(name, END_MS + 9_000, { slots: [] })
      .beat(name);
  }
  return world;
}

function placed(definition = definitionOf()): { world: FakeWorld; life: ReturnType<typeof lifeOn> } {
  const world = new FakeWorld(definition).at(0);
  for (const { name } of world.scene.hosts) world.host(name).beat(name);
  world.slot({}).give('h1');
  const life = world.at(1_000).up(lifeOn('h1'));
  return { world: world.slot({ phase: 'Active' }), life };
}

/** h1 died under faults and nobody took over. */
function lost(definition = definitionOf(), slot: object = {}): FakeWorld {
  const { world, life } = placed(definition);
  return world
    .at(400_000)
    .down(life)
    .slot({ evidence: evidenceOf('h1'), phase: 'Held', why: 'held', ...slot });
}

describe('I5: what must run at the end', () => {
  test('Active on record, and running on its owner', () => {
    expect(I5(renewing(placed().world))).toEqual([]);
  });

  test('held, though a host that renews could run it', () => {
    expect(I5(renewing(lost(), ['h1']))).toEqual([
      'at the end db/0 is Held (held), and nobody owns it, though h2 could run it',
    ]);
  });

  test('owned by a session that is over, with nobody acting on it', () => {
    const { world, life } = placed();
    expect(I5(renewing(world.at(400_000).down(life), ['h1']))[0]).toContain(
      'at the end db/0 is Active on h1 by its record, and pg does not run there',
    );
  });

  test('not Active on record though it runs', () => {
    expect(I5(renewing(placed().world.at(400_000).slot({ phase: 'Starting' })))[0]).toContain('is Starting on h1');
  });

  test('runs somewhere else too, if it is covered', () => {
    const twice = (covered: boolean): FakeWorld => {
      const redundancy = covered
        ? ({ model: 'n-plus-m', active: 1, standby: 1 } as const)
        : ({ model: 'n', active: 1, exclusive: false } as const);
      const world = placed(definitionOf({ groups: [groupDefinition({ redundancy })] })).world.at(400_000);
      world.up(lifeOn('h2', { covered }));
      return renewing(world);
    };
    expect(I5(twice(true))[0]).toContain('runs on h2 too, in epoch 1');
    expect(I5(twice(false))).toEqual([]);
  });

  test('a slot that has no record, and a group that is not defined', () => {
    const world = renewing(
      placed(definitionOf({ groups: [groupDefinition(), groupDefinition({ name: 'web' })] })).world,
    );
    expect(I5(world)[0]).toContain('web/0 has no record');
    expect(I5(renewing(placed(definitionOf({ groups: [] })).world))).toEqual([]);
  });
});

describe('I5: what excuses', () => {
  test('HA is switched off', () => {
    expect(I5(renewing(lost(), ['h1']).define(2, definitionOf(), false))).toEqual([]);
  });

  test('nobody is eligible: silent, off, in maintenance, or without the label', () => {
    expect(I5(renewing(lost(), ['h1', 'h2', 'h3']))).toEqual([]);
    expect(I5(renewing(lost(), ['h1']).machine('h2', 'off').machine('h3', 'off'))).toEqual([]);
    const busy = renewing(lost(), ['h1']).host('h2', { admin: 'maintenance' }).host('h3', { admin: 'locked' });
    expect(I5(busy)).toEqual([]);
    const placement = { require: { disk: 'fast' }, prefer: [], together: [], apart: [] };
    const hosts = ['h1', 'h2', 'h3'].map((name) =>
      hostDefinition(name, { labels: name === 'h1' ? { disk: 'fast' } : {} }),
    );
    expect(I5(renewing(lost(definitionOf({ hosts, groups: [groupDefinition({ placement })] })), ['h1']))).toEqual([]);
  });

  test('failures to start do not: they are forgiven', () => {
    const failedOn = ['h2', 'h3'].map((host) => ({ host, atMs: wall(450_000) }));
    expect(I5(renewing(lost(undefined, { failedOn }), ['h1']))).toHaveLength(1);
  });

  test('moved as often as it may; not one time less, nor when the window has slid long ago', () => {
    const moved = (times: readonly number[]): readonly string[] =>
      I5(renewing(lost(undefined, { movesMs: times.map(wall) }), ['h1']));
    expect(moved([100_000, 200_000, 300_000])).toEqual([]);
    expect(moved([200_000, 300_000])).toHaveLength(1);
    expect(moved([-9_000_000, 200_000, 300_000])).toHaveLength(1);
  });

  test('the registry was restored from before its epoch', () => {
    const { world } = placed();
    const older = world.group();
    world
      .at(2_000)
      .slot({ evidence: evidenceOf('h1') })
      .give('h2');
    world.at(3_000).tell({ type: 'fault', kind: 'registry_restored', subject: '', now: 'begins', says: '' });
    if (older === undefined) throw new Error('the group has a record');
    world.put(
      { pk: 'C#c', sk: 'GROUP#db' },
      { ...older, slots: older.slots.map((slot) => ({ ...slot, phase: 'Held' })) },
    );
    expect(I5(renewing(world, ['h1']))).toEqual([]);
  });

  test('nothing that the group accepts can prove the owner over', () => {
    const powerOnly = (fencing: 'ec2' | 'lease', instanceId: string | null): readonly string[] => {
      const hosts = ['h1', 'h2', 'h3'].map((name) => hostDefinition(name, { fencing: [[fencing]] }));
      const { world, life } = placed(definitionOf({ hosts, groups: [groupDefinition({ accepts: ['power-off'] })] }));
      Object.assign(world.scene, { hosts: world.scene.hosts.map((host) => ({ ...host, instanceId })) });
      return I5(renewing(world.at(400_000).down(life), ['h1']));
    };
    // Its power is off, and EC2 shows it so, or shows it as running.
    const off = (ends?: 'crashed'): readonly string[] => {
      const hosts = ['h1', 'h2', 'h3'].map((name) => hostDefinition(name, { fencing: [['lease']] }));
      const { world, life } = placed(definitionOf({ hosts, groups: [groupDefinition({ accepts: ['power-off'] })] }));
      Object.assign(world.scene, { hosts: world.scene.hosts.map((host) => ({ ...host, ends })) });
      return I5(renewing(world.at(400_000).down(life).machine('h1', 'off'), ['h1']));
    };
    expect(off()).toHaveLength(1);
    expect(off('crashed')).toEqual([]);
    expect(powerOnly('ec2', null)).toEqual([]);
    expect(powerOnly('lease', 'i-h1')).toEqual([]);
    expect(powerOnly('ec2', 'i-h1')).toHaveLength(1);
  });

  test('a guard of level none makes lease-over unavailable, and no other excuse for it', () => {
    const over = (guardLevel: 'none' | 'watchdog', successor: boolean): readonly string[] => {
      const { world, life } = placed(definitionOf({ groups: [groupDefinition({ accepts: ['lease-over'] })] }));
      world
        .at(400_000)
        .down(life)
        .host('h1', { seen: { session: 's-h1', guardLevel } as never });
      if (successor) world.at(500_000).beat('h1', 's-new');
      return I5(renewing(world, ['h1']));
    };
    expect(over('none', false)).toEqual([]);
    expect(over('watchdog', false)).toHaveLength(1);
    expect(over('none', true)).toHaveLength(1);
  });
});

describe('I5: within the bound', () => {
  // V10 of fast with a start of 10 s: 1 + 13.014 + 0.2 + 10; with 12 of grace, 10 to start, 10 to stop, 60 + 60 + 30 to be asked again.
  const ALLOWED_MS = 206_214;

  function recovered(afterMs: number, slot: object = {}): readonly string[] {
    const world = lost(undefined, slot)
      .at(QUIET_FROM_MS + 10)
      .beat('h2')
      .give('h2');
    world.at(QUIET_FROM_MS + afterMs).up(lifeOn('h2', { epoch: 2 }));
    return I5(renewing(world.slot({ phase: 'Active' }), ['h1']));
  }

  test('from the end of faults', () => {
    expect(recovered(ALLOWED_MS)).toEqual([]);
    expect(recovered(ALLOWED_MS + 1)).toEqual([
      `db/0 was active again at 706.215 s, ${ALLOWED_MS + 1} ms after 500.000 s: it must be within ${ALLOWED_MS} ms`,
    ]);
  });

  test('not of what was moved too often meanwhile', () => {
    expect(recovered(ALLOWED_MS + 1, { movesMs: [1, 2, 3].map(wall) })).toEqual([]);
  });

  test('a loss in the quiet phase counts from itself', () => {
    const { world, life } = placed();
    world.at(600_000).down(life).at(800_000).up(lifeOn('h1'));
    expect(I5(renewing(world))).toEqual([]);
  });

  test('what was lost right before the end has its time', () => {
    const { world, life } = placed();
    expect(I5(renewing(world.at(END_MS - 100_000).down(life)))).toEqual([]);
    expect(
      I5(
        renewing(
          placed()
            .world.at(END_MS - 100_000)
            .slot({ owner: ownerOf('h1') }),
        ),
      ),
    ).toEqual([]);
  });
});
