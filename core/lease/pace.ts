/**
 * How fast a host beats. Orders reach a host with the answer to a beat, so a host that is about to be asked for
 * something beats faster for a while: each beat is an ordinary renewal, which never shortens a lease.
 */
import type { Timing } from '../config/model.ts';
import type { Millis } from '../time/time.ts';

const FASTER = 5;
const HURRIED_MIN_MS = 50;
const HURRIED_MAX_MS = 1_000;
const HURRY_FOR_MAX_MS = 120_000;
/** For placing and starting, after the longest wait for evidence. */
const HURRY_AFTER_WAIT_MS = 5_000;

/** Interval and length of a hurry: a fifth of I, from 50 ms to 1 s and never slower than I, for L_c + ε and 5 s, at most 2 minutes. */
export function hurriedBeat(timing: Pick<Timing, 'intervalMs' | 'takerWaitMs' | 'wallGapMs'>): {
  readonly intervalMs: Millis;
  readonly forMs: Millis;
} {
  const faster = Math.min(HURRIED_MAX_MS, Math.max(HURRIED_MIN_MS, timing.intervalMs / FASTER));
  return {
    intervalMs: Math.min(timing.intervalMs, faster),
    forMs: Math.min(HURRY_FOR_MAX_MS, timing.takerWaitMs + timing.wallGapMs + HURRY_AFTER_WAIT_MS),
  };
}
