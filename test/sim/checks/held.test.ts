import { describe, expect, test } from '@jest/globals';
import { keys } from '../../../core/protocol/records.ts';
import { definitionOf, evidenceOf, FakeWorld, groupDefinition, ownerOf } from './fake-world.ts';

const I11 = (world: FakeWorld): readonly string[] => world.at(1_500_000).end().violations('I11');
const page = (world: FakeWorld, subject: string, text = ''): FakeWorld => world.tell({ type: 'page', subject, text });

/** Faults end at 500 s, the run at 1500 s. db/0 has lost its owner and is held since `at`. */
function held(at: number, definition = definitionOf()): FakeWorld {
  const world = new FakeWorld(definition)
    .at(0)
    .slot({})
    .give('h1')
    .slot({ evidence: evidenceOf('h1') });
  return world.at(at).slot({ phase: 'Held', why: 'no host can take it' });
}

describe('I11: a person is told', () => {
  test('right away, or up to two passes and an invocation later', () => {
    expect(I11(page(held(600_000), 'db/0 is held'))).toEqual([]);
    expect(I11(page(held(600_000).at(780_000), 'run x is held', 'Held: db/0 is held: no host'))).toEqual([]);
  });

  test('not at all, or later', () => {
    expect(I11(held(600_000))).toEqual([
      'db/0 is held since 600.000 s (no host can take it), and by 780.000 s nobody was called about it',
    ]);
    expect(I11(page(held(600_000).at(780_001), 'db/0 is held'))).toHaveLength(1);
  });

  test('about another slot, whose name begins or ends alike', () => {
    for (const other of ['db/1', 'db/00', 'my-db/0', 'db']) {
      expect(I11(page(held(600_000), `${other} is held`))).toHaveLength(1);
    }
  });

  test('held under faults: the bound counts from their end', () => {
    expect(I11(page(held(10_000).at(680_000), 'db/0 is held'))).toEqual([]);
    expect(I11(page(held(10_000).at(680_001), 'db/0 is held'))).toHaveLength(1);
  });

  test('told before, in the same epoch, and held again: a reason is said once', () => {
    const world = page(held(10_000), 'db/0 is held').at(600_000).slot({ phase: 'Stopped' });
    expect(I11(world.at(700_000).slot({ phase: 'Held' }))).toEqual([]);
  });

  test('told of an older epoch only', () => {
    const world = page(held(10_000), 'db/0 is held')
      .at(20_000)
      .give('h2')
      .slot({ evidence: evidenceOf('h2') });
    expect(I11(world.at(600_000).slot({ phase: 'Held' }))).toHaveLength(1);
  });

  test('told in those very words before an older copy of the registry brought the epoch back', () => {
    const restored = (text: string): FakeWorld =>
      page(held(10_000), 'db/0 is held', text)
        .at(20_000)
        .give('h2')
        .slot({ evidence: evidenceOf('h2') })
        .at(600_000)
        .slot({ phase: 'Held', why: 'no host can take it' });
    expect(I11(restored('no host can take it'))).toEqual([]);
    expect(I11(restored('something else'))).toHaveLength(1);
  });

  test('what is held no longer by then needs no call', () => {
    expect(I11(held(600_000).at(780_000).slot({ phase: 'Starting' }))).toEqual([]);
    expect(I11(held(600_000).at(780_001).slot({ phase: 'Starting' }))).toHaveLength(1);
  });

  test('what the definition in force no longer knows waits for nothing, though nobody writes it', () => {
    const without = definitionOf({ groups: [groupDefinition({ name: 'other' })] });
    expect(I11(held(600_000).at(700_000).define(2, without).at(701_000).beat('h1'))).toEqual([]);
    expect(I11(held(600_000).at(780_001).define(2, without).at(781_000).beat('h1'))).toHaveLength(1);
  });

  test('a slot that its group can spare waits without a call; the last one, or a covered one, does not', () => {
    const waiting = (exclusive: boolean, other: 'Active' | 'Failed'): readonly string[] => {
      const group = groupDefinition({ redundancy: { model: 'n', active: 2, exclusive } });
      const world = held(600_000, definitionOf({ groups: [group] })).at(600_000);
      world.slot({ owner: ownerOf('h2'), epoch: 1, phase: other }, { slot: 1 });
      return I11(world.slot({ phase: 'Stopped' }).slot({ phase: 'Held', why: 'waits for a host: none' }));
    };
    expect(waiting(false, 'Active')).toEqual([]);
    expect(waiting(false, 'Failed')).toHaveLength(1);
    expect(waiting(true, 'Active')).toHaveLength(1);
  });
});

describe('I11: no reason outlives what it was about', () => {
  /** All hosts renew, since long. */
  function well(): FakeWorld {
    const world = new FakeWorld().at(0);
    for (const host of ['h1', 'h2', 'h3']) world.host(host).beat(host).believe(host, 2_000_000, { slots: [] });
    world.at(1_499_000);
    for (const host of ['h1', 'h2', 'h3']) world.beat(host);
    return world;
  }

  test.each(['Behind', 'Investigating', 'Disconnected', 'Fencing', 'Alert'] as const)(
    'a host that renews is %s',
    (status) => {
      expect(I11(well().host('h1', { status }))[0]).toContain(`h1 is ${status} on record`);
    },
  );

  test('one that is silent, registered just now, or has left a slot in an older session, may be', () => {
    const silent = well();
    silent.beats = silent.beats.filter(({ host }) => host !== 'h1');
    expect(I11(silent.host('h1', { status: 'Alert' }))).toEqual([]);
    const fresh = well().at(1_400_000).believe('h1', 2_000_000, { session: 's-new', slots: [] }).beat('h1', 's-new');
    expect(I11(fresh.at(1_499_500).beat('h1', 's-new').host('h1', { status: 'Alert' }))).toEqual([]);
    const left = well().slot({ owner: ownerOf('h1', 's-old'), epoch: 1, phase: 'Active' });
    expect(I11(left.host('h1', { status: 'Alert' }))).toEqual([]);
    expect(I11(well().host('h1', { status: 'Up' }).host('h2', { status: 'Down' }))).toEqual([]);
  });

  test('a storm, or a braked call, while every host renews', () => {
    const storm = { sinceMs: 0, seenMs: 0, says: '3 of 4', hosts: ['h1'], turns: [] };
    const call = { host: 'h1', session: 's', reason: 'budget', says: 'spent', sinceMs: 0, askedMs: 0 };
    const key = keys.budget('c');
    expect(I11(well().write(key, { spent: [], storm, held: [] }))[0]).toContain('a storm is on record (3 of 4)');
    expect(I11(well().write(key, { spent: [], storm: null, held: [call] }))[0]).toContain('a stop of h1 is held');
    expect(I11(well().write(key, { spent: [], storm: null, held: [] }))).toEqual([]);
    const silent = well();
    silent.beats = silent.beats.slice(1);
    expect(I11(silent.write(key, { spent: [], storm, held: [call] }))).toEqual([]);
  });

  test('a claim of a run that has ended long ago, on a host or a slot', () => {
    const ended = (at: number): FakeWorld =>
      new FakeWorld().at(at).tell({ type: 'run_ended', run: 'r', status: 'FAILED' });
    const claim = { run: 'r', session: 's', atMs: 0 } as never;
    expect(I11(ended(0).host('h1', { claim }))).toEqual(['h1 is claimed by r, which ended at 0.000 s']);
    expect(I11(ended(0).slot({ claim: 'r' }))).toEqual(['db/0 is claimed by r, which ended at 0.000 s']);
    expect(I11(ended(1_400_000).host('h1', { claim }))).toEqual([]);
    expect(I11(ended(0).slot({ claim: 'r2' }))).toEqual([]);
  });
});

test('a bug that the world saw is a violation of its own', () => {
  const world = new FakeWorld().at(5).tell({ type: 'bug', who: 'h1/agent', says: 'invariant violated' });
  expect(world.violations('bug')).toEqual(['at 0.005 s h1/agent: invariant violated']);
});
