import { describe, expect, test } from '@jest/globals';
import { keys } from '../../../core/protocol/records.ts';
import { evidenceOf, FakeWorld, TIMING, wall } from './fake-world.ts';

const I4 = (world: FakeWorld): readonly string[] => world.violations('I4');

function registered(facts: Partial<typeof TIMING> = {}): FakeWorld {
  return new FakeWorld().at(0).accept('h1', { registered: { ...TIMING, ...facts } });
}

const spread = (world: FakeWorld): FakeWorld =>
  world.tell({ type: 'fault', kind: 'control_wall_step', subject: '', now: 'begins', says: '' });

describe('I4: what a session registers of its timing satisfies V3', () => {
  // L_h 10 s at both rates 10.020.02, and 1.001 of 0.5 + 0.5 + 0.5 s: 11 521.52 ms, in whole ones.
  test.each([
    [11_522, 0],
    [11_521, 1],
  ])('L_c %i ms: %i violations', (takerWaitMs, count) => {
    expect(I4(registered({ takerWaitMs }))).toHaveLength(count);
  });

  test('it is judged by the m of its world, whatever it says itself', () => {
    expect(I4(registered({ takerWaitMs: 11_500, writeLifeMs: 0 }))[0]).toContain('it must be 11522 ms at least (V3)');
  });
});

describe('I4: an observation is no older than what it observed (S7)', () => {
  const seen = (world: FakeWorld, observedMs: number): FakeWorld =>
    world.at(9_000).write(keys.late('c', 'h1'), {
      ...{ host: 'h1', principal: 'p-h1', session: 's-h1', seq: 2 },
      observedAtMs: wall(observedMs),
    });
  const renewed = (): FakeWorld => registered().at(5_000).accept('h1', { seq: 2 });

  test('to the millisecond that wall clocks show', () => {
    expect(I4(seen(renewed(), 4_999))).toEqual([]);
    expect(I4(seen(renewed(), 4_998))[0]).toContain('that was taken at 5.000 s only');
  });

  test('within half of ε, once wall clocks differ', () => {
    expect(I4(seen(spread(renewed()), 4_499))).toEqual([]);
    expect(I4(seen(spread(renewed()), 4_498))).toHaveLength(1);
  });
});

describe('I4: a revocation comes L_c + ε after the last write was taken (S7)', () => {
  const revoked = (world: FakeWorld, at: number): FakeWorld =>
    world.at(at).tell({ type: 'revoked', principal: 'p-h1', session: 's-h1', by: 'r1' });

  // 13 s on a clock that is fast by 0.001: 12 987.013 ms.
  test('counted on the fastest clock', () => {
    expect(I4(revoked(registered(), 12_987))).toEqual([]);
    expect(I4(revoked(registered(), 12_985))[0]).toContain('its own L_c is 12000 ms');
  });

  test('from the last write, by the timing that the session registered itself', () => {
    expect(I4(revoked(registered().at(5_000).accept('h1', { seq: 2 }), 17_000))).toHaveLength(1);
    expect(I4(revoked(registered({ takerWaitMs: 20_000 }), 19_000))).toHaveLength(1);
    expect(I4(revoked(registered({ takerWaitMs: 20_000 }), 20_980))).toEqual([]);
  });

  test('L_c once wall clocks differ: ε is spent on them', () => {
    expect(I4(revoked(spread(registered()), 11_989))).toEqual([]);
    expect(I4(revoked(spread(registered()), 11_985))).toHaveLength(1);
  });

  test('of a session that nobody registered, as a tombstone revokes: nothing to judge', () => {
    expect(I4(registered().at(5).tell({ type: 'revoked', principal: 'p-h1', session: '', by: 'r1' }))).toEqual([]);
  });

  test('lease-over about one whose item was gone: L_c at least', () => {
    const gone = (world: FakeWorld): FakeWorld => {
      world.beats = [];
      return world;
    };
    const over = (at: number): FakeWorld =>
      gone(registered().slot({}).give('h1').at(at)).slot({ evidence: evidenceOf('h1') });
    expect(I4(over(11_990))).toEqual([]);
    expect(I4(over(11_985))[0]).toContain('lease-over about session s-h1 was recorded on db/0');
  });
});
