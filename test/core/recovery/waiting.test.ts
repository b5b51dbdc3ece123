import { describe, expect, test } from '@jest/globals';
import type { Redundancy } from '../../../core/config/model.ts';
import type { HostFinding } from '../../../core/placement/facts.ts';
import { isShortOfHosts, isWaiting, mayWait, waitingIn } from '../../../core/recovery/waiting.ts';
import { evidenceAbout, group, ownedBy, record, slot } from '../placement/fixtures.ts';

const free = slot(1, { ...ownedBy('h2'), evidence: evidenceAbout('h2'), phase: 'Held' });
const SPREAD: Redundancy = { model: 'n', active: 2, exclusive: false };

describe('a slot may wait for a host without a call', () => {
  test.each<[string, Redundancy, ReturnType<typeof slot>, boolean]>([
    ['another slot is active and the group may run twice', SPREAD, slot(0, ownedBy('h1')), true],
    ['the group is exclusive', { ...SPREAD, exclusive: true }, slot(0, ownedBy('h1')), false],
    ['the group is active and standby', { model: 'n-plus-m', active: 2, standby: 1 }, slot(0, ownedBy('h1')), false],
    ['the other only starts', SPREAD, slot(0, { ...ownedBy('h1'), phase: 'Starting' }), false],
    ['the other is gone too', SPREAD, slot(0, { ...ownedBy('h1'), evidence: evidenceAbout('h1') }), false],
  ])('%s', (_, redundancy, other, expected) => {
    expect(mayWait(group('web', { redundancy }), record('web', [other, free]), 1)).toBe(expected);
  });

  test('not one of a group that is no longer defined, and never because of itself', () => {
    expect(mayWait(undefined, record('web', [slot(0, ownedBy('h1')), free]), 1)).toBe(false);
    expect(mayWait(group('web', { redundancy: SPREAD }), record('web', [slot(0, ownedBy('h1'))]), 0)).toBe(false);
  });

  const dropped = (filter: 'status' | 'same-group' | 'failed-there' | 'takers'): HostFinding => ({
    host: 'h',
    outcome: 'dropped',
    filter,
    fact: '',
  });

  test.each([
    [['status', 'same-group'], true],
    [[], true],
    [['status', 'failed-there'], false],
    [['takers'], false],
  ] as const)('hosts dropped by %p: only hosts are lacking: %p', (filters, expected) => {
    expect(isShortOfHosts(filters.map(dropped))).toBe(expected);
  });

  test('is told from one that is held', () => {
    expect(isWaiting({ phase: 'Held', why: 'waits for a host: no host can take web/1 now' })).toBe(true);
    expect(isWaiting({ phase: 'Held', why: 'it failed to start on 3 hosts' })).toBe(false);
    expect(isWaiting({ phase: 'Active', why: 'waits for a host' })).toBe(false);
  });
});

test.each([
  ['', []],
  ['db/0 is Active on h2', []],
  ['web/2 waits for a host', ['web/2']],
  ['db/0 is Active on h2; web/1 waits for a host; web/2 waits for a host', ['web/1', 'web/2']],
  ['db/0 is held: waits for a host: nobody', []],
])('the summary %j leaves %j waiting', (summary, waiting) => {
  expect(waitingIn(summary)).toEqual(waiting);
});
