/** The simulator as a program, apart from its terminal, its clock and its threads. */
import { report } from '../report/report.ts';
import type { Mutation } from '../contract/mutations.ts';
import type { Scene } from '../contract/scene.ts';
import { type Ask, parseArguments, USAGE } from './arguments.ts';
import { coverage } from './coverage.ts';
import { unmet } from './expectations.ts';
import { mutate, type MutationResult, printMutations, SEEDS_MAX } from './mutate.ts';
import { failoversOf, type RunResult } from './result.ts';
import { asItRan } from './as-it-ran.ts';
import { printScenario } from './scenario-print.ts';
import { parseScenario } from './scenario-parse.ts';
import { ScenarioError } from './scenario.ts';
import { runSeeds } from './seeds.ts';
import { shrink } from './shrink.ts';
import { missing, printSummary, type Summary, summarize } from './summary.ts';
import type { Threads } from './threads.ts';
import type { RunOptions } from './world.ts';

export interface ProgramIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly readFile: (path: string) => string;
  /** Milliseconds of this machine's own time. */
  readonly now: () => number;
  /** Processor time that this program has used. */
  readonly cpuMs: () => number;
  readonly cores: number;
  readonly crew: (size: number) => Threads;
  readonly drawScene: (seed: number) => Scene;
  readonly runScene: (scene: Scene, options: RunOptions) => Promise<RunResult>;
}

const SEEDS = 100;
const SHRUNK_MAX = 3;
const SHRINK_ATTEMPTS = 200;
const SHRINK_CPU_MS = 60_000;
const PROGRESS_EVERY_MS = 2000;

/** The exit status: 0 all well, 1 violations or something not caught or not reached, 2 not understood. */
export async function program(words: readonly string[], io: ProgramIo): Promise<number> {
  if (words.includes('--help')) {
    io.out(USAGE);
    return 0;
  }
  const ask = parseArguments(words);
  if ('problem' in ask) {
    io.err(`${ask.problem}\n`);
    return 2;
  }
  if (ask.scenario !== null) return await scenario(ask, ask.scenario, io);
  if (ask.seed !== null) return await single(ask, ask.seed, io);
  const crew = io.crew(ask.workers ?? io.cores);
  try {
    return ask.mutations.length > 0 ? await mutations(ask, crew, io) : await seeds(ask, crew, io);
  } finally {
    await crew.end();
  }
}

async function scenario(ask: Ask, file: string, io: ProgramIo): Promise<number> {
  try {
    const { scene, mutation, expectations } = parseScenario(io.readFile(file));
    const result = await io.runScene(scene, { mutation, keep: true, isGoingOn: ask.isGoingOn });
    if (ask.isTrace) io.out(`${report(scene, result, ask)}\n`);
    const problems = unmet(result, expectations);
    for (const problem of problems) io.out(`${problem}\n`);
    io.out(`${file}: ${problems.length === 0 ? 'as expected' : `${problems.length} not as expected`}\n`);
    return problems.length === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    io.err(`${file}, ${error.message}\n`);
    return 2;
  }
}

async function single(ask: Ask, seed: number, io: ProgramIo): Promise<number> {
  const scene = io.drawScene(seed);
  const mutation = ask.mutations[0] ?? null;
  const result = await io.runScene(scene, { mutation, keep: ask.isTrace, isGoingOn: ask.isGoingOn });
  if (ask.isTrace) io.out(`${report(scene, result, ask)}\n`);
  else await shrinkAll([result], mutation, io);
  ending(ask, summarize([result], []), [], io);
  return result.violations.length === 0 ? 0 : 1;
}

async function seeds(ask: Ask, crew: Threads, io: ProgramIo): Promise<number> {
  const began = io.now();
  const until = began + (ask.minutes ?? 0) * 60_000;
  const total = ask.minutes === null ? (ask.seeds ?? SEEDS) : null;
  let saidAt = began;
  const done = await runSeeds(crew, {
    from: ask.from,
    count: total,
    isTimeUp: () => io.now() >= until,
    replayCheck: ask.replayCheck,
    onProgress: (results) => {
      if (io.now() - saidAt < PROGRESS_EVERY_MS) return;
      saidAt = io.now();
      io.err(progress(results, total, io.now() - began));
    },
  });
  const summary = summarize(done.results, done.again);
  const all = coverage();
  io.out(`${printSummary(summary, all, { wallMs: io.now() - began, workers: crew.size })}\n`);
  const failing = done.results.filter((result) => result.violations.length > 0).sort((a, b) => a.seed - b.seed);
  await shrinkAll(failing.slice(0, SHRUNK_MAX), null, io);
  ending(ask, summary, [], io);
  return summary.violations === 0 && !missing(summary, all).isFailure ? 0 : 1;
}

function progress(results: readonly RunResult[], total: number | null, tookMs: number): string {
  const failing = results.filter((result) => result.violations.length > 0).map((result) => result.seed);
  const rate = (results.length * 1000) / Math.max(1, tookMs);
  const shown = failing.length === 0 ? '' : `, failing: ${failing.slice(0, 8).join(', ')}`;
  return `${results.length}${total === null ? '' : ` of ${total}`} seeds, ${rate.toFixed(2)} per second${shown}\n`;
}

async function mutations(ask: Ask, crew: Threads, io: ProgramIo): Promise<number> {
  const results = await mutate(crew, {
    mutations: ask.mutations,
    from: ask.from,
    starts: ask.starts,
    seedsMax: ask.seeds ?? SEEDS_MAX,
    onCatch: (mutation, start, found) =>
      io.err(
        `${mutation} from ${start}: ${found === null ? 'not caught' : `seed ${found.seed} after ${found.seeds}, ${found.invariant}`}\n`,
      ),
  });
  io.out(`${printMutations(results)}\n`);
  const uncaught = results.filter((result) => result.median === null).length;
  if (ask.isJson) io.out(`${json(summarize([], []), results)}\n`);
  else io.out(`mutations ${results.length}, not caught ${uncaught}\n`);
  return uncaught === 0 ? 0 : 1;
}

/** Prints the shortest scene that fails in the same way, for each of the runs. */
async function shrinkAll(failing: readonly RunResult[], mutation: Mutation | null, io: ProgramIo): Promise<void> {
  for (const result of failing) {
    const { seed, violations, faultsFromMs } = result;
    const [violation] = violations;
    if (violation === undefined) continue;
    const began = io.cpuMs();
    io.err(`seed ${seed}: looking for the shortest scene that violates ${violation.invariant}\n`);
    const shrunk = await shrink(
      asItRan(io.drawScene(seed), result),
      violation.at - (faultsFromMs ?? 0),
      async (candidate) => {
        const tried = await io.runScene(candidate, { mutation, keep: false });
        const again = tried.violations.find((found) => found.invariant === violation.invariant);
        return again === undefined ? null : { atMs: again.at - (tried.faultsFromMs ?? 0) };
      },
      { attempts: SHRINK_ATTEMPTS, isSpent: () => io.cpuMs() - began > SHRINK_CPU_MS },
    );
    const comment = [
      `Shrunk from seed ${seed} in ${shrunk.attempts} runs${shrunk.isComplete ? '' : ' (ended by its limit)'}.`,
      `${violation.invariant}: ${violation.says.split('\n')[0] ?? ''}`,
    ];
    const expectations = [{ expect: 'violation', invariant: violation.invariant } as const];
    io.out(`\n${printScenario({ comment, scene: shrunk.scene, mutation, expectations })}\n`);
  }
}

function ending(ask: Ask, summary: Summary, mutated: readonly MutationResult[], io: ProgramIo): void {
  if (ask.isJson) io.out(`${json(summary, mutated)}\n`);
  else io.out(`seeds ${summary.seeds}, violations ${summary.violations}\n`);
}

function json(summary: Summary, mutated: readonly MutationResult[]): string {
  return JSON.stringify({
    seeds: summary.seeds,
    violations: summary.violations,
    simulatedSeconds: Math.round(summary.simulatedMs / 1000),
    failovers: failoversOf(summary),
    traceHash: summary.traceHash,
    mutations: mutated.map(({ mutation, catches, median }) => ({
      name: mutation,
      caught: median !== null,
      seeds: median,
      starts: catches.map((found) => found?.seeds ?? null),
    })),
  });
}
