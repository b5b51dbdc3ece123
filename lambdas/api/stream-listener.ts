/** What one listener has yet to read. Bounded: of status and runs only the newest counts, and too many events end it. */
import type { EventView, StreamMessage } from '../../core/protocol/views.ts';

/** Events that may wait; a listener that is slower than that comes back with the last one it read. */
const EVENTS_MAX = 1_000;

type Of<Type extends StreamMessage['type']> = Extract<StreamMessage, { readonly type: Type }>;
export type Item = StreamMessage | { readonly type: 'keep-alive' };

export class Listener {
  #status: Of<'status'> | null = null;
  readonly #runs = new Map<string, Of<'run'>>();
  #events: EventView[] = [];
  /** Sent as missed: the loop may find them as well. */
  #caughtUp = new Set<string>();
  #isKeptAlive = false;
  #isEnded = false;
  #wake: () => void = () => undefined;

  push(message: StreamMessage): void {
    if (this.#isEnded) return;
    if (message.type === 'status') this.#status = message;
    if (message.type === 'run') this.#runs.set(message.data.run.run, message);
    if (message.type === 'event' && !this.#caughtUp.has(message.data.id)) {
      this.#events.push(message.data);
      if (this.#events.length > EVENTS_MAX + this.#caughtUp.size) return this.end();
    }
    this.#wake();
  }

  /** What happened while the client was away; before what has happened since it came back. */
  catchUp(missed: readonly EventView[]): void {
    this.#caughtUp = new Set(missed.map(({ id }) => id));
    this.#events = [...missed, ...this.#events.filter(({ id }) => !this.#caughtUp.has(id))];
    this.#wake();
  }

  keepAlive(): void {
    this.#isKeptAlive = true;
    this.#wake();
  }

  /** Nothing of what waits is read any more: a gap before what is read last cannot be. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async next(): Promise<Item | 'ended'> {
    for (;;) {
      const item = this.#isEnded ? 'ended' : this.#take();
      if (item !== null) return item;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take(): Item | null {
    const status = this.#status;
    if (status !== null) {
      this.#status = null;
      return status;
    }
    const event = this.#events.shift();
    if (event !== undefined) return { type: 'event', data: event };
    for (const [run, message] of this.#runs) {
      this.#runs.delete(run);
      return message;
    }
    if (!this.#isKeptAlive) return null;
    this.#isKeptAlive = false;
    return { type: 'keep-alive' };
  }
}
