import { describe, expect, test } from '@jest/globals';
import type { Definition } from '../../../core/config/model.ts';
import type { ServiceLife } from '../../../sim/contract/truth.ts';
import { FakeWorld, lifeOn, TIMING, uncovered } from './fake-world.ts';

const I2 = (world: FakeWorld): readonly string[] => world.violations('I2');

/** b is 500 ms; counted on a clock of the slowest rate it lasts 500.5. */
const DUE_MS = 10_500.5;

function running(
  facts: Partial<ServiceLife> = {},
  scene: Partial<FakeWorld['scene']> = {},
  definition?: Definition,
): [FakeWorld, ServiceLife] {
  const world = new FakeWorld(definition, scene).at(0).accept('h1', { registered: TIMING }).believe('h1', 10_000);
  return [world, world.up(lifeOn('h1', facts))];
}

describe('I2: quiet by deadline + b (S4)', () => {
  test('ended in time, and just so', () => {
    const [world, life] = running();
    expect(I2(world.at(DUE_MS).down(life))).toEqual([]);
  });

  test('ended too late: named with its deadline', () => {
    const [world, life] = running();
    const [says, ...more] = I2(world.at(10_502).down(life));
    expect(more).toEqual([]);
    expect(says).toContain('pg of db/0 on h1');
    expect(says).toContain('was still alive: the deadline of its session s-h1 was 10.000 s');
  });

  test('one that never ends is seen all the same: at a beat of any host, or at the end', () => {
    expect(I2(running()[0].at(10_502).beat('h2'))).toHaveLength(1);
    expect(I2(running()[0].at(10_502).end())).toHaveLength(1);
  });

  test('a renewal in time lets it live on', () => {
    const [world] = running();
    expect(I2(world.at(5_000).believe('h1', 15_000).at(15_500).beat('h2'))).toEqual([]);
  });

  test('a renewal too late does not', () => {
    const [world] = running();
    expect(I2(world.at(10_502).believe('h1', 20_000))).toHaveLength(1);
  });

  test('not of what is not covered, nor where nothing bounds a guard', () => {
    expect(I2(running({ covered: false }, {}, uncovered())[0].at(30_000).beat('h2'))).toEqual([]);
    const hosts = new FakeWorld().scene.hosts.map((host) => ({ ...host, guardLevel: 'none' as const }));
    expect(I2(running({}, { hosts })[0].at(30_000).beat('h2'))).toEqual([]);
  });

  test('a standstill of the machine adds its length, and while it lasts nothing runs', () => {
    const [world, life] = running();
    world.at(9_000).machine('h1', 'frozen').at(10_900).beat('h2');
    world.at(11_000).machine('h1', 'thawed');
    expect(I2(world.at(DUE_MS + 2_000).down(life))).toEqual([]);
    const [other, late] = running();
    other.at(9_000).machine('h1', 'frozen').at(11_000).machine('h1', 'thawed');
    expect(I2(other.at(DUE_MS + 2_002).down(late))).toHaveLength(1);
  });
});
