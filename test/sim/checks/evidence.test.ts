import { describe, expect, test } from '@jest/globals';
import {
  definitionOf,
  evidenceOf,
  FakeWorld,
  groupDefinition,
  lifeOn,
  ownerOf,
  TIMING,
  uncovered,
  wall,
} from './fake-world.ts';

const I4 = (world: FakeWorld): readonly string[] => world.violations('I4');

/** h1 owns db/0 in epoch 1, runs it, and believes so until 10 s. */
function running(definition = definitionOf()): { world: FakeWorld; life: ReturnType<typeof lifeOn> } {
  const world = new FakeWorld(definition).at(0).beat('h1').beat('h2').slot({}).give('h1').believe('h1', 10_000);
  return { world, life: world.up(lifeOn('h1')) };
}

/** Its session is gone from the store, as by a revocation. */
function revoked(world: FakeWorld): FakeWorld {
  world.beats = world.beats.filter(({ host }) => host !== 'h1');
  return world;
}

describe('I4: lease-over', () => {
  test('stopped, its deadline over, revoked; then given to another', () => {
    const { world, life } = running();
    world.at(9_000).down(life);
    revoked(world.at(14_000))
      .slot({ evidence: evidenceOf('h1') })
      .at(14_100)
      .give('h2')
      .up(lifeOn('h2', { epoch: 2 }));
    expect(I4(world)).toEqual([]);
  });

  test('a stop exactly when the evidence is written, and a deadline that is over then', () => {
    const { world, life } = running();
    revoked(world.at(10_000))
      .slot({ evidence: evidenceOf('h1') })
      .down(life);
    expect(I4(world)).toEqual([]);
  });

  test('a service of the old epoch lives', () => {
    const { world } = running();
    revoked(world.at(14_000)).slot({ evidence: evidenceOf('h1') });
    expect(I4(world)[0]).toMatch(
      /db\/0 was given up for h1\/s-h1 \(epoch 1\) by lease-over, and pg of db\/0 on h1 .* is alive/,
    );
  });

  test('it stands still on a frozen machine: it lives', () => {
    const { world } = running();
    revoked(world.machine('h1', 'frozen').at(14_000)).slot({ evidence: evidenceOf('h1') });
    expect(I4(world)).toHaveLength(1);
  });

  test('the guard still believes', () => {
    const { world, life } = running();
    world.at(5_000).down(life);
    revoked(world.at(9_999)).slot({ evidence: evidenceOf('h1') });
    expect(I4(world)[0]).toContain('its guard believes until 10.000 s that it may run it');
  });

  test('the session stands in the store', () => {
    const { world, life } = running();
    world
      .at(9_000)
      .down(life)
      .at(14_000)
      .slot({ evidence: evidenceOf('h1') });
    expect(I4(world)[0]).toContain('that session still stands in the store: it must be revoked first');
  });

  test('what is not covered runs on: that is no lie', () => {
    const world = new FakeWorld(uncovered()).at(0).beat('h1').slot({}).give('h1');
    world.up(lifeOn('h1', { covered: false }));
    revoked(world.at(14_000))
      .slot({ evidence: evidenceOf('h1') })
      .give('h2')
      .up(lifeOn('h2', { epoch: 2, covered: false }));
    expect(I4(world)).toEqual([]);
  });

  test('other slots of the old owner, of which nobody says anything, run on', () => {
    const { world, life } = running();
    world.up(lifeOn('h1', { where: 'db/1' }));
    world.at(9_000).down(life);
    revoked(world.at(14_000)).slot({ evidence: evidenceOf('h1') });
    expect(I4(world)).toEqual([]);
  });
});

describe('I4: what must be on record', () => {
  test('an owner without evidence about the one before', () => {
    const { world, life } = running();
    revoked(world.at(14_000).down(life)).give('h2');
    expect(I4(world)).toEqual([
      'at 14.000 s db/0 went from h1/s-h1 (epoch 1) to h2 (epoch 2) without evidence about the old owner (S7)',
    ]);
  });

  test('a first owner needs none', () => {
    expect(I4(new FakeWorld().at(0).slot({}).give('h1'))).toEqual([]);
  });

  test.each([
    ['another host', { host: 'h3' }],
    ['another session', { session: 's-older' }],
  ])('evidence about %s', (_, facts) => {
    const { world, life } = running();
    revoked(world.at(14_000).down(life)).slot({ evidence: evidenceOf('h1', facts) });
    expect(I4(world)[0]).toContain('it must name the owner');
  });

  test('a release of another epoch', () => {
    const { world, life } = running();
    world.at(1_000).down(life).believe('h1', 12_000, { slots: [] });
    world.slot({ evidence: evidenceOf('h1', { kind: 'released', epoch: 0 }) });
    expect(I4(world)[0]).toContain("for epoch 0: it must name the slot's own");
  });

  test('evidence that is taken back, or not kept by the new owner', () => {
    const { world, life } = running();
    revoked(world.at(14_000).down(life))
      .slot({ evidence: evidenceOf('h1') })
      .slot({ evidence: null });
    expect(I4(world)[0]).toContain('the evidence lease-over was taken back without a new owner');
    const other = running();
    revoked(other.world.at(14_000).down(other.life))
      .slot({ evidence: evidenceOf('h1') })
      .give('h2', { tookOverBy: null });
    expect(I4(other.world)[0]).toContain('the record does not keep the evidence by which it did (lease-over)');
  });
});

describe('I4: kinds that the group accepts', () => {
  const only = (accepts: ('lease-over' | 'power-off')[]): ReturnType<typeof definitionOf> =>
    definitionOf({ groups: [groupDefinition({ accepts })] });

  test('a kind that no definition in force accepts', () => {
    const { world, life } = running(only(['power-off']));
    revoked(world.at(14_000).down(life)).slot({ evidence: evidenceOf('h1') });
    expect(I4(world)).toEqual([
      'at 14.000 s evidence lease-over about h1/s-h1 was recorded on db/0 (epoch 1), which the group does not accept (beyond the three that all do: power-off)',
    ]);
  });

  test('what was accepted a moment ago may still be written by who read it then; long after, not', () => {
    const after = (ms: number): readonly string[] => {
      const { world, life } = running();
      world
        .at(14_000)
        .down(life)
        .define(2, only(['power-off']));
      return I4(revoked(world.at(14_000 + ms)).slot({ evidence: evidenceOf('h1') }, { rev: 2 }));
    };
    expect(after(60_000)).toEqual([]);
    expect(after(120_001)).toHaveLength(1);
  });

  test('a record that still stands at the older definition is judged by it', () => {
    const { world, life } = running();
    world
      .at(14_000)
      .down(life)
      .define(2, only(['power-off']));
    revoked(world.at(300_000)).slot({ evidence: evidenceOf('h1') });
    expect(I4(world)).toEqual([]);
  });

  test('released, closed and successor are always accepted', () => {
    const { world, life } = running(only([]));
    world.at(1_000).down(life).believe('h1', 12_000, { slots: [] });
    world.slot({ evidence: evidenceOf('h1', { kind: 'released', epoch: 1 }) });
    expect(I4(world)).toEqual([]);
  });
});

describe('I4: released and closed', () => {
  test('the session lives on and may own it again', () => {
    const { world, life } = running();
    world.at(1_000).down(life).believe('h1', 12_000, { slots: [] });
    world.slot({ evidence: evidenceOf('h1', { kind: 'released', epoch: 1 }) }).give('h1');
    world.believe('h1', 12_000, { epoch: 2 }).up(lifeOn('h1', { epoch: 2 }));
    expect(I4(world)).toEqual([]);
  });

  test('it runs, or its guard still lists it', () => {
    const { world } = running();
    world.at(1_000).slot({ evidence: evidenceOf('h1', { kind: 'closed' }) });
    expect(I4(world)).toHaveLength(2);
  });
});

describe('I4: power-off', () => {
  const off = evidenceOf('h1', { kind: 'power-off' });

  test('the machine is off', () => {
    const { world, life } = running();
    world.at(1_000).down(life).machine('h1', 'off').at(5_000).slot({ evidence: off });
    expect(I4(world)).toEqual([]);
  });

  test('the next owner comes m after the power went, at the earliest: what was sent may land until then', () => {
    const taken = (ms: number): readonly string[] => {
      const world = new FakeWorld().at(0).accept('h1', { registered: TIMING }).slot({}).give('h1');
      const life = world.up(lifeOn('h1'));
      world
        .at(1_000)
        .down(life)
        .machine('h1', 'off')
        .at(1_000 + ms)
        .slot({ evidence: off });
      return I4(world.give('h2'));
    };
    expect(taken(TIMING.writeLifeMs)).toEqual([]);
    expect(taken(TIMING.writeLifeMs - 1)[0]).toContain(`what it sent may land for ${TIMING.writeLifeMs} ms (S7)`);
  });

  test('it was off since that session began, and is on again', () => {
    const { world, life } = running();
    world.at(1_000).down(life).machine('h1', 'off').at(2_000).machine('h1', 'on').at(5_000).slot({ evidence: off });
    expect(I4(world)).toEqual([]);
  });

  test('it was off before that session began only', () => {
    const world = new FakeWorld().at(0).machine('h1', 'off').at(10).machine('h1', 'on');
    world.at(20).beat('h1').slot({}).give('h1').at(5_000).slot({ evidence: off });
    expect(I4(world)[0]).toContain('i-h1 is on, and was not off since that session began at 0.020 s');
  });

  test('it never was, as while EC2 says stopping; a restart is none', () => {
    const { world, life } = running();
    world.at(1_000).down(life).machine('h1', 'reset').at(5_000).slot({ evidence: off });
    expect(I4(world)).toHaveLength(1);
  });
});

describe('I4: successor', () => {
  const successor = evidenceOf('h1', { kind: 'successor' });

  test('a newer session of the same machine stands', () => {
    const { world, life } = running();
    world.at(1_000).down(life).at(2_000).beat('h1', 's-new').believe('h1', 12_000, { session: 's-new', slots: [] });
    world
      .at(3_000)
      .slot({ evidence: successor })
      .give('h1', { owner: ownerOf('h1', 's-new') });
    expect(I4(world)).toEqual([]);
  });

  test('there is none, or it is of another machine', () => {
    const { world, life } = running();
    world.at(11_000).down(life).slot({ evidence: successor });
    expect(I4(world)[0]).toContain('no newer session stands on i-h1, the same machine');
    const other = running();
    other.world.at(11_000).down(other.life);
    other.world.tell({ type: 'beat', host: 'h1', machine: 'i-new', session: 's-new', seq: 1 });
    expect(I4(other.world.slot({ evidence: successor }))).toHaveLength(1);
  });

  test('the old session came after the one that is called its successor', () => {
    const { world, life } = running();
    world
      .at(1_000)
      .beat('h1', 's-new')
      .down(life)
      .slot({ evidence: evidenceOf('h1', { kind: 'successor' }) });
    // Its guard still has the old session: the new one was not registered by it.
    expect(I4(world).length).toBeGreaterThan(0);
  });
});

describe('I4: what is over stays over', () => {
  function over(definition = definitionOf()): FakeWorld {
    const { world, life } = running(definition);
    world.at(9_000).down(life);
    return revoked(world.at(14_000)).slot({ evidence: evidenceOf('h1', { atMs: wall(14_000) }) });
  }

  test('a start of the old epoch, on whichever machine, before or after a new owner', () => {
    const before = over();
    before.at(14_001).up(lifeOn('h1'));
    expect(I4(before)).toEqual([
      expect.stringContaining('started, though evidence lease-over about h1/s-h1 says that epoch 1 of it is over'),
    ]);
    const after = over().give('h2');
    after.at(15_000).up(lifeOn('h3'));
    expect(I4(after)).toHaveLength(1);
  });

  test('the new epoch starts, and is over in its turn', () => {
    const world = over().give('h2').at(14_500).beat('h2');
    const life = world.at(15_000).up(lifeOn('h2', { epoch: 2 }));
    world
      .at(16_000)
      .down(life)
      .slot({ evidence: evidenceOf('h2', { kind: 'released', epoch: 2 }) })
      .give('h1');
    expect(I4(world)).toEqual([]);
    world.up(lifeOn('h2', { epoch: 2 }));
    expect(I4(world)).toHaveLength(1);
  });

  test('an old process that was there all along is seen when the next owner is written, too', () => {
    const world = over(uncovered());
    world.tell({ type: 'service_up', life: lifeOn('h1', { covered: false }) });
    expect(I4(world)).toEqual([]);
    world.at(14_500).up(lifeOn('h1'));
    world.at(15_000).give('h2');
    expect(I4(world)).toHaveLength(2);
  });

  test('after a restore the epochs above the restored one may start again (S21)', () => {
    const world = over();
    const older = world.group();
    world.give('h2').slot({ evidence: evidenceOf('h2', { kind: 'released', epoch: 2 }) });
    world.at(20_000).tell({ type: 'fault', kind: 'registry_restored', subject: '', now: 'begins', says: '' });
    if (older !== undefined) world.writeGroup(older);
    world
      .at(21_000)
      .give('h3')
      .up(lifeOn('h3', { epoch: 2 }));
    expect(I4(world)).toEqual([]);
    world.up(lifeOn('h1'));
    expect(I4(world)).toHaveLength(1);
  });
});
