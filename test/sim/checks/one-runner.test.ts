import { describe, expect, test } from '@jest/globals';
import { definitionOf, FakeWorld, groupDefinition, lifeOn, uncovered } from './fake-world.ts';

const I2 = (world: FakeWorld): readonly string[] => world.violations('I2');

describe('I2: covered services of a slot run on one machine, in one epoch', () => {
  test('stopped here, then started there, with time between', () => {
    const world = new FakeWorld();
    const life = world.at(0).up(lifeOn('h1'));
    world
      .at(10)
      .down(life)
      .at(11)
      .up(lifeOn('h2', { epoch: 2 }));
    expect(I2(world)).toEqual([]);
  });

  test('an overlap of no length is none, in whichever order the instant is told', () => {
    const world = new FakeWorld();
    const life = world.at(0).up(lifeOn('h1'));
    world
      .at(10)
      .down(life)
      .up(lifeOn('h2', { epoch: 2 }));
    expect(I2(world)).toEqual([]);
    const other = new FakeWorld();
    const old = other.at(0).up(lifeOn('h1'));
    other.at(10).up(lifeOn('h2', { epoch: 2 }));
    other.down(old);
    expect(I2(other)).toEqual([]);
  });

  test('an overlap of the shortest length is one, also of two different services of the slot', () => {
    const world = new FakeWorld();
    const life = world.at(0).up(lifeOn('h1'));
    world.at(10).up(lifeOn('h2', { epoch: 2, service: 'vip' }));
    world.at(10.001).down(life);
    const [says, ...more] = I2(world);
    expect(more).toEqual([]);
    expect(says).toMatch(
      /at 0\.010 s covered services of db\/0 run on two machines: pg on h1 .*epoch 1.*, and vip on h2 .*epoch 2/,
    );
  });

  test('an overlap that nothing follows is seen at the end', () => {
    const world = new FakeWorld();
    world.at(0).up(lifeOn('h1'));
    world.at(10).up(lifeOn('h2', { epoch: 2 }));
    expect(I2(world.at(11).end())).toHaveLength(1);
  });

  test('several services of a slot on its owner', () => {
    const world = new FakeWorld();
    world.at(0).up(lifeOn('h1'));
    world.at(1).up(lifeOn('h1', { service: 'vip' }));
    expect(I2(world)).toEqual([]);
  });

  test('what is not covered, and a standby, may run on two hosts', () => {
    const web = groupDefinition({ name: 'web', redundancy: { model: 'n', active: 2, exclusive: false } });
    const world = new FakeWorld(definitionOf({ groups: [groupDefinition(), web] }));
    for (const host of ['h1', 'h2']) world.at(0).up(lifeOn(host, { where: 'web/0', covered: false }));
    world.at(1).up(lifeOn('h1'));
    world.at(2).up(lifeOn('h2', { epoch: 0, covered: false, service: 'standby' }));
    expect(I2(world)).toEqual([]);
  });

  test('what its host wrongly takes for uncovered is judged by the definition', () => {
    const world = new FakeWorld();
    for (const host of ['h1', 'h2']) world.at(0).up(lifeOn(host, { covered: false }));
    expect(I2(world)).not.toEqual([]);
    const both = definitionOf({
      groups: [groupDefinition({ redundancy: { model: 'n', active: 1, exclusive: true } })],
    });
    const changed = new FakeWorld(uncovered()).define(2, both);
    for (const host of ['h1', 'h2']) changed.at(0).up(lifeOn(host, { covered: false }));
    // It may have been started when it was not covered yet.
    expect(I2(changed)).toEqual([]);
  });

  test('two slots of one group', () => {
    const world = new FakeWorld();
    world.at(0).up(lifeOn('h1'));
    world.at(0).up(lifeOn('h2', { where: 'db/1' }));
    expect(I2(world)).toEqual([]);
  });

  test('one machine in two epochs, by two sessions, or one service twice', () => {
    const twice = (facts: Parameters<typeof lifeOn>[1]): readonly string[] => {
      const world = new FakeWorld();
      world.at(0).up(lifeOn('h1'));
      world.at(1).up(lifeOn('h1', facts));
      return I2(world);
    };
    expect(twice({ epoch: 2, service: 'vip' })[0]).toContain('run on one machine in two epochs');
    expect(twice({ session: 's-new', service: 'vip' })[0]).toContain('run on one machine by two sessions');
    expect(twice({})[0]).toContain('run twice');
  });

  test('a service that was restarted; and one that lied about its state', () => {
    const world = new FakeWorld();
    const first = world.at(0).up(lifeOn('h1'));
    world.at(1).down(first).at(2).up(lifeOn('h1'));
    expect(I2(world)).toEqual([]);
    world.tell({ type: 'fault', kind: 'lies', subject: 'h1', now: 'begins', says: '' });
    world.at(3).up(lifeOn('h1'));
    expect(I2(world)).toEqual([]);
  });

  test('an instance that was replaced under the same name is another machine', () => {
    const world = new FakeWorld();
    world.at(0).up(lifeOn('h1'));
    world.at(1).up(lifeOn('h1', { machine: 'i-new', epoch: 1 }));
    expect(I2(world)[0]).toContain('run on two machines');
  });

  test('a frozen machine runs nothing, and does again at the thaw', () => {
    const world = new FakeWorld();
    world.at(0).up(lifeOn('h1'));
    world.at(10).machine('h1', 'frozen');
    world.at(20).up(lifeOn('h2', { epoch: 2 }));
    expect(I2(world)).toEqual([]);
    world.at(100).machine('h1', 'thawed');
    expect(I2(world)[0]).toContain('at 0.100 s covered services of db/0 run on two machines');
  });

  test('what is killed in the very instant of the thaw does not run again', () => {
    const world = new FakeWorld();
    const old = world.at(0).up(lifeOn('h1'));
    world
      .at(10)
      .machine('h1', 'frozen')
      .at(20)
      .up(lifeOn('h2', { epoch: 2 }));
    world.at(100).machine('h1', 'thawed').down(old);
    expect(I2(world)).toEqual([]);
  });

  test('a start on a machine that is frozen right then is no overlap before the thaw', () => {
    const world = new FakeWorld();
    world.at(0).up(lifeOn('h1'));
    world.at(5).up(lifeOn('h2', { epoch: 2 }));
    world.machine('h2', 'frozen');
    expect(I2(world)).toEqual([]);
  });
});
