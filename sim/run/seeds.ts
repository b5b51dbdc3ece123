/** Many seeds, dealt in blocks. Which seeds are run, and which twice, depends on the ask alone, never on who is quick. */
import type { Crew } from './crew.ts';
import type { RunResult } from './result.ts';
import type { Replay } from './summary.ts';

export interface SeedsAsk {
  readonly from: number;
  /** null: until `isTimeUp`. */
  readonly count: number | null;
  readonly isTimeUp: () => boolean;
  /** Part of the seeds that is run twice, of a small run at least five. */
  readonly replayCheck: number;
  readonly onProgress: (done: readonly RunResult[]) => void;
}

const BLOCK_MAX = 8;
const REPLAYS_LEAST = 5;

export async function runSeeds(
  crew: Crew,
  ask: SeedsAsk,
): Promise<{ readonly results: readonly RunResult[]; readonly again: readonly Replay[] }> {
  const results: RunResult[] = [];
  const again: Replay[] = [];
  const isAgain = replayed(ask);
  const end = ask.count ?? Number.MAX_SAFE_INTEGER;
  const block = Math.max(1, Math.min(BLOCK_MAX, Math.ceil(end / crew.size)));
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < end && !(ask.count === null && ask.isTimeUp())) {
      const indices = Array.from({ length: Math.min(block, end - next) }, (_, step) => next + step);
      next += indices.length;
      const seeds = indices.map((index) => ask.from + index);
      const done = await crew.run({
        seeds,
        again: indices.filter(isAgain).map((index) => ask.from + index),
        mutation: null,
      });
      results.push(...done.results);
      again.push(...done.again);
      ask.onProgress(results);
    }
  };
  await Promise.all(Array.from({ length: crew.size }, lane));
  return { results, again };
}

/** Evenly spread over the seeds; of a run of unknown length one in every 1 / part. */
function replayed(ask: SeedsAsk): (index: number) => boolean {
  if (ask.replayCheck === 0) return () => false;
  if (ask.count === null) {
    const every = Math.max(1, Math.round(1 / ask.replayCheck));
    return (index) => index % every === 0;
  }
  const replays = Math.min(ask.count, Math.max(REPLAYS_LEAST, Math.ceil(ask.count * ask.replayCheck)));
  const every = Math.max(1, Math.floor(ask.count / replays));
  return (index) => index % every === 0 && index / every < replays;
}
