import { expect, test } from '@jest/globals';
import { TIMING_PROFILES } from '../../../core/config/timing-profiles.ts';
import { hurriedBeat } from '../../../core/lease/pace.ts';

test.each([
  ['demo', 50, 8_400],
  ['fast', 200, 18_000],
  ['standard', 600, 39_000],
  ['conservative', 1_000, 97_000],
] as const)('profile %s: every %i ms for %i ms', (profile, intervalMs, forMs) => {
  expect(hurriedBeat(TIMING_PROFILES[profile])).toEqual({ intervalMs, forMs });
});

test('never slower than the ordinary beat, and not for ever', () => {
  expect(hurriedBeat({ intervalMs: 20, takerWaitMs: 600_000, wallGapMs: 0 })).toEqual({
    intervalMs: 20,
    forMs: 120_000,
  });
});
