/** What the simulated machines keep to: the bounds that SAFETY.md assumes, of the timing that the scene begins with. */
import { SCHEDULING_PAUSE_MS, TIMING_PROFILES } from '../../core/config/timing-profiles.ts';
import type { Millis } from '../../core/time/time.ts';
import type { Scene } from '../contract/scene.ts';
import type { Random } from '../kernel/random.ts';

export interface Bounds {
  /** b: from watchdog or init's kill to dead. */
  readonly killMs: Millis;
  /** p. */
  readonly guardPeriodMs: Millis;
  /** Longest pause of a guard that is no fault of its own (V4). */
  readonly pauseMs: Millis;
}

/** Drawn lengths stay this little below their bound: a bound is what is never exceeded, not what is met. */
const WITHIN = 0.999;

export function boundsOf(scene: Scene): Bounds {
  const { killMs, guardPeriodMs } = TIMING_PROFILES[scene.profile];
  return { killMs, guardPeriodMs, pauseMs: SCHEDULING_PAUSE_MS[scene.profile] };
}

/** A length up to its bound: half of all at the bound itself, where rules are broken first. */
export function upTo(random: Random, mostMs: Millis): Millis {
  return random.chance(0.5) ? mostMs * WITHIN : random.between(0, mostMs * WITHIN);
}
