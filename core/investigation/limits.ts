/** How long an investigation may take. */
import type { Timing } from '../config/model.ts';
import type { Millis } from '../time/time.ts';

/** Longest that a question to a guard or an application is waited for: within the time that detection takes anyway. */
export function askLimitMs(timing: Pick<Timing, 'intervalMs'>): Millis {
  return Math.min(2_000, Math.max(300, timing.intervalMs));
}
