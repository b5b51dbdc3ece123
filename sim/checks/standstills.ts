/** How long machines have stood still so far: with their clock (unseen), and in all. */
import type { Millis } from '../../core/time/time.ts';
import type { Told } from '../contract/truth.ts';

interface Stood {
  unseenMs: Millis;
  allMs: Millis;
  since: { readonly at: Millis; readonly isUnseen: boolean } | null;
}

export class Standstills {
  readonly #stood = new Map<string, Stood>();
  /** By host: when a freeze that its clock does not see began last. */
  readonly #unseenAt = new Map<string, Millis>();

  see(fact: Told): void {
    if (fact.type === 'fault') {
      if (fact.kind === 'frozen_unseen' && fact.now === 'begins') this.#unseenAt.set(fact.subject, fact.at);
    } else if (fact.type === 'machine') this.#onMachine(fact);
  }

  #onMachine({ host, machine, now, at }: Extract<Told, { type: 'machine' }>): void {
    const stood = this.#stood.get(machine) ?? { unseenMs: 0, allMs: 0, since: null };
    this.#stood.set(machine, stood);
    if (stood.since !== null) {
      stood.allMs += at - stood.since.at;
      if (stood.since.isUnseen) stood.unseenMs += at - stood.since.at;
    }
    stood.since = now === 'frozen' ? { at, isUnseen: this.#unseenAt.get(host) === at } : null;
  }

  /** In all so far; a freeze under way counts up to `now`. */
  allMs(machine: string, now: Millis): Millis {
    const stood = this.#stood.get(machine);
    if (stood === undefined) return 0;
    return stood.allMs + (stood.since === null ? 0 : now - stood.since.at);
  }

  /** As long as its clock stood still as well. */
  unseenMs(machine: string, now: Millis): Millis {
    const stood = this.#stood.get(machine);
    if (stood === undefined) return 0;
    return stood.unseenMs + (stood.since?.isUnseen === true ? now - stood.since.at : 0);
  }
}
