import { describe, expect, test } from '@jest/globals';
import { keys } from '../../../core/protocol/records.ts';
import { definitionOf, evidenceOf, FakeWorld, lifeOn, ownerOf, uncovered } from './fake-world.ts';

const I3 = (world: FakeWorld): readonly string[] => world.violations('I3');

function placed(definition = definitionOf()): FakeWorld {
  return new FakeWorld(definition).at(0).slot({}).at(1).give('h1');
}

function released(world: FakeWorld, host: string, facts: object = {}): FakeWorld {
  const report = {
    order: 'o',
    session: `s-${host}`,
    group: 'db',
    slot: 0,
    epoch: 1,
    outcome: 'released',
    detail: '',
    ...facts,
  };
  return world.write(keys.report(`p-${host}`, 'o'), report);
}

describe('I3: epochs of records', () => {
  test('one more with each new owner, also with the same host in a new session', () => {
    const world = placed()
      .slot({ phase: 'Active' })
      .slot({ evidence: evidenceOf('h1') })
      .give('h2');
    world.slot({ evidence: evidenceOf('h2') }).give('h2', { owner: ownerOf('h2', 's-new') });
    expect(I3(world)).toEqual([]);
  });

  test('the same session again, after it released', () => {
    const world = placed()
      .slot({ evidence: evidenceOf('h1', { kind: 'released', epoch: 1 }) })
      .give('h1');
    expect(I3(world)).toEqual([]);
  });

  test.each([
    ['a new owner in the same epoch', { owner: ownerOf('h2'), epoch: 1 }],
    ['a new owner two epochs on', { owner: ownerOf('h2'), epoch: 3 }],
    ['a new epoch without an owner', { owner: null, epoch: 2 }],
    ['an owner taken away', { owner: null }],
    ['another session of the same host in the same epoch', { owner: ownerOf('h1', 's-new') }],
    ['an epoch that falls', { epoch: 0 }],
  ])('%s', (_, facts) => {
    expect(I3(placed().at(5).slot(facts))).toHaveLength(1);
  });

  test('it says from what to what, and what must hold', () => {
    expect(
      I3(
        placed()
          .at(5)
          .slot({ owner: ownerOf('h2'), epoch: 3 }),
      ),
    ).toEqual([
      'at 0.005 s db/0 went from epoch 1 of h1/s-h1 to 3 of h2/s-h2: it must rise by exactly one with each change of owner, and with nothing else',
    ]);
  });

  test('a record that was deleted and made anew begins above what was given', () => {
    const world = placed()
      .slot({ evidence: evidenceOf('h1') })
      .give('h2');
    const group = world.group();
    world.remove(keys.group('c', 'db'));
    world.tell({ type: 'group_written', before: null, after: { group: 'db', rev: 2, slots: [], standbys: [] } });
    expect(I3(world)).toEqual([]);
    const slots = group?.slots.map((slot) => ({ ...slot, epoch: 1, owner: ownerOf('h3') })) ?? [];
    world.tell({ type: 'group_written', before: null, after: { group: 'db', rev: 2, slots, standbys: [] } });
    expect(I3(world)[0]).toContain('an epoch never falls, the highest so far was 2');
  });

  test('a slot that was placed never vanishes; one that never was may', () => {
    const world = placed();
    world.slot({}, { slot: 1 });
    const group = world.group();
    const only = (no: number): void => {
      const slots = group?.slots.filter(({ slot }) => slot === no) ?? [];
      world.tell({ type: 'group_written', before: group ?? null, after: { group: 'db', rev: 1, slots, standbys: [] } });
    };
    only(0);
    expect(I3(world)).toEqual([]);
    only(1);
    expect(I3(world)).toEqual(['db/0 vanished from its record at epoch 1: an epoch must be kept for ever']);
  });
});

describe('I3: epochs of starts', () => {
  test('in the epoch that was given, once and again', () => {
    const world = placed();
    const life = world.up(lifeOn('h1'));
    world.down(life).up(lifeOn('h1'));
    expect(I3(world)).toEqual([]);
  });

  test('an older epoch that its host was given, while the newer one has not started: not wrong by this rule', () => {
    const world = placed()
      .slot({ evidence: evidenceOf('h1') })
      .give('h2');
    world.up(lifeOn('h1'));
    expect(I3(world)).toEqual([]);
  });

  test.each([
    ['an epoch not given yet', lifeOn('h1', { epoch: 2 })],
    ['by another host', lifeOn('h2')],
    ['by another session of the owner', lifeOn('h1', { session: 's-new' })],
    ['of another slot', lifeOn('h1', { where: 'db/1' })],
  ])('%s', (_, life) => {
    const world = placed();
    world.up(life);
    expect(I3(world)[0]).toContain('which was never given to it');
  });

  test('an older epoch after a newer one has started anywhere', () => {
    const world = placed()
      .slot({ evidence: evidenceOf('h1') })
      .give('h2');
    const life = world.at(10).up(lifeOn('h2', { epoch: 2 }));
    world.at(20).down(life).at(30).up(lifeOn('h1'));
    expect(I3(world)).toEqual([
      'at 0.030 s pg of db/0 started on h1 in epoch 1 by session s-h1, after epoch 2 had started on h2: an older epoch never starts again',
    ]);
  });

  test('what is not covered may be restarted by its old owner', () => {
    const world = placed(uncovered())
      .slot({ evidence: evidenceOf('h1') })
      .give('h2');
    world.up(lifeOn('h2', { epoch: 2, covered: false }));
    world.up(lifeOn('h1', { covered: false }));
    expect(I3(world)).toEqual([]);
  });

  test('a standby runs in no epoch', () => {
    const world = placed();
    world.up(lifeOn('h2', { epoch: 0, covered: false }));
    expect(I3(world)).toEqual([]);
  });

  test('stopped, reported released, and given again: started in the new epoch', () => {
    const world = placed();
    const life = world.up(lifeOn('h1'));
    released(world.down(life), 'h1')
      .slot({ evidence: evidenceOf('h1', { kind: 'released', epoch: 1 }) })
      .give('h1');
    world.up(lifeOn('h1', { epoch: 2 }));
    expect(I3(world)).toEqual([]);
  });

  test('started again in a released epoch (S6), whether covered or not', () => {
    for (const covered of [true, false]) {
      const world = released(placed(), 'h1');
      world.up(lifeOn('h1', { covered }));
      expect(I3(world)[0]).toContain('after that session had reported epoch 1 released (S6)');
    }
  });

  test('reported released while it runs', () => {
    const world = placed();
    world.up(lifeOn('h1'));
    expect(I3(released(world, 'h1'))[0]).toContain('reports db/0 released in epoch 1, and pg of it runs on h1');
  });

  test('other reports, and the release of an older epoch, say nothing against what runs', () => {
    const world = placed();
    world.up(lifeOn('h1'));
    released(world, 'h1', { outcome: 'started' });
    released(world, 'h1', { epoch: 0 });
    released(world, 'h1', { order: 'closed.s-h1', group: '' });
    released(world, 'h1', { slot: 1 });
    expect(I3(world)).toEqual([]);
  });
});

describe('I3: a restored registry (S21)', () => {
  test('counting goes on from what was restored', () => {
    const world = placed();
    const older = world.group();
    world.slot({ evidence: evidenceOf('h1') }).give('h2');
    world.at(50).tell({ type: 'fault', kind: 'registry_restored', subject: '', now: 'begins', says: '' });
    if (older !== undefined) world.writeGroup(older);
    world
      .at(60)
      .slot({ evidence: evidenceOf('h1') })
      .give('h3');
    expect(I3(world)).toEqual([]);
    world.at(70).slot({ epoch: 1 });
    expect(I3(world)).toHaveLength(1);
  });
});
