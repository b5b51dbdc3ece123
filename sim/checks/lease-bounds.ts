/**
 * I1, by S2: no guard's deadline lies beyond L_h after the last write of its session that the store took. The deadline counts
 * from the sending, which is never later than the taking; a taker counts from there at the earliest, so what goes beyond
 * is a second belief as soon as the taker is in no hurry less.
 *
 * L_h is the one that the session registered, on the clock of its machine: at the slowest rate assumed, unless the scene
 * says which it has, and longer by the time for which that clock stood still.
 */
import type { Millis } from '../../core/time/time.ts';
import type { Told } from '../contract/truth.ts';
import { seconds, short, Watching } from './watching.ts';

/** What is left by the rounding of numbers alone. */
const ROUNDING_MS = 1e-3;

export class LeaseBounds extends Watching {
  readonly invariant = 'I1';
  /** By session: how long its machine's clock had stood still when the last write was taken. */
  readonly #stood = new Map<string, Millis>();

  protected judge(fact: Told): void {
    if (fact.type === 'beat') this.#stood.set(fact.session, this.seen.standstills.unseenMs(fact.machine, fact.at));
    else if (fact.type === 'belief') this.#onBelief(fact);
  }

  #onBelief({ host, machine, belief, at }: Extract<Told, { type: 'belief' }>): void {
    const { session, untilMs } = belief;
    if (untilMs === null) return;
    const accepted = this.seen.accepted.of(session);
    const is = `at ${seconds(at)} session ${short(session)} of ${host} believes until ${seconds(untilMs)}`;
    if (accepted === undefined) return this.violate(at, `${is}, and the store never took a write of it (S2)`);
    if (accepted.timing === undefined) return;
    const { holderLeaseMs, clockRateError } = accepted.timing;
    const stoodMs = this.seen.standstills.unseenMs(machine, at) - (this.#stood.get(session) ?? 0);
    const mostMs = accepted.lastMs + holderLeaseMs / this.#rateOf(machine, clockRateError) + stoodMs;
    if (untilMs <= mostMs + ROUNDING_MS) return;
    this.violate(
      at,
      `${is}: the last write of it was taken at ${seconds(accepted.lastMs)}, and its lease of ${holderLeaseMs} ms ends at ${seconds(mostMs)} at the latest (S2)`,
    );
  }

  /** Machines that come later than the scene draw a rate of their own. */
  #rateOf(machine: string, clockRateError: number): number {
    const first = this.seen.scene.hosts.find(({ instanceId }) => instanceId === machine);
    return first?.clockRate ?? 1 - clockRateError;
  }
}
