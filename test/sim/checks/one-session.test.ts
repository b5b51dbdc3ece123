import { describe, expect, test } from '@jest/globals';
import { FakeWorld, TIMING } from './fake-world.ts';

const I1 = (world: FakeWorld): readonly string[] => world.violations('I1');
const ON = { principal: 'p-h1' };

function registered(): FakeWorld {
  return new FakeWorld().at(0).accept('h1', { ...ON, registered: TIMING });
}

const renewed = (world: FakeWorld, seq: number, session = 's-h1'): FakeWorld =>
  world.at(seq * 1_000).accept('h1', { ...ON, session, seq });

describe('I1: one session stands in an item, and renews it (S1 to S3)', () => {
  test('its numbers rise by one', () => {
    expect(I1(renewed(renewed(registered(), 2), 3))).toEqual([]);
  });

  test.each([
    ['repeats', 2],
    ['leaves one out', 4],
    ['begins again', 1],
  ])('a number that %s', (_, seq) => {
    const [says] = I1(renewed(renewed(registered(), 2), seq));
    expect(says).toContain(`was taken as number ${seq} after number 2: it must rise by one`);
  });

  test('a registration begins with 1, and comes once', () => {
    expect(I1(new FakeWorld().at(0).accept('h1', { ...ON, seq: 2, registered: TIMING }))).toHaveLength(1);
    const again = registered()
      .at(5)
      .accept('h1', { ...ON, session: 's-2', registered: TIMING });
    expect(I1(again)).toEqual([]);
    const [says] = I1(again.at(10).accept('h1', { ...ON, registered: TIMING }));
    expect(says).toContain('and had been at 0.000 s: a session stands once');
  });

  test('a renewal of another session than the one that stands', () => {
    const world = registered()
      .at(5)
      .accept('h1', { ...ON, session: 's-2', registered: TIMING });
    expect(I1(renewed(world, 2, 's-2'))).toEqual([]);
    expect(I1(renewed(world, 3, 's-h1'))).toHaveLength(1);
  });

  test('a registration over the session of another machine, unless somebody ended it', () => {
    const other = { ...ON, machine: 'i-other', session: 's-2', registered: TIMING };
    expect(I1(registered().at(5).accept('h1', other))[0]).toContain('in the place of session s-h1 of i-h1');
    const world = registered().at(500).tell({ type: 'revoked', principal: 'p-h1', session: 's-h1', by: 'r1' });
    expect(I1(world.at(600).accept('h1', other))).toEqual([]);
  });

  test('a renewal after the revocation', () => {
    const world = registered().at(500).tell({ type: 'revoked', principal: 'p-h1', session: 's-h1', by: 'r1' });
    expect(I1(renewed(world, 2))[0]).toContain('it did not stand any more, it was revoked by r1 (S3)');
  });

  test('a renewal that creates the item anew, before the tombstone and after it', () => {
    const gone = (): FakeWorld =>
      registered().at(500).tell({ type: 'fault', kind: 'item_gone', subject: 'h1', now: 'begins', says: '' });
    expect(I1(renewed(gone(), 2))[0]).toContain('it did not stand any more, the item was deleted (S3)');
    const stone = gone().at(600).tell({ type: 'revoked', principal: 'p-h1', session: '', by: 'r1' });
    expect(I1(renewed(stone, 2))).toHaveLength(1);
    const anew = gone()
      .at(600)
      .accept('h1', { ...ON, session: 's-2', registered: TIMING });
    expect(I1(renewed(anew, 2, 's-2'))).toEqual([]);
  });

  test('a late registration in the place of a session that the same machine named later', () => {
    const named = (): FakeWorld => {
      const world = new FakeWorld().at(0).believe('h1', null, { session: 's-old' });
      return world.at(100).believe('h1', null, { session: 's-new' });
    };
    const inOrder = named()
      .at(200)
      .accept('h1', { ...ON, session: 's-old', registered: TIMING });
    expect(I1(inOrder.at(300).accept('h1', { ...ON, session: 's-new', registered: TIMING }))).toEqual([]);
    const late = named()
      .at(200)
      .accept('h1', { ...ON, session: 's-new', registered: TIMING });
    const [says] = I1(late.at(300).accept('h1', { ...ON, session: 's-old', registered: TIMING }));
    expect(says).toContain('in the place of session s-new, which the same machine named later');
  });
});
