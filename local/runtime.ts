/** The local runtime: emulator, fleet, witness and control plane, started and ended in order. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureTables } from '../adapters/aws/dynamodb-tables.ts';
import { loadDefinitionSources, readDefinition } from '../adapters/node/definition-file.ts';
import { replaceFile } from '../adapters/node/file-store.ts';
import type { Definition, HostDefinition } from '../core/config/model.ts';
import { HaError } from '../core/failures/failures.ts';
import { principalOf } from '../lambdas/shared/cluster.ts';
import type { ControlConfig } from './control-config.ts';
import { startEmulator } from './emulator.ts';
import { buildHostScripts } from './fleet/build.ts';
import { startFleet } from './fleet/fleet.ts';
import type { Fleet } from './fleet/fleet.ts';
import { startFleetServer } from './fleet/server.ts';
import { reservePort } from './free-port.ts';
import { keepChild } from './kept-child.ts';
import type { KeptChild } from './kept-child.ts';
import { FILES } from './runtime-files.ts';
import { openStateFolder } from './state-folder.ts';

const REGION = 'local';
const ACCOUNT = { partition: 'aws', region: REGION, id: '000000000000' } as const;
const TABLES = { heartbeats: 'holdfast-heartbeats', registry: 'holdfast-registry' } as const;
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' } as const;
const WITNESS_LOG_BYTES_MAX = 16 * 1024 * 1024;

export interface RuntimeOptions {
  readonly stateDir: string;
  readonly reset: boolean;
  /** Of the API; 0: any free one. */
  readonly port: number;
  readonly definitionFile: string;
  readonly hasControl: boolean;
  /** Socket of a witness that others run; otherwise the runtime runs its own. */
  readonly witness: string | undefined;
  readonly log: (text: string) => void;
}

export interface Runtime {
  readonly definition: Definition;
  readonly stateDir: string;
  readonly apiUrl: string;
  readonly fleetUrl: string;
  readonly token: string;
  /** Ends everything in order. */
  close(): Promise<void>;
}

/** What was started, ended in reverse order whether the start succeeded or not. */
type Ending = () => Promise<unknown>;

export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const endings: Ending[] = [];
  const close = async (): Promise<void> => {
    for (const end of endings.splice(0).toReversed()) await end();
  };
  try {
    return { ...(await startParts(options, endings)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startParts(options: RuntimeOptions, endings: Ending[]): Promise<Omit<Runtime, 'close'>> {
  const definition = await loadDefinition(options.definitionFile);
  const { path: stateDir, lock } = await openStateFolder(options.stateDir, options);
  endings.push(() => lock.release());
  const token = randomBytes(24).toString('hex');
  const port = await portFor(options);

  const scripts = await buildHostScripts(join(stateDir, 'build'));
  const witness = options.witness ?? startWitnessProcess(options, stateDir, endings);
  const emulator = await startEmulator({ path: join(stateDir, 'data') });
  endings.push(() => emulator.close());
  // A copy: the SDK writes into the credentials that it is given.
  await ensureTables({ region: REGION, endpoint: emulator.url, credentials: { ...CREDENTIALS } }, TABLES);

  const fleet = await startFleet({
    cluster: definition.cluster,
    hosts: definition.hosts.map(localHost),
    stateDir,
    region: REGION,
    emulatorPort: emulator.port,
    tables: TABLES,
    scripts,
    witness,
    log: options.log,
  });
  endings.push(() => fleet.close());

  const control = controlProcess(options, stateDir);
  const server = await startFleetServer({ fleet, control, token });
  endings.push(() => server.close());
  const apiUrl = `http://127.0.0.1:${String(port)}`;
  const config: ControlConfig = {
    ...{ emulatorUrl: emulator.url, region: REGION, ...CREDENTIALS, tables: TABLES },
    ...{ stateDir: join(stateDir, 'control'), port, token, definitionFile: options.definitionFile },
    fleet: { url: server.url, token },
  };
  await mkdir(config.stateDir, { recursive: true });
  await replaceFile(join(stateDir, 'control.json'), JSON.stringify(config));
  await announce(stateDir, endings, {
    [FILES.api]: { url: apiUrl, token },
    [FILES.runtime]: { pid: process.pid, fleetUrl: server.url, token, emulatorUrl: emulator.url, witness },
  });
  if (options.hasControl) control.start();
  endings.push(() => control.end());
  await powerOnAll(fleet);
  return { definition, stateDir, apiUrl, fleetUrl: server.url, token };
}

async function loadDefinition(file: string): Promise<Definition> {
  const read = readDefinition(await loadDefinitionSources([file]));
  if (read.ok) return read.definition;
  const problems = read.problems.map((problem) => `${problem.path}: ${problem.got}; ${problem.change}`);
  throw new HaError('config_invalid', `${file} is refused:\n${problems.join('\n')}`);
}

function localHost(host: HostDefinition) {
  if (host.instanceId === undefined) {
    throw new HaError('config_invalid', `host ${host.name} needs an instanceId: the local fleet stands for EC2`);
  }
  return { name: host.name, machine: host.instanceId, principal: principalOf(host, ACCOUNT) };
}

async function powerOnAll(fleet: Fleet): Promise<void> {
  // One after the other: launch times are kept on disk after each.
  for (const { host } of fleet.instances()) await fleet.powerOn(host);
}

function controlProcess(options: RuntimeOptions, stateDir: string): KeptChild {
  return keepChild({
    name: 'the control plane',
    args: [scriptPath('./control/main.ts'), '--config', join(stateDir, 'control.json')],
    logFile: join(stateDir, 'control.log'),
    log: options.log,
  });
}

/** Unix sockets have short names, state folders may not: the socket lives in the folder for temporary files. */
function startWitnessProcess(options: RuntimeOptions, stateDir: string, endings: Ending[]): string {
  const name = createHash('sha256').update(stateDir).digest('hex').slice(0, 16);
  const socket = join(tmpdir(), `holdfast-witness-${name}.sock`);
  const log = ['--log', join(stateDir, 'witness.log'), '--log-bytes-max', String(WITNESS_LOG_BYTES_MAX)];
  const witness = keepChild({
    name: 'the witness',
    args: [scriptPath('./witness/main.ts'), '--socket', socket, ...log],
    logFile: join(stateDir, 'witness.out'),
    log: options.log,
  });
  witness.start();
  endings.push(() => witness.end());
  return socket;
}

/** Files by which others find this runtime; gone when it is. */
async function announce(stateDir: string, endings: Ending[], files: Readonly<Record<string, object>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const file = join(stateDir, name);
    await replaceFile(file, JSON.stringify(content));
    endings.push(() => rm(file, { force: true }));
  }
}

/** The port of the API, which the control plane's process will listen on. */
async function portFor({ port, hasControl }: RuntimeOptions): Promise<number> {
  return port !== 0 && !hasControl ? port : reservePort(port);
}

function scriptPath(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
