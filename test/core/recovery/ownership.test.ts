import { describe, expect, test } from '@jest/globals';
import {
  type Change,
  isOwned,
  LISTS_MAX,
  newSlot,
  slotOf,
  takeOwnership,
  withCandidates,
  withEvidence,
  withFailedHost,
  withPhase,
  withSlot,
} from '../../../core/recovery/ownership.ts';
import type { GroupRecord, SlotRecord } from '../../../core/protocol/records.ts';
import { wallInstant } from '../../../core/time/time.ts';
import { ownedBy, record, slot } from '../placement/fixtures.ts';
import { evidence } from './fixtures.ts';

const NOW = wallInstant(50_000);
const ACCEPTS = ['lease-over'] as const;

function group(facts: Partial<SlotRecord> = {}): GroupRecord {
  return record('db', [slot(0, facts)]);
}

function taking(
  host: string,
  changes: Partial<Parameters<typeof takeOwnership>[1]> = {},
): Parameters<typeof takeOwnership>[1] {
  const owner = { host, principal: `p-${host}`, session: `s-${host}` };
  return {
    slot: 0,
    epoch: 1,
    rev: 1,
    owner,
    candidates: ['h1', 'h2', 'h3'],
    nowMs: NOW,
    isMove: false,
    run: 'run-2',
    ...changes,
  };
}

function done(change: Change): GroupRecord {
  if (!change.ok) throw new Error(change.why);
  return change.group;
}

function slotIn(change: Change): SlotRecord {
  const found = slotOf(done(change), 0);
  if (found === undefined) throw new Error('no slot 0');
  return found;
}

const whyOf = (change: Change): string => (change.ok ? 'done' : change.why);

describe('S7: evidence before ownership', () => {
  test('a slot that never ran is taken in epoch 1, with the first candidate list', () => {
    const taken = slotIn(takeOwnership(record('db', [newSlot(0, NOW)]), taking('h1', { epoch: 0 })));
    expect(taken).toMatchObject({
      owner: { host: 'h1', session: 's-h1' },
      epoch: 1,
      phase: 'Starting',
      lists: [{ no: 1, hosts: ['h1', 'h2', 'h3'] }],
      movesMs: [],
    });
    expect(isOwned(taken)).toBe(true);
  });

  test.each<[string, GroupRecord, Parameters<typeof takeOwnership>[1], string]>([
    ['without evidence', group(ownedBy('h1')), taking('h2'), 'h1 owns it and there is no evidence about that session'],
    [
      'without evidence, not even by its own host',
      group(ownedBy('h1')),
      taking('h1'),
      'h1 owns it and there is no evidence about that session',
    ],
    [
      'on an epoch of before',
      group({ ...ownedBy('h1'), epoch: 2, evidence: evidence('closed', 'h1') }),
      taking('h2'),
      'the epoch is 2, not 1',
    ],
    [
      'on another definition',
      { ...group(), rev: 9 },
      taking('h2', { epoch: 0 }),
      'the group stands at definition 9, the plan was made for 1',
    ],
    ['of a slot that is not there', group(), taking('h2', { slot: 4 }), 'there is no such slot'],
    [
      'by a host that the evidence does not let in',
      group({ ...ownedBy('h1'), evidence: evidence('lease-over', 'h1', { takers: ['h2'] }) }),
      taking('h3'),
      'h3 is not among the hosts that the old owner had acknowledged (h2)',
    ],
    [
      'by anybody, where nobody was acknowledged',
      group({ ...ownedBy('h1'), evidence: evidence('lease-over', 'h1', { takers: [] }) }),
      taking('h2'),
      'h2 is not among the hosts that the old owner had acknowledged (none)',
    ],
  ])('no change of owner %s', (_, before, options, why) => {
    expect(whyOf(takeOwnership(before, options))).toBe(why);
  });

  test('with evidence: epoch + 1, numbers of lists go on, and who gave way stays on record', () => {
    const proof = evidence('lease-over', 'h1');
    const before = group({
      ...ownedBy('h1'),
      evidence: proof,
      lists: [{ no: 7, hosts: ['h1', 'h2'] }],
      movesMs: [wallInstant(1)],
    });
    expect(slotIn(takeOwnership(before, taking('h2', { isMove: true })))).toMatchObject({
      owner: { host: 'h2' },
      epoch: 2,
      evidence: null,
      tookOverBy: proof,
      placedBy: 'run-2',
      lists: [{ no: 8, hosts: ['h1', 'h2', 'h3'] }],
      movesMs: [1, 50_000],
    });
  });

  test('the slots beside it stay as they are', () => {
    const two = record('db', [slot(0), slot(1, ownedBy('h9'))]);
    expect(slotOf(done(takeOwnership(two, taking('h1', { epoch: 0 }))), 1)).toEqual(slot(1, ownedBy('h9')));
  });
});

test('no host takes two slots of one group, whoever chose it from which facts', () => {
  const two = record('db', [slot(0), slot(1, ownedBy('h1'))]);
  expect(whyOf(takeOwnership(two, taking('h1', { epoch: 0 })))).toBe('h1 owns slot 1 of this group');
});

describe('evidence about a slot', () => {
  test('is recorded; owner and epoch stay until somebody takes over', () => {
    const proven = slotIn(withEvidence(group(ownedBy('h1')), 0, evidence('lease-over', 'h1'), ACCEPTS));
    expect(proven).toMatchObject({
      owner: { host: 'h1' },
      epoch: 1,
      phase: 'Stopped',
      evidence: { kind: 'lease-over' },
    });
    expect(proven.why).toBe('h1 cannot be running it: seen');
    expect(isOwned(proven)).toBe(false);
  });

  test.each<[string, Partial<SlotRecord>, ReturnType<typeof evidence>, string]>([
    ['about nobody', {}, evidence('closed', 'h1'), 'the slot has no owner'],
    [
      'about another session',
      ownedBy('h1'),
      evidence('closed', 'h1', { session: 's-old' }),
      'the evidence is about h1/s-old, the owner is h1/s-h1',
    ],
    [
      'about a session of another host',
      ownedBy('h1'),
      evidence('closed', 'h2', { session: 's-h1' }),
      'the evidence is about h2/s-h1, the owner is h1/s-h1',
    ],
    [
      'of a kind that the group does not accept',
      ownedBy('h1'),
      evidence('power-off', 'h1'),
      'this group does not accept power-off',
    ],
    [
      'after other evidence',
      { ...ownedBy('h1'), evidence: evidence('closed', 'h1') },
      evidence('lease-over', 'h1'),
      'there is evidence already: closed',
    ],
    [
      'of an epoch before, which the same session gave up',
      { ...ownedBy('h1'), epoch: 3 },
      evidence('released', 'h1', { epoch: 1 }),
      'epoch 1 was released, the slot stands at 3',
    ],
    [
      'of a release without its epoch',
      ownedBy('h1'),
      evidence('released', 'h1'),
      'epoch unknown was released, the slot stands at 1',
    ],
  ])('%s is refused', (_, facts, proof, why) => {
    expect(whyOf(withEvidence(group(facts), 0, proof, ACCEPTS))).toBe(why);
  });

  test('released in this epoch is taken, whatever the policy', () => {
    expect(withEvidence(group(ownedBy('h1')), 0, evidence('released', 'h1', { epoch: 1 }), []).ok).toBe(true);
  });
});

describe('S11: who is bound', () => {
  /** h1 could hold and had acknowledged h2 and h3; h2 took over. */
  function takenByH2(): GroupRecord {
    const proof = evidence('lease-over', 'h1', { takers: ['h2', 'h3'] });
    return done(takeOwnership(group({ ...ownedBy('h1'), evidence: proof }), taking('h2')));
  }
  const at = { slot: 0, epoch: 2, session: 's-h2' };

  test('a second change of owner, by whatever evidence, stays among those that the first was bound to', () => {
    const gone = done(withEvidence(takenByH2(), 0, evidence('closed', 'h2'), ACCEPTS));
    expect(whyOf(takeOwnership(gone, taking('h4', { epoch: 2 })))).toBe(
      'h4 is not among the hosts that the old owner had acknowledged (h2, h3)',
    );
    expect(slotIn(takeOwnership(gone, taking('h3', { epoch: 2 }))).boundTo).toEqual(['h2', 'h3']);
  });

  test('two bindings bind both', () => {
    const proof = evidence('lease-over', 'h2', { takers: ['h3', 'h4'] });
    expect(slotIn(withEvidence(takenByH2(), 0, proof, ACCEPTS)).evidence?.takers).toEqual(['h3']);
  });

  test.each([
    ['Starting', ['h2', 'h3']],
    ['Failed', ['h2', 'h3']],
    ['Stopping', ['h2', 'h3']],
    ['Active', null],
  ] as const)('an owner that reports %s leaves the binding at %j', (phase, boundTo) => {
    expect(slotIn(withPhase(takenByH2(), at, phase, 'as reported', NOW)).boundTo).toEqual(boundTo);
  });

  test('once it was active anybody may follow', () => {
    const active = done(withPhase(takenByH2(), at, 'Active', 'up', NOW));
    const gone = done(withEvidence(active, 0, evidence('closed', 'h2'), ACCEPTS));
    expect(slotIn(takeOwnership(gone, taking('h4', { epoch: 2 }))).owner?.host).toBe('h4');
  });
});

describe('S17: latecomers change nothing', () => {
  test.each([
    ['of an epoch before', { slot: 0, epoch: 0, session: 's-h1' }],
    ['of another session', { slot: 0, epoch: 1, session: 's-h2' }],
    ['of a slot that is gone', { slot: 3, epoch: 1, session: 's-h1' }],
  ])('a phase %s', (_, at) => {
    expect(withPhase(group(ownedBy('h1')), at, 'Active', 'late', NOW).ok).toBe(false);
  });

  test('a phase after evidence about that owner', () => {
    const gone = group({ ...ownedBy('h1'), evidence: evidence('closed', 'h1') });
    expect(withPhase(gone, { slot: 0, epoch: 1, session: 's-h1' }, 'Active', 'late', NOW).ok).toBe(false);
  });

  test('the same phase again is the same record, so that nothing is written', () => {
    const before = group({ ...ownedBy('h1'), why: 'up' });
    expect(done(withPhase(before, { slot: 0, epoch: 1, session: 's-h1' }, 'Active', 'up', NOW))).toBe(before);
  });
});

describe('candidate lists', () => {
  const lists = (group: GroupRecord): readonly string[] =>
    (slotOf(group, 0)?.lists ?? []).map(({ no, hosts }) => `${no}:${hosts.join('+')}`);
  const start = group({
    ...ownedBy('h1'),
    lists: [
      { no: 4, hosts: ['h1', 'h2'] },
      { no: 5, hosts: ['h1'] },
    ],
  });

  test.each([
    ['a new list follows the newest', ['h1', 'h3'], 4, ['4:h1+h2', '5:h1', '6:h1+h3']],
    ['what was superseded by an acknowledged one goes', ['h1', 'h3'], 5, ['5:h1', '6:h1+h3']],
    ['the same list gets no new number', ['h1'], 4, ['4:h1+h2', '5:h1']],
    ['the newest stays, even if a number beyond it is shown', ['h1'], 99, ['5:h1']],
  ])('%s', (_, hosts, acknowledged, expected) => {
    expect(lists(withCandidates(start, 0, hosts, acknowledged))).toEqual(expected);
  });

  test('nothing to change is the same record', () => {
    expect(withCandidates(start, 0, ['h1'], 4)).toBe(start);
    expect(withCandidates(start, 7, ['h1'], 4)).toBe(start);
  });

  test('an owner that acknowledges nothing does not make them grow without end; numbers go on', () => {
    let now = start;
    for (let n = 0; n < 40; n += 1) now = withCandidates(now, 0, [`h${n}`], 0);
    expect(lists(now)).toHaveLength(LISTS_MAX);
    expect(lists(now).at(-1)).toBe('45:h39');
  });
});

describe('S15: what is remembered', () => {
  test('as many moves as a definition may allow per window', () => {
    const movesMs = Array.from({ length: 120 }, (_, at) => wallInstant(at));
    const before = group({ ...ownedBy('h1'), evidence: evidence('power-off', 'h1'), movesMs });
    const after = slotIn(takeOwnership(before, taking('h2', { isMove: true })));
    expect(after?.movesMs).toHaveLength(100);
    expect(after?.movesMs.at(-2)).toBe(119);
  });

  test('a host on which it failed is remembered once, with the last moment', () => {
    const once = withFailedHost(group(ownedBy('h1')), 0, 'h1', wallInstant(1));
    const twice = withFailedHost(withFailedHost(once, 0, 'h2', wallInstant(2)), 0, 'h1', wallInstant(3));
    expect(slotOf(twice, 0)?.failedOn).toEqual([
      { host: 'h2', atMs: 2 },
      { host: 'h1', atMs: 3 },
    ]);
    expect(withSlot(twice, slot(9))).toEqual(twice);
  });
});
