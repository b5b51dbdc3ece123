/** A runtime of its own, and a witness outside it that outlives whatever is done to it. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { apiClient } from '../../adapters/node/api-client.ts';
import type { ApiClient } from '../../adapters/node/api-client.ts';
import { loadDefinitionSources, readDefinition } from '../../adapters/node/definition-file.ts';
import type { Definition } from '../../core/config/model.ts';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import type { StatusView } from '../../core/protocol/views.ts';
import { causeByHttp } from '../../local/fleet/client.ts';
import type { Fault } from '../../local/fleet/faults.ts';
import { missingFrom } from '../../local/missing.ts';
import { readRuntimeFiles } from '../../local/runtime-files.ts';
import type { RuntimeFiles } from '../../local/runtime-files.ts';
import { connectWitness } from '../../local/witness/client.ts';
import type { WitnessClient } from '../../local/witness/client.ts';
import { endChild, killChild, startChild, untilThere } from './children.ts';
import { sampleText, type SampleName } from './samples.ts';
import type { Boots } from './storm.ts';
import { WitnessLog } from './witness-log.ts';

const SETTLE_LIMIT_MS = 90_000;
const POLL_MS = 200;
const REQUEST_MS = 10_000;

const Instances = z.object({
  instances: z.array(z.object({ host: z.string(), bootId: z.string(), state: z.string() })),
});

export interface Harness {
  readonly definition: Definition;
  /** How much later than the bound a slot may be active again; default what a busy machine needs. */
  readonly slackMs?: number;
  /** Of the runtime that runs now. */
  readonly api: ApiClient;
  readonly witness: WitnessClient;
  readonly log: WitnessLog;
  /** Causes a fault in the local fleet; resolves when it is done. */
  cause(fault: Fault): Promise<void>;
  /** Which boot of its machine each host is in; `off` if none. */
  boots(): Promise<Boots>;
  /** SIGKILLs the runtime, and with it everything but the witness; then starts it again on the same state folder. */
  blackout(): Promise<void>;
  /** Waits until every host is Up, every slot Active and no run is open; what is missing if the limit passes. */
  untilSettled(limitMs?: number): Promise<Settled>;
  /** What was found wrong must be looked into: the folder stays, and is named. */
  keep(): void;
  close(): Promise<void>;
}

export type Settled = { readonly status: StatusView } | { readonly missing: readonly string[] };

/** A runtime that answers. */
interface Running {
  readonly child: ChildProcess;
  readonly fleet: RuntimeFiles['runtime'];
  readonly api: ApiClient;
}

export async function startHarness(sample: SampleName): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-failover-'));
  const childLog = join(folder, 'children.log');
  const socket = join(folder, 'witness.sock');
  const witnessFile = join(folder, 'witness.log');
  const witnessChild = startChild(childLog, ['../../local/witness/main.ts', '--socket', socket, '--log', witnessFile]);
  let isKept = false;
  const endings = [() => leaveFolder(folder, isKept), () => endChild(witnessChild)];
  const close = async (): Promise<void> => {
    for (const end of endings.splice(0).toReversed()) await end();
  };
  try {
    const witness = await untilThere('the witness', () => connectWitness(socket), witnessChild);
    const log = new WitnessLog(witnessFile);
    endings.push(async () => {
      witness.close();
      log.close();
    });
    const definitionFile = join(folder, `${sample}.yaml`);
    await writeFile(definitionFile, await sampleText(sample));
    const definition = await loadDefinition(definitionFile);
    const at = { stateDir: join(folder, 'state'), childLog, socket, definitionFile };
    const start = (): Promise<Running> => startRuntime(at);
    let running = await start();
    endings.push(() => endChild(running.child));
    return {
      definition,
      get api() {
        return running.api;
      },
      witness,
      log,
      cause: (fault) => cause(running.fleet, fault),
      boots: () => bootsOf(running.fleet),
      async blackout() {
        await killChild(running.child);
        running = await start();
      },
      untilSettled: (limitMs = SETTLE_LIMIT_MS) => untilSettled(() => running.api, definition, limitMs),
      keep() {
        isKept = true;
      },
      close,
    };
  } catch (error) {
    process.stderr.write(readFileSync(childLog, 'utf8'));
    await close();
    throw error;
  }
}

async function leaveFolder(folder: string, isKept: boolean): Promise<void> {
  if (isKept) process.stderr.write(`logs and state are kept in ${folder}\n`);
  else await rm(folder, { recursive: true, force: true });
}

interface StartedAt {
  readonly stateDir: string;
  readonly childLog: string;
  readonly socket: string;
  readonly definitionFile: string;
}

async function startRuntime(at: StartedAt): Promise<Running> {
  const args = ['--state', at.stateDir, '--port', '0', '--definition', at.definitionFile, '--witness', at.socket];
  const child = startChild(at.childLog, ['../../local/main.ts', ...args, '--with-parent']);
  try {
    const files = await untilThere('the runtime', () => filesOf(at.stateDir, child), child);
    return { child, fleet: files.runtime, api: apiClient(files.api) };
  } catch (error) {
    await endChild(child);
    throw error;
  }
}

/** A killed runtime leaves its files behind: they are not those of the next. */
function filesOf(stateDir: string, child: ChildProcess): RuntimeFiles {
  const files = readRuntimeFiles(stateDir);
  if (files.runtime.pid === child.pid) return files;
  throw new HaError('not_found', `${stateDir} is still that of process ${String(files.runtime.pid)}`);
}

export async function untilSettled(api: () => ApiClient, definition: Definition, limitMs: number): Promise<Settled> {
  let missing: readonly string[] = ['no answer yet'];
  let before: StatusView | undefined;
  for (let left = limitMs; left > 0; left -= POLL_MS) {
    try {
      const status = await api().status();
      missing = [
        ...missingFrom(status, definition, (before ??= status)),
        ...status.runs.map(({ run }) => `run ${run} is open`),
      ];
      if (missing.length === 0) return { status };
    } catch (error) {
      missing = [messageOf(error)];
    }
    await delay(POLL_MS);
  }
  return { missing };
}

async function cause(fleet: RuntimeFiles['runtime'], fault: Fault): Promise<void> {
  const { signalled } = await causeByHttp(fleet, fault);
  if (signalled === 0) throw new HaError('not_found', `${fault.fault} reached no process`);
}

async function bootsOf({ fleetUrl, token }: RuntimeFiles['runtime']): Promise<Boots> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${fleetUrl}/instances`, { headers, signal: AbortSignal.timeout(REQUEST_MS) });
  const { instances } = Instances.parse(await answer.json());
  return Object.fromEntries(instances.map(({ host, bootId, state }) => [host, state === 'running' ? bootId : 'off']));
}

async function loadDefinition(file: string): Promise<Definition> {
  const read = readDefinition(await loadDefinitionSources([file]));
  if (!read.ok) throw new HaError('config_invalid', JSON.stringify(read.problems));
  return read.definition;
}
