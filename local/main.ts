/**
 * `npm start`: the whole system on this machine, no AWS, no root.
 *
 * Whatever ends this process ends every other one: instances and control plane watch their standard input.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FAILURES, failureCode, messageOf } from '../core/failures/failures.ts';
import { apiClient } from '../adapters/node/api-client.ts';
import type { ApiClient } from '../adapters/node/api-client.ts';
import type { StatusView } from '../core/protocol/views.ts';
import { missingFrom } from './missing.ts';
import { startRuntime } from './runtime.ts';
import type { Runtime, RuntimeOptions } from './runtime.ts';
import { parseThinSize, thinDefinition } from './thin/thin-definition.ts';
import { welcome } from './welcome.ts';

const UP_LIMIT_MS = 60_000;
/** Hundreds of hosts and first placements take their time. */
const THIN_UP_LIMIT_MS = 600_000;
const POLL_MS = 250;
/** Of what is missing. */
const SAID_MAX = 20;
const DEFAULT_FOLDER = '.holdfast';
const USAGE = `usage: npm start [-- [--reset] [--state DIR] [--port N] [--definition FILE] [--thin HxG]
                             [--no-control] [--witness SOCKET] [--with-parent]]
  --reset         begin with an empty state folder
  --state         state folder, default ${DEFAULT_FOLDER}
  --port          of console and API on 127.0.0.1, default 7777; 0: any free one
  --definition    cluster definition, default local/samples/cluster.yaml
  --thin          H hosts without processes and G groups, such as 200x200: a large cluster to look at
  --no-control    run the hosts without their control plane
  --witness       unix socket of a witness that is already running
  --with-parent   end when standard input ends
`;

function readOptions(): RuntimeOptions & { readonly withParent: boolean } {
  const { values } = parseArgs({
    options: {
      reset: { type: 'boolean', default: false },
      state: { type: 'string', default: DEFAULT_FOLDER },
      port: { type: 'string', default: '7777' },
      definition: { type: 'string', default: fileURLToPath(new URL('./samples/cluster.yaml', import.meta.url)) },
      thin: { type: 'string' },
      'no-control': { type: 'boolean', default: false },
      witness: { type: 'string' },
      'with-parent': { type: 'boolean', default: false },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new TypeError(`--port ${values.port} is not a port`);
  return {
    stateDir: resolve(values.state),
    reset: values.reset,
    port,
    definitionFile: resolve(values.definition),
    ...(values.thin === undefined ? {} : { isThin: true, definitionText: thinDefinition(parseThinSize(values.thin)) }),
    hasControl: !values['no-control'],
    witness: values.witness,
    log: say,
    withParent: values['with-parent'],
  };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What is still missing when the limit passes; the runtime runs on, for it may be what a person came to look at. */
async function untilUp(api: ApiClient, limitMs: number): Promise<string[]> {
  let missing = ['the control plane does not answer'];
  let before: StatusView | undefined;
  for (let left = limitMs; left > 0; left -= POLL_MS) {
    try {
      const { definition } = await api.definition();
      const status = await api.status();
      missing = missingFrom(status, definition, (before ??= status));
    } catch (error) {
      missing = [messageOf(error)];
    }
    if (missing.length === 0) return [];
    await delay(POLL_MS);
  }
  return missing;
}

/** A folder keeps the definition it has: the file only begins a new one. */
async function sayIfFileDiffers(api: ApiClient, file: string): Promise<void> {
  const preview = await api.apply(await readFile(file, 'utf8'), { dryRun: true });
  if (preview.outcome === 'refused' || !preview.changed) return;
  say(`${file} differs from the definition in force here. To apply it: npm run holdfast -- apply ${file}`);
}

/** The first signal ends everything in order; a second one at once. */
function endOnSignal(runtime: Runtime, withParent: boolean): void {
  let isEnding = false;
  const end = (): void => {
    if (isEnding) process.exit(130);
    isEnding = true;
    say('ending …');
    runtime.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  if (withParent) process.stdin.once('end', end).once('error', end).resume();
}

function fail(error: unknown): never {
  const code = failureCode(error);
  const text = code === undefined && error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
  process.stderr.write(`${text}\n`);
  process.exit(code === undefined ? 1 : FAILURES[code].exit);
}

async function main(): Promise<void> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions();
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n${USAGE}`);
    process.exit(2);
  }
  say('starting the hosts and their control plane …');
  const runtime = await startRuntime(options);
  endOnSignal(runtime, options.withParent);
  if (options.hasControl) {
    const api = apiClient({ url: runtime.apiUrl, token: runtime.token });
    const limitMs = options.isThin === true ? THIN_UP_LIMIT_MS : UP_LIMIT_MS;
    const missing = await untilUp(api, limitMs);
    for (const what of missing.slice(0, SAID_MAX)) say(`not up after ${String(limitMs / 1000)} s: ${what}`);
    if (missing.length === 0) {
      say('everything is active.');
      if (options.isThin !== true)
        await sayIfFileDiffers(api, options.definitionFile).catch((error: unknown) => say(messageOf(error)));
    }
  }
  say(
    welcome(runtime, { isDefaultFolder: options.stateDir === resolve(DEFAULT_FOLDER), hasControl: options.hasControl }),
  );
}

main().catch(fail);
