import { expect, test } from '@jest/globals';
import { askLimitMs } from '../../../core/investigation/limits.ts';

test.each([
  ['demo', 250, 300],
  ['fast', 1_000, 1_000],
  ['standard', 3_000, 2_000],
  ['conservative', 5_000, 2_000],
])('%s (I = %d ms): a guard or an application is waited for at most %d ms', (_, intervalMs, limitMs) => {
  expect(askLimitMs({ intervalMs })).toBe(limitMs);
});
