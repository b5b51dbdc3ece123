/** Virtual time: moves only when told to, and fires what is due in order of time, then of asking. */
import { setImmediate as settle } from 'node:timers/promises';
import { invariant } from '../../core/failures/invariant.ts';
import type { BootClock, Sleeper, WallClock } from '../../core/ports.ts';
import { instant, wallInstant } from '../../core/time/time.ts';
import type { Millis } from '../../core/time/time.ts';

interface Timer {
  readonly dueMs: Millis;
  readonly fire: () => void;
}

export class MemoryClock {
  readonly boot: BootClock;
  readonly wall: WallClock;
  readonly sleeper: Sleeper;
  #bootMs: Millis;
  /** What the wall clock shows beyond the boot clock. */
  #wallOffsetMs: Millis;
  /** In order of time; of the same time in order of asking. */
  readonly #timers: Timer[] = [];

  constructor(start: { readonly bootMs?: Millis; readonly wallMs?: Millis } = {}) {
    this.#bootMs = start.bootMs ?? 0;
    this.#wallOffsetMs = (start.wallMs ?? 1_700_000_000_000) - this.#bootMs;
    this.boot = { now: () => instant(this.#bootMs) };
    this.wall = { now: () => wallInstant(this.#bootMs + this.#wallOffsetMs) };
    this.sleeper = { sleep: (ms) => new Promise((resolve) => this.after(ms, resolve)) };
  }

  /** Calls `fire` once `ms` have passed; the returned function takes that back. */
  after(ms: Millis, fire: () => void): () => void {
    const timer = { dueMs: this.#bootMs + Math.max(0, ms), fire };
    const later = this.#timers.findIndex((other) => other.dueMs > timer.dueMs);
    this.#timers.splice(later === -1 ? this.#timers.length : later, 0, timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at !== -1) this.#timers.splice(at, 1);
    };
  }

  /** Somebody set the wall clock. Timers and the boot clock do not notice. */
  setWall(wallMs: Millis): void {
    this.#wallOffsetMs = wallMs - this.#bootMs;
  }

  /** Lets `ms` pass. Whoever a timer wakes has run until it waits again before the next timer fires. */
  async advance(ms: Millis): Promise<void> {
    invariant(ms >= 0, 'time does not run backwards');
    const until = this.#bootMs + ms;
    await settle();
    for (let next = this.#timers[0]; next !== undefined && next.dueMs <= until; next = this.#timers[0]) {
      this.#timers.shift();
      this.#bootMs = next.dueMs;
      next.fire();
      await settle();
    }
    this.#bootMs = until;
  }
}
