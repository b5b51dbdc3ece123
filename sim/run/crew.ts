/** Whoever runs seeds: threads of this machine, or one function in a test. */
import type { Mutation } from '../contract/mutations.ts';
import type { RunResult } from './result.ts';
import type { Replay } from './summary.ts';

export interface Job {
  readonly seeds: readonly number[];
  /** Of those: run a second time after all of them, in the same process. */
  readonly again: readonly number[];
  readonly mutation: Mutation | null;
}

export interface Done {
  readonly results: readonly RunResult[];
  readonly again: readonly Replay[];
}

export interface Crew {
  /** Jobs at the same time. */
  readonly size: number;
  run(job: Job): Promise<Done>;
}

/** One after the other, in the order of the job. */
export async function work(
  job: Job,
  runSeed: (seed: number, mutation: Mutation | null) => Promise<RunResult>,
): Promise<Done> {
  const results: RunResult[] = [];
  const again: Replay[] = [];
  for (const seed of job.seeds) results.push(await runSeed(seed, job.mutation));
  for (const seed of job.again) again.push({ seed, traceHash: (await runSeed(seed, job.mutation)).traceHash });
  return { results, again };
}
