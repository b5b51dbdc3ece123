import { describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { GroupDefinition, Timing } from '../../../core/config/model.ts';
import { TIMING_PROFILES } from '../../../core/config/timing-profiles.ts';
import { checkTiming, TIMING_DURATIONS } from '../../../core/config/timing-rules.ts';
import {
  outageSurvivedMs,
  recoveryBoundMs,
  requiredHolderLeaseMs,
  requiredTakerWaitMs,
  resolveTiming,
  revocationWaitMs,
  roundUpToGrain,
  stopShortfallMs,
  takerWait,
} from '../../../core/config/timing.ts';

jest.setTimeout(60_000); // Thousands of cases, on a machine that others use.

describe('the profiles of SAFETY.md', () => {
  test.each([
    // profile, L_h, L_c, wait, V2 right side, V3 right side
    ['fast', 10_000, 12_000, 13_000, 9600, 11_522],
    ['standard', 28_000, 33_000, 34_000, 27_900, 32_061],
    ['conservative', 78_000, 91_000, 92_000, 78_000, 90_169],
    ['demo', 2800, 3350, 3400, 2775, 3307],
  ] as const)('%s keeps every rule with L_h %i, L_c %i, wait %i', (profile, holder, taker, wait, v2, v3) => {
    const timing = resolveTiming({ profile });
    expect(checkTiming(timing)).toEqual([]);
    expect([timing.holderLeaseMs, takerWait(timing), revocationWaitMs(timing)]).toEqual([holder, taker, wait]);
    expect([requiredHolderLeaseMs(timing), requiredTakerWaitMs(timing)]).toEqual([v2, v3]);
  });

  test.each([
    // V11 by hand: L_h − s − 2w − p − I·1.1 − r; V10 with a start of 5 s: I + (L_c + ε)/0.999 + 200 + 5000.
    ['fast', 2600, 19_214],
    ['standard', 6700, 42_235],
    ['conservative', 16_500, 102_293],
    ['demo', 1125, 8854],
  ] as const)('%s survives an outage of %i ms and recovers within %i ms', (profile, outage, bound) => {
    expect(outageSurvivedMs(TIMING_PROFILES[profile])).toBe(outage);
    expect(recoveryBoundMs(TIMING_PROFILES[profile], { startMs: 5000 })).toBe(bound);
  });

  test('detach and hold add to the bound', () => {
    const fast = TIMING_PROFILES.fast;
    expect(recoveryBoundMs(fast, { startMs: 5000, detachMs: 2000, holdMs: 700 })).toBe(21_914);
  });
});

describe('a diff over a profile', () => {
  test('changes what it names; the sweep follows the interval', () => {
    const timing = resolveTiming({ profile: 'fast', intervalMs: 900, watchdogMs: undefined });
    expect([timing.intervalMs, timing.sweepPeriodMs, timing.watchdogMs]).toEqual([900, 900, 2000]);
    expect(resolveTiming({ profile: 'fast', intervalMs: 900, sweepPeriodMs: 500 }).sweepPeriodMs).toBe(500);
  });

  test('timers round up to their grain (V8)', () => {
    expect([roundUpToGrain(3350), roundUpToGrain(3400), roundUpToGrain(1, 1000)]).toEqual([3400, 3400, 1000]);
  });

  test.each([
    [{ profile: 'fast', watchdogMs: 5000 }, 'V2', 'watchdog', 'holderLease at least 15.6s, or watchdog at most 2.2s'],
    [{ profile: 'fast', jitter: 0.5 }, 'V2', 'jitter', 'holderLease at least 10.8s'],
    [{ profile: 'fast', lostRenewals: 3 }, 'V2', 'lostRenewals', 'holderLease at least 10.7s'],
    [{ profile: 'fast', freezeMs: 1000 }, 'V3', 'freeze', 'takerWait at least 12.023s, or freeze at most 977ms'],
    [{ profile: 'demo', clockRateError: 0.02 }, 'V3', 'clockRateError', 'takerWait at least 3.425s'],
    [{ profile: 'standard', guardPeriodMs: 2500 }, 'V4', 'guardPeriod', 'watchdog at least 6s'],
  ] as const)('%j breaks %s at %s', (input, rule, path, must) => {
    expect(checkTiming(resolveTiming(input))).toContainEqual(expect.objectContaining({ rule, path, must }));
  });
});

const profiles = fc.constantFrom(...Object.values(TIMING_PROFILES));
type Mutation = readonly [keyof typeof TIMING_DURATIONS, number];
/** One knob set to anything up to three times the longest lease, extremes included. */
const mutations = fc.tuple(
  fc.constantFrom(
    'interval',
    'renewCap',
    'guardPeriod',
    'watchdog',
    'cleanStop',
    'kill',
    'writeLife',
    'freeze',
    'holderLease',
    'takerWait',
  ),
  fc.oneof(fc.integer({ min: 1, max: 300_000 }), fc.integer({ min: 1, max: 4000 })),
) satisfies fc.Arbitrary<Mutation>;

const mutated = (base: Timing, [knob, value]: Mutation): Timing => ({ ...base, [TIMING_DURATIONS[knob]]: value });

const shown = (ms: number): string =>
  ms < 1000 ? `${ms}ms` : ms % 60_000 === 0 && ms >= 120_000 ? `${ms / 60_000}m` : `${ms / 1000}s`;

describe('SAFETY V2, V3: one knob out of bounds is refused, with the knob, its value and what is needed', () => {
  test('V3', () => {
    fc.assert(
      fc.property(profiles, mutations, (base, mutation) => {
        const t = mutated(base, mutation);
        // ρ is 1/1000 in every profile: L_h·1001/999 + 1001/1000·(b+m+F), in whole numbers.
        const needed = (t.holderLeaseMs * 1_001_000 + (t.killMs + t.writeLifeMs + t.freezeMs) * 1_001 * 999) / 999_000;
        const issues = checkTiming(t).filter(({ rule }) => rule === 'V3');
        if (t.takerWaitMs >= needed) return expect(issues).toEqual([]);
        const [knob, value] = mutation;
        const required = Math.ceil(Math.round(needed * 1e6) / 1e6);
        expect(issues).toEqual([
          expect.objectContaining({
            path: knob,
            got: expect.stringContaining(`${knob} ${shown(value)}`),
            must: expect.stringContaining(`takerWait at least ${shown(required)}`),
          }),
        ]);
      }),
      {
        numRuns: 2000,
        examples: [
          [TIMING_PROFILES.fast, ['takerWait', 11_521]],
          [TIMING_PROFILES.fast, ['takerWait', 11_522]],
          [TIMING_PROFILES.demo, ['takerWait', 3306]],
          [TIMING_PROFILES.demo, ['freeze', 300_000]],
          [TIMING_PROFILES.conservative, ['holderLease', 300_000]],
        ],
      },
    );
  });

  test('V2', () => {
    fc.assert(
      fc.property(profiles, mutations, (base, mutation) => {
        const t = mutated(base, mutation);
        // J is 1/10 in every profile, so eleven tenths of an interval, in tenths of milliseconds.
        const tenths = (t.lostRenewals + 1) * t.intervalMs * 11;
        const needed = tenths / 10 + t.renewCapMs + t.cleanStopMs + t.watchdogMs + t.watchdogMs + t.guardPeriodMs;
        const issues = checkTiming(t).filter(({ rule }) => rule === 'V2');
        if (t.holderLeaseMs >= needed) return expect(issues).toEqual([]);
        const [knob, value] = mutation;
        expect(issues).toEqual([
          expect.objectContaining({
            path: knob,
            got: expect.stringContaining(`${knob} ${shown(value)}`),
            must: expect.stringContaining(`holderLease at least ${shown(Math.ceil(needed))}`),
          }),
        ]);
      }),
      {
        numRuns: 2000,
        examples: [
          [TIMING_PROFILES.conservative, ['holderLease', 77_999]],
          [TIMING_PROFILES.conservative, ['watchdog', 10_001]],
          [TIMING_PROFILES.fast, ['holderLease', 9600]],
        ],
      },
    );
  });

  test('whatever is accepted keeps the safety inequality', () => {
    const knobs = fc.record({
      holderLeaseMs: fc.integer({ min: 1, max: 200_000 }),
      takerWaitMs: fc.integer({ min: 1, max: 300_000 }),
      killMs: fc.integer({ min: 1, max: 20_000 }),
      writeLifeMs: fc.integer({ min: 0, max: 20_000 }),
      freezeMs: fc.integer({ min: 0, max: 20_000 }),
      clockRateError: fc.double({ min: 0.000001, max: 0.05, noNaN: true }),
    });
    fc.assert(
      fc.property(knobs, fc.integer({ min: -3, max: 3 }), (diff, off) => {
        // Near the bound is where a wrong rule would show.
        const near = Math.max(1, Math.round((diff.holderLeaseMs * 1.001) / 0.999) + off);
        for (const takerWaitMs of [diff.takerWaitMs, near, requiredTakerWaitMs(diff) + off]) {
          const t: Timing = { ...TIMING_PROFILES.fast, ...diff, takerWaitMs };
          if (checkTiming(t).some(({ rule }) => rule === 'V3' || rule === 'V8' || rule === 'V9')) continue;
          // The holder's clock slow, the taker's fast: the holder is quiet before the taker's count ends.
          const quietAt = t.holderLeaseMs / (1 - t.clockRateError) + t.killMs + t.writeLifeMs + t.freezeMs;
          const takerAt = t.takerWaitMs / (1 + t.clockRateError);
          expect(quietAt).toBeLessThanOrEqual(takerAt + 1e-6);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('V2: a group that needs longer to stop than s is said', () => {
  const group = (stops: readonly number[], covered: boolean): GroupDefinition => ({
    name: 'g',
    domain: 'default',
    redundancy: { model: 'n', active: 1, exclusive: covered },
    placement: { require: {}, prefer: [], together: [], apart: [] },
    failback: 'never',
    priority: 100,
    limits: { restartsPerWindow: 2, windowMs: 90_000, movesPerWindow: 3, movesWindowMs: 3_600_000 },
    onControlPlaneLoss: 'failsafe',
    accepts: ['lease-over'],
    services: stops.map((timeoutMs, i) => ({
      name: `s${i}`,
      agent: { kind: 'driver', driver: 'x' },
      params: {},
      command: [],
      dependsOn: [],
      monitor: { everyMs: 5000, timeoutMs: 10_000, failures: 1 },
      impact: 'critical',
      actions: { start: { timeoutMs: 1, attempts: 1 }, stop: { timeoutMs, attempts: 1 } },
    })),
  });

  test.each([
    [[150, 150], true, undefined],
    [[150, 151], true, 1],
    [[20_000, 20_000], false, undefined],
  ] as const)('stops of %j, covered %s: short by %s', (stops, covered, expected) => {
    expect(stopShortfallMs(group(stops, covered), TIMING_PROFILES.demo)).toBe(expected);
  });
});
