/**
 * Events as they come in. Names carry the clock of the process that wrote them, and a write may take its time: one that
 * turns up a little before the newest seen is new all the same. So every look goes back a little, and what was seen is kept.
 */
import type { EventView } from '../../core/protocol/views.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { EVENT_ID, eventsSince } from './event-views.ts';
import { RequestRefused } from './http.ts';

/** More than clocks of two processes differ by (ε) and a write may take. */
const OVERLAP_MS = 5_000;
/** Events kept in the order in which they were told: whoever saw one of them misses exactly those after it. */
const TOLD_MAX = 2_000;

export class EventTail {
  readonly #ports: Pick<ControlPorts, 'registry' | 'wall'>;
  readonly #cluster: string;
  #newestMs = 0;
  readonly #seen = new Map<string, number>();
  #told: EventView[] = [];

  constructor(ports: Pick<ControlPorts, 'registry' | 'wall'>, cluster: string) {
    this.#ports = ports;
    this.#cluster = cluster;
  }

  /** From here on. What was told before is forgotten: nobody knows what was not told since. */
  async start(): Promise<void> {
    this.#seen.clear();
    this.#told = [];
    this.#newestMs = this.#ports.wall.now();
    await this.news();
    this.#told = [];
  }

  async news(): Promise<readonly EventView[]> {
    const events = await eventsSince(this.#ports, this.#cluster, floorOf(this.#newestMs));
    const fresh = events.filter(({ id }) => !this.#seen.has(id));
    for (const { id, atMs } of fresh) {
      this.#seen.set(id, atMs);
      // One clock far ahead shall not hide what all others write.
      this.#newestMs = Math.max(this.#newestMs, Math.min(atMs, this.#ports.wall.now()));
    }
    // What lies before the next look's floor is not read again.
    for (const [id, atMs] of this.#seen) if (atMs < this.#newestMs - OVERLAP_MS) this.#seen.delete(id);
    this.#told = [...this.#told, ...fresh].slice(-TOLD_MAX);
    return fresh;
  }

  /** Those told after it where that is known; else all that may have been, some of them perhaps once more. */
  async missedSince(id: string): Promise<readonly EventView[]> {
    if (!EVENT_ID.test(id)) {
      const got = JSON.stringify(id.slice(0, 60)).toWellFormed();
      throw new RequestRefused([{ path: 'last-event-id', got, change: 'must be the id of an event' }]);
    }
    const at = this.#told.findIndex((event) => event.id === id);
    if (at >= 0) return this.#told.slice(at + 1);
    const events = await eventsSince(this.#ports, this.#cluster, floorOf(Number(id.slice(0, 14))));
    return events.filter((event) => event.id !== id);
  }
}

/** Sorts before every event of that moment. */
function floorOf(atMs: number): string {
  return `${String(Math.max(0, atMs - OVERLAP_MS)).padStart(14, '0')}-`;
}
