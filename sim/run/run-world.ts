/**
 * One run: everything is placed without faults, then come the faults, then all is healed and it must come to rest. Checkers
 * see each fact as it is told; at the first violation the run ends, since what follows a broken promise proves nothing.
 */
import { TIMING_PROFILES } from '../../core/config/timing-profiles.ts';
import type { Millis } from '../../core/time/time.ts';
import type { LookAfter, Scene } from '../contract/scene.ts';
import type { Checker, Fact, Told, Violation } from '../contract/truth.ts';
import { Random } from '../kernel/random.ts';
import { Timeline } from '../kernel/timeline.ts';
import { BEATS_LEAST, type RunResult } from './result.ts';
import { Tally } from './tally.ts';
import type { MakeWorld, RunOptions, World } from './world.ts';

/** How often it is asked whether everything is placed. */
const ASK_EVERY_MS: Millis = 500;
/** From power on until all is placed: boot, registration, two passes of reconcile, the start; hosts that were copied wait L_c. */
const PLACED_WITHIN_MS: Millis = 180_000;
/** Every so often somebody looks whether the rest can be placed: on AWS it is done once a minute. */
const PLACE_EVERY_MS: Millis = 5_000;
/** How much longer than drawn the faults may go on for a host that has not beaten often enough. */
const EXTENDED_MOST = 4;
/** Meanwhile people look after such a host every so often, in intervals. */
const LOOKED_AFTER_EVERY = 20;
const VIOLATIONS_MAX = 100;

export async function runWorld(scene: Scene, options: RunOptions, makeWorld: MakeWorld): Promise<RunResult> {
  const run = new Run(scene, options, makeWorld);
  const unlisten = options.strays?.((error) => run.tell({ type: 'bug', who: 'nobody', says: said(error) }));
  try {
    await run.all();
  } catch (error) {
    run.break('bug', said(error));
  } finally {
    unlisten?.();
  }
  return run.result();
}

class Run {
  readonly #scene: Scene;
  readonly #options: RunOptions;
  readonly #timeline = new Timeline();
  readonly #tally = new Tally();
  readonly #facts: Told[] = [];
  readonly #violations: Violation[] = [];
  readonly #world: World;
  /** Of what is told while the world is put together: its checkers see it right afterwards. */
  #early: Told[] | null = [];
  /** Violations of each checker that were taken over. */
  readonly #taken = new Map<Checker, number>();
  readonly #lookedAfter: LookAfter[] = [];
  #faultsFromMs: Millis | null = null;
  #faultsUntilMs: Millis | null = null;
  #isOver = false;

  constructor(scene: Scene, options: RunOptions, makeWorld: MakeWorld) {
    this.#scene = scene;
    this.#options = options;
    const tell = (fact: Fact): void => this.tell(fact);
    const random = new Random(scene.seed);
    this.#world = makeWorld({ timeline: this.#timeline, random, tell, mutation: options.mutation }, scene);
    const early = this.#early ?? [];
    this.#early = null;
    for (const told of early) this.#show(told);
  }

  tell(fact: Fact): void {
    const told: Told = { ...fact, at: this.#timeline.now() };
    this.#tally.see(told);
    if (this.#options.keep) this.#facts.push(told);
    if (this.#early === null) this.#show(told);
    else this.#early.push(told);
  }

  #show(told: Told): void {
    for (const checker of this.#world.checkers) checker.see(told);
    this.#takeViolations();
  }

  /** A violation seen by the run itself. */
  break(invariant: string, says: string): void {
    this.#violate({ invariant, at: this.#timeline.now(), says });
  }

  async all(): Promise<void> {
    this.#world.begin();
    if (await this.#place()) {
      this.#faultsFromMs = this.#timeline.now();
      await this.#faults();
      if (!this.#isOver) this.#faultsUntilMs = this.#timeline.now();
    }
    if (this.#isOver) return;
    this.#world.healAll();
    await this.#pass(this.#scene.quietForMs);
    if (this.#isOver) return;
    for (const checker of this.#world.checkers) checker.end();
    this.#takeViolations();
  }

  /** Until each host has beaten often enough: those that were off or cut off for long are looked after, and take longer. */
  async #faults(): Promise<void> {
    const { faultsForMs, hosts, profile } = this.#scene;
    this.#tally.isCountingBeats = true;
    this.#world.beginFaults();
    await this.#pass(faultsForMs);
    const latest = this.#timeline.now() + (EXTENDED_MOST - 1) * faultsForMs;
    const names = hosts.map(({ name }) => name);
    const short = () => names.filter((name) => (this.#tally.beats[name] ?? 0) < BEATS_LEAST);
    const goesOn = () => !this.#isOver && this.#scene.isFull === true && this.#timeline.now() < latest;
    for (let beat = 0; goesOn() && short().length > 0; beat += 1) {
      if (beat % LOOKED_AFTER_EVERY === 0) this.#lookAfter(short());
      await this.#pass(TIMING_PROFILES[profile].intervalMs);
    }
    this.#tally.isCountingBeats = false;
  }

  #lookAfter(hosts: readonly string[]): void {
    this.#lookedAfter.push({ at: this.#timeline.now() - (this.#faultsFromMs ?? 0), do: 'look-after', hosts });
    this.#world.lookAfter(hosts);
  }

  /** Applies the definition and waits until all of it runs; false: it does not. */
  async #place(): Promise<boolean> {
    let refused: string | null = null;
    this.#apply((why) => (refused = why));
    const { takerWaitMs } = TIMING_PROFILES[this.#scene.profile];
    const latest = this.#timeline.now() + PLACED_WITHIN_MS + 2 * takerWaitMs;
    for (let asked = 1; !this.#isOver && refused === null && this.#timeline.now() < latest; asked += 1) {
      await this.#pass(ASK_EVERY_MS);
      if (asked % (PLACE_EVERY_MS / ASK_EVERY_MS) === 0) this.#world.reconcile();
      if (this.#world.whyNotPlaced() === null) return !this.#isOver;
    }
    if (this.#isOver) return false;
    if (refused !== null) this.break('bug', `the definition of the scene was refused: ${String(refused)}`);
    else this.break('I5', `not placed before any fault: ${this.#world.whyNotPlaced() ?? ''}`);
    return false;
  }

  #apply(onRefused: (why: string) => void): void {
    const failed = (error: unknown): void => onRefused(said(error));
    this.#world.act({ at: 0, do: 'apply', yaml: this.#scene.yaml }).then((answer) => {
      if (answer.status >= 300) onRefused(`${answer.status} ${answer.says}`);
    }, failed);
  }

  async #pass(ms: Millis): Promise<void> {
    if (!this.#isOver) await this.#timeline.run(this.#timeline.now() + ms);
  }

  #takeViolations(): void {
    for (const checker of this.#world.checkers) {
      const taken = this.#taken.get(checker) ?? 0;
      if (checker.violations.length === taken) continue;
      this.#taken.set(checker, checker.violations.length);
      for (const violation of checker.violations.slice(taken)) this.#violate(violation);
    }
  }

  #violate(violation: Violation): void {
    if (this.#violations.length < VIOLATIONS_MAX) this.#violations.push(violation);
    if (this.#options.isGoingOn === true) return;
    this.#isOver = true;
    this.#timeline.stop();
  }

  result(): RunResult {
    const { failovers, runsHeld, faults, states, invocations } = this.#tally;
    const beats = this.#scene.hosts.map(({ name }) => [name, this.#tally.beats[name] ?? 0] as const);
    return {
      seed: this.#scene.seed,
      profile: this.#scene.profile,
      traceHash: this.#tally.digest(),
      facts: this.#facts,
      violations: this.#violations,
      simulatedMs: this.#timeline.now(),
      faultsFromMs: this.#faultsFromMs,
      faultsUntilMs: this.#faultsUntilMs,
      lookedAfter: this.#lookedAfter,
      events: this.#timeline.fired,
      failovers,
      runsHeld,
      beats: Object.fromEntries(beats),
      faults,
      states,
      invocations,
    };
  }
}

function said(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
