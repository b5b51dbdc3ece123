import { describe, expect, test } from '@jest/globals';
import {
  boardOf,
  doubted,
  findGroups,
  findHosts,
  groupStanding,
  headline,
  lastHeard,
  redundancyWords,
  slotStanding,
} from '../../../console/model/overview.ts';
import type { HostStatus } from '../../../core/protocol/records.ts';
import { group, host, run, slot, status } from './samples.ts';

describe('the sentence over everything', () => {
  test.each([
    ['all is well', {}, 'good', 'Everything runs.'],
    ['no group', { groups: [] }, 'quiet', 'Nothing is defined to run yet.'],
    [
      'a spare host is gone',
      { hosts: [host('h1'), host('h2', { status: 'Fenced' })] },
      'warn',
      'Everything runs. h2 is not up.',
    ],
    ['failover is off', { haEnabled: false }, 'warn', 'Everything runs, but automatic failover is switched off.'],
    [
      'a standby is missing',
      { groups: [group('db', [slot(0, 'h1')], { health: 'warn' })] },
      'warn',
      'Everything runs, db with less in reserve.',
    ],
    [
      'a slot is held',
      { groups: [group('db', [slot(0, null), slot(1, 'h1')])] },
      'bad',
      '1 of 2 slots is not known to run.',
    ],
    [
      'a run works on it',
      { groups: [group('db', [slot(0, null)])], runs: [run({ closedAtMs: null })] },
      'warn',
      'None of 1 slot is known to run; recovery is at work.',
    ],
  ] as const)('%s', (_, more, tone, says) => {
    expect(headline(status(more))).toEqual({ tone, says });
  });

  test.each<HostStatus>(['Connecting', 'Behind', 'Investigating', 'Down', 'Fencing', 'Fenced', 'Alert', 'Removed'])(
    'never says that a slot runs whose owner is %s, whatever the record says',
    (of) => {
      expect(headline(status({ hosts: [host('h1', { status: of })] })).says).toBe('None of 1 slot is known to run.');
    },
  );
});

test.each([
  ['Everything runs.', 'When last heard: everything runs.'],
  ['1 of 2 slots is not known to run.', 'When last heard: 1 of 2 slots is not known to run.'],
])('while the API is away, %p is said to have been so', (says, said) => {
  expect(lastHeard({ tone: 'good', says })).toEqual({ tone: 'quiet', says: said });
});

describe('a slot of a silent owner', () => {
  const doubts = doubted(status({ hosts: [host('h1', { status: 'Investigating' }), host('h2')] }));

  test('is shown as such, not as active, and its group not as healthy', () => {
    expect(slotStanding(slot(0, 'h1'), doubts)).toMatchObject({ tone: 'warn', word: 'Owner silent' });
    expect(groupStanding(group('db', [slot(0, 'h1')]), doubts)).toMatchObject({ tone: 'warn', word: 'Unsure' });
  });

  test('counts as silent while its failover is under way, even if its status was not written yet', () => {
    const open = run({ closedAtMs: null, phase: 'Investigating', outcome: null });
    expect(headline(status({ runs: [open] })).says).toBe('None of 1 slot is known to run; recovery is at work.');
    expect(doubted(status({ runs: [open] }))).toEqual(new Set(['h1']));
    expect(doubted(status({ runs: [run(), run({ work: 'Move', closedAtMs: null })] }))).toEqual(new Set());
  });

  test('a worse word stays', () => {
    expect(slotStanding(slot(0, 'h1', { phase: 'Failed' }), doubts).word).toBe('Failed');
    expect(groupStanding(group('db', [slot(0, 'h1')], { health: 'failed' }), doubts).word).toBe('Failed');
  });

  test('one whose owner is cut off but shown to live runs on', () => {
    const cut = doubted(status({ hosts: [host('h1', { status: 'Disconnected' })] }));
    expect(slotStanding(slot(0, 'h1'), cut).word).toBe('Active');
  });
});

describe('who runs what', () => {
  test('a column per host; a slot of nobody, or of a host that is gone, is in none', () => {
    const board = boardOf(
      status({ groups: [group('db', [slot(0, 'h1'), slot(1, null), slot(2, 'h9')], { standbys: ['h2'] })] }),
    );
    expect(board?.hosts).toEqual(['h1', 'h2']);
    expect(board?.rows[0]?.cells.map(({ slots, isStandby }) => [slots.map((one) => one.slot), isStandby])).toEqual([
      [[0], false],
      [[], true],
    ]);
    expect(board?.rows[0]?.unowned.map((one) => one.slot)).toEqual([1, 2]);
  });

  test('many hosts are no columns', () => {
    const hosts = Array.from({ length: 9 }, (_, n) => host(`h${n}`));
    expect(boardOf(status({ hosts }))).toBeNull();
  });

  test.each([
    [group('db', [slot(0, 'h1')], { standbys: ['h2'] }), '1 active slot, 1 standby'],
    [group('db', [slot(0, 'h1'), slot(1, 'h2')]), '2 active slots, no standby now'],
    [group('web', [slot(0, 'h1')], { model: 'n' }), '1 active slot, no standby'],
  ])('redundancy in words', (of, words) => {
    expect(redundancyWords(of)).toBe(words);
  });
});

describe('finding', () => {
  const hosts = [
    host('alpha'),
    host('beta', { status: 'Fenced' }),
    host('gamma', { admin: 'locked', labels: { rack: 'r7' } }),
    host('delta', { slots: [{ group: 'db', slot: 3, epoch: 1, phase: 'Active' }] }),
  ];
  const names = (text: string, only: 'all' | 'trouble' | 'withheld') =>
    findHosts(hosts, { text, only }).map(({ name }) => name);

  test.each([
    ['', 'all', ['beta', 'alpha', 'gamma', 'delta']],
    ['R7', 'all', ['gamma']],
    ['db/3', 'all', ['delta']],
    ['', 'trouble', ['beta']],
    ['', 'withheld', ['gamma']],
    ['nothing like it', 'all', []],
  ] as const)('hosts by %p, %s', (text, only, found) => {
    expect(names(text, only)).toEqual(found);
  });

  test('groups by name or owner, the unhealthy first', () => {
    const groups = [group('a', [slot(0, 'h1')]), group('b', [slot(0, 'h2')], { health: 'failed' })];
    expect(findGroups(groups, { text: '', onlyTrouble: false }).map(({ name }) => name)).toEqual(['b', 'a']);
    expect(findGroups(groups, { text: 'H1', onlyTrouble: false }).map(({ name }) => name)).toEqual(['a']);
    expect(findGroups(groups, { text: '', onlyTrouble: true }).map(({ name }) => name)).toEqual(['b']);
  });
});
