/**
 * Do the checkers see? Each way to build the system wrong is run from several starts until a seed shows it. A seed counts only
 * if the system as it is passes it: otherwise it showed something else.
 */
import type { Mutation } from '../contract/mutations.ts';
import type { Crew } from './crew.ts';

export const STARTS = 5;
export const SEEDS_MAX = 2000;
/** Far enough from each other that no two starts meet. */
const START_STEP = 10_000;

export interface Catch {
  /** Seeds run until then, this one included. */
  readonly seeds: number;
  readonly seed: number;
  readonly invariant: string;
}

export interface MutationResult {
  readonly mutation: Mutation;
  /** One for each start; null: not within the limit. */
  readonly catches: readonly (Catch | null)[];
  /** Median of the seeds it took; null: most starts did not catch it. */
  readonly median: number | null;
}

export async function mutate(
  crew: Crew,
  ask: {
    readonly mutations: readonly Mutation[];
    readonly from: number;
    readonly starts: number;
    readonly seedsMax: number;
    readonly onCatch: (mutation: Mutation, start: number, found: Catch | null) => void;
  },
): Promise<readonly MutationResult[]> {
  const starts = Array.from({ length: ask.starts }, (_, index) => ask.from + index * START_STEP);
  return Promise.all(
    ask.mutations.map(async (mutation) => {
      const catches = await Promise.all(
        starts.map(async (start) => {
          const found = await firstCatch(crew, mutation, start, ask.seedsMax);
          ask.onCatch(mutation, start, found);
          return found;
        }),
      );
      return { mutation, catches, median: median(catches.map((found) => found?.seeds ?? null)) };
    }),
  );
}

async function firstCatch(crew: Crew, mutation: Mutation, start: number, seedsMax: number): Promise<Catch | null> {
  for (let tried = 0; tried < seedsMax; tried += 1) {
    const seed = start + tried;
    const [wrong] = (await crew.run({ seeds: [seed], again: [], mutation })).results;
    const violation = wrong?.violations[0];
    if (violation === undefined) continue;
    const [right] = (await crew.run({ seeds: [seed], again: [], mutation: null })).results;
    if (right?.violations.length === 0) return { seeds: tried + 1, seed, invariant: violation.invariant };
  }
  return null;
}

/** Of an odd number of starts; one that caught nothing counts as more than any number. */
export function median(counts: readonly (number | null)[]): number | null {
  const sorted = [...counts].sort((a, b) => (a ?? Infinity) - (b ?? Infinity));
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

export function printMutations(results: readonly MutationResult[]): string {
  const width = Math.max(...results.map(({ mutation }) => mutation.length)) + 2;
  return results
    .map(({ mutation, catches, median: middle }) => {
      const seen = [...new Set(catches.flatMap((found) => found?.invariant ?? []))].sort().join(' ');
      const each = catches.map((found) => found?.seeds ?? '—').join(', ');
      const first = catches.find((found) => found !== null);
      const verdict = middle === null ? 'NOT CAUGHT' : `median ${middle} seeds`;
      return `${mutation.padEnd(width)}${verdict} (${each})${seen === '' ? '' : ` by ${seen}`}${first ? `, first seed ${first.seed}` : ''}`;
    })
    .join('\n');
}
