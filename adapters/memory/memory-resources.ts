/** What machines hold, in this process: orders are accepted at once and done when a test says so. */
import type { CloudResources, GiveAnswer, Holder, Holding, TakeAnswer } from '../../core/cloud-ports.ts';
import { HaError, messageOf } from '../../core/failures/failures.ts';

export interface MemoryResourceHooks {
  /** Throwing is a refused call; a read that throws reads `unknown`. */
  readonly faults?: (op: 'read' | 'take' | 'give', thing: string) => void;
}

/** Of things that take a while to be given up: `done` says that they have been. */
class Things {
  readonly #holders = new Map<string, readonly Holder[]>();
  readonly #hooks: MemoryResourceHooks;
  #given = 0;

  constructor(hooks: MemoryResourceHooks) {
    this.#hooks = hooks;
  }

  create(thing: string, by?: string): void {
    this.#holders.set(thing, by === undefined ? [] : [this.#holder(by)]);
  }

  done(thing: string): void {
    this.#holders.set(
      thing,
      (this.#holders.get(thing) ?? []).filter(({ isLeaving }) => !isLeaving),
    );
  }

  async read(thing: string): Promise<Holding> {
    try {
      this.#hooks.faults?.('read', thing);
      const holders = this.#of(thing);
      return holders.length === 0 ? { state: 'free' } : { state: 'held', holders };
    } catch (error) {
      return { state: 'unknown', says: messageOf(error) };
    }
  }

  async take(thing: string, by: string, mayTake: (from: Holder) => boolean = () => false): Promise<TakeAnswer> {
    this.#hooks.faults?.('take', thing);
    const holders = this.#of(thing);
    if (holders.some((holder) => holder.by === by && !holder.isLeaving)) return { outcome: 'accepted' };
    const other = holders.find((holder) => !mayTake(holder));
    if (other !== undefined) return { outcome: 'in-use', says: `${other.by} holds it` };
    this.#holders.set(thing, [this.#holder(by)]);
    return { outcome: 'accepted' };
  }

  /** `isAtOnce`: nothing of it goes on afterwards. */
  async give(thing: string, by: string, isAtOnce: boolean): Promise<GiveAnswer> {
    this.#hooks.faults?.('give', thing);
    const holders = this.#of(thing);
    if (!holders.some((holder) => holder.by === by)) return { outcome: 'not-held', says: `${by} does not hold it` };
    const left = holders.flatMap((holder) => {
      if (holder.by !== by) return [holder];
      return isAtOnce ? [] : [{ ...holder, isLeaving: true }];
    });
    this.#holders.set(thing, left);
    return { outcome: 'accepted' };
  }

  #holder(by: string): Holder {
    this.#given += 1;
    return { by, isLeaving: false, holding: `holding-${this.#given}` };
  }

  #of(thing: string): readonly Holder[] {
    const holders = this.#holders.get(thing);
    if (holders === undefined) throw new HaError('power_refused', `NotFound: nobody knows ${thing}`);
    return holders;
  }
}

export class MemoryResources implements CloudResources {
  readonly #things: Things;

  constructor(hooks: MemoryResourceHooks = {}) {
    this.#things = new Things(hooks);
  }

  /** A volume, interface, Elastic IP (by id), private address or route (`TABLE DESTINATION`). */
  create(thing: string, by?: string): void {
    this.#things.create(thing, by);
  }

  /** What was being given up has been. */
  done(thing: string): void {
    this.#things.done(thing);
  }

  get volumes(): CloudResources['volumes'] {
    return this.#attached();
  }

  get interfaces(): CloudResources['interfaces'] {
    return this.#attached();
  }

  get privateAddresses(): CloudResources['privateAddresses'] {
    const things = this.#things;
    return {
      read: ({ address }) => things.read(address),
      assign: ({ address }, by, { reassign }) => things.take(address, by, () => reassign),
      unassign: ({ address }, by) => things.give(address, by, true),
    };
  }

  get elasticAddresses(): CloudResources['elasticAddresses'] {
    const things = this.#things;
    return {
      read: (allocation) => things.read(allocation),
      associate: (allocation, by) => things.take(allocation, by),
      disassociate: (allocation, by) => things.give(allocation, by, true),
    };
  }

  get routes(): CloudResources['routes'] {
    const things = this.#things;
    return {
      read: ({ table, destination }) => things.read(`${table} ${destination}`),
      replace: async ({ table, destination }, by) => {
        await things.take(`${table} ${destination}`, by, () => true);
      },
    };
  }

  #attached() {
    const things = this.#things;
    return {
      read: (thing: string) => things.read(thing),
      detach: (thing: string, machine: string) => things.give(thing, machine, false),
      attach: (thing: string, machine: string) => things.take(thing, machine),
    };
  }
}
