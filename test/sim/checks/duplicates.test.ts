import { describe, expect, test } from '@jest/globals';
import { evidenceOf, FakeWorld, ownerOf } from './fake-world.ts';

const I8 = (world: FakeWorld): readonly string[] => world.violations('I8');

const releasedBy = (run: string, epoch: number, host = 'h1') => evidenceOf(host, { kind: 'released', epoch, run });

describe('I8: duplicates and late deliveries', () => {
  test('an epoch is written again and again, with one owner', () => {
    const world = new FakeWorld().at(0).slot({}).give('h1').slot({ phase: 'Active' }).slot({ phase: 'Starting' });
    world
      .slot({ evidence: evidenceOf('h1') })
      .give('h2')
      .slot({ phase: 'Active' });
    expect(I8(world)).toEqual([]);
  });

  test('an epoch with two owners', () => {
    const world = new FakeWorld()
      .at(0)
      .slot({})
      .give('h1')
      .at(7)
      .slot({ owner: ownerOf('h1', 's-new') });
    expect(I8(world)).toEqual([
      'at 0.007 s epoch 1 of db/0 belongs to h1/s-new, and belonged to h1/s-h1: an epoch has one owner for ever',
    ]);
  });

  test('an old write that lands late, over a newer one', () => {
    const world = new FakeWorld()
      .at(0)
      .slot({})
      .give('h1')
      .slot({ evidence: evidenceOf('h1') })
      .give('h2');
    world
      .slot({ evidence: evidenceOf('h2') })
      .give('h3')
      .slot({ owner: ownerOf('h1'), epoch: 2 });
    expect(I8(world)).toHaveLength(1);
  });

  test('a run tries three hosts, each after it took the slot back', () => {
    const world = new FakeWorld().at(0).slot({}).give('h1', { placedBy: 'r1' });
    world.slot({ evidence: releasedBy('r1', 1) }).give('h2', { placedBy: 'r1' });
    world.slot({ evidence: releasedBy('r1', 2, 'h2') }).give('h3', { placedBy: 'r1' });
    expect(I8(world)).toEqual([]);
    world.slot({ evidence: releasedBy('r1', 3, 'h3') }).give('h1', { placedBy: 'r1' });
    expect(I8(world)[0]).toContain('its 4th change of it: 3 attempts are all it has');
  });

  test('a run that is still at work on the slot gives it away again when others have shown its choice to be lost', () => {
    const world = new FakeWorld().at(0).slot({}).give('h1', { placedBy: 'r1' });
    world.slot({ evidence: evidenceOf('h1', { run: 'r2' }) }).give('h2', { placedBy: 'r1' });
    expect(I8(world)).toEqual([]);
  });

  test('a run that is over gives it away again, or one that gave it away after another did', () => {
    const world = new FakeWorld().at(0).slot({}).give('h1', { placedBy: 'r1' });
    world.tell({ type: 'run_ended', run: 'r1', status: 'SUCCEEDED' });
    world.slot({ evidence: evidenceOf('h1', { run: 'r2' }) }).give('h2', { placedBy: 'r1' });
    expect(I8(world)[0]).toContain('having given it away as epoch 1, which was not lost while it worked');
    const late = new FakeWorld().at(0).slot({}).give('h1', { placedBy: 'r1' });
    late.slot({ evidence: releasedBy('r1', 1) }).give('h2', { placedBy: 'r2' });
    late.slot({ evidence: releasedBy('r2', 2, 'h2') }).give('h3', { placedBy: 'r1' });
    expect(I8(late)).toHaveLength(1);
  });

  test('two runs after each other, and one run with two slots', () => {
    const world = new FakeWorld().at(0).slot({}).slot({}, { slot: 1 });
    world.give('h1', { placedBy: 'r1' }).give('h2', { placedBy: 'r1' }, { slot: 1 });
    world.slot({ evidence: evidenceOf('h1') }).give('h3', { placedBy: 'r2' });
    expect(I8(world)).toEqual([]);
  });
});
