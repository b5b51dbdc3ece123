/**
 * I4, by S7 and V3: what a taker's wait rests on is true, whether or not anything was owned.
 *
 *   - what a session registers of its timing satisfies V3 with the b, m, F and ρ that its world keeps to;
 *   - an observation is written down with a moment at which the version could already be read;
 *   - a session is revoked no sooner than its own L_c + ε after its last write was taken, and evidence `lease-over` about
 *     one whose item was gone comes no sooner than L_c after that.
 * Moments on wall clocks are judged as far as those of the control plane differ: not at all, until a fault sets them apart.
 * A wait is shorter by ρ where the clock that it was counted on was fast.
 */
import { TIMING_PROFILES } from '../../core/config/timing-profiles.ts';
import type { LateRecord } from '../../core/protocol/observer-records.ts';
import type { Evidence } from '../../core/protocol/records.ts';
import type { Millis } from '../../core/time/time.ts';
import type { Told } from '../contract/truth.ts';
import { BEGINNING_MS } from '../kernel/local-clock.ts';
import { type SlotWritten, slotsWritten } from './seen.ts';
import { seconds, short, Watching } from './watching.ts';

/** V3, by arithmetic of our own: `afterMs` is b + m + F. */
function leastTakerWaitMs(holderLeaseMs: Millis, afterMs: Millis, rateError: number): Millis {
  return (holderLeaseMs * (1 + rateError)) / (1 - rateError) + (1 + rateError) * afterMs - ROUNDING_MS;
}

const ROUNDING_MS = 1e-6;
/** Wall clocks show whole milliseconds. */
const GRAIN_MS = 1;

export class Waits extends Watching {
  readonly invariant = 'I4';

  protected judge(fact: Told): void {
    if (fact.type === 'beat') this.#onBeat(fact);
    else if (fact.type === 'revoked') this.#onRevoked(fact);
    else if (fact.type === 'record_written' && fact.sk.startsWith('LATE#')) this.#onObservation(fact);
    else if (fact.type === 'group_written' && !this.seen.isRestoring(fact.at)) {
      for (const written of slotsWritten(fact)) this.#onSlot(written, fact.at);
    }
  }

  #onBeat({ session, host, registered, at }: Extract<Told, { type: 'beat' }>): void {
    if (registered === undefined) return;
    const { killMs, writeLifeMs, freezeMs, clockRateError } = TIMING_PROFILES[this.seen.scene.profile];
    const { holderLeaseMs, takerWaitMs } = registered;
    const leastMs = leastTakerWaitMs(holderLeaseMs, killMs + writeLifeMs + freezeMs, clockRateError);
    if (takerWaitMs >= leastMs) return;
    this.violate(
      at,
      `at ${seconds(at)} session ${short(session)} of ${host} registered L_c ${takerWaitMs} ms for L_h ${holderLeaseMs} ms: with b ${killMs}, m ${writeLifeMs} and F ${freezeMs} ms it must be ${Math.ceil(leastMs)} ms at least (V3)`,
    );
  }

  #onObservation({ pk, sk, at }: Extract<Told, { type: 'record_written' }>): void {
    const late = this.seen.truth.record<LateRecord>(pk, sk);
    const accepted = late === undefined ? undefined : this.seen.accepted.of(late.session);
    // Of an older version it is known only that it could be read before.
    if (late === undefined || accepted === undefined || accepted.seq !== late.seq) return;
    const saysMs = late.observedAtMs - BEGINNING_MS;
    if (saysMs + this.#spreadMs() + GRAIN_MS >= accepted.lastMs) return;
    this.violate(
      at,
      `at ${seconds(at)} it was written that session ${short(late.session)} of ${late.host} was seen with number ${late.seq} at ${seconds(saysMs)}: that was taken at ${seconds(accepted.lastMs)} only, and no answer can have held it before (S7)`,
    );
  }

  #onRevoked({ session, by, at }: Extract<Told, { type: 'revoked' }>): void {
    this.#askWait(at, session, this.#gapMs(), `session ${short(session)} was revoked by ${by}`);
  }

  #onSlot({ where, before, after }: SlotWritten, at: Millis): void {
    const { evidence } = after;
    if (evidence?.kind !== 'lease-over' || isSame(before?.evidence, evidence)) return;
    this.#askWait(
      at,
      evidence.session,
      0,
      `lease-over about session ${short(evidence.session)} was recorded on ${where}`,
    );
  }

  #askWait(at: Millis, session: string, gapMs: Millis, says: string): void {
    const accepted = this.seen.accepted.of(session);
    if (accepted?.timing === undefined) return;
    const { takerWaitMs, clockRateError } = accepted.timing;
    const dueMs = accepted.lastMs + (takerWaitMs + gapMs) / (1 + clockRateError);
    if (at + GRAIN_MS >= dueMs) return;
    this.violate(
      at,
      `at ${seconds(at)} ${says}: its last write was taken at ${seconds(accepted.lastMs)}, and its own L_c is ${takerWaitMs} ms, so that it must not be before ${seconds(dueMs)} (S7)`,
    );
  }

  /** What the wall clocks of the control plane may be off by, so far. */
  #spreadMs(): Millis {
    return this.seen.isWallSpread ? this.#wallGapMs() / 2 : 0;
  }

  /** What is left of ε as far as the clocks differ less than that. */
  #gapMs(): Millis {
    return this.#wallGapMs() - 2 * this.#spreadMs();
  }

  #wallGapMs(): Millis {
    return TIMING_PROFILES[this.seen.scene.profile].wallGapMs;
  }
}

function isSame(a: Evidence | null | undefined, b: Evidence): boolean {
  return a?.kind === b.kind && a.session === b.session && a.atMs === b.atMs;
}
