import { describe, expect, test } from '@jest/globals';
import { FakeWorld } from './fake-world.ts';

const I1 = (world: FakeWorld): readonly string[] => world.violations('I1');

describe('I1: two sessions never believe at once that they may run a slot', () => {
  test('a second belief begins when the first deadline is over', () => {
    const world = new FakeWorld().at(0).believe('h1', 10_000);
    expect(I1(world.at(10_000).believe('h2', 30_000, { epoch: 2 }))).toEqual([]);
  });

  test('a second belief begins within the first: named with sessions, epochs and times', () => {
    const world = new FakeWorld().at(0).believe('h1', 10_000);
    const [says, ...more] = I1(world.at(9_999).believe('h2', 30_000, { epoch: 2 }));
    expect(more).toEqual([]);
    expect(says).toContain('at 9.999 s two sessions believe that they may run db/0');
    expect(says).toContain('s-h2 of h2 (epoch 2) until 30.000 s');
    expect(says).toContain('s-h1 of h1 (epoch 1) until 10.000 s');
  });

  test('the slot left the list of the first: proven stopped', () => {
    const world = new FakeWorld().at(0).believe('h1', 10_000).at(500).believe('h1', 10_000, { slots: [] });
    expect(I1(world.at(501).believe('h2', 30_000, { epoch: 2 }))).toEqual([]);
  });

  test('it leaves the list in the very instant, told after the second belief', () => {
    const world = new FakeWorld().at(0).believe('h1', 10_000).at(500).believe('h2', 30_000, { epoch: 2 });
    expect(I1(world.believe('h1', 10_000, { slots: [] }))).toEqual([]);
  });

  test('a stop under way ends nothing', () => {
    const world = new FakeWorld().at(0).believe('h1', 10_000).at(100).believe('h1', 10_000, { isStopping: true });
    expect(I1(world.at(200).believe('h2', 30_000, { epoch: 2 }))).toHaveLength(1);
  });

  test('no deadline yet, or slots that are not covered: no belief that counts', () => {
    const world = new FakeWorld().at(0).believe('h1', null).believe('h2', 30_000);
    expect(I1(world)).toEqual([]);
    const free = { slots: [{ where: 'web/0', epoch: 1, covered: false }] };
    expect(I1(new FakeWorld().at(0).believe('h1', 10_000, free).believe('h2', 10_000, free))).toEqual([]);
  });

  test('two slots of a group, each on its own host', () => {
    const world = new FakeWorld().at(0).believe('h1', 10_000);
    expect(I1(world.believe('h2', 10_000, { where: 'db/1' }))).toEqual([]);
  });

  test('a host renews, and its successor session on the same machine takes its place', () => {
    const world = new FakeWorld().at(0).believe('h1', 10_000).at(3_000).believe('h1', 13_000);
    expect(I1(world.at(4_000).believe('h1', 14_000, { session: 's-new', epoch: 2 }))).toEqual([]);
  });

  test('a guard that has ended, and a machine that is off or was reset, believe nothing', () => {
    const ended = new FakeWorld().at(0).believe('h1', 10_000).at(10);
    ended.tell({ type: 'process', host: 'h1', machine: 'i-h1', role: 'guard', now: 'ended', why: 'killed' });
    expect(I1(ended.at(20).believe('h2', 10_000))).toEqual([]);
    for (const now of ['off', 'reset'] as const) {
      const world = new FakeWorld().at(0).believe('h1', 10_000).at(10).machine('h1', now);
      expect(I1(world.at(20).believe('h2', 10_000))).toEqual([]);
    }
  });

  test('the end of an agent ends no belief', () => {
    const world = new FakeWorld().at(0).believe('h1', 10_000).at(10);
    world.tell({ type: 'process', host: 'h1', machine: 'i-h1', role: 'agent', now: 'ended', why: 'killed' });
    expect(I1(world.at(20).believe('h2', 10_000))).toHaveLength(1);
  });

  test('a freeze that the clock sees moves no deadline; one that it does not see does', () => {
    const frozen = (kind: 'frozen_seen' | 'frozen_unseen'): FakeWorld => {
      const world = new FakeWorld().at(0).believe('h1', 10_000).at(9_900);
      world.tell({ type: 'fault', kind, subject: 'h1', now: 'begins', says: '' }).machine('h1', 'frozen');
      return world.at(10_300).machine('h1', 'thawed');
    };
    expect(I1(frozen('frozen_seen').at(10_350).believe('h2', 30_000))).toEqual([]);
    expect(I1(frozen('frozen_unseen').at(10_350).believe('h2', 30_000))).toHaveLength(1);
    expect(I1(frozen('frozen_unseen').at(10_400).believe('h2', 30_000))).toEqual([]);
  });

  test('while it is frozen so, its belief stands, whatever true time it is', () => {
    const world = new FakeWorld().at(0).believe('h1', 10_000).at(9_900).machine('h1', 'frozen');
    world.tell({ type: 'fault', kind: 'frozen_unseen', subject: 'h1', now: 'begins', says: '' });
    expect(I1(world.at(20_000).believe('h2', 30_000))).toHaveLength(1);
  });
});
