import { describe, expect, test } from '@jest/globals';
import type { FaultKind } from '../../../sim/contract/faults.ts';
import { evidenceOf, FakeWorld, lifeOn } from './fake-world.ts';

const I6 = (world: FakeWorld): readonly string[] => world.violations('I6');

function placed(scene: ConstructorParameters<typeof FakeWorld>[1] = {}): FakeWorld {
  return new FakeWorld(undefined, scene).at(0).slot({}).give('h1').slot({ phase: 'Active' });
}

const STORMY = { noise: { loss: 0.1 } };
const fault = (world: FakeWorld, kind: FaultKind, subject = 'h1'): FakeWorld =>
  world.tell({ type: 'fault', kind, subject, now: 'begins', says: '' });
const page = (world: FakeWorld): FakeWorld => world.tell({ type: 'page', subject: 'x', text: 'y' });

describe('I6: no fault, no action', () => {
  test('the first placement is no move, and what is said before it is done calls nobody in vain', () => {
    expect(I6(page(new FakeWorld().at(0)).slot({}).give('h1').slot({ phase: 'Active' }))).toEqual([]);
  });

  test('phases, renewals and events change nothing', () => {
    expect(I6(placed().slot({ phase: 'Starting' }).slot({ phase: 'Active' }).beat('h1'))).toEqual([]);
  });

  test('a move, a revocation, a power call, a page', () => {
    expect(
      I6(
        placed()
          .slot({ evidence: evidenceOf('h1') })
          .at(9)
          .give('h2'),
      ),
    ).toEqual(['at 0.009 s, without any fault so far, db/0 moved from h1 to h2 (epoch 2)']);
    expect(I6(placed().tell({ type: 'revoked', principal: 'p-h1', session: 's', by: 'r' }))).toHaveLength(1);
    for (const call of ['stop', 'start'] as const) {
      expect(I6(placed().tell({ type: 'power_call', machine: 'i-h1', host: 'h1', call, by: 'r' }))).toHaveLength(1);
    }
    expect(I6(page(placed()))).toHaveLength(1);
  });

  test('a service that ends, and a machine that is reset', () => {
    const world = placed();
    const life = world.up(lifeOn('h1'));
    expect(I6(world.down(life))).toEqual(['at 0.000 s, without any fault so far, pg of db/0 ended on h1']);
    expect(I6(placed().machine('h2', 'reset'))).toEqual(['at 0.000 s, without any fault so far, h2 was reset']);
    const early = new FakeWorld().at(0);
    expect(I6(early.down(early.up(lifeOn('h1'))))).toEqual([]);
  });

  test('after a fault, or an act of an operator, nothing is asked', () => {
    expect(I6(page(fault(placed(STORMY), 'crash')))).toEqual([]);
    expect(I6(page(placed().tell({ type: 'operator', says: 'move', outcome: '202' })))).toEqual([]);
  });

  test('what cannot hurt leaves it calm', () => {
    expect(I6(page(fault(fault(placed(STORMY), 'duplicate'), 'event_repeated')))).toHaveLength(1);
  });

  test('two lost renewals of a host are tolerated by its timing, a third within one lease is not', () => {
    const two = fault(fault(placed(STORMY).at(10_000), 'loss').at(11_000), 'answer_lost');
    expect(I6(page(two))).toHaveLength(1);
    expect(I6(page(fault(fault(fault(placed(STORMY).at(1), 'loss').at(2), 'loss').at(3), 'loss')))).toEqual([]);
    const apart = fault(fault(fault(placed(STORMY).at(1), 'loss').at(11_000), 'loss').at(22_000), 'loss');
    expect(I6(page(apart))).toHaveLength(1);
    const others = fault(fault(fault(placed(STORMY).at(1), 'loss').at(2), 'loss', 'h2').at(3), 'loss', 'h3');
    expect(I6(page(others))).toHaveLength(1);
  });

  test('a scene of short cuts, apart from each other, is judged to its end; of longer ones, or closer, it is not', () => {
    const cuts = (forMs: number, secondAt: number): readonly string[] => {
      const cut = { kind: 'cut', subject: 'h1', forMs } as const;
      const faults = [
        { ...cut, at: 0 },
        { ...cut, at: secondAt },
      ];
      return I6(page(fault(placed({ faults }), 'cut')));
    };
    expect(cuts(1_000, 4_000)).toHaveLength(1);
    expect(cuts(1_001, 4_001)).toEqual([]);
    expect(cuts(1_000, 3_999)).toEqual([]);
  });
});
