/** EventBridge Scheduler: each function once a minute, to the second on most days. In the local runtime as that has it. */
import type { Millis } from '../../core/time/time.ts';
import type { Scene } from '../contract/scene.ts';
import { reconcileMs } from '../contract/schedule.ts';
import type { Stage } from '../contract/stage.ts';
import type { Random } from '../kernel/random.ts';
import type { FunctionName } from './functions.ts';
import { lengthOf, type Lengths } from './hazards.ts';

const MINUTE_MS: Millis = 60_000;
/** Lateness of one call: its precision is a minute, and mostly it is prompt. The schedule itself does not drift. */
const LATE_MS: Lengths = [
  [[0, 1_500], 12],
  [[1_500, 20_000], 2],
  [[20_000, 40_000], 1],
];

/** Of the local runtime (`local/control/schedule.ts`). */
const LOCAL_PAUSE_MAX_MS: Millis = 2_000;

/** Settles when the invocation has ended, however it did. */
export type Call = (fn: FunctionName) => Promise<unknown>;

export function startSchedules(stage: Stage, profile: Scene['profile'], call: Call): void {
  const random = stage.random.fork('schedules');
  if (profile === 'demo') {
    every(stage, MINUTE_MS, () => void call('find-behind'));
    every(
      stage,
      reconcileMs(profile),
      withoutOverlap(stage, () => call('reconcile')),
    );
    return;
  }
  everyMinute(stage, random.fork('find-behind'), () => void call('find-behind'));
  everyMinute(stage, random.fork('reconcile'), () => void call('reconcile'));
}

function everyMinute(stage: Stage, random: Random, fire: () => void): void {
  every(stage, MINUTE_MS, () => {
    stage.timeline.after(lengthOf(random, LATE_MS), fire);
  });
}

function every(stage: Stage, periodMs: Millis, fire: () => void): void {
  fire();
  stage.timeline.after(periodMs, () => every(stage, periodMs, fire));
}

/** One that is still going is not joined by another, and one that took long is followed by a pause. */
function withoutOverlap(stage: Stage, call: () => Promise<unknown>): () => void {
  let isRunning = false;
  let pauseEndsAt = 0;
  return () => {
    const begunAt = stage.timeline.now();
    if (isRunning || begunAt < pauseEndsAt) return;
    isRunning = true;
    void call().finally(() => {
      isRunning = false;
      const endedAt = stage.timeline.now();
      pauseEndsAt = endedAt + Math.min(endedAt - begunAt, LOCAL_PAUSE_MAX_MS);
    });
  };
}
