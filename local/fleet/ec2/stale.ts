/** What a thing looked like when `stale` was set for it: EC2's answers are eventually consistent. */
import type { Modes } from './modes.ts';

export class Before<T> {
  readonly #modes: Modes;
  #seen = new Map<string, T>();

  constructor(modes: Modes) {
    this.#modes = modes;
  }

  remember(things: Iterable<readonly [string, T]>, copy: (thing: T) => T): void {
    for (const [id, thing] of things) if (this.#modes.has('stale', id)) this.#seen.set(id, copy(thing));
  }

  forget(id?: string): void {
    if (id === undefined) this.#seen.clear();
    else this.#seen.delete(id);
  }

  /** As EC2 answers about it. */
  show(id: string, now: T): T {
    return this.#modes.has('stale', id) ? (this.#seen.get(id) ?? now) : now;
  }
}
