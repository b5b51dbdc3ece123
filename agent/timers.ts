import type { Timers } from '../core/ports.ts';
import type { Millis } from '../core/time/time.ts';

export function sleep(timers: Timers, ms: Millis): Promise<void> {
  return new Promise((resolve) => void timers.after(ms, resolve));
}

/** Calls `fire` again and again, for the first time after `ms`; the answer ends that. */
export function every(timers: Timers, ms: Millis, fire: () => void): () => void {
  let cancelNext: () => void;
  const next = (): void => {
    cancelNext = timers.after(ms, () => {
      next(); // Before it fires, so that it can be ended by what it calls.
      fire();
    });
  };
  next();
  return () => cancelNext();
}
