/**
 * `npm run cfn-lint`: the templates of every variant of the settings, against the schemas of CloudFormation for two regions.
 * Needs python3 with venv; cfn-lint comes from PyPI, pinned in cfn-lint-requirements.txt.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { problemText } from '../core/config/problem.ts';
import { addStacks } from '../lib/app.ts';
import { readSettings } from '../lib/read-settings.ts';
import { SETTINGS_VARIANTS } from './settings-variants.ts';
import { unbundledApp } from './unbundled-app.ts';

const REQUIREMENTS = fileURLToPath(new URL('./cfn-lint-requirements.txt', import.meta.url));
const REGIONS = ['us-east-1', 'eu-west-1'];

/** With why. Everything else, informational remarks included, is a failure. */
const IGNORED = {
  W3005: 'the CDK lets resources depend on roles that they also refer to; it does no harm',
} as const;

async function run(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

/** What is there is used again, if it was installed whole from the very same requirements. */
async function installed(venv: string): Promise<string> {
  const wanted = await readFile(REQUIREMENTS, 'utf8');
  const stamp = join(venv, 'installed.txt');
  const program = join(venv, 'bin', 'cfn-lint');
  if ((await readFile(stamp, 'utf8').catch(() => '')) === wanted) return program;
  await rm(venv, { recursive: true, force: true });
  const pip = ['install', '--quiet', '--disable-pip-version-check', '--requirement', REQUIREMENTS];
  const isDone = (await run('python3', ['-m', 'venv', venv])) === 0 && (await run(join(venv, 'bin', 'pip'), pip)) === 0;
  if (!isDone) throw new Error('cfn-lint could not be installed: are python3-venv and PyPI there?');
  // Ignores itself: nothing of it is part of the project.
  await writeFile(join(venv, '.gitignore'), '*\n');
  await writeFile(stamp, wanted);
  return program;
}

async function templatesOf(settings: object, outdir: string): Promise<string[]> {
  const read = readSettings(settings);
  if (!read.ok) throw new Error(read.problems.map(problemText).join('\n'));
  const app = unbundledApp(outdir);
  addStacks(app, read.settings);
  app.synth();
  const files = await readdir(outdir);
  return files.filter((file) => file.endsWith('.template.json')).map((file) => join(outdir, file));
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { venv: { type: 'string', default: '.cfn-lint' } } });
  const program = await installed(resolve(values.venv));
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-cfn-lint-'));
  try {
    const templates: string[] = [];
    for (const [i, [name, settings]] of Object.entries(SETTINGS_VARIANTS).entries()) {
      const made = await templatesOf(settings, join(folder, String(i)));
      console.log(`a deployment ${name}: ${String(made.length)} templates`);
      templates.push(...made);
    }
    const how = ['--non-zero-exit-code', 'informational', '--regions', ...REGIONS];
    const code = await run(program, [...how, '--ignore-checks', ...Object.keys(IGNORED), '--template', ...templates]);
    console.log(code === 0 ? `nothing found, for ${REGIONS.join(' and ')}` : 'cfn-lint has findings, see above');
    return code === 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
