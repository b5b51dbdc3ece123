/** The calls that functions make to Step Functions: each takes a moment, may be refused for now, or lose its answer. */
import { HaError } from '../../core/failures/failures.ts';
import type { Workflow } from '../../core/ports.ts';
import type { Millis } from '../../core/time/time.ts';
import type { Noise } from '../contract/faults.ts';
import type { Stage } from '../contract/stage.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import type { StepFunctions } from './step-functions.ts';

const CALL_MS = [1, 15] as const;
const SLOW_MS = [200, 6_000] as const;
/** When the client of `adapters/aws/step-functions.ts` gives up. */
const BUDGET_MS: Millis = 12_000;

export class WorkflowApi {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #executions: StepFunctions;
  #noise: Noise = {};
  #calls = 0;

  constructor(stage: Stage, executions: StepFunctions) {
    this.#stage = stage;
    this.#random = stage.random.fork('step functions api');
    this.#executions = executions;
  }

  setNoise(noise: Noise): void {
    this.#noise = noise;
  }

  forProcess(process: SimProcess): Workflow {
    return {
      start: (name, input) =>
        process.call(() => this.#perform(`StartExecution ${name}`, () => this.#executions.start(name, input))),
      status: (name) =>
        process.call(() => this.#perform(`DescribeExecution ${name}`, () => this.#executions.status(name))),
    };
  }

  async #perform<T>(what: string, work: () => T): Promise<T> {
    this.#calls += 1;
    const random = this.#random.fork(`call ${this.#calls}`);
    const strikes = (kind: 'throttled' | 'answer_lost' | 'loss' | 'delay'): boolean => {
      const part = this.#noise[kind] ?? 0;
      const isStruck = part > 0 && random.fork(kind).chance(part);
      if (isStruck) this.#stage.tell({ type: 'fault', kind, subject: 'step functions', now: 'begins', says: what });
      return isStruck;
    };
    await this.#pass(random.between(...CALL_MS));
    if (strikes('throttled')) throw new HaError('store_throttled', `Step Functions, ${what}: Rate exceeded`);
    if (strikes('delay')) await this.#pass(random.fork('length').between(...SLOW_MS));
    if (strikes('loss')) return this.#giveUp(what);
    const answer = work();
    if (strikes('answer_lost')) return this.#giveUp(what);
    await this.#pass(random.between(...CALL_MS));
    return answer;
  }

  async #giveUp(what: string): Promise<never> {
    await this.#pass(BUDGET_MS);
    throw new HaError('timed_out', `${what}: no answer within ${BUDGET_MS} ms`);
  }

  #pass(ms: Millis): Promise<void> {
    return new Promise((resolve) => void this.#stage.timeline.after(ms, resolve));
  }
}
