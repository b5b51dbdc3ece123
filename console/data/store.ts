/** One observable value. Screens subscribe to the part that they show, so that a beat of one host redraws one line. */
import { useEffect, useState } from 'preact/hooks';

export class Store<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get(): T {
    return this.#value;
  }

  set(next: T): void {
    if (Object.is(next, this.#value)) return;
    this.#value = next;
    for (const listener of [...this.#listeners]) listener();
  }

  change(how: (before: T) => T): void {
    this.set(how(this.#value));
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** Redraws only when the selected part is another value. */
export function useStore<T, Part>(store: Store<T>, select: (value: T) => Part): Part {
  const part = select(store.get());
  const [, redraw] = useState<unknown>(part);
  useEffect(() => {
    let shown: unknown = part;
    const look = (): void => {
      const next = select(store.get());
      if (Object.is(next, shown)) return;
      shown = next;
      redraw(next);
    };
    look();
    return store.subscribe(look);
    // The selectors of one call site do not change their meaning.
  }, [store]);
  return part;
}
