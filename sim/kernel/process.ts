/**
 * A process as the kernel of its machine sees it: it may be stopped and continued, or killed, between any two of its steps.
 *
 * Code of the system runs in it only by way of `timers`, `post` and `call`. What comes for a stopped process waits; what
 * comes for a dead one is dropped, so that a killed process never takes another step, wherever it was waiting.
 */
import type { Sleeper, Timers } from '../../core/ports.ts';
import { after, type Millis } from '../../core/time/time.ts';
import type { LocalClock } from './local-clock.ts';
import type { Timeline } from './timeline.ts';

/** What is left of a wait by the rounding of numbers alone. */
const ROUNDING_MS = 1e-6;

export class SimProcess {
  readonly name: string;
  readonly timers: Timers;
  readonly sleeper: Sleeper;
  /** Told of each call that is about to be made, and of each whose answer has come; it may kill this process. */
  onCall: ((phase: 'before' | 'after') => void) | null = null;
  readonly #timeline: Timeline;
  readonly #clock: LocalClock;
  /** Each reason to stand still (a signal, a frozen machine) is taken back on its own. */
  readonly #stops = new Set<string>();
  #isAlive = true;
  #waiting: (() => void)[] = [];
  readonly #onCrash: (error: unknown) => void;

  /** `onCrash` is told what a step of this process threw; a real one would have ended by it. */
  constructor(timeline: Timeline, clock: LocalClock, name: string, onCrash: (error: unknown) => void) {
    this.name = name;
    this.#timeline = timeline;
    this.#clock = clock;
    this.#onCrash = onCrash;
    this.timers = { after: (ms, fire) => this.#after(ms, fire) };
    this.sleeper = { sleep: (ms) => new Promise((resolve) => void this.timers.after(ms, resolve)) };
  }

  get clock(): LocalClock {
    return this.#clock;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isStopped(): boolean {
    return this.#stops.size > 0;
  }

  /** Takes a step now, or when it is continued, after those that waited before. */
  post(step: () => void): void {
    if (!this.#isAlive) return;
    if (this.isStopped || this.#waiting.length > 0) this.#waiting.push(step);
    else this.#take(step);
  }

  /**
   * A call to the world outside: what comes of `work` as this process learns it; never, if it has died. It may die right
   * before the call is made, and right after its effect (`onCall`); one that was stopped before makes it when continued.
   */
  call<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve) => {
      this.onCall?.('before');
      if (!this.#isAlive) return;
      const send = (): void => {
        const answer = work();
        const learn = (): void => this.#learn(() => resolve(answer));
        answer.then(learn, learn);
      };
      if (this.isStopped) this.post(send);
      else send();
    });
  }

  stop(why: string): void {
    this.#stops.add(why);
  }

  continue(why: string): void {
    if (this.#stops.delete(why) && !this.isStopped) this.#timeline.after(0, () => this.#catchUp());
  }

  kill(): void {
    this.#isAlive = false;
    this.#waiting = [];
  }

  /** One event for each step: another may stop or kill it in between. */
  #catchUp(): void {
    if (!this.#isAlive || this.isStopped) return;
    const step = this.#waiting[0];
    if (step === undefined) return;
    this.#take(step);
    this.#waiting.shift();
    if (this.#waiting.length > 0) this.#timeline.after(0, () => this.#catchUp());
  }

  #take(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#onCrash(error);
    }
  }

  #learn(step: () => void): void {
    if (!this.#isAlive) return;
    this.onCall?.('after');
    this.post(step);
  }

  /** By this machine's clock: one that stood still meanwhile has the rest still to wait. */
  #after(ms: Millis, fire: () => void): () => void {
    const due = after(this.#clock.boot.now(), ms);
    let cancel = (): void => undefined;
    const arm = (): void => {
      cancel = this.#timeline.after(this.#clock.trueMsUntil(due), () => this.post(ring));
    };
    const ring = (): void => {
      if (isCancelled) return;
      if (this.#clock.trueMsUntil(due) > ROUNDING_MS) arm();
      else fire();
    };
    let isCancelled = false;
    arm();
    return () => {
      isCancelled = true;
      cancel();
    };
  }
}
