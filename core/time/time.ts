/**
 * Instants that must not mix.
 *
 * `tsc` refuses to assign or compare (`===`) across brands but not `<`, so code compares instants only
 * through the functions below. All values are whole or fractional milliseconds.
 */
declare const boot: unique symbol;
declare const wall: unique symbol;

/** A moment on one machine's boot clock (CLOCK_BOOTTIME: counts suspended time, never steps). Meaningless on another machine. */
export type Instant = number & { readonly [boot]: true };

/** A moment on a control-plane process's wall clock (ms since 1970). Two such clocks may differ by up to ε. Never a host's. */
export type WallInstant = number & { readonly [wall]: true };

/** A length of time in milliseconds. */
export type Millis = number;

export const instant = (ms: number): Instant => ms as Instant;
export const wallInstant = (ms: number): WallInstant => ms as WallInstant;

/** Time from `from` to `to`; negative if `to` lies before `from`. */
export function elapsed(from: Instant, to: Instant): Millis {
  return to - from;
}

/** Time between two wall-clock readings of control-plane processes, exact to ±ε. */
export function wallElapsed(from: WallInstant, to: WallInstant): Millis {
  return to - from;
}

export function after(start: Instant, ms: Millis): Instant {
  return (start + ms) as Instant;
}

export function wallAfter(start: WallInstant, ms: Millis): WallInstant {
  return (start + ms) as WallInstant;
}

/** True from the very moment `due` on. */
export function isReached(due: Instant, now: Instant): boolean {
  return now >= due;
}

export function latest(a: Instant, b: Instant): Instant {
  return a >= b ? a : b;
}
