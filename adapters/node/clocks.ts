import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Ids, Sleeper, Timers, WallClock } from '../../core/ports.ts';
import { wallInstant } from '../../core/time/time.ts';

export const systemWallClock: WallClock = { now: () => wallInstant(Date.now()) };

export const timerSleeper: Sleeper = {
  async sleep(ms) {
    await delay(ms);
  },
};

/** Node's own timers are whole milliseconds, and cut off what is more. */
export const nodeTimers: Timers = {
  after(ms, fire) {
    const timer = setTimeout(fire, Math.ceil(ms));
    return () => clearTimeout(timer);
  },
};

/** Those that do not keep a process alive which has nothing else to wait for. */
export const unrefTimers: Timers = {
  after(ms, fire) {
    const timer = setTimeout(fire, Math.ceil(ms)).unref();
    return () => clearTimeout(timer);
  },
};

export const randomIds: Ids = { next: () => randomUUID() };
