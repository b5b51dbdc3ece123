/**
 * Which session believes at this moment that it may run a slot.
 *
 * A belief counts from the guard's word until the slot leaves its list (proven stopped), or until its deadline on the
 * clock of its own machine, whichever is first. That it is stopping already ends nothing: by S4 processes may run until
 * the deadline, and a refused session (S3) keeps its own. A stopped guard and a frozen machine keep what they believed;
 * where the clock stood still as well, the deadline moves on by as long. A guard that has ended, and a machine that is
 * off or was reset, believe nothing: what of their services may still run is a matter of I2.
 */
import type { Millis } from '../../core/time/time.ts';
import type { Belief, Told } from '../contract/truth.ts';

export interface Believer {
  readonly host: string;
  readonly machine: string;
  readonly session: string;
  readonly where: string;
  readonly epoch: number;
  readonly untilMs: Millis;
}

interface Kept {
  readonly host: string;
  readonly belief: Belief;
  readonly untilMs: Millis | null;
}

export class Beliefs {
  readonly #kept = new Map<string, Kept>();
  readonly #frozenAt = new Map<string, Millis>();
  /** When a freeze that the host's clock does not see began last. */
  readonly #unseenAt = new Map<string, Millis>();

  see(fact: Told): void {
    if (fact.type === 'belief') {
      this.#kept.set(fact.machine, { host: fact.host, belief: fact.belief, untilMs: fact.belief.untilMs });
    } else if (fact.type === 'process') {
      if (fact.role === 'guard' && fact.now === 'ended') this.#kept.delete(fact.machine);
    } else if (fact.type === 'fault') {
      if (fact.kind === 'frozen_unseen' && fact.now === 'begins') this.#unseenAt.set(fact.subject, fact.at);
    } else if (fact.type === 'machine') this.#onMachine(fact);
  }

  #onMachine({ host, machine, now, at }: Extract<Told, { type: 'machine' }>): void {
    if (now === 'frozen') this.#frozenAt.set(machine, at);
    else if (now === 'thawed') {
      const kept = this.#kept.get(machine);
      const stoodMs = this.#stoodMs(host, machine, at);
      if (kept !== undefined && kept.untilMs !== null)
        this.#kept.set(machine, { ...kept, untilMs: kept.untilMs + stoodMs });
      this.#frozenAt.delete(machine);
    } else if (now !== 'on') {
      this.#kept.delete(machine);
      this.#frozenAt.delete(machine);
    }
  }

  /** How long the clock of a machine has stood still in the freeze that is under way. */
  #stoodMs(host: string, machine: string, now: Millis): Millis {
    const since = this.#frozenAt.get(machine);
    return since === undefined || this.#unseenAt.get(host) !== since ? 0 : now - since;
  }

  /** All who believe at `now` that they may run the covered slot. */
  of(where: string, now: Millis): readonly Believer[] {
    const found: Believer[] = [];
    for (const machine of this.#kept.keys()) {
      const believer = this.on(machine, where, now);
      if (believer !== null) found.push(believer);
    }
    return found;
  }

  /** What the guard of this machine believes of the covered slot; null: nothing (any more). */
  on(machine: string, where: string, now: Millis): Believer | null {
    const kept = this.#kept.get(machine);
    if (kept === undefined || kept.untilMs === null) return null;
    const slot = kept.belief.slots.find((one) => one.where === where && one.covered);
    const untilMs = kept.untilMs + this.#stoodMs(kept.host, machine, now);
    if (slot === undefined || untilMs <= now) return null;
    return { host: kept.host, machine, session: kept.belief.session, where, epoch: slot.epoch, untilMs };
  }

  /** The session that the guard of a machine has now. */
  sessionOn(machine: string): string | undefined {
    return this.#kept.get(machine)?.belief.session;
  }
}
