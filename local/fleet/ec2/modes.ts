/** Ways in which the local EC2 misbehaves, for one instance (or volume, interface, address) or for all. */
export const EC2_MODES = [
  'throttled',
  'stuck-stopping',
  'stale',
  'empty',
  'late-events',
  'repeat-events',
  'no-capacity',
  'unauthorized',
  'stuck-detaching',
] as const;
export type Ec2Mode = (typeof EC2_MODES)[number];

const ALL = '*';

export class Modes {
  readonly #set = new Map<string, Set<Ec2Mode>>();
  #waiting: (() => void)[] = [];

  /** Without `id`: of every instance. */
  set(mode: Ec2Mode, id: string = ALL): void {
    const modes = this.#set.get(id) ?? new Set();
    this.#set.set(id, modes.add(mode));
  }

  /** Without `id`: every mode of every instance. One that holds for all ends for all, also if only one is named. */
  clear(id?: string): void {
    if (id === undefined) this.#set.clear();
    else for (const key of [id, ALL]) this.#set.delete(key);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  has(mode: Ec2Mode, id: string): boolean {
    return [id, ALL].some((key) => this.#set.get(key)?.has(mode) === true);
  }

  /** Resolves when `mode` no longer holds for `id`; never, if the local EC2 ends before. */
  async over(mode: Ec2Mode, id: string): Promise<void> {
    while (this.has(mode, id)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
