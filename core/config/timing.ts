/**
 * Timing of leases: a profile or a diff over one, and the arithmetic of SAFETY.md that other parts read.
 * The rules V1–V12 that judge a timing are in `timing-rules.ts`.
 */
import type { Millis } from '../time/time.ts';
import type { GroupDefinition, Timing } from './model.ts';
import { isCovered } from './model.ts';
import { TIMER_GRAIN_MS, TIMING_PROFILES } from './timing-profiles.ts';

/** A profile, and what differs from it. Knobs that are absent or undefined keep the profile's value. */
export type TimingInput = { readonly profile: Timing['profile'] } & {
  readonly [Knob in Exclude<keyof Timing, 'profile'>]?: number | undefined;
};

/** The sweep follows the interval unless it is set itself: a profile's sweep period is its I. */
export function resolveTiming(input: TimingInput): Timing {
  const base = TIMING_PROFILES[input.profile];
  const sweepPeriodMs = input.sweepPeriodMs ?? input.intervalMs ?? base.sweepPeriodMs;
  const set = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  return { ...base, ...set, sweepPeriodMs };
}

/** L_c: how long a taker waits after it first held a version. */
export function takerWait(timing: Pick<Timing, 'takerWaitMs'>): Millis {
  return timing.takerWaitMs;
}

/** L_c + ε: the earliest moment to send a revocation, counted from the arrival of the answer that held the version (S7). */
export function revocationWaitMs(timing: Pick<Timing, 'takerWaitMs' | 'wallGapMs'>): Millis {
  return timing.takerWaitMs + timing.wallGapMs;
}

/**
 * V3, right side: L_h·(1+ρ)/(1−ρ) + (1+ρ)·(b + m + F), rounded up to whole milliseconds (V8).
 *
 * The holder's slow clock stretches its lease by (1+ρ), the taker's fast clock shortens its wait by (1−ρ). What lies
 * below a nanosecond is the error of the arithmetic itself and is not rounded up to a millisecond.
 */
export function requiredTakerWaitMs(
  timing: Pick<Timing, 'holderLeaseMs' | 'killMs' | 'writeLifeMs' | 'freezeMs' | 'clockRateError'>,
): Millis {
  const rho = timing.clockRateError;
  const quiet = timing.killMs + timing.writeLifeMs + timing.freezeMs;
  return wholeUp((timing.holderLeaseMs * (1 + rho)) / (1 - rho) + (1 + rho) * quiet);
}

/** V2, right side: (k+1)·I·(1+J) + r + s + 2w + p, so that k renewals may be lost before the clean stop begins. */
export function requiredHolderLeaseMs(timing: Timing): Millis {
  const renewals = (timing.lostRenewals + 1) * timing.intervalMs * (1 + timing.jitter);
  return wholeUp(renewals + timing.renewCapMs + timing.cleanStopMs + 2 * timing.watchdogMs + timing.guardPeriodMs);
}

export interface RecoveryCost {
  /** Longest start of what is moved. */
  readonly startMs: Millis;
  /** Freeing what the old owner held (volumes, addresses). */
  readonly detachMs?: Millis;
  /** What a hold of fail-safe mode adds (S10); nothing when none was granted. */
  readonly holdMs?: Millis;
}

/**
 * V10: active again within this, once one eligible host and AWS are there. The lease is counted from the first sweep that saw
 * the last renewal; where sweeps are far apart, the third that sees it, and another host that moved on, comes later than that.
 */
export function recoveryBoundMs(timing: Timing, cost: RecoveryCost): Millis {
  const wait = Math.max(revocationWaitMs(timing) / (1 - timing.clockRateError), 2 * timing.sweepPeriodMs);
  const grain = TIMER_GRAIN_MS;
  return wholeUp(timing.sweepPeriodMs + wait + grain + (cost.detachMs ?? 0) + (cost.holdMs ?? 0) + cost.startMs);
}

/**
 * V11: an outage of the store up to this long never starts a clean stop, without any help of peers.
 *
 * Worst case: it begins just after a renewal was sent and ends just after an attempt was given up, so that the next
 * one (I·(1+J) later, answered within r) must still come before the guard's last check ahead of `deadline − (s + 2w)`.
 */
export function outageSurvivedMs(timing: Timing): Millis {
  const stopAhead = timing.cleanStopMs + 2 * timing.watchdogMs + timing.guardPeriodMs;
  const nextRenewal = timing.intervalMs * (1 + timing.jitter) + timing.renewCapMs;
  return Math.max(0, Math.floor(timing.holderLeaseMs - stopAhead - nextRenewal + 1e-6));
}

/** Sum of a group's stop time-outs with their attempts: services stop one after the other, in reverse order. */
export function stopTimeMs(group: Pick<GroupDefinition, 'services'>): Millis {
  return group.services.reduce((sum, { actions }) => sum + actions.stop.timeoutMs * actions.stop.attempts, 0);
}

/** V2, second half: what a lost lease gives a covered group too little time to stop cleanly; undefined if there is enough. */
export function stopShortfallMs(group: GroupDefinition, timing: Timing): Millis | undefined {
  if (!isCovered(group)) return undefined;
  const short = stopTimeMs(group) - timing.cleanStopMs;
  return short > 0 ? short : undefined;
}

/** V8: the next multiple of the timer's grain. */
export function roundUpToGrain(ms: Millis, grainMs: Millis = TIMER_GRAIN_MS): Millis {
  return Math.ceil(ms / grainMs) * grainMs;
}

function wholeUp(ms: number): Millis {
  return Math.ceil(ms - 1e-6);
}
