/** The clocks of one machine: a boot clock with a rate of its own, and a wall clock that anybody may set. */
import type { BootClock, WallClock } from '../../core/ports.ts';
import { instant, type Instant, type Millis, wallInstant } from '../../core/time/time.ts';
import type { Timeline } from './timeline.ts';

/** When the world begins, as its best wall clock shows it. */
export const BEGINNING_MS = 1_767_603_600_000; // 2026-01-05T09:00:00Z

export interface LocalClockOptions {
  /** Milliseconds of this clock per true one: within 1 ± ρ. */
  readonly rate: number;
  /** What the boot clock shows now. */
  readonly bootMs: Millis;
  /** What the wall clock shows beyond true time. */
  readonly wallOffsetMs: Millis;
}

export class LocalClock {
  readonly boot: BootClock;
  readonly wall: WallClock;
  readonly rate: number;
  readonly #timeline: Timeline;
  /** True time and boot time of the same moment. */
  #anchor: { readonly trueMs: Millis; readonly bootMs: Millis };
  #wallOffsetMs: Millis;
  #isPaused = false;

  constructor(timeline: Timeline, options: LocalClockOptions) {
    this.#timeline = timeline;
    this.rate = options.rate;
    this.#anchor = { trueMs: timeline.now(), bootMs: options.bootMs };
    this.#wallOffsetMs = options.wallOffsetMs;
    this.boot = { now: () => instant(this.#bootAt(timeline.now())) };
    this.wall = { now: () => wallInstant(Math.floor(this.#wallAt(timeline.now()))) };
  }

  /** True time from now until the boot clock shows `at`; negative if it was earlier. Not for a paused clock. */
  trueMsUntil(at: Instant): Millis {
    return (at - this.#bootAt(this.#timeline.now())) / this.rate;
  }

  trueMs(localMs: Millis): Millis {
    return localMs / this.rate;
  }

  stepWall(byMs: Millis): void {
    this.#wallOffsetMs += byMs;
  }

  /** Stands still, as in a machine whose freeze its clock does not see. */
  pause(): void {
    this.#anchor = { trueMs: this.#timeline.now(), bootMs: this.#bootAt(this.#timeline.now()) };
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    // The wall clock of a machine that was frozen so is behind as well, until somebody sets it.
    this.#wallOffsetMs -= this.#timeline.now() - this.#anchor.trueMs;
    this.#anchor = { trueMs: this.#timeline.now(), bootMs: this.#anchor.bootMs };
    this.#isPaused = false;
  }

  #bootAt(trueMs: Millis): Millis {
    if (this.#isPaused) return this.#anchor.bootMs;
    return this.#anchor.bootMs + (trueMs - this.#anchor.trueMs) * this.rate;
  }

  #wallAt(trueMs: Millis): Millis {
    return BEGINNING_MS + (this.#isPaused ? this.#anchor.trueMs : trueMs) + this.#wallOffsetMs;
  }
}
