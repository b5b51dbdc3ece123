/**
 * I1: at no instant do two sessions both believe that they may run a covered slot.
 *
 * `Beliefs` says from when to when a belief counts (S2, S4): until the slot is proven stopped or the deadline is over, on
 * the guard's own clock. A belief that ends in the instant in which another begins does not overlap it. Slots that are
 * not covered are not asked about: two of those may run, and do no harm.
 */
import type { Told } from '../contract/truth.ts';
import type { Believer } from './beliefs.ts';
import { seconds, short, Watching } from './watching.ts';

export class OneBeliever extends Watching {
  readonly invariant = 'I1';

  protected judge(fact: Told): void {
    if (fact.type === 'belief') {
      for (const { where, covered } of fact.belief.slots) if (covered) this.#ask(where, fact.machine);
    } else if (fact.type === 'machine' && fact.now === 'thawed') {
      // Its clock has stood still: only now is it seen how long the belief goes on.
      for (const group of this.seen.groups())
        for (const { slot } of group.slots) this.#ask(`${group.group}/${slot}`, fact.machine);
    }
  }

  #ask(where: string, machine: string): void {
    const at = this.seen.truth.now();
    const own = this.seen.beliefs.on(machine, where, at);
    if (own === null) return;
    for (const other of this.seen.beliefs.of(where, at)) {
      if (other.session !== own.session) this.seen.later(() => this.#judgePair(own, other, at));
    }
  }

  #judgePair(own: Believer, other: Believer, at: number): void {
    const stands = [own, other].every(
      (one) => this.seen.beliefs.on(one.machine, one.where, at)?.session === one.session,
    );
    if (!stands) return;
    const says = [own, other].map(
      (one) => `session ${short(one.session)} of ${one.host} (epoch ${one.epoch}) until ${seconds(one.untilMs)}`,
    );
    this.violate(at, `at ${seconds(at)} two sessions believe that they may run ${own.where}: ${says.join(', and ')}`);
  }
}
