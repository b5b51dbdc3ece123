/**
 * Many who ask at once get one answer. Whoever comes while a look is under way waits for the next one, so that nobody is told
 * what was read before they asked: an operator sees what they have just done.
 */
export class SharedLook<T> {
  readonly #look: () => Promise<T>;
  #underWay: Promise<unknown> | null = null;
  #next: Promise<T> | null = null;

  constructor(look: () => Promise<T>) {
    this.#look = look;
  }

  ask(): Promise<T> {
    if (this.#underWay === null) return this.#begin();
    this.#next ??= this.#underWay.then(() => {
      this.#next = null;
      return this.#begin();
    });
    return this.#next;
  }

  #begin(): Promise<T> {
    const look = this.#look();
    const ended = look.then(
      () => undefined,
      () => undefined,
    );
    this.#underWay = ended;
    void ended.then(() => {
      if (this.#underWay === ended) this.#underWay = null;
    });
    return look;
  }
}
