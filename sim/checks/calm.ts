/**
 * I6: no fault, no action. Without faults and without an operator's acts nothing moves, nothing is revoked, nothing is
 * powered off or on, and, once everything was placed for the first time, no service ends, no machine is reset, and nobody is
 * called. The same with lost renewals,
 * as long as no host loses more than the k that its timing tolerates (V2) within one lease.
 *
 * A scene that is harmless as a whole (`isHarmless`: nothing, or cuts too short to lose more than k) is judged to its end.
 * Any other is judged as far as it is calm: from the first fault of another kind on it is not asked about any more. What is
 * drawn and cannot hurt (a request that arrives twice, an event that comes again) leaves it calm.
 */
import type { Timing } from '../../core/config/model.ts';
import { TIMING_PROFILES } from '../../core/config/timing-profiles.ts';
import type { BackgroundFault, FaultKind } from '../contract/faults.ts';
import type { Told } from '../contract/truth.ts';
import type { Scene } from '../contract/scene.ts';
import { hasNewOwner, slotsWritten } from './seen.ts';
import { seconds, short, Watching } from './watching.ts';

const LOSSES: readonly FaultKind[] = ['loss', 'answer_lost'] satisfies readonly BackgroundFault[];
const SHORT_CUTS: readonly FaultKind[] = ['cut', 'cut_answers', 'cut_requests'];
const HARMLESS: readonly FaultKind[] = ['duplicate', 'event_repeated'] satisfies readonly BackgroundFault[];

export class Calm extends Watching {
  readonly invariant = 'I6';
  #isPlaced = false;
  #isOver = false;
  #isHarmless: boolean | null = null;
  readonly #losses = new Map<string, number[]>();

  protected judge(fact: Told): void {
    if (this.#isOver) return;
    switch (fact.type) {
      case 'fault':
        if (fact.now === 'begins') this.#onFault(fact);
        break;
      case 'operator':
        this.#onOperator();
        break;
      case 'group_written':
        this.#onGroup(fact);
        break;
      case 'revoked':
        this.#act(fact.at, `session ${short(fact.session)} of ${fact.principal} was revoked by ${fact.by}`);
        break;
      case 'power_call':
        this.#act(fact.at, `EC2 was told to ${fact.call} ${fact.host} (${fact.machine})`);
        break;
      case 'service_down':
        if (this.#isPlaced) this.#act(fact.at, `${fact.life.service} of ${fact.life.where} ended on ${fact.life.host}`);
        break;
      case 'machine':
        if (this.#isPlaced && fact.now === 'reset') this.#act(fact.at, `${fact.host} was reset`);
        break;
      case 'page':
        if (this.#isPlaced) this.#act(fact.at, `a person was called: ${fact.subject}: ${fact.text}`);
        break;
      default:
    }
  }

  #act(at: number, what: string): void {
    this.violate(at, `at ${seconds(at)}, without any fault so far, ${what}`);
  }

  #onFault({ kind, subject, at }: Extract<Told, { type: 'fault' }>): void {
    const timing = this.seen.definitions.now()?.timing ?? TIMING_PROFILES[this.seen.scene.profile];
    this.#isHarmless ??= isHarmless(this.seen.scene, timing);
    if (this.#isHarmless || HARMLESS.includes(kind)) return;
    const since = at - timing.holderLeaseMs;
    const losses = [...(this.#losses.get(subject) ?? []).filter((one) => one > since), at];
    this.#losses.set(subject, losses);
    this.#isOver = !LOSSES.includes(kind) || losses.length > timing.lostRenewals;
  }

  /** The first definition is applied by an operator too; whatever he does later may move what it will. */
  #onOperator(): void {
    if (this.#isPlaced) this.#isOver = true;
  }

  #onGroup(fact: Extract<Told, { type: 'group_written' }>): void {
    for (const written of slotsWritten(fact)) {
      const { where, before, after } = written;
      if (!hasNewOwner(written) || !before?.owner) continue;
      this.#act(
        fact.at,
        `${where} moved from ${before.owner.host} to ${after.owner?.host ?? 'nobody'} (epoch ${after.epoch})`,
      );
    }
    if (!this.#isPlaced && fact.after.slots.every(({ phase }) => phase === 'Active'))
      this.#isPlaced = this.#areAllPlaced();
  }

  #areAllPlaced(): boolean {
    const defined = this.seen.definitions.now()?.groups ?? [];
    const groups = this.seen.groups();
    return (
      groups.length >= defined.length &&
      groups.every(({ slots }) => slots.length > 0 && slots.every(({ phase }) => phase === 'Active'))
    );
  }
}

/** Nothing but cuts in which no host loses more than k renewals, with those on their way, and which it gets over in between. */
function isHarmless({ noise, acts, faults }: Scene, { intervalMs, lostRenewals }: Timing): boolean {
  if (acts.length > 0 || Object.values(noise).some((part) => part > 0)) return false;
  return faults.every(({ kind, subject, at, forMs }, index) => {
    const next = faults.find((other, no) => no > index && other.subject === subject);
    const isApart = next === undefined || next.at - (at + forMs) >= 3 * intervalMs;
    return SHORT_CUTS.includes(kind) && forMs <= (lostRenewals - 1) * intervalMs && isApart;
  });
}
