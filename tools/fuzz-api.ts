/**
 * `npm run fuzz -- [--seconds N]`: a local system of its own, and schemathesis against its API by its own document. Without the token nothing may change; with it nothing may fail with a 5xx, hang, or answer outside the document.
 * Needs python3 with venv; schemathesis comes from PyPI, pinned in fuzz-requirements.txt.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type ApiClient, apiClient } from '../adapters/node/api-client.ts';
import { messageOf } from '../core/failures/failures.ts';
import { readRuntimeFiles, type RuntimeFiles } from '../local/runtime-files.ts';
import { endChild, startChild, untilThere } from '../bench/failover/children.ts';

const DOCUMENT = fileURLToPath(new URL('../docs/openapi.json', import.meta.url));
const REQUIREMENTS = fileURLToPath(new URL('./fuzz-requirements.txt', import.meta.url));
/** A body that is too large is refused before anybody looks whether it is valid: 413 is a refusal too. */
const CONFIG = fileURLToPath(new URL('./fuzz-schemathesis.toml', import.meta.url));
/** The stream never ends; it has tests of its own. */
const ENDLESS = '/api/v1/stream';
/** A request without an answer for so long hangs. */
const REQUEST_SECONDS = 20;
/** Of the time, for requests without a token. */
const STRANGERS_SHARE = 0.1;
const PER_RUN_SECONDS_MIN = 5;

const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'unsupported_method',
  'ignored_auth',
] as const;

async function run(command: string, args: readonly string[], cwd?: string): Promise<number> {
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], cwd });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

async function installed(folder: string): Promise<string> {
  const program = join(folder, 'bin', 'schemathesis');
  if (existsSync(program)) return program;
  const isDone =
    (await run('python3', ['-m', 'venv', folder])) === 0 &&
    (await run(join(folder, 'bin', 'pip'), ['install', '--quiet', '--requirement', REQUIREMENTS])) === 0;
  if (isDone) return program;
  throw new Error('schemathesis could not be installed: are python3-venv and PyPI there?');
}

/** `folder` takes what it writes beside its work. */
interface Fuzzer {
  readonly program: string;
  readonly folder: string;
}

function schemathesis(
  { program, folder }: Fuzzer,
  url: string,
  options: { readonly seconds: number; readonly more: readonly string[] },
): Promise<number> {
  const seconds = String(Math.max(PER_RUN_SECONDS_MIN, Math.round(options.seconds)));
  const which = ['--config-file', CONFIG, 'run', DOCUMENT, '--url', url, '--exclude-path', ENDLESS];
  const how = ['--max-time', seconds, '--request-timeout', String(REQUEST_SECONDS)];
  return run(program, [...which, ...how, '--warnings', 'off', '--continue-on-failure', ...options.more], folder);
}

/** Everything that an operator can change, and everything that says that one did. */
async function changeable(api: ApiClient): Promise<string> {
  const { rev } = await api.definition();
  const { haEnabled, hosts } = await api.status();
  const { runs } = await api.runs({ limit: 1_000 });
  const planned = runs.filter(({ work }) => work === 'Move' || work === 'Drain').map(({ run: name }) => name);
  const admin = hosts.map(({ name, admin: state, adminReason }) => ({ name, state, adminReason }));
  return JSON.stringify({ rev, haEnabled, admin, planned });
}

async function fuzz(fuzzer: Fuzzer, { api: address }: RuntimeFiles, seconds: number): Promise<string[]> {
  const api = apiClient(address);
  const wrong: string[] = [];
  const token = ['--header', `Authorization:Bearer ${address.token}`];
  const { cluster } = await api.status();
  const before = await changeable(api);
  const strangers = { seconds: seconds * STRANGERS_SHARE, more: ['--checks', 'not_a_server_error'] };
  const other = ['--header', `Authorization:Bearer ${'0'.repeat(address.token.length)}`];
  if ((await schemathesis(fuzzer, address.url, { ...strangers, more: [...strangers.more, ...other] })) > 1)
    wrong.push('the fuzzer could not run without the token');
  if ((await changeable(api)) !== before) wrong.push('something changed without authorisation');
  const known = { seconds: seconds * (1 - STRANGERS_SHARE), more: ['--checks', CHECKS.join(','), ...token] };
  if ((await schemathesis(fuzzer, address.url, known)) !== 0) wrong.push('the fuzzer found failures, see above');
  // The fuzzer may have defined other clusters beside the one that was there.
  const query = new URLSearchParams({ cluster });
  const answer = await fetch(`${address.url}/api/v1/status?${query.toString()}`, {
    headers: { authorization: `Bearer ${address.token}` },
  });
  if (!answer.ok) wrong.push(`the API answers ${String(answer.status)} to the question for the status`);
  return wrong;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '600' }, venv: { type: 'string', default: '.fuzz' } },
  });
  const seconds = Number(values.seconds);
  if (!Number.isInteger(seconds) || seconds < PER_RUN_SECONDS_MIN)
    throw new TypeError(`--seconds ${values.seconds} is no whole number of at least ${String(PER_RUN_SECONDS_MIN)}`);
  const program = await installed(resolve(values.venv));
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-fuzz-'));
  const state = join(folder, 'state');
  const main = ['../../local/main.ts', '--state', state, '--port', '0', '--with-parent'];
  const child = startChild(join(folder, 'system.log'), main);
  let wrong: string[] = ['it did not come so far'];
  try {
    const files = await untilThere('the local system', () => readRuntimeFiles(state), child);
    await untilThere('its API', () => apiClient(files.api).status(), child);
    wrong = await fuzz({ program, folder }, files, seconds);
  } finally {
    await endChild(child);
    if (wrong.length === 0) await rm(folder, { recursive: true, force: true });
    else process.stderr.write(`logs and state are kept in ${folder}\n`);
  }
  for (const what of wrong) process.stderr.write(`${what}\n`);
  if (wrong.length === 0) process.stdout.write(`${String(seconds)} s of fuzzing, nothing wrong\n`);
  return wrong.length === 0 ? 0 : 1;
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(2);
  },
);
