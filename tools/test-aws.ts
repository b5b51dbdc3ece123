/**
 * `npm run test:aws`: the CDK app, bootstrapped and deployed into an emulated account (MiniStack), three real agents as its
 * hosts, and one failover after the other by the deployed workflow. Needs python3 with venv, and PyPI the first time.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FAILURES, messageOf } from '../core/failures/failures.ts';
import { type AwsTestAsk, parseAwsTest } from './ministack/arguments.ts';
import { Checks } from './ministack/checks.ts';
import { runChecks, SCENARIOS } from './ministack/course.ts';
import { installMinistack, ministackVersion, workFolder } from './ministack/install.ts';
import { runProbes } from './ministack/probes.ts';
import type { Endings } from './ministack/system.ts';

const SAMPLE = fileURLToPath(new URL('../local/samples/cluster.yaml', import.meta.url));
const WORK = resolve(fileURLToPath(new URL('../.ministack', import.meta.url)));

const begun = performance.now();
const seconds = (): string => ((performance.now() - begun) / 1_000).toFixed(1).padStart(6);
const say = (text: string): void => void process.stdout.write(`${seconds()} s  ${text}\n`);

/** Everything that was started, ended once, by whoever comes first: the end, a failure or a signal. */
class Ends {
  readonly list: Endings = [];
  #ended: Promise<void> | undefined;

  all(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    while (this.list.length > 0) {
      try {
        await this.list.pop()?.();
      } catch (error) {
        process.stderr.write(`while ending: ${messageOf(error)}\n`);
      }
    }
  }
}

async function main(): Promise<number> {
  const asked = parseAwsTest(process.argv.slice(2), SCENARIOS);
  if ('help' in asked) {
    process.stdout.write(asked.help);
    return 0;
  }
  if ('problem' in asked) {
    process.stderr.write(`test:aws: ${asked.problem}; see npm run test:aws -- --help\n`);
    return FAILURES.config_invalid.exit;
  }
  return perform(asked);
}

async function perform({ only, isProbes, isJson, isKept }: AwsTestAsk): Promise<number> {
  const python = await installMinistack(await workFolder(WORK));
  say(`MiniStack ${await ministackVersion()} is installed in ${WORK}`);
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-aws-'));
  const ends = new Ends();
  const checks = new Checks(say);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      say(`${signal}: ending everything`);
      checks.stop();
      process.stderr.write(`logs and state are kept in ${folder}\n`);
      void ends.all().finally(() => process.exit(130));
    });
  }
  try {
    const at = { python, folder, endings: ends.list, say, checks };
    if (isProbes) await runProbes(at);
    else await runChecks({ ...at, only, sample: await readFile(SAMPLE, 'utf8') });
  } finally {
    await ends.all();
    if (isKept || checks.hasFailed() || checks.results.length === 0)
      process.stderr.write(`logs and state are kept in ${folder}\n`);
    else await rm(folder, { recursive: true, force: true });
  }
  const tookMs = Math.round(performance.now() - begun);
  say(checks.summary());
  if (isJson) process.stdout.write(`${JSON.stringify({ tookMs, checks: checks.results })}\n`);
  return checks.hasFailed() || checks.results.length === 0 ? 1 : 0;
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    process.stderr.write(`test:aws: ${messageOf(error)}\n`);
    process.exit(1);
  },
);
