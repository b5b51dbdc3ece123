import { expect, test } from '@jest/globals';
import { type EventRecord, keys, type SlotRecord } from '../../../core/protocol/records.ts';
import { evidenceOf, FakeWorld, ownerOf, wall } from './fake-world.ts';

const I9 = (world: FakeWorld): readonly string[] => world.at(1_000_000).end().violations('I9');

function event(world: FakeWorld, ms: number, facts: Readonly<Record<string, unknown>>, kind = 'slot.owner'): FakeWorld {
  const id = `${String(wall(ms)).padStart(14, '0')}-x`;
  const body: EventRecord = { id, atMs: wall(ms), kind, subject: 'db/0', says: '', run: null, by: '', facts };
  return world.write(keys.event('c', '2026-01-05', id), body);
}

const owned = (host: string, epoch: number, more = {}): Readonly<Record<string, unknown>> => ({
  owner: { host, session: `s-${host}` },
  epoch,
  ...more,
});
const given = (facts: Partial<SlotRecord> = {}): FakeWorld => new FakeWorld().at(0).slot({}).give('h1', facts);
const taken = (): FakeWorld =>
  given()
    .slot({ evidence: evidenceOf('h1') })
    .give('h2');

test('each owner has its event', () => {
  const world = event(event(taken(), 0, owned('h1', 1)), 5, owned('h2', 2));
  expect(I9(world)).toEqual([]);
});

test('an event that comes late, or twice, changes nothing', () => {
  const world = event(event(event(taken(), 5, owned('h2', 2)), 9, owned('h1', 1)), 10, owned('h2', 2));
  expect(I9(world)).toEqual([]);
});

test('a lost event, or none at all', () => {
  expect(I9(event(taken(), 0, owned('h1', 1)))).toEqual([
    'the event log of db/0 replays to epoch 1 of h1/s-h1, and its record shows epoch 2 of h2/s-h2',
  ]);
  expect(I9(taken())).toEqual(['the event log of db/0 replays to nothing, and its record shows epoch 2 of h2/s-h2']);
});

test('an event that names another owner or session', () => {
  expect(I9(event(given(), 0, owned('h3', 1)))).toHaveLength(1);
  expect(I9(event(given(), 0, { owner: { host: 'h1', session: 's-old' }, epoch: 1 }))).toHaveLength(1);
});

test('held: said by a state, unsaid by a newer one of the same epoch, whichever was written last', () => {
  const held = event(given({ phase: 'Held' }), 0, owned('h1', 1));
  expect(I9(held)[0]).toContain('and its record shows epoch 1 of h1/s-h1, held');
  const said = event(
    event(given({ phase: 'Held' }), 0, owned('h1', 1)),
    5,
    owned('h1', 1, { isHeld: true, sinceMs: 5 }),
    'slot.state',
  );
  expect(I9(said)).toEqual([]);
  const world = event(given(), 1, owned('h1', 1, { isHeld: false, sinceMs: 9 }), 'slot.state');
  expect(I9(event(world, 5, owned('h1', 1, { isHeld: true, sinceMs: 5 }), 'slot.state'))).toEqual([]);
});

test('events of other kinds say nothing', () => {
  expect(I9(event(event(given(), 0, owned('h1', 1)), 5, owned('h3', 7), 'slot.active'))).toEqual([]);
});

test('what changed right before the end, or was never placed, is not asked about', () => {
  expect(new FakeWorld().at(0).slot({}).at(900_000).give('h1').at(1_000_000).end().violations('I9')).toEqual([]);
  expect(I9(new FakeWorld().at(0).slot({}))).toEqual([]);
});

/** Epochs 1 and 2 are in the log; then the registry is restored to what it was in epoch 1. */
function restored(): FakeWorld {
  const world = event(event(taken(), 0, owned('h1', 1)), 5, owned('h2', 2));
  const group = world.group();
  const slots = group?.slots.map((slot) => ({ ...slot, epoch: 1, owner: ownerOf('h1') })) ?? [];
  return world.put(keys.group('c', 'db'), { ...group, slots });
}

test('an epoch that a restored registry forgot is not asked about, also when it was given again', () => {
  expect(I9(restored())).toEqual([]);
  expect(I9(restored().give('h3'))).toEqual([]);
  expect(I9(restored().give('h3').slot({ phase: 'Held' }))).toEqual([]);
});

test('the first epoch after the forgotten ones is asked about again', () => {
  const [third, says] = [() => restored().give('h3').give('h1'), 'its record shows epoch 3 of h1/s-h1'];
  expect(I9(third())).toEqual([`the event log of db/0 replays to epoch 2 of h2/s-h2, and ${says}`]);
  expect(I9(event(third(), 9, owned('h1', 3)))).toEqual([]);
});

test('a state that a restored registry forgot is not asked about', () => {
  const world = given({ phase: 'Active', sinceMs: wall(3) });
  const group = world.group();
  world.slot({ phase: 'Held', sinceMs: wall(5) });
  event(event(world, 0, owned('h1', 1)), 5, owned('h1', 1, { isHeld: true, sinceMs: 5 }), 'slot.state');
  expect(I9(world.put(keys.group('c', 'db'), group))).toEqual([]);
});
