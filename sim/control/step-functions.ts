/** Step Functions in the simulated world: the shipped workflow file, run by the interpreter of `core/workflow`. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { HaError } from '../../core/failures/failures.ts';
import { invariant } from '../../core/failures/invariant.ts';
import type { ExecutionStatus, StartedExecution } from '../../core/ports.ts';
import type { Millis } from '../../core/time/time.ts';
import {
  asJson,
  begin,
  type Effect,
  type Event,
  type Execution,
  HISTORY_EVENTS_MAX,
  type Json,
  load,
  redrive,
  type Step,
  step,
  substitute,
} from '../../core/workflow/workflow.ts';
import type { Noise } from '../contract/faults.ts';
import type { Stage } from '../contract/stage.ts';
import { BEGINNING_MS } from '../kernel/local-clock.ts';
import type { Random } from '../kernel/random.ts';
import type { Outcome } from './environment.ts';
import type { FunctionName } from './functions.ts';
import { lengthOf, type Lengths } from './hazards.ts';

const STEPS = {
  HaInvestigate: 'ha-investigate',
  HaFence: 'ha-fence',
  HaRecover: 'ha-recover',
} as const satisfies Record<string, FunctionName>;

/** The shipped definition: read once, and never changed. */
const MACHINE = load(
  substitute(
    asJson(
      z.json().parse(JSON.parse(readFileSync(new URL('../../stepfunctions/ha-run.asl.json', import.meta.url), 'utf8'))),
    ),
    STEPS,
  ),
);

const DISPATCH_MS = [1, 10] as const;
const LATE_MS: Lengths = [
  [[50, 1_500], 6],
  [[1_500, 15_000], 2],
];

/** A second start with the same input is answered like the first one for so long (`adapters/aws/step-functions.ts`). */
const SAME_START_MS = 5_000;

export type InvokeFunction = (fn: FunctionName, event: Json) => Promise<Outcome>;

interface Entry {
  state: Execution;
  cancelTimer: () => void;
}

export class StepFunctions {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #invoke: InvokeFunction;
  readonly #entries = new Map<string, Entry>();
  #noise: Noise = {};
  #effects = 0;

  constructor(stage: Stage, invoke: InvokeFunction) {
    this.#stage = stage;
    this.#random = stage.random.fork('step functions');
    this.#invoke = invoke;
  }

  setNoise(noise: Noise): void {
    this.#noise = noise;
  }

  start(name: string, input: object): StartedExecution {
    if (!/^[A-Za-z0-9._-]{1,80}$/.test(name)) throw new HaError('config_invalid', `no name of an execution: ${name}`);
    const known = this.#entries.get(name)?.state;
    if (known !== undefined) return { outcome: this.#isSameStart(known, asJson(input)) ? 'started' : 'exists' };
    const first = begin(MACHINE, { name, input, startedAtMs: this.#nowMs() });
    const entry: Entry = { state: first.state, cancelTimer: () => undefined };
    this.#entries.set(name, entry);
    this.#take(name, entry, first);
    return { outcome: 'started' };
  }

  status(name: string): ExecutionStatus | undefined {
    return this.#entries.get(name)?.state.status;
  }

  /** Names, in the order of their starts. */
  running(): readonly string[] {
    return this.#names(({ status }) => status === 'RUNNING');
  }

  /** Those that can be redriven. */
  unsuccessful(): readonly string[] {
    return this.#names(
      ({ status, events }) => status !== 'RUNNING' && status !== 'SUCCEEDED' && events < HISTORY_EVENTS_MAX - 1,
    );
  }

  /** As somebody stops it in the console: what its tasks have begun runs on. */
  stop(name: string): void {
    this.#post(name, { type: 'stop', error: 'Stopped', cause: 'by hand' });
  }

  redrive(name: string): void {
    const entry = this.#entryOf(name);
    this.#take(name, entry, redrive(MACHINE, entry.state, this.#nowMs()));
  }

  #isSameStart(known: Execution, input: Json): boolean {
    const isNew = this.#nowMs() - known.startedAtMs <= SAME_START_MS;
    return isNew && known.status === 'RUNNING' && JSON.stringify(known.input) === JSON.stringify(input);
  }

  #names(isMeant: (state: Execution) => boolean): readonly string[] {
    return [...this.#entries].filter(([, { state }]) => isMeant(state)).map(([name]) => name);
  }

  #entryOf(name: string): Entry {
    const entry = this.#entries.get(name);
    invariant(entry !== undefined, `there is no execution ${name}`);
    return entry;
  }

  /** Whole, as Step Functions counts: a timer that fires a rounding error early is set again for a whole millisecond. */
  #nowMs(): number {
    return BEGINNING_MS + Math.floor(this.#stage.timeline.now());
  }

  #post(name: string, event: Event): void {
    const entry = this.#entryOf(name);
    this.#take(name, entry, step(MACHINE, entry.state, event, this.#nowMs()));
  }

  #take(run: string, entry: Entry, { state, effects, history }: Step): void {
    entry.state = state;
    entry.cancelTimer();
    entry.cancelTimer = () => undefined;
    for (const event of history)
      if (event.type === 'StateEntered') this.#stage.tell({ type: 'state_entered', run, state: event.state });
    for (const effect of effects) this.#perform(run, entry, effect);
  }

  #perform(run: string, entry: Entry, effect: Effect): void {
    switch (effect.do) {
      case 'invoke': {
        const { taskId, input, resource, stateName } = effect;
        const fn = Object.values(STEPS).find((known) => known === resource);
        invariant(fn !== undefined, `the workflow names ${resource}`);
        const lateMs = this.#lateMs(run, stateName);
        this.#stage.timeline.after(lateMs, () => void this.#call(run, taskId, fn, input));
        break;
      }
      case 'wake': {
        const ms = Math.max(0, effect.atMs - this.#nowMs()) + this.#lateMs(run, 'timer');
        entry.cancelTimer = this.#stage.timeline.after(ms, () => this.#post(run, { type: 'tick' }));
        break;
      }
      case 'ended':
        this.#stage.tell({ type: 'run_ended', run, status: effect.status });
        break;
      case 'cancel':
        // Its function runs on: nobody can call it back.
        break;
    }
  }

  #lateMs(run: string, what: string): Millis {
    this.#effects += 1;
    const random = this.#random.fork(`effect ${this.#effects}`);
    const promptMs = random.between(...DISPATCH_MS);
    const part = this.#noise.step_late ?? 0;
    if (part <= 0 || !random.chance(part)) return promptMs;
    const lateMs = lengthOf(random, LATE_MS);
    const says = `${what}: ${Math.round(lateMs)} ms late`;
    this.#stage.tell({ type: 'fault', kind: 'step_late', subject: run, now: 'begins', says });
    return lateMs;
  }

  async #call(name: string, taskId: string, fn: FunctionName, input: Json): Promise<void> {
    const outcome = await this.#invoke(fn, input);
    this.#post(
      name,
      outcome.ok
        ? { type: 'task_succeeded', taskId, output: JSON.parse(outcome.text) }
        : { type: 'task_failed', taskId, error: outcome.error, cause: outcome.cause },
    );
  }
}
