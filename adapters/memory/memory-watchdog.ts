import { HaError } from '../../core/failures/failures.ts';
import type { Watchdog } from '../../core/ports.ts';
import type { Instant, Millis } from '../../core/time/time.ts';
import type { MemoryClock } from './memory-clock.ts';

export interface MemoryWatchdogOptions {
  readonly clock: MemoryClock;
  /** The machine is reset. */
  readonly onFire: () => void;
  /** What the device reads back, whatever it was told; default: what it was told. */
  readonly readsBackMs?: Millis;
}

/** A watchdog device on virtual time: fires once when it was armed and not fed for its time-out. */
export class MemoryWatchdog implements Watchdog {
  /** Every feeding while armed. */
  readonly fedAt: Instant[] = [];
  #fired = false;
  readonly #options: MemoryWatchdogOptions;
  #timeoutMs: Millis | undefined;
  #stopTimer: () => void = () => undefined;

  constructor(options: MemoryWatchdogOptions) {
    this.#options = options;
  }

  get hasFired(): boolean {
    return this.#fired;
  }

  get isArmed(): boolean {
    return this.#timeoutMs !== undefined;
  }

  async arm(timeoutMs: Millis): Promise<void> {
    const real = this.#options.readsBackMs ?? timeoutMs;
    if (real !== timeoutMs) {
      throw new HaError('config_invalid', `the watchdog's real time-out is ${real} ms, not ${timeoutMs} ms`);
    }
    this.#timeoutMs = timeoutMs;
    this.#restart(timeoutMs);
  }

  /** Feeding a device that is not armed, or has fired, does nothing. */
  feed(): void {
    if (this.#timeoutMs === undefined || this.#fired) return;
    this.fedAt.push(this.#options.clock.boot.now());
    this.#restart(this.#timeoutMs);
  }

  disarm(): void {
    this.#timeoutMs = undefined;
    this.#stopTimer();
  }

  #restart(timeoutMs: Millis): void {
    this.#stopTimer();
    this.#stopTimer = this.#options.clock.after(timeoutMs, () => {
      this.#fired = true;
      this.#options.onFire();
    });
  }
}
