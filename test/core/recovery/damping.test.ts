import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { damped, movesWithin } from '../../../core/recovery/damping.ts';
import { forgiven } from '../../../core/recovery/ownership.ts';
import { wallInstant } from '../../../core/time/time.ts';
import { slot } from '../placement/fixtures.ts';

jest.setTimeout(60_000); // Thousands of cases, on a machine that others use.

const NOW = wallInstant(50_000);
const moved = (...atMs: readonly number[]) => ({ movesMs: atMs.map(wallInstant) });
const LIMITS = { movesPerWindow: 3, movesWindowMs: 10_000 };

describe('S15: moves within a window', () => {
  test('count within their window only', () => {
    expect(movesWithin(moved(10_000, 40_000, 49_000), 10_001, NOW)).toBe(2);
    expect(movesWithin(moved(10_000, 40_000, 49_000), 10_000, NOW)).toBe(1);
  });

  test.each([
    ['none', [], null],
    ['fewer than the limit', [48_000, 49_000], null],
    ['as many, but one has left', [40_000, 48_000, 49_000], null],
    ['as many: until the oldest leaves', [40_001, 48_000, 49_000], 50_001],
    ['more: until only two are left', [41_000, 42_000, 43_000, 44_000, 45_000], 53_000],
  ])('%s', (_, moves, untilMs) => {
    expect(damped(moved(...moves), LIMITS, NOW)?.untilMs ?? null).toBe(untilMs);
  });

  test('says how often and how long, in words that do not change from pass to pass', () => {
    const hourly = { movesPerWindow: 1, movesWindowMs: 3_600_000 };
    expect(damped(moved(49_000), hourly, NOW)?.says).toBe(
      'it was moved once within 60 min and is left alone until that window slides',
    );
  });

  test('whoever moves only when it may never moves more than the limit within any window', () => {
    const asks = fc.array(fc.nat(4_000), { maxLength: 60 });
    fc.assert(
      fc.property(asks, fc.integer({ min: 1, max: 5 }), (pauses, movesPerWindow) => {
        const movesMs: ReturnType<typeof wallInstant>[] = [];
        let now = 0;
        for (const pause of pauses) {
          now += pause;
          const found = damped({ movesMs }, { ...LIMITS, movesPerWindow }, wallInstant(now));
          if (found === null) movesMs.push(wallInstant(now));
          else expect(damped({ movesMs }, { ...LIMITS, movesPerWindow }, found.untilMs)).toBeNull();
        }
        for (const from of movesMs) {
          const within = movesMs.filter((at) => at >= from && at < from + 10_000);
          expect(within.length).toBeLessThanOrEqual(movesPerWindow);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('a failed start is forgiven only while moves are left: it never loops', () => {
    const failedOn = [{ host: 'h1', atMs: wallInstant(1_000) }];
    const fresh = slot(0, { failedOn, ...moved(48_000, 49_000) });
    expect(forgiven(fresh, LIMITS, NOW).failedOn).toEqual([]);
    const spent = slot(0, { failedOn, ...moved(47_000, 48_000, 49_000) });
    expect(forgiven(spent, LIMITS, NOW).failedOn).toEqual(failedOn);
  });
});
