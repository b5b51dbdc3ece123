/**
 * `npm run test:aws`: the CDK app, bootstrapped and deployed into an emulated account (MiniStack), three real agents as its
 * hosts, and one failover after the other by the deployed workflow. Needs python3 with venv, and PyPI the first time.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '../core/failures/failures.ts';
import { Checks } from './ministack/checks.ts';
import { runChecks, SCENARIOS } from './ministack/course.ts';
import { installMinistack, ministackVersion, workFolder } from './ministack/install.ts';
import { runProbes } from './ministack/probes.ts';
import type { Endings } from './ministack/system.ts';

const SAMPLE = fileURLToPath(new URL('../local/samples/cluster.yaml', import.meta.url));
const WORK = resolve(fileURLToPath(new URL('../.ministack', import.meta.url)));
const USAGE = `usage: npm run test:aws [-- [--only ${SCENARIOS.join(',')}] [--probes] [--json] [--keep]]
  --only    these scenarios alone; everything that needs no failover is checked all the same
  --probes  finds out what the emulator cannot do, instead (docs/internals/emulation.md)
  --json    ends with one line of JSON
  --keep    logs and state stay also when all is well
`;

const options = {
  only: { type: 'string' },
  probes: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
} as const;

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
  const { values } = parseArgs({ options });
  const only = values.only?.split(',') ?? SCENARIOS;
  const unknown = only.filter((name) => !SCENARIOS.some((known) => known === name));
  if (unknown.length > 0) throw new TypeError(`there is no scenario ${unknown.join(', ')}`);
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
    if (values.probes) await runProbes(at);
    else await runChecks({ ...at, only, sample: await readFile(SAMPLE, 'utf8') });
  } finally {
    await ends.all();
    const isKept = values.keep || checks.hasFailed() || checks.results.length === 0;
    if (isKept) process.stderr.write(`logs and state are kept in ${folder}\n`);
    else await rm(folder, { recursive: true, force: true });
  }
  const tookMs = Math.round(performance.now() - begun);
  say(checks.summary());
  if (values.json) process.stdout.write(`${JSON.stringify({ tookMs, checks: checks.results })}\n`);
  return checks.hasFailed() || checks.results.length === 0 ? 1 : 0;
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    const isUsage = error instanceof TypeError;
    process.stderr.write(`test:aws: ${messageOf(error)}\n${isUsage ? USAGE : ''}`);
    process.exit(isUsage ? 2 : 1);
  },
);
