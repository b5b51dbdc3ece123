/** Time-outs of the control plane's Lambdas, in milliseconds. */
import { STEP_CALL_MS, STEP_STORE_MS, SWEEP_LOOP_MS } from '../core/config/control-limits.ts';
import { invariant } from '../core/failures/invariant.ts';

/** A loop of find-behind ends when the next one has claimed the observer; it outlives its minute by this margin. */
export const SWEEP_TIMEOUT_MS = 120_000;

/** `TimeoutSeconds` of every task of the workflow. */
export const STEP_TASK_TIMEOUT_MS = 60_000;

/**
 * Of a step's Lambda: after the workflow's own. A Lambda that times out is reported by a name that depends on the runtime
 * (`Lambda.Unknown`, `Sandbox.Timedout`); a task that does is `States.Timeout`, which the workflow retries by that name.
 * The call that still runs meanwhile is one of those that may run twice (S17).
 */
export const STEP_TIMEOUT_MS = STEP_TASK_TIMEOUT_MS + 5_000;

/** An HTTP API gives up after 30 s. */
export const API_TIMEOUT_MS = 29_000;

/** Of the Lambdas called by schedules and events. */
export const CALL_TIMEOUT_MS = 60_000;

invariant(STEP_TASK_TIMEOUT_MS >= STEP_CALL_MS + STEP_STORE_MS, 'a step ends its wait before its task times out');
invariant(SWEEP_TIMEOUT_MS > SWEEP_LOOP_MS, 'a loop of sweeps ends before its Lambda does');
