/** Causes that overlap: a state of a subject stands as long as any of them does, and ends with the last. */
export class Causes {
  readonly #counts = new Map<string, number>();
  readonly #isOver: () => boolean;

  /** Once `isOver`, nothing begins any more. */
  constructor(isOver: () => boolean) {
    this.#isOver = isOver;
  }

  /** True if it is the first. */
  add(name: string): boolean {
    if (this.#isOver()) return false;
    const count = this.#counts.get(name) ?? 0;
    this.#counts.set(name, count + 1);
    return count === 0;
  }

  /** True if it was the last. */
  remove(name: string): boolean {
    const count = this.#counts.get(name) ?? 0;
    if (count === 0) return false;
    if (count === 1) this.#counts.delete(name);
    else this.#counts.set(name, count - 1);
    return count === 1;
  }

  has(name: string): boolean {
    return this.#counts.has(name);
  }

  clear(): void {
    this.#counts.clear();
  }
}
