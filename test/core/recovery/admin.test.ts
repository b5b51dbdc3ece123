import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { AdminState, GroupRecord, HostRecord, SlotRecord } from '../../../core/protocol/records.ts';
import type { HostVerb } from '../../../core/protocol/views.ts';
import { planVerb, type VerbPlan, WAVE_MAX, wave } from '../../../core/recovery/admin.ts';
import { drainState, hostWhy } from '../../../core/recovery/admin-words.ts';
import { newSlot } from '../../../core/recovery/ownership.ts';
import { wallInstant } from '../../../core/time/time.ts';

jest.setTimeout(60_000); // Thousands of cases, on a machine that others use.

const NOW = wallInstant(1_000);

const host = (admin: AdminState, status: HostRecord['status'] = 'Up'): HostRecord => ({
  host: 'h1',
  principal: 'p1',
  status,
  statusSinceMs: NOW,
  why: 'it renews',
  admin,
  adminReason: admin === 'enabled' ? '' : 'old reason',
  claim: null,
  seen: null,
  tombstoneAtMs: null,
});

const owned = (no: number, changes: Partial<SlotRecord> = {}): SlotRecord => ({
  ...newSlot(no, NOW),
  owner: { host: 'h1', principal: 'p1', session: 's1' },
  epoch: 1,
  phase: 'Active',
  ...changes,
});

const group = (name: string, slots: readonly SlotRecord[], standbys: readonly string[] = []): GroupRecord => ({
  group: name,
  rev: 1,
  slots,
  standbys: standbys.map((standby) => ({ host: standby, session: 's' })),
});

const planned = (
  verb: HostVerb,
  admin: AdminState,
  groups: readonly GroupRecord[],
  to: string | null = 'h2',
): VerbPlan =>
  planVerb(
    { host: host(admin), groups, haEnabled: true, placeFor: () => ({ to, says: 'h2 is Down' }) },
    { verb, reason: 'r' },
  );

describe('what a verb makes of a host', () => {
  test.each([
    ['enable', 'disabled', 'enabled'],
    ['enable', 'maintenance', 'enabled'],
    ['disable', 'enabled', 'disabled'],
    ['maintenance', 'enabled', 'maintenance'],
    ['drain', 'disabled', 'maintenance'],
    ['lock', 'maintenance', 'locked'],
    ['unlock', 'locked', 'enabled'],
  ] as const)('%s of a host that is %s: %s', (verb, before, after) => {
    const { becomes, objections } = planned(verb, before, []);
    expect(becomes).toEqual({ admin: after, adminReason: after === 'enabled' ? '' : 'r' });
    expect(objections).toEqual([]);
  });

  test.each([
    ['enable', 'locked', 'unlock it'],
    ['drain', 'locked', 'unlock it'],
    ['unlock', 'disabled', 'enable it'],
  ] as const)('%s of a host that is %s is advised against: %s', (verb, before, words) => {
    expect(planned(verb, before, []).objections.join()).toContain(words);
  });

  test('only what it may be running moves: not a slot with evidence, not one of another host, not one at work', () => {
    const gone = {
      kind: 'released',
      host: 'h1',
      session: 's1',
      run: '',
      atMs: NOW,
      because: '',
      takers: null,
    } as const;
    const others = [
      group('a', [owned(0)]),
      group('b', [owned(0, { evidence: gone })]),
      group('c', [owned(0, { owner: { host: 'h2', principal: 'p2', session: 's2' } })]),
      group('d', [owned(0, { claim: 'run-1' })]),
    ];
    const { moves, plan } = planned('drain', 'enabled', others);
    expect(moves.map((move) => move.group)).toEqual(['a']);
    expect(plan).toContain('d/0 is being worked on by run run-1');
    expect(planned('disable', 'enabled', others).moves).toEqual([]);
  });

  test('without another place a slot is not moved, whatever the verb', () => {
    for (const verb of ['drain', 'maintenance', 'lock'] as const) {
      const { moves, objections } = planned(verb, 'enabled', [group('a', [owned(0)])], null);
      expect(moves).toEqual([]);
      expect(objections).toEqual(['h1 is the only one that can run a/0: h2 is Down']);
    }
  });

  test('a wave: few at once, one of a group, and none of a group that moves already', () => {
    const move = fc.record({
      group: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      slot: fc.nat(5).map((no) => owned(no)),
    });
    fc.assert(
      fc.property(fc.array(move), fc.array(move, { maxLength: 5 }), (movable, underWay) => {
        const chosen = wave(movable, underWay);
        expect(chosen.length + Math.min(underWay.length, WAVE_MAX)).toBeLessThanOrEqual(WAVE_MAX);
        const groups = chosen.map((one) => one.group);
        expect(new Set(groups).size).toBe(groups.length);
        for (const one of underWay) expect(groups).not.toContain(one.group);
        const isStuck = chosen.length === 0 && underWay.length === 0 && movable.length > 0;
        expect(isStuck).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('how far it is', () => {
  test.each([
    ['enabled', 'Up', ['a/0'], 'none'],
    ['disabled', 'Up', ['a/0'], 'none'],
    ['maintenance', 'Up', ['a/0'], 'draining'],
    ['locked', 'Up', [], 'drained'],
    ['maintenance', 'Down', [], 'drained'],
    ['maintenance', 'Down', ['a/0'], 'errorInMaintenance'],
    ['locked', 'Behind', ['a/0'], 'errorInMaintenance'],
  ] as const)('%s, %s, owns %j: %s', (admin, status, slots, state) => {
    expect(drainState(host(admin, status), slots)).toBe(state);
  });

  test('in words', () => {
    const slots = ['a/0', 'a/1', 'b/0', 'b/1', 'c/0', 'c/1', 'd/0'];
    expect(hostWhy(host('maintenance'), slots)).toBe(
      'maintenance (old reason): draining, a/0, a/1, b/0, b/1, c/0 and 2 more still here; it renews',
    );
    expect(hostWhy(host('enabled'), [])).toBe('it renews');
  });
});
