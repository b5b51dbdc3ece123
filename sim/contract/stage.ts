/** What every part of a simulated world is given. */
import type { Random } from '../kernel/random.ts';
import type { Timeline } from '../kernel/timeline.ts';
import type { Mutation } from './mutations.ts';
import type { Fact } from './truth.ts';

export interface Stage {
  readonly timeline: Timeline;
  /** Fork it by the name of the part that draws. */
  readonly random: Random;
  /** Tells what really happened, at the present moment. */
  readonly tell: (fact: Fact) => void;
  readonly mutation: Mutation | null;
}
