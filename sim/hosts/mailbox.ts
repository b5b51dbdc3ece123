/** One direction of a pipe between two processes: in order, a moment late, and read to its end when the sender has died. */
import type { Millis } from '../../core/time/time.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Timeline } from '../kernel/timeline.ts';

export class Mailbox<T extends object> {
  readonly #timeline: Timeline;
  readonly #to: SimProcess;
  readonly #delay: () => Millis;
  readonly #queue: (() => void)[] = [];
  #lastAt: Millis = 0;
  #isEnded = false;
  #listener: ((message: T) => void) | null = null;
  /** Arrived before anybody listened. */
  #early: T[] = [];

  constructor(timeline: Timeline, to: SimProcess, delay: () => Millis) {
    this.#timeline = timeline;
    this.#to = to;
    this.#delay = delay;
  }

  send(message: T): void {
    if (this.#isEnded) return;
    const copy = copied(message);
    this.#push(() => this.#arrive(copy));
  }

  /** Nothing is sent any more; `told` comes after everything that was. */
  end(told: () => void): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#push(told);
  }

  onMessage(listener: (message: T) => void): void {
    this.#listener = listener;
    const early = this.#early;
    this.#early = [];
    for (const message of early) this.#to.post(() => listener(message));
  }

  #arrive(message: T): void {
    if (this.#listener === null) this.#early.push(message);
    else this.#listener(message);
  }

  #push(step: () => void): void {
    const now = this.#timeline.now();
    this.#lastAt = Math.max(this.#lastAt, now + this.#delay());
    this.#queue.push(step);
    // What is due is the oldest, so that rounding of times cannot change the order.
    this.#timeline.after(this.#lastAt - now, () => {
      const next = this.#queue.shift();
      if (next !== undefined) this.#to.post(next);
    });
  }
}

/** What comes out of the pipe. Most messages are flat, and many. */
function copied<T extends object>(message: T): T {
  const isFlat = Object.values(message).every((value) => typeof value !== 'object' && value !== undefined);
  return isFlat ? { ...message } : (JSON.parse(JSON.stringify(message)) as T);
}
