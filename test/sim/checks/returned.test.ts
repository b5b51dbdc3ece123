import { expect, test } from '@jest/globals';
import { definitionOf, FakeWorld, hostDefinition } from './fake-world.ts';

const END_MS = 1_500_000;
const I5 = (world: FakeWorld): readonly string[] => world.at(END_MS).end().violations('I5');

/** All are on, and were registered long ago. */
function registered(definition = definitionOf({ groups: [] })): FakeWorld {
  const world = new FakeWorld(definition).at(1_000);
  for (const { name } of world.scene.hosts) world.host(name).believe(name, 9_000, { slots: [] });
  return world;
}

function renewing(world: FakeWorld, hosts: readonly string[]): FakeWorld {
  for (const host of hosts)
    world
      .at(END_MS - 500)
      .believe(host, END_MS + 9_000, { slots: [] })
      .beat(host);
  return world;
}

test('whoever is on renews at the end', () => {
  expect(I5(renewing(registered(), ['h1', 'h2', 'h3']))).toEqual([]);
});

test('a host that is on and renews nothing is lost', () => {
  expect(I5(renewing(registered(), ['h1', 'h3']))).toEqual([
    'at the end h2 renews no session, though i-h2 is on; the last one began at 1.000 s',
  ]);
});

test('a host whose guard never named a session', () => {
  const world = new FakeWorld(definitionOf({ groups: [] })).at(1_000);
  for (const { name } of world.scene.hosts) world.host(name);
  expect(I5(renewing(world, ['h1', 'h3']))).toEqual([
    'at the end h2 renews no session, though i-h2 is on; none was ever registered',
  ]);
});

test('not asked about: off, of another machine, no longer defined', () => {
  expect(I5(renewing(registered().machine('h2', 'off'), ['h1', 'h3']))).toEqual([]);
  expect(I5(renewing(registered().host('h2', { principal: 'another' }), ['h1', 'h3']))).toEqual([]);
  const two = definitionOf({ groups: [], hosts: ['h1', 'h3'].map((name) => hostDefinition(name)) });
  expect(I5(renewing(registered(two), ['h1', 'h3']))).toEqual([]);
});

test('not asked about yet: its power came back, or a session was named, within the time that it may take', () => {
  const late = (ms: number): FakeWorld => registered().at(END_MS - ms);
  // Of the profile fast: 4 L_c of 12 s, a minute, and 30 s.
  expect(I5(renewing(late(137_000).machine('h2', 'on'), ['h1', 'h3']))).toEqual([]);
  expect(I5(renewing(late(139_000).machine('h2', 'on'), ['h1', 'h3']))).toHaveLength(1);
  expect(I5(renewing(late(137_000).believe('h2', null, { session: 's-new' }), ['h1', 'h3']))).toEqual([]);
});
