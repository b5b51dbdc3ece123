import { expect, test } from '@jest/globals';
import { evidenceOf, FakeWorld } from './fake-world.ts';

const I7 = (world: FakeWorld): readonly string[] => world.violations('I7');

/** Moves db/0 to and fro at these moments. Three moves an hour are allowed. */
function moved(at: readonly number[], by: string | null = null): FakeWorld {
  const world = new FakeWorld().at(0).slot({}).give('h1');
  const more = by === null ? {} : { placedBy: by };
  for (const [n, ms] of at.entries()) {
    const [from, to] = n % 2 === 0 ? ['h1', 'h2'] : ['h2', 'h1'];
    world
      .at(ms)
      .slot({ evidence: evidenceOf(from ?? '') })
      .give(to ?? '', more);
  }
  return world;
}

test('as often as the group allows, and again when the window has slid', () => {
  expect(I7(moved([1_000, 2_000, 3_000]))).toEqual([]);
  expect(I7(moved([1_000, 2_000, 3_000, 3_601_000]))).toEqual([]);
});

test('once more', () => {
  expect(I7(moved([1_000, 2_000, 3_000, 4_000]))).toEqual([
    'at 4.000 s db/0 was moved again, more often than its window allows (S15)',
  ]);
});

test('moves that somebody planned do not count, nor those before the registry was restored', () => {
  expect(I7(moved([1_000, 2_000, 3_000, 4_000], 'move.c.db.0.e1'))).toEqual([]);
  const world = moved([1_000, 2_000, 3_000]);
  world.at(3_500).tell({ type: 'fault', kind: 'registry_restored', subject: '', now: 'begins', says: '' });
  world.at(4_000).slot({ evidence: evidenceOf('h2') });
  expect(I7(world.give('h1'))).toEqual([]);
});
