/** A runtime of its own, and a witness outside it that outlives whatever is done to it. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { loadDefinitionSources, readDefinition } from '../../adapters/node/definition-file.ts';
import type { Definition } from '../../core/config/model.ts';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import type { StatusView } from '../../core/protocol/views.ts';
import { apiClient } from '../../adapters/node/api-client.ts';
import type { ApiClient } from '../../adapters/node/api-client.ts';
import { missingFrom } from '../../local/missing.ts';
import type { Fault } from '../../local/fleet/faults.ts';
import { connectWitness } from '../../local/witness/client.ts';
import type { WitnessClient } from '../../local/witness/client.ts';
import { WitnessLog } from './witness-log.ts';

const START_LIMIT_MS = 90_000;
const POLL_MS = 200;
const END_LIMIT_MS = 15_000;
const DEFINITION = path('../../local/samples/cluster.yaml');

const Api = z.object({ url: z.string(), token: z.string() });
const Runtime = z.object({ fleetUrl: z.string(), token: z.string() });

export interface Harness {
  readonly definition: Definition;
  readonly api: ApiClient;
  readonly witness: WitnessClient;
  readonly log: WitnessLog;
  /** Causes a fault in the local fleet; resolves when it is done. */
  cause(fault: Fault): Promise<void>;
  /** Waits until every host is Up, every slot Active and no run is open; what is missing if the limit passes. */
  untilSettled(limitMs?: number): Promise<{ readonly status: StatusView } | { readonly missing: readonly string[] }>;
  close(): Promise<void>;
}

export async function startHarness(): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-failover-'));
  const stateDir = join(folder, 'state');
  const socket = join(folder, 'witness.sock');
  const witnessChild = startChild(folder, [
    '../../local/witness/main.ts',
    '--socket',
    socket,
    '--log',
    join(folder, 'witness.log'),
  ]);
  const witness = await retry('the witness', () => connectWitness(socket));
  const log = new WitnessLog(join(folder, 'witness.log'));
  const args = ['--state', stateDir, '--port', '0', '--definition', DEFINITION, '--witness', socket, '--with-parent'];
  const runtimeChild = startChild(folder, ['../../local/main.ts', ...args]);
  const close = async (): Promise<void> => {
    await endChild(runtimeChild);
    witness.close();
    log.close();
    await endChild(witnessChild);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const fleet = await retry('the runtime', () => readJson(join(stateDir, 'runtime.json'), Runtime), runtimeChild);
    const api = apiClient(readJson(join(stateDir, 'api.json'), Api));
    const definition = await loadDefinition();
    return {
      definition,
      api,
      witness,
      log,
      cause: (fault) => cause(fleet, fault),
      untilSettled: (limitMs = START_LIMIT_MS) => untilSettled(api, definition, limitMs),
      close,
    };
  } catch (error) {
    process.stderr.write(readFileSync(join(folder, 'children.log'), 'utf8'));
    await close();
    throw error;
  }
}

async function untilSettled(
  api: ApiClient,
  definition: Definition,
  limitMs: number,
): ReturnType<Harness['untilSettled']> {
  let missing: readonly string[] = ['no answer yet'];
  for (let left = limitMs; left > 0; left -= POLL_MS) {
    try {
      const status = await api.status();
      missing = [...missingFrom(status, definition), ...status.runs.map(({ run }) => `run ${run} is open`)];
      if (missing.length === 0) return { status };
    } catch (error) {
      missing = [messageOf(error)];
    }
    await delay(POLL_MS);
  }
  return { missing };
}

async function cause(fleet: z.infer<typeof Runtime>, fault: Fault): Promise<void> {
  const headers = { authorization: `Bearer ${fleet.token}`, 'content-type': 'application/json' };
  const response = await fetch(`${fleet.fleetUrl}/break`, { method: 'POST', headers, body: JSON.stringify(fault) });
  const text = await response.text();
  if (!response.ok) throw new HaError('conflict', `${fault.fault}: HTTP ${String(response.status)} ${text}`);
  const { signalled } = z.object({ signalled: z.number().nullable() }).parse(JSON.parse(text));
  if (signalled === 0) throw new HaError('not_found', `${fault.fault} reached no process`);
}

async function loadDefinition(): Promise<Definition> {
  const read = readDefinition(await loadDefinitionSources([DEFINITION]));
  if (!read.ok) throw new HaError('config_invalid', JSON.stringify(read.problems));
  return read.definition;
}

function readJson<T>(file: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
}

async function retry<T>(what: string, attempt: () => T | Promise<T>, child?: ChildProcess): Promise<T> {
  let last: unknown;
  for (let left = START_LIMIT_MS; left > 0; left -= POLL_MS) {
    if (child !== undefined && (child.exitCode !== null || child.signalCode !== null)) break;
    try {
      return await attempt();
    } catch (error) {
      last = error;
    }
    await delay(POLL_MS);
  }
  throw new HaError('timed_out', `${what} did not come up: ${messageOf(last)}`);
}

/** Ends when this process ends, however it ends: its standard input does. */
function startChild(folder: string, [script = '', ...args]: readonly string[]): ChildProcess {
  const log = openSync(join(folder, 'children.log'), 'a');
  const child = spawn(process.execPath, [path(script), ...args], { detached: true, stdio: ['pipe', log, log] });
  closeSync(log);
  child.stdin?.on('error', () => undefined);
  return child;
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), END_LIMIT_MS);
  await exit;
  clearTimeout(late);
}

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
