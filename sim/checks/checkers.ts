/** The checkers of one run. They read what the world tells and what really stands, and nothing that the system says of itself. */
import type { Scene } from '../contract/scene.ts';
import type { Checker, Truth } from '../contract/truth.ts';
import { Bugs } from './bugs.ts';
import { Budget } from './budget.ts';
import { Calm } from './calm.ts';
import { Duplicates } from './duplicates.ts';
import { Epochs } from './epochs.ts';
import { TrueEvidence } from './evidence.ts';
import { Held } from './held.ts';
import { LeaseBounds } from './lease-bounds.ts';
import { LogReplay } from './log-replay.ts';
import { Moves } from './moves.ts';
import { OffReads } from './off-reads.ts';
import { OneBeliever } from './one-believer.ts';
import { OneRunner } from './one-runner.ts';
import { OneSession } from './one-session.ts';
import { QuietInTime } from './quiet-in-time.ts';
import { Seen } from './seen.ts';
import { Returned } from './returned.ts';
import { Settled } from './settled.ts';
import { Waits } from './waits.ts';

/** In the order of their numbers. Each is to be told every fact, as the same object, before the next fact. */
export function createCheckers(scene: Scene, truth: Truth): readonly Checker[] {
  const seen = new Seen(scene, truth);
  return [
    new OneBeliever(seen),
    new LeaseBounds(seen),
    new OneSession(seen),
    new OneRunner(seen),
    new QuietInTime(seen),
    new Epochs(seen),
    new TrueEvidence(seen),
    new Waits(seen),
    new OffReads(seen),
    new Settled(seen),
    new Returned(seen),
    new Calm(seen),
    new Budget(seen),
    new Moves(seen),
    new Duplicates(seen),
    new LogReplay(seen),
    new Held(seen),
    new Bugs(seen),
  ];
}
