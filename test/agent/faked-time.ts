/** Jest's timers with clocks that go along with them. */
import { jest } from '@jest/globals';
import { nodeTimers, systemWallClock } from '../../adapters/node/clocks.ts';
import type { BootClock, Sleeper, Timers, WallClock } from '../../core/ports.ts';
import { instant } from '../../core/time/time.ts';

const WALL_AT_START = 1_700_000_000_000;

export interface FakedTime {
  readonly clock: BootClock;
  readonly wall: WallClock;
  readonly timers: Timers;
  readonly sleeper: Sleeper;
}

/** The boot clock begins at 0; timers and it move only with `pass`. */
export function fakeTime(): FakedTime {
  jest.useFakeTimers({ now: WALL_AT_START });
  return {
    clock: { now: () => instant(Date.now() - WALL_AT_START) },
    wall: systemWallClock,
    timers: nodeTimers,
    sleeper: { sleep: (ms) => new Promise((resolve) => void nodeTimers.after(ms, resolve)) },
  };
}

/** Lets time pass; whoever a timer wakes runs until it waits again. */
export function pass(ms: number): Promise<void> {
  return jest.advanceTimersByTimeAsync(ms);
}

/** The clock goes on, but no timer fires: the process was not running. */
export function sleepThrough(ms: number): void {
  jest.setSystemTime(Date.now() + ms);
}

export function realTime(): void {
  jest.useRealTimers();
}
