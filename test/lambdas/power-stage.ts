/** A pair of hosts that EC2 can power off, for stories about power. */
import { expect } from '@jest/globals';
import { DB, definitionOf } from './definitions.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

export const fenced = (yaml: string, fencing: string): string =>
  yaml.replaceAll(/(instanceId: \S+,)/g, `$1 fencing: ${fencing},`);
export const PAIR = fenced(definitionOf({ hosts: 2, groups: [DB] }), '[[ec2], [lease]]');
export const POWER_ONLY = fenced(definitionOf({ hosts: 2, groups: [DB] }), '[[ec2]]');
export const LEASE_FIRST = fenced(definitionOf({ hosts: 2, groups: [DB] }), '[[lease], [ec2]]');

/** A world in which `db/0` runs on `h1`, and has for a while. */
export async function settled(options: WorldOptions & { readonly events?: boolean } = {}): Promise<World> {
  const world = await createWorld({ yaml: PAIR, ...options });
  if (options.events === true) world.sendEvents();
  await world.whole();
  await world.run(2_500);
  expect(world.owner('db/0')).toBe('h1');
  return world;
}

export const M1 = 'i-00000000000000001';
export const movedAway = (world: World): boolean => world.isActive('db/0') && world.owner('db/0') === 'h2';
export const evidence = (world: World): readonly string[] => world.truth.evidences.map(({ kind }) => kind);
export const says = (world: World): string =>
  world.runs.flatMap(({ run }) => world.steps(run).map((step) => `${step.step}: ${step.says}`)).join('\n');
