/** `npm run failover`: scripted failover on the embedded system; exit status 1 if anything ran twice, was lost, or stayed away. */
import { parseArgs } from 'node:util';
import { FAILURES, messageOf } from '../../core/failures/failures.ts';
import { argumentProblem } from '../../tools/argument-problem.ts';
import { performAlone } from './alone.ts';
import type { AloneFigures } from './alone.ts';
import { CASCADE_SAYS, performCascade } from './cascade.ts';
import { ALONE_FAULTS, FAULTS, faultStory } from './faults.ts';
import type { FaultName } from './faults.ts';
import { startHarness } from './harness.ts';
import type { Harness } from './harness.ts';
import { median } from './measure.ts';
import { figuresLine, timeline } from './report.ts';
import { performRun } from './run.ts';
import type { RunOutcome } from './run.ts';
import type { SampleName } from './samples.ts';

const RUNS_MAX = 1_000;
const NAMES = [...Object.keys(FAULTS), 'cascade'];
const USAGE = `usage: npm run failover -- [--fault NAME] [--runs N] [--json] [--no-control-plane]
  --fault  ${NAMES.join(', ')}; all: each in turn; default host
  --runs   per fault, default 1
  --json   the last line is one JSON object (all: one per fault)
  --no-control-plane  ${ALONE_FAULTS.join(', ')}, default all of them: what the broken host runs must end in time by itself
`;

interface Options {
  readonly faults: readonly string[];
  readonly runs: number;
  readonly json: boolean;
  readonly isAlone: boolean;
}

function readOptions(words: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: words.filter((word) => word !== '--'), // A second `--` after that of npm.
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      fault: { type: 'string' },
      runs: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      'no-control-plane': { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const isAlone = values['no-control-plane'];
  const known: readonly string[] = isAlone ? ALONE_FAULTS : NAMES;
  const fault = values.fault ?? (isAlone ? 'all' : 'host');
  if (fault !== 'all' && !known.includes(fault))
    throw new TypeError(`--fault ${fault}: known are ${known.join(', ')}, all`);
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1 || runs > RUNS_MAX)
    throw new TypeError(`--runs ${values.runs} is not a number from 1 to ${String(RUNS_MAX)}`);
  return { faults: fault === 'all' ? known : [fault], runs, json: values.json, isAlone };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Children end with this process; a signal still gives them time to end in order. */
async function withHarness<T>(sample: SampleName, work: (harness: Harness) => Promise<T>): Promise<T> {
  const harness = await startHarness(sample);
  const end = (): void => {
    void harness.close().finally(() => process.exit(130));
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  try {
    return await work(harness);
  } catch (error) {
    harness.keep();
    throw error;
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
    await harness.close();
  }
}

interface Story {
  readonly name: string;
  readonly says: string;
  readonly sample: SampleName;
  readonly perform: (harness: Harness) => Promise<RunOutcome>;
}

function storyOf(name: string): Story {
  if (!isFault(name)) return { name, says: CASCADE_SAYS, sample: 'lease', perform: performCascade };
  const { says, sample = 'lease' } = faultStory(name);
  return { name, says, sample, perform: (harness) => performRun(harness, name) };
}

function isFault(name: string): name is FaultName {
  return name in FAULTS;
}

/** Faults of one sample after the other on one system. */
async function runFaults(options: Options): Promise<boolean> {
  const bySample = Map.groupBy(options.faults.map(storyOf), ({ sample }) => sample);
  let hasPassed = true;
  for (const [sample, stories] of bySample) {
    const passed = await withHarness(sample, (harness) => runStories(harness, stories, options));
    hasPassed &&= passed;
  }
  return hasPassed;
}

async function runStories(harness: Harness, stories: readonly Story[], options: Options): Promise<boolean> {
  let hasPassed = true;
  for (const { name: fault, says, perform } of stories) {
    const runs: RunOutcome[] = [];
    for (let n = 1; n <= options.runs; n += 1) {
      say(`\n${fault}, run ${String(n)} of ${String(options.runs)}: ${says}`);
      const run = await perform(harness);
      say(timeline(run, harness.log.read()));
      say(`  ${run.target.host}: ${figuresLine(run)}`);
      runs.push(run);
    }
    if (runs.some(({ failures }) => failures.length > 0)) harness.keep();
    hasPassed &&= runs.every(({ failures }) => failures.length === 0);
    say(`\n${summary(fault, runs)}`);
    if (options.json) say(JSON.stringify(toJson(harness, fault, runs)));
  }
  return hasPassed;
}

function summary(fault: string, runs: readonly RunOutcome[]): string {
  const passed = runs.filter(({ failures }) => failures.length === 0).length;
  return `${fault}: ${String(passed)} of ${String(runs.length)} runs passed, median downtime ${medianDowntime(runs)?.toFixed(0) ?? '–'} ms`;
}

/** null if a run never came back: no number would be true. */
function medianDowntime(runs: readonly RunOutcome[]): number | null {
  const times = runs.flatMap(({ downtimeMs }) => (downtimeMs === null ? [] : [downtimeMs]));
  return times.length === runs.length ? median(times) : null;
}

/** The shape that other tools read; stable. */
function toJson(harness: Harness, fault: string, runs: readonly RunOutcome[]): object {
  return {
    fault,
    profile: harness.definition.timing.profile,
    runs: runs.map(({ overlapMs, downtimeMs, lost, evidence, moved }) => ({
      overlapMs,
      downtimeMs,
      lost,
      evidence,
      moved,
    })),
    overlapMsMax: Math.max(...runs.map(({ overlapMs }) => overlapMs)),
    medianDowntimeMs: medianDowntime(runs),
  };
}

async function runAlone(options: Options): Promise<boolean> {
  const all: AloneFigures[] = [];
  for (const fault of ALONE_FAULTS.filter((name) => options.faults.includes(name))) {
    for (let n = 1; n <= options.runs; n += 1) {
      const figures = await withHarness('lease', (harness) => performAlone(harness, fault)); // Everything anew: nothing is undone.
      const ended = figures.endedMs === null ? 'something ran on' : `ended after ${figures.endedMs.toFixed(0)} ms`;
      say(
        `${fault} on ${figures.host}: ${ended}, at most ${String(figures.limitMs)} ms${figures.isInTime ? '' : '  FAILED'}`,
      );
      all.push(figures);
    }
  }
  const inTime = all.filter(({ isInTime }) => isInTime).length;
  say(`ended ${String(inTime)} of ${String(all.length)} within the deadline`);
  if (options.json) say(JSON.stringify({ fault: 'no-control-plane', runs: all }));
  return inTime === all.length;
}

async function main(): Promise<void> {
  let options: Options | 'help';
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    const problem = argumentProblem(error) ?? messageOf(error);
    process.stderr.write(`failover: ${problem}; see npm run failover -- --help\n`);
    process.exit(FAILURES.config_invalid.exit);
  }
  if (options === 'help') {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const hasPassed = await (options.isAlone ? runAlone(options) : runFaults(options));
  process.exit(hasPassed ? 0 : 1);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}\n`);
  process.exit(1);
});
