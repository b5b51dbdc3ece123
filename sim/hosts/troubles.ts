/** What is wrong with a machine for now, beside its power and its links. */
import type { Trouble } from './host-world.ts';

export class Troubles {
  readonly #on = new Set<Trouble>();
  readonly #ended: ((trouble: Trouble) => void)[] = [];

  has(trouble: Trouble): boolean {
    return this.#on.has(trouble);
  }

  set(trouble: Trouble, isOn: boolean): void {
    if (isOn) this.#on.add(trouble);
    else if (this.#on.delete(trouble)) for (const listener of this.#ended) listener(trouble);
  }

  onEnd(listener: (trouble: Trouble) => void): void {
    this.#ended.push(listener);
  }
}
