/** A stage with one process on it, for tests of the parts that are the world. */
import type { Stage } from '../../../sim/contract/stage.ts';
import type { Fact } from '../../../sim/contract/truth.ts';
import { LocalClock } from '../../../sim/kernel/local-clock.ts';
import { SimProcess } from '../../../sim/kernel/process.ts';
import { Random } from '../../../sim/kernel/random.ts';
import { Timeline } from '../../../sim/kernel/timeline.ts';

export interface TestStage {
  readonly stage: Stage;
  readonly timeline: Timeline;
  readonly facts: Fact[];
  readonly process: (name?: string) => SimProcess;
  /** What comes of `work` within `ms`: a value, `failed: CODE`, or `nothing`. */
  readonly outcome: <T>(work: Promise<Awaited<T>>, ms: number) => Promise<Awaited<T> | string>;
}

export function testStage(seed = 1): TestStage {
  const timeline = new Timeline();
  const facts: Fact[] = [];
  const stage: Stage = { timeline, random: new Random(seed), tell: (fact) => facts.push(fact), mutation: null };
  const clock = new LocalClock(timeline, { rate: 1, bootMs: 0, wallOffsetMs: 0 });
  return {
    stage,
    timeline,
    facts,
    process: (name = 'p') =>
      new SimProcess(timeline, clock, name, (error) => {
        throw error;
      }),
    outcome: async <T>(work: Promise<Awaited<T>>, ms: number) => {
      let came: Awaited<T> | string = 'nothing';
      work.then(
        (value: Awaited<T>) => (came = value),
        (error: unknown) => (came = `failed: ${(error as { code?: string }).code ?? String(error)}`),
      );
      await timeline.run(timeline.now() + ms);
      return came;
    },
  };
}

export const factsOf = <T extends Fact['type']>(
  facts: readonly Fact[],
  type: T,
): readonly Extract<Fact, { type: T }>[] =>
  facts.filter((fact): fact is Extract<Fact, { type: T }> => fact.type === type);
