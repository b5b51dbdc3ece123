import type { Millis, WallInstant } from '../../core/time/time.ts';
import { wallInstant } from '../../core/time/time.ts';

/** Time as the driver needs it: a clock to write down due times with, and one-shot timers. */
export interface Timers {
  now(): WallInstant;
  /** Runs `task` once, not before `ms` have passed; the answer takes it back. */
  after(ms: Millis, task: () => void): () => void;
}

/** Timers of this process. They do not keep it alive: that is the business of whoever runs the driver. */
export const processTimers: Timers = {
  now: () => wallInstant(Date.now()),
  after: (ms, task) => {
    const timer = setTimeout(task, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
