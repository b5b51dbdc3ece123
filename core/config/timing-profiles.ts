/** The four profiles of SAFETY.md, "Inequalities", as data (milliseconds). */
import type { Millis } from '../time/time.ts';
import type { Timing } from './model.ts';

export type ProfileName = Timing['profile'];

/** What every profile shares unless it says otherwise. */
const SHARED = { jitter: 0.1, clockRateError: 0.001, wallGapMs: 1000, behindAfter: 2.5 } as const;

export const TIMING_PROFILES: Readonly<Record<ProfileName, Timing>> = {
  fast: {
    ...SHARED,
    profile: 'fast',
    intervalMs: 1000,
    renewCapMs: 800,
    lostRenewals: 2,
    guardPeriodMs: 500,
    watchdogMs: 2000,
    cleanStopMs: 1000,
    killMs: 500,
    writeLifeMs: 500,
    freezeMs: 500,
    holderLeaseMs: 10_000,
    takerWaitMs: 12_000,
    sweepPeriodMs: 1000,
  },
  standard: {
    ...SHARED,
    profile: 'standard',
    intervalMs: 3000,
    renewCapMs: 2000,
    lostRenewals: 2,
    guardPeriodMs: 1000,
    watchdogMs: 5000,
    cleanStopMs: 5000,
    killMs: 1000,
    writeLifeMs: 2000,
    freezeMs: 1000,
    holderLeaseMs: 28_000,
    takerWaitMs: 33_000,
    sweepPeriodMs: 3000,
  },
  conservative: {
    ...SHARED,
    profile: 'conservative',
    intervalMs: 5000,
    renewCapMs: 5000,
    lostRenewals: 3,
    guardPeriodMs: 1000,
    watchdogMs: 10_000,
    cleanStopMs: 30_000,
    killMs: 2000,
    writeLifeMs: 5000,
    freezeMs: 5000,
    holderLeaseMs: 78_000,
    takerWaitMs: 91_000,
    sweepPeriodMs: 5000,
  },
  demo: {
    ...SHARED,
    profile: 'demo',
    intervalMs: 250,
    renewCapMs: 200,
    lostRenewals: 4,
    guardPeriodMs: 100,
    watchdogMs: 400,
    cleanStopMs: 300,
    killMs: 100,
    writeLifeMs: 100,
    freezeMs: 300,
    wallGapMs: 50,
    holderLeaseMs: 2800,
    takerWaitMs: 3350,
    sweepPeriodMs: 250,
  },
};

/**
 * Longest scheduling pause of the guard that must not trip the watchdog (V4), per profile. Half a second to
 * two seconds is what a loaded or live-migrated instance shows; `demo` shares one machine with everything
 * else and gets all that its watchdog leaves.
 */
export const SCHEDULING_PAUSE_MS: Readonly<Record<ProfileName, Millis>> = {
  fast: 500,
  standard: 1000,
  conservative: 2000,
  demo: 200,
};

/**
 * V1: shortest time one renewal may be given. Below it not even one network attempt (connect, TLS resumption and one
 * round trip inside a region) ends in time, so every renewal would be counted as lost; the demo's loopback needs less.
 */
export const NETWORK_ATTEMPT_MS: Millis = 50;

/** V8, V10: grain of the timers of a takeover: a step's long poll re-reads every 200 ms. */
export const TIMER_GRAIN_MS: Millis = 200;
