import { describe, expect, test } from '@jest/globals';
import type { Mutation } from '../../../sim/contract/mutations.ts';
import { type Crew, type Job, work } from '../../../sim/run/crew.ts';
import { median, mutate, printMutations } from '../../../sim/run/mutate.ts';
import type { RunResult } from '../../../sim/run/result.ts';
import { runSeeds } from '../../../sim/run/seeds.ts';
import { missing, printSummary, summarize } from '../../../sim/run/summary.ts';

function result(seed: number, changed: Partial<RunResult> = {}): RunResult {
  return {
    seed,
    profile: 'demo',
    traceHash: `hash of ${seed}`,
    facts: [],
    violations: [],
    simulatedMs: 60_000,
    faultsFromMs: 1000,
    faultsUntilMs: 50_000,
    events: 1000,
    failovers: {},
    runsHeld: 0,
    lookedAfter: [],
    beats: { h1: 200 + seed },
    faults: {},
    states: {},
    invocations: 10,
    ...changed,
  };
}

const violation = (invariant: string) => ({ invariant, at: 12_000, says: 'two of db/0' });

/** Runs in turn what it is given; `wrong` tells which seeds fail. */
function crewOf(
  size: number,
  wrong: (seed: number, mutation: Mutation | null) => string | null,
): Crew & { jobs: Job[] } {
  const jobs: Job[] = [];
  return {
    size,
    jobs,
    run: (job) => {
      jobs.push(job);
      return work(job, (seed, mutation) => {
        const invariant = wrong(seed, mutation);
        return Promise.resolve(result(seed, { violations: invariant === null ? [] : [violation(invariant)] }));
      });
    },
  };
}

const ask = { from: 1, isTimeUp: () => false, replayCheck: 0.01, onProgress: () => undefined };

describe('many seeds', () => {
  test.each([1, 2, 7])('are each run once by a crew of %i, and the same ones a second time', async (size) => {
    const done = await runSeeds(
      crewOf(size, () => null),
      { ...ask, count: 50 },
    );
    expect(done.results.map((one) => one.seed).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
    expect(done.again.map((one) => one.seed).sort((a, b) => a - b)).toEqual([1, 11, 21, 31, 41]);
  });

  test('are run a second time after others in the same process', async () => {
    const crew = crewOf(1, () => null);
    await runSeeds(crew, { ...ask, count: 16 });
    expect(crew.jobs[0]).toMatchObject({ seeds: [1, 2, 3, 4, 5, 6, 7, 8], again: [1, 4, 7] });
  });

  test('end when the time is up', async () => {
    let asked = 0;
    const done = await runSeeds(
      crewOf(2, () => null),
      { ...ask, count: null, isTimeUp: () => (asked += 1) > 4 },
    );
    expect(done.results).toHaveLength(32);
  });

  test('come to one hash, whoever was quicker', () => {
    const some = [result(1), result(2), result(3)];
    const { traceHash } = summarize(some, []);
    expect(summarize([...some].reverse(), []).traceHash).toBe(traceHash);
    expect(summarize([result(1), result(2, { traceHash: 'other' }), result(3)], []).traceHash).not.toBe(traceHash);
  });

  test('count a second run that was not the same as a violation', () => {
    const summary = summarize([result(1), result(2)], [{ seed: 2, traceHash: 'other' }]);
    expect(summary).toMatchObject({ violations: 1, unequal: [2], replayed: 1 });
  });

  test('add up', () => {
    const summary = summarize(
      [
        result(1, { failovers: { 'lease-over': 2 }, faults: { cut: 1 }, states: { Open: 2 }, runsHeld: 1 }),
        result(2, {
          failovers: { 'lease-over': 1, successor: 1 },
          faults: { cut: 2, loss: 9 },
          violations: [violation('I2')],
        }),
      ],
      [],
    );
    expect(summary).toMatchObject({
      seeds: 2,
      violations: 1,
      failing: [{ seed: 2, first: { invariant: 'I2' } }],
      failovers: { 'lease-over': 3, successor: 1 },
      faults: { cut: 3, loss: 9 },
      states: { Open: 2 },
      runsHeld: 1,
      beats: 403,
      beatsLeast: { seed: 1, host: 'h1', beats: 201 },
    });
    const text = printSummary(
      summary,
      { kinds: ['cut', 'loss', 'crash'], states: ['Open', 'Hold'] },
      { wallMs: 2000, workers: 2 },
    );
    expect(text).toContain('failovers         4 (lease-over 3, successor 1)');
    expect(text).toContain('events            2000, 1000 per second');
    expect(text).toContain('faults, never     crash');
    expect(text).toContain('states, never     Hold');
    expect(text).toContain('seed 2: I2 at 12.000 s: two of db/0');
  });

  test.each([
    [999, false],
    [1000, true],
  ])('of %i, that miss a kind of fault: a failure is %s', (seeds, isFailure) => {
    const all = { kinds: ['cut', 'crash'] as const, states: ['Open'] };
    const summary = { seeds, faults: { cut: 1 }, states: { Open: 1 } };
    expect(missing(summary, all)).toEqual({ kinds: ['crash'], states: [], isFailure });
  });
});

describe('a mutation', () => {
  const run = (crew: Crew) =>
    mutate(crew, {
      mutations: ['forget-m', 'guard-in-agent'],
      from: 1,
      starts: 5,
      seedsMax: 50,
      onCatch: () => undefined,
    });

  test('is caught by the first seed that fails with it and not without it', async () => {
    const wrong = (seed: number, mutation: Mutation | null): string | null => {
      if (seed % 10 === 3) return 'I5'; // Fails anyway: shows nothing.
      return mutation === 'forget-m' && seed % 10 === 7 ? 'I2' : null;
    };
    const [forget, guard] = await run(crewOf(2, wrong));
    expect(forget).toMatchObject({ mutation: 'forget-m', median: 7 });
    expect(forget?.catches).toEqual(
      [7, 10_007, 20_007, 30_007, 40_007].map((seed) => ({ seeds: 7, seed, invariant: 'I2' })),
    );
    expect(guard).toEqual({ mutation: 'guard-in-agent', catches: [null, null, null, null, null], median: null });
    expect(printMutations([...(forget ? [forget] : []), ...(guard ? [guard] : [])])).toBe(
      'forget-m        median 7 seeds (7, 7, 7, 7, 7) by I2, first seed 7\n' +
        'guard-in-agent  NOT CAUGHT (—, —, —, —, —)',
    );
  });

  test.each([
    [[5, 1, 3, 4, 2], 3],
    [[5, null, 3, null, 2], 5],
    [[5, null, null, null, 2], null],
  ])('seen after %j seeds has the median %j', (counts, middle) => {
    expect(median(counts)).toBe(middle);
  });
});
