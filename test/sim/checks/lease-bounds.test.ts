import { describe, expect, test } from '@jest/globals';
import { FakeWorld, TIMING } from './fake-world.ts';

const I1 = (world: FakeWorld): readonly string[] => world.violations('I1');

/** Registered at 1 s: a lease of 10 s. */
function registered(clockRate = 1): FakeWorld {
  const hosts = [{ ...new FakeWorld().scene.hosts[0], clockRate }] as FakeWorld['scene']['hosts'];
  return new FakeWorld(undefined, { hosts }).at(1_000).accept('h1', { registered: TIMING });
}

describe('I1: a deadline counts from the sending (S2)', () => {
  test('L_h after the last write that was taken, and not a moment more', () => {
    expect(I1(registered().at(1_010).believe('h1', 11_000))).toEqual([]);
    const [says] = I1(registered().at(1_010).believe('h1', 11_001));
    expect(says).toContain('believes until 11.001 s: the last write of it was taken at 1.000 s');
  });

  test('a renewal moves it', () => {
    const world = registered().at(2_000).accept('h1', { seq: 2 });
    expect(I1(world.at(2_010).believe('h1', 12_000))).toEqual([]);
    expect(I1(world.at(2_020).believe('h1', 12_001))).toHaveLength(1);
  });

  test('on the clock of its own machine', () => {
    expect(I1(registered(0.999).at(1_010).believe('h1', 11_010))).toEqual([]);
    expect(I1(registered(1.001).at(1_010).believe('h1', 11_000))).toHaveLength(1);
  });

  test('longer by a standstill of that clock, and by no other', () => {
    const frozen = (kind: 'frozen_seen' | 'frozen_unseen'): FakeWorld => {
      const world = registered().at(2_000).tell({ type: 'fault', kind, subject: 'h1', now: 'begins', says: '' });
      return world.machine('h1', 'frozen').at(2_400).machine('h1', 'thawed').believe('h1', 11_400);
    };
    expect(I1(frozen('frozen_unseen'))).toEqual([]);
    expect(I1(frozen('frozen_seen'))).toHaveLength(1);
  });

  test('a standstill before the last write adds nothing', () => {
    const world = registered().at(2_000);
    world.tell({ type: 'fault', kind: 'frozen_unseen', subject: 'h1', now: 'begins', says: '' });
    world.machine('h1', 'frozen').at(2_400).machine('h1', 'thawed').at(3_000).accept('h1', { seq: 2 });
    expect(I1(world.at(3_010).believe('h1', 13_000))).toEqual([]);
    expect(I1(world.at(3_020).believe('h1', 13_001))).toHaveLength(1);
  });

  test('none before the store took a write', () => {
    const world = new FakeWorld().at(0).tell({
      ...{ type: 'belief', host: 'h1', machine: 'i-h1' },
      belief: { session: 's', slots: [], isStopping: false, untilMs: 10_000 },
    });
    expect(I1(world)[0]).toContain('the store never took a write of it (S2)');
  });
});
