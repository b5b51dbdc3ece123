import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Ids, Sleeper, WallClock } from '../../core/ports.ts';
import { wallInstant } from '../../core/time/time.ts';

export const systemWallClock: WallClock = { now: () => wallInstant(Date.now()) };

export const timerSleeper: Sleeper = {
  async sleep(ms) {
    await delay(ms);
  },
};

export const randomIds: Ids = { next: () => randomUUID() };
