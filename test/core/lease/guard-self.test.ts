import { describe, expect, test } from '@jest/globals';
import { guardSelf } from '../../../core/lease/guard-self.ts';
import { firstState, type GuardState } from '../../../core/lease/guard-state.ts';
import { EMPTY_LEDGER } from '../../../core/lease/ledger.ts';
import { readGuardSelf, readOnLock } from '../../../core/protocol/guard-check.ts';
import { instant } from '../../../core/time/time.ts';

const now = instant(10_000);
const entry = (group: string, covered: boolean) => ({ group, slot: 0, epoch: 1, session: 's-1', covered, cleanup: [] });
const fresh = firstState({ session: 's-1', level: 'init', ledger: EMPTY_LEDGER });
const held: GuardState = {
  ...fresh,
  isRegistered: true,
  deadline: instant(10_001),
  ledger: { ...fresh.ledger, entries: [entry('ledger', true), entry('web', false)] },
};

describe("the guard's word about itself", () => {
  test.each<[string, GuardState, string | null, boolean]>([
    ['a standing session', held, 's-1', true],
    ['one whose deadline is now', { ...held, deadline: now }, 's-1', false],
    ['one whose deadline has passed', { ...held, deadline: instant(9_999) }, 's-1', false],
    ['one without a deadline yet', { ...held, deadline: null }, 's-1', false],
    ['one that is not registered', { ...held, isRegistered: false }, null, false],
    ['S3: one that the store has refused, deadline or not', { ...held, isOver: true }, null, false],
  ])('%s', (_what, state, session, stands) => {
    expect(guardSelf(state, now)).toEqual({ session, stands, running: ['ledger/0'] });
  });

  test('what it says is what is read', () => {
    const self = guardSelf(held, now);
    expect(readGuardSelf(JSON.stringify(self))).toEqual({ outcome: 'answered', ...self });
    expect(readOnLock(JSON.stringify({ state: 'standing', check: self }))).toEqual({ outcome: 'answered', ...self });
  });

  test.each(['', '{', 'null', '[]', '{}', '{"check":{}}', '{"check":{"session":"","stands":true,"running":[]}}'])(
    'S8: %j says nothing',
    (text) => {
      expect(readGuardSelf(text).outcome).toBe('unknown');
      expect(readOnLock(text).outcome).toBe('unknown');
    },
  );
});
