/** How long things take in the local EC2: the order of AWS's own times, some hundred times faster. */

/** A stop is never quicker, whatever the machine does; on AWS tens of seconds. */
export const STOP_MS = 400;
/** From the start of an instance to `running`; it boots meanwhile. On AWS tens of seconds. */
export const PENDING_MS = 300;
/** After `running`, until the status checks are `ok`; on AWS minutes. */
export const INITIALIZING_MS = 1_000;
/** From a crash to an impaired instance status check; on AWS one or two minutes. */
export const IMPAIRED_AFTER_MS = 2_000;
/** Attaching or detaching a volume. */
export const VOLUME_MS = 300;
/** Delay of state-change events under `late-events`. */
export const LATE_EVENT_MS = 5_000;
/** From an event to its repetition under `repeat-events`. */
export const REPEAT_EVENT_MS = 700;
/** After SendCommand, in which GetCommandInvocation answers `InvocationDoesNotExist`. */
export const INVOCATION_MS = 100;

/** For people. */
export const DELAYS_TEXT =
  `local EC2: a stop takes at least ${String(STOP_MS)} ms, pending ${String(PENDING_MS)} ms, a crash shows in the status ` +
  `checks after ${String(IMPAIRED_AFTER_MS)} ms, late events are ${String(LATE_EVENT_MS)} ms late`;
