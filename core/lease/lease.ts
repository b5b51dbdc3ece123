/**
 * What a holder may still do with its lease, judged on its own clock (S2, S4, S5).
 *
 * The deadline counts from when the acknowledged renewal was SENT: the store may have written it at any moment since,
 * and whoever waits for this lease counts from after that write. Of the two the holder must be the first to give up.
 */
import type { Timing } from '../config/model.ts';
import { after, elapsed, type Instant, latest, type Millis } from '../time/time.ts';

export type LeaseLimits = Pick<Timing, 'holderLeaseMs' | 'renewCapMs' | 'watchdogMs' | 'cleanStopMs'>;

/** `hold`: may start and run. `stop`: clean stop is due. `kill`: whatever is covered and left must die now. */
export type LeaseStanding = 'hold' | 'stop' | 'kill';

/** The new deadline after an acknowledgement, or the old one when the answer came later than r (S2). */
export function renewedDeadline(
  old: Instant | null,
  ack: { readonly sentAt: Instant; readonly answeredAt: Instant },
  limits: LeaseLimits,
): Instant | null {
  const took = elapsed(ack.sentAt, ack.answeredAt);
  if (took < 0 || took > limits.renewCapMs) return old;
  const deadline = after(ack.sentAt, limits.holderLeaseMs);
  return old === null ? deadline : latest(old, deadline);
}

/** Clean stop begins at deadline − (s + 2w), kill at deadline − 2w (S4). */
export function leaseStanding(deadline: Instant | null, now: Instant, limits: LeaseLimits): LeaseStanding {
  if (deadline === null) return 'kill';
  const left = elapsed(now, deadline);
  if (left <= 2 * limits.watchdogMs) return 'kill';
  if (left <= limits.cleanStopMs + 2 * limits.watchdogMs) return 'stop';
  return 'hold';
}

/**
 * Whether the guard may feed the watchdog (S5). The guard may be suspended for up to w between this check and the
 * feed, and the late feed buys another w: hence 2w, and neither 1w nor 1.5w.
 */
export function mayFeed(facts: {
  readonly isCoveredUnproven: boolean;
  readonly deadline: Instant | null;
  readonly now: Instant;
  readonly watchdogMs: Millis;
}): boolean {
  if (!facts.isCoveredUnproven) return true;
  return facts.deadline !== null && elapsed(facts.now, facts.deadline) >= 2 * facts.watchdogMs;
}
