/**
 * What destructive calls on mere suspicion may cost at most, by timing profile (S14).
 *
 * CloudStack, for comparison: 25 fence operations at once per management server and 2,500 more in its queue, no limit
 * per cluster or zone, and no brake: a zone that management cannot reach is powered off as fast as the threads allow.
 * Its key for that is one switch, off or on.
 *
 * The price of a low figure is paid only where many hosts die at once without certain evidence and in groups that do not
 * accept `lease-over`: those wait for the next window. Certain deaths spend nothing.
 */
import type { Millis } from '../time/time.ts';
import type { Timing } from './model.ts';
import type { ProfileName } from './timing-profiles.ts';

export interface BrakeLimits {
  /** Both what falls silent together and what is spent are counted over this long. */
  readonly windowMs: Millis;
  /** Destructive calls per window in the whole cluster. */
  readonly perCluster: number;
  /** Destructive calls per window in one zone. */
  readonly perZone: number;
  /** Hosts that must be left unharmed, in the cluster and in each zone that has two or more (V12). */
  readonly minHealthy: number;
  /**
   * A storm that nobody has asked about yet may have begun so long ago: where EC2 comes after the lease, the first call is
   * asked for when the lease is over. Absent: the window.
   */
  readonly reachMs?: Millis | undefined;
}

/** The limits of a cluster's timing. */
export function brakeLimits(
  timing: Pick<Timing, 'profile' | 'takerWaitMs' | 'wallGapMs' | 'intervalMs' | 'renewCapMs'>,
): BrakeLimits & { readonly reachMs: Millis } {
  const limits = BRAKE_LIMITS[timing.profile];
  const { takerWaitMs, wallGapMs, intervalMs, renewCapMs } = timing;
  // The lease, and then some renewals' time: for the runs to get there, and for the look.
  const askedAfterMs = takerWaitMs + wallGapMs + 3 * (intervalMs + renewCapMs);
  return { ...limits, reachMs: Math.max(limits.windowMs, askedAfterMs) };
}

export const BRAKE_LIMITS: Readonly<Record<ProfileName, BrakeLimits>> = {
  fast: { windowMs: 60_000, perCluster: 10, perZone: 5, minHealthy: 1 },
  standard: { windowMs: 60_000, perCluster: 6, perZone: 3, minHealthy: 1 },
  conservative: { windowMs: 60_000, perCluster: 3, perZone: 2, minHealthy: 1 },
  demo: { windowMs: 5_000, perCluster: 4, perZone: 2, minHealthy: 1 },
};

/** Below this size "more than half" is one host, and says nothing about a common cause (S14). */
export const STORM_HOSTS_MIN = 3;
