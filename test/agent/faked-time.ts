/** Jest's timers with a boot clock that goes along with them. */
import { jest } from '@jest/globals';
import type { BootClock, Sleeper } from '../../core/ports.ts';
import { instant } from '../../core/time/time.ts';

/** The boot clock begins at 0; timers and it move only with `pass`. */
export function fakeTime(): { readonly clock: BootClock; readonly sleeper: Sleeper } {
  jest.useFakeTimers({ now: 1_700_000_000_000 });
  return {
    clock: { now: () => instant(Date.now() - 1_700_000_000_000) },
    sleeper: { sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)) },
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
