/** AWS Lambda: delivers events to environments of functions, makes new ones where all are busy, and recycles old ones. */
import { TIMING_PROFILES } from '../../core/config/timing-profiles.ts';
import { failureCode, messageOf } from '../../core/failures/failures.ts';
import type { Millis } from '../../core/time/time.ts';
import type { Handler } from '../../lambdas/shared/edge.ts';
import type { Noise } from '../contract/faults.ts';
import type { Scene } from '../contract/scene.ts';
import type { Stage } from '../contract/stage.ts';
import { LocalClock } from '../kernel/local-clock.ts';
import { SimProcess } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import { Environment, type Outcome } from './environment.ts';
import { type FunctionName, FUNCTIONS } from './functions.ts';
import { drawHazards, type Hazards } from './hazards.ts';

/** Makes the handler of a new environment, with the ports of its process. `random` is the environment's own. */
export type MakeHandler = (fn: FunctionName, process: SimProcess, random: Random) => Handler<unknown>;

/** How old an environment gets. */
const AGE_MS = [20_000, 900_000] as const;
const COLD_START_MS = [80, 350] as const;
const WARM_START_MS = [1, 6] as const;

export class Environments {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #clockRateError: number;
  readonly #isLocal: boolean;
  readonly #make: MakeHandler;
  /** Living ones, the one used last at the end. */
  readonly #pools = new Map<FunctionName, Environment[]>();
  readonly #busy = new Set<Environment>();
  readonly #counts = new Map<string, number>();
  #noise: Noise = {};
  #wallSpreadMs: Millis = 0;

  constructor(stage: Stage, scene: Scene, make: MakeHandler) {
    this.#stage = stage;
    this.#random = stage.random.fork('lambda');
    this.#clockRateError = TIMING_PROFILES[scene.profile].clockRateError;
    // The local runtime has its handlers in one warm process.
    this.#isLocal = scene.profile === 'demo';
    this.#make = make;
  }

  /** What it no longer names is over at once, also for what is under way. */
  setNoise(noise: Noise): void {
    this.#noise = noise;
    if (!this.#isOn('lambda_frozen')) for (const environment of this.#busy) environment.thaw();
  }

  setWallSpread(ms: Millis): void {
    this.#wallSpreadMs = ms;
  }

  /** Never rejects. */
  invoke(fn: FunctionName, event: unknown): Promise<Outcome> {
    const text = JSON.stringify(event) ?? 'null';
    const delivery = this.#count(`delivery of ${fn}`);
    const hazards = drawHazards(this.#random.fork(`delivery ${fn} ${delivery}`), this.#noise);
    if (hazards.againAfterMs !== null && !FUNCTIONS[fn].isAskedOnce) {
      const says = `the same event again after ${Math.round(hazards.againAfterMs)} ms`;
      const again = drawHazards(this.#random.fork(`delivery ${fn} ${delivery} again`), this.#noise);
      this.#stage.timeline.after(hazards.againAfterMs, () => {
        if (!this.#isOn('lambda_twice')) return;
        this.#fault('lambda_twice', fn, says);
        void this.#deliver(fn, text, again);
      });
    }
    return this.#deliver(fn, text, hazards);
  }

  #deliver(fn: FunctionName, text: string, hazards: Hazards): Promise<Outcome> {
    if (hazards.lateMs > 0) this.#fault('lambda_late', fn, `begins ${Math.round(hazards.lateMs)} ms late`);
    return new Promise((resolve) => {
      this.#stage.timeline.after(hazards.lateMs, () => this.#begin(fn, { text, hazards, resolve }));
    });
  }

  #begin(
    fn: FunctionName,
    { text, hazards, resolve }: { text: string; hazards: Hazards; resolve: (outcome: Outcome) => void },
  ): void {
    const { tell, timeline } = this.#stage;
    const no = this.#count(fn);
    const random = this.#random.fork(`invocation ${fn} ${no}`);
    const { environment, isNew } = this.#take(fn);
    const [least, most] = this.#isLocal ? [0, 1] : isNew ? COLD_START_MS : WARM_START_MS;
    timeline.after(random.between(least, most), () => {
      tell({ type: 'invocation', fn, no, now: 'begun', says: isNew ? 'in a new environment' : '' });
      this.#busy.add(environment);
      environment.begin({
        text,
        timeoutMs: FUNCTIONS[fn].timeoutMs,
        ...hazards,
        mayStrike: (kind) => this.#isOn(kind),
        onFault: (kind, says) => this.#fault(kind, `${fn} ${no}`, says),
        ended: (outcome, how) => {
          tell({ type: 'invocation', fn, no, now: how, says: outcome.ok ? '' : `${outcome.error}: ${outcome.cause}` });
          if (!outcome.ok) this.#sayIfBug(fn, no, outcome.thrown);
          this.#busy.delete(environment);
          this.#put(fn, environment);
          resolve(outcome);
        },
      });
    });
  }

  /** Out of the pool, so that nobody else gets it. */
  #take(fn: FunctionName): { readonly environment: Environment; readonly isNew: boolean } {
    const pool = this.#pools.get(fn) ?? [];
    this.#pools.set(fn, pool);
    for (let known = pool.pop(); known !== undefined; known = pool.pop()) {
      if (known.recycledAt > this.#stage.timeline.now()) return { environment: known, isNew: false };
      known.discard();
    }
    return { environment: this.#create(fn), isNew: true };
  }

  #put(fn: FunctionName, environment: Environment): void {
    if (environment.process.isAlive) this.#pools.get(fn)?.push(environment);
  }

  #create(fn: FunctionName): Environment {
    const { timeline } = this.#stage;
    const no = this.#count(`environment of ${fn}`);
    const random = this.#random.fork(`environment ${fn} ${no}`);
    const rho = this.#clockRateError;
    const clock = new LocalClock(timeline, {
      rate: random.between(1 - rho, 1 + rho),
      bootMs: random.int(10_000, 100_000_000),
      wallOffsetMs: random.between(-this.#wallSpreadMs, this.#wallSpreadMs),
    });
    const process = new SimProcess(timeline, clock, `${fn}~${no}`, (error) => {
      this.#sayIfBug(fn, no, error);
      environment.crashed(error);
    });
    const recycledAt = timeline.now() + random.between(...AGE_MS);
    const environment: Environment = new Environment(timeline, process, this.#make(fn, process, random), recycledAt);
    return environment;
  }

  #isOn(kind: keyof Noise): boolean {
    return (this.#noise[kind] ?? 0) > 0;
  }

  #count(what: string): number {
    const no = (this.#counts.get(what) ?? 0) + 1;
    this.#counts.set(what, no);
    return no;
  }

  /** Faults in the world have a code of the table; anything else is a bug. */
  #sayIfBug(fn: FunctionName, no: number, thrown: unknown): void {
    if (thrown === undefined || failureCode(thrown) !== undefined) return;
    this.#stage.tell({ type: 'bug', who: `${fn} ${no}`, says: messageOf(thrown) });
  }

  #fault(
    kind: 'lambda_twice' | 'lambda_late' | 'lambda_killed' | 'lambda_frozen',
    subject: string,
    says: string,
  ): void {
    this.#stage.tell({ type: 'fault', kind, subject, now: 'begins', says });
  }
}
