/**
 * True time, in milliseconds since the run began, which nobody inside the simulated world can read.
 *
 * What is due at the same time happens in the order in which it was asked for. After each event everything that it woke
 * has run until it waits again, so a run is one sequence of events and nothing depends on the machine that runs it.
 */
import { setImmediate as settle } from 'node:timers/promises';
import TinyQueue from 'tinyqueue';
import { invariant } from '../../core/failures/invariant.ts';
import type { Millis } from '../../core/time/time.ts';

interface Due {
  readonly at: Millis;
  readonly no: number;
  fire: (() => void) | null;
}

/** More events than any run needs: something asks for itself again and again without time passing. */
const EVENTS_MAX = 5_000_000;

export class Timeline {
  #now: Millis = 0;
  #no = 0;
  #fired = 0;
  #isStopped = false;
  readonly #queue = new TinyQueue<Due>([], (a, b) => a.at - b.at || a.no - b.no);

  now(): Millis {
    return this.#now;
  }

  /** Events so far. */
  get fired(): number {
    return this.#fired;
  }

  after(ms: Millis, fire: () => void): () => void {
    this.#no += 1;
    const due: Due = { at: this.#now + Math.max(0, ms), no: this.#no, fire };
    this.#queue.push(due);
    return () => {
      due.fire = null;
    };
  }

  /** Ends `run` after the event under way. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Until true time is `until`, or somebody calls `stop`. */
  async run(until: Millis): Promise<void> {
    this.#isStopped = false;
    await settle();
    for (let next = this.#queue.peek(); next !== undefined && next.at <= until; next = this.#queue.peek()) {
      this.#queue.pop();
      const { fire } = next;
      if (fire === null) continue;
      this.#fired += 1;
      invariant(this.#fired <= EVENTS_MAX, `more than ${EVENTS_MAX} events`);
      this.#now = next.at;
      fire();
      await settle();
      if (this.#isStopped) return;
    }
    this.#now = until;
  }
}
