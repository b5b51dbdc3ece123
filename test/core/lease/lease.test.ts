import { describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { leaseStanding, mayFeed, renewedDeadline } from '../../../core/lease/lease.ts';
import { instant } from '../../../core/time/time.ts';

jest.setTimeout(60_000); // Thousands of cases, on a machine that others use.

/** Profile fast: L_h 10 s, r 0.8 s, w 2 s, s 1 s. Clean stop is due 5 s before the deadline, kill 4 s before it. */
const FAST = { holderLeaseMs: 10_000, renewCapMs: 800, watchdogMs: 2_000, cleanStopMs: 1_000 };

describe('S4: what a lease is worth, by the time left', () => {
  test.each([
    [10_000, 'hold'],
    [5_001, 'hold'],
    [5_000, 'stop'],
    [4_001, 'stop'],
    [4_000, 'kill'],
    [0, 'kill'],
    [-60_000, 'kill'],
  ])('%d ms before the deadline: %s', (leftMs, standing) => {
    expect(leaseStanding(instant(100_000), instant(100_000 - leftMs), FAST)).toBe(standing);
  });

  test('without a deadline nothing covered may run', () => {
    expect(leaseStanding(null, instant(0), FAST)).toBe('kill');
  });
});

describe('S5: the watchdog is fed with something covered unproven', () => {
  test.each([
    ['1w before the deadline', 2_000, false],
    ['1.5w before the deadline', 3_000, false],
    ['a moment short of 2w before it', 3_999, false],
    ['2w before it', 4_000, true],
    ['far before it', 9_000, true],
    ['after it', -1, false],
  ])('%s: %p', (_, leftMs, isFed) => {
    const facts = {
      isCoveredUnproven: true,
      deadline: instant(50_000),
      now: instant(50_000 - leftMs),
      watchdogMs: 2_000,
    };
    expect(mayFeed(facts)).toBe(isFed);
  });

  test('never without a deadline', () => {
    expect(mayFeed({ isCoveredUnproven: true, deadline: null, now: instant(0), watchdogMs: 2_000 })).toBe(false);
  });

  test('always while nothing covered is unproven: a standby is not reset because the store is away', () => {
    expect(mayFeed({ isCoveredUnproven: false, deadline: null, now: instant(0), watchdogMs: 2_000 })).toBe(true);
    expect(mayFeed({ isCoveredUnproven: false, deadline: instant(0), now: instant(90_000), watchdogMs: 2_000 })).toBe(
      true,
    );
  });
});

describe('S2: the deadline counts from when the acknowledged renewal was sent', () => {
  test.each([
    ['the first', null, 1_000, 1_300, 11_000],
    ['a newer one', 11_000, 2_000, 2_010, 12_000],
    ['one answered exactly at r', 11_000, 2_000, 2_800, 12_000],
    ['one answered after r: ignored', 11_000, 2_000, 2_801, 11_000],
    ['a first one answered after r: still no deadline', null, 2_000, 2_801, null],
    ['one that overtook a newer one: no step back', 12_000, 1_000, 1_100, 12_000],
    ['one answered before it was sent: ignored', 11_000, 2_000, 1_999, 11_000],
  ])('%s', (_, old, sentAt, answeredAt, deadline) => {
    const ack = { sentAt: instant(sentAt), answeredAt: instant(answeredAt) };
    expect(renewedDeadline(old === null ? null : instant(old), ack, FAST)).toBe(deadline);
  });

  test('in any order of any answers it never moves back, and never beyond the newest that counts', () => {
    const ack = fc.record({ sentAt: fc.nat(100_000), took: fc.integer({ min: -50, max: 2_000 }) });
    fc.assert(
      fc.property(fc.array(ack, { minLength: 1 }), (acks) => {
        let deadline: ReturnType<typeof renewedDeadline> = null;
        let newest = -1;
        for (const { sentAt, took } of acks) {
          const next = renewedDeadline(deadline, { sentAt: instant(sentAt), answeredAt: instant(sentAt + took) }, FAST);
          if (took >= 0 && took <= 800) newest = Math.max(newest, sentAt);
          expect(Number(next ?? -1)).toBeGreaterThanOrEqual(Number(deadline ?? -1));
          deadline = next;
        }
        expect(deadline).toBe(newest < 0 ? null : newest + 10_000);
      }),
      { numRuns: 2_000 },
    );
  });
});
