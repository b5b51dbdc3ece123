/**
 * A watchdog: fires once when it was armed and not fed for its time-out. It counts from when a feed was given, on the clock
 * of the machine, by the timers of what keeps it: the hardware, or init.
 */
import type { BootClock, Timers, Watchdog } from '../../core/ports.ts';
import { after, elapsed, type Instant, type Millis } from '../../core/time/time.ts';
import type { SimProcess } from '../kernel/process.ts';

/** What is left of a wait by the rounding of numbers alone. */
const ROUNDING_MS = 1e-6;

interface Armed {
  readonly timeoutMs: Millis;
  readonly fedAt: Instant;
}

export class WatchdogTwin {
  readonly #clock: BootClock;
  readonly #timers: Timers;
  readonly #onFire: (why: string) => void;
  #armed: Armed | null = null;
  #cancel: (() => void) | null = null;

  constructor(clock: BootClock, timers: Timers, onFire: (why: string) => void) {
    this.#clock = clock;
    this.#timers = timers;
    this.#onFire = onFire;
  }

  get isArmed(): boolean {
    return this.#armed !== null;
  }

  /** As `guard` holds it. A guard that is suspended between its check and its feed gives it when it goes on. */
  port(guard: SimProcess): Watchdog {
    return {
      arm: (timeoutMs) =>
        guard.call(async () => {
          this.#armed = { timeoutMs, fedAt: this.#clock.now() };
          this.#schedule(timeoutMs);
        }),
      feed: () =>
        void guard.call(async () => {
          if (this.#armed !== null) this.#armed = { ...this.#armed, fedAt: this.#clock.now() };
        }),
      disarm: () => {
        if (guard.isAlive) this.forget();
      },
    };
  }

  forget(): void {
    this.#armed = null;
    this.#cancel?.();
    this.#cancel = null;
  }

  #schedule(ms: Millis): void {
    this.#cancel?.();
    this.#cancel = this.#timers.after(ms, () => this.#judge());
  }

  /** Feeds do not move the timer: it looks when the oldest of them would have run out. */
  #judge(): void {
    if (this.#armed === null) return;
    const { fedAt, timeoutMs } = this.#armed;
    const leftMs = elapsed(this.#clock.now(), after(fedAt, timeoutMs));
    if (leftMs > ROUNDING_MS) return this.#schedule(leftMs);
    this.forget();
    this.#onFire(`the guard did not feed the watchdog for ${timeoutMs} ms`);
  }
}

/** Of a host where nothing bounds a stopped guard. */
export const NO_WATCHDOG: Watchdog = {
  arm: () => Promise.resolve(),
  feed: () => undefined,
  disarm: () => undefined,
};
