/**
 * How long the control plane waits where it waits, in one place: the handlers obey these, the stacks' time-outs stand above
 * them, and a definition whose leases do not fit between them is refused when it is deployed.
 */
import type { Millis } from '../time/time.ts';

/** Longest that one call of a step waits for a host; the workflow calls again. */
export const STEP_CALL_MS: Millis = 20_000;

/** Reads and writes of a step before and after it waits, with their retries. */
export const STEP_STORE_MS: Millis = 30_000;

/** Rounds of `STEP_CALL_MS` before a run that gets no evidence is held: over any sane lease, far under a day. */
export const EVIDENCE_ROUNDS_MAX = 60;

/** How long one invocation of find-behind sweeps: above the schedule's minute and its precision. */
export const SWEEP_LOOP_MS: Millis = 105_000;

/** One sweep with its writes, when a store is slow. */
export const SWEEP_STORE_MS: Millis = 5_000;

/** Of the schedules: Scheduler and rules know no shorter rate. */
export const SCHEDULE_MS: Millis = 60_000;

/** After so many hosts on which it did not start, a slot is held (S15: a failed start never loops). */
export const START_ATTEMPTS_MAX = 3;

/** Of an execution of the workflow, as the definition of the workflow states it. */
export const WORKFLOW_MS: Millis = 86_400_000;

/** A host is looked at anew when nobody swept for longer than this many periods (S13). */
export const GAP_PERIODS = 2;
