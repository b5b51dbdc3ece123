import type { Millis } from '../../core/time/time.ts';
import type { Scene } from './scene.ts';

/** Between two passes of reconcile: a minute on AWS, a second in the local runtime (`local/control/schedule.ts`). */
export function reconcileMs(profile: Scene['profile']): Millis {
  return profile === 'demo' ? 1_000 : 60_000;
}
