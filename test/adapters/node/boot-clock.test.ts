import { readFileSync } from 'node:fs';
import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { bootClock, parseUptime } from '../../../adapters/node/boot-clock.ts';

jest.setTimeout(60_000); // Thousands of cases, on a machine that others use.

describe('boot clock', () => {
  test('is never behind /proc/uptime read before it, never ahead of /proc/uptime read after it by more than a grain', () => {
    const clock = bootClock();
    for (let n = 0; n < 200; n += 1) {
      const before = parseUptime(readFileSync('/proc/uptime', 'latin1'));
      const now = clock.now();
      const after = parseUptime(readFileSync('/proc/uptime', 'latin1'));
      expect(now).toBeGreaterThanOrEqual(before);
      expect(now).toBeLessThan(after + 10);
    }
  });

  test('counts suspended time, during which hrtime stands still', () => {
    let uptimeMs = 5_000;
    const clock = bootClock({ uptimeMs: () => uptimeMs, monotonicMs: () => 100 });
    expect(clock.now()).toBe(5_000);
    uptimeMs = 3_605_000;
    expect(clock.now()).toBe(3_605_000);
  });

  test('never understates a length without suspend, never overstates it by a grain or more, never goes back', () => {
    const step = fc.record({ passesMs: fc.nat(50), readMs: fc.double({ min: 0, max: 2, noNaN: true }) });
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 10, noNaN: true }),
        fc.array(step, { minLength: 2, maxLength: 40 }),
        (phase, steps) => {
          let trueMs = 1_000 + phase;
          let readMs = 0;
          const clock = bootClock({
            uptimeMs: () => {
              const seen = Math.floor(trueMs / 10) * 10;
              trueMs += readMs; // The two sources are read one after the other.
              return seen;
            },
            monotonicMs: () => trueMs - 777,
          });
          let last: { true: number; shown: number } | undefined;
          for (const each of steps) {
            trueMs += each.passesMs;
            readMs = each.readMs;
            const shown = clock.now();
            expect(shown).toBeLessThanOrEqual(trueMs + 1e-6);
            if (last !== undefined) {
              expect(shown - last.shown).toBeGreaterThanOrEqual(trueMs - last.true - 1e-6);
              expect(shown - last.shown).toBeLessThan(trueMs - last.true + 12);
            }
            last = { true: trueMs, shown };
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test.each(['', 'abc', '12', '12.3 4.5'])('refuses %j', (line) => {
    expect(() => parseUptime(line)).toThrow('/proc/uptime is not readable');
  });
});
