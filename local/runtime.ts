/** The local runtime: front door, emulator, fleet, witness and control plane, started and ended in order. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureTables } from '../adapters/aws/dynamodb-tables.ts';
import { replaceFile } from '../adapters/node/file-store.ts';
import type { Definition, HostDefinition } from '../core/config/model.ts';
import { HaError } from '../core/failures/failures.ts';
import { principalOf } from '../lambdas/shared/cluster.ts';
import type { ControlConfig } from './control-config.ts';
import { controlSocket } from './control-socket.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { buildHostScripts } from './fleet/build.ts';
import { startFleet, type Fleet } from './fleet/fleet.ts';
import { startFleetServer } from './fleet/server.ts';
import { type FrontDoor, startFrontDoor } from './front-door.ts';
import { deliverTo, type InstanceEvents } from './instance-events.ts';
import { FILES } from './runtime-files.ts';
import {
  announce,
  buildConsoleFiles,
  controlProcess,
  type Ending,
  loadDefinition,
  startWitnessProcess,
} from './runtime-parts.ts';
import { openStateFolder } from './state-folder.ts';
import { startThinFleet, type ThinFleetOptions, type ThinMachine } from './thin/thin-fleet.ts';

const REGION = 'local';
const ACCOUNT = { partition: 'aws', region: REGION, id: '000000000000' } as const;
const TABLES = { heartbeats: 'holdfast-heartbeats', registry: 'holdfast-registry' } as const;
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' } as const;

export interface RuntimeOptions {
  readonly stateDir: string;
  readonly reset: boolean;
  /** Of the front door; 0: any free one. */
  readonly port: number;
  readonly definitionFile: string;
  /** A definition that stands in no file yet; then `definitionFile` is not read. */
  readonly definitionText?: string | undefined;
  readonly hasControl: boolean;
  /** Hosts without processes (local/thin). */
  readonly isThin?: boolean | undefined;
  /** Socket of a witness that others run; otherwise the runtime runs its own. */
  readonly witness: string | undefined;
  readonly log: (text: string) => void;
}

export interface Runtime {
  readonly definition: Definition;
  readonly stateDir: string;
  /** Of the front door: console, API, what breaks things. */
  readonly apiUrl: string;
  readonly fleetUrl: string;
  readonly token: string;
  readonly fleet: Fleet;
  /** A machine more, powered on; thin fleets only. A definition that names it makes it a host. */
  addMachine(machine: Pick<ThinMachine, 'name' | 'machine'>): Promise<void>;
  /** Ends everything in order. */
  close(): Promise<void>;
}

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
  const { log } = options;
  if (options.definitionText === undefined) await loadDefinition(options.definitionFile); // Before anything is touched.
  const { path: stateDir, lock } = await openStateFolder(options.stateDir, options);
  endings.push(() => lock.release());
  const definitionFile = await definitionFileOf(options, stateDir);
  const definition = await loadDefinition(definitionFile);
  const door = await startFrontDoor({ port: options.port, log });
  endings.push(() => door.close());
  const token = randomBytes(24).toString('hex');
  const consoleFiles = buildConsoleFiles(join(stateDir, 'build', 'console'));
  consoleFiles.catch(() => undefined); // Awaited below; whatever fails before that is told first.

  const emulator = await startEmulator({ path: join(stateDir, 'data') });
  endings.push(() => emulator.close());
  // A copy: the SDK writes into the credentials that it is given.
  await ensureTables({ region: REGION, endpoint: emulator.url, credentials: { ...CREDENTIALS } }, TABLES);

  const socket = await controlSocket(stateDir);
  const events = deliverTo({ socket, token }, log);
  endings.push(async () => events.close());
  const hosts = await startHosts(options, { definition, stateDir, emulator, events, endings });
  endings.push(() => hosts.fleet.close());

  const control = controlProcess(stateDir, log);
  const server = await startFleetServer({ fleet: hosts.fleet, control, token });
  endings.push(() => server.close());
  const config: ControlConfig = {
    ...{ emulatorUrl: emulator.url, awsUrl: hosts.fleet.awsUrl, region: REGION, ...CREDENTIALS, tables: TABLES },
    ...{ stateDir: join(stateDir, 'control'), socket, token, definitionFile },
    fleet: { url: server.url, token },
  };
  await mkdir(config.stateDir, { recursive: true });
  await replaceFile(join(stateDir, 'control.json'), JSON.stringify(config));
  const parts = { cluster: definition.cluster, token, fleet: hosts.fleet, control, controlSocket: socket };
  door.open({ ...parts, console: await consoleFiles });
  await announce(stateDir, endings, {
    [FILES.api]: { url: door.url, token },
    [FILES.runtime]: about(door, { fleetUrl: server.url, token, emulatorUrl: emulator.url, witness: hosts.witness }),
  });
  if (options.hasControl) control.start();
  endings.push(() => control.end());
  await hosts.powerOnAll();
  const { fleet, addMachine } = hosts;
  return { definition, stateDir, apiUrl: door.url, fleetUrl: server.url, token, fleet, addMachine };
}

async function definitionFileOf({ definitionFile, definitionText }: RuntimeOptions, stateDir: string): Promise<string> {
  if (definitionText === undefined) return definitionFile;
  const file = join(stateDir, 'definition.yaml');
  await replaceFile(file, definitionText);
  return file;
}

function about(door: FrontDoor, facts: object): object {
  return { pid: process.pid, url: door.url, ...facts };
}

interface Hosts extends Pick<Runtime, 'fleet' | 'addMachine'> {
  /** Socket; null: nothing runs that it could see. */
  readonly witness: string | null;
  powerOnAll(): Promise<void>;
}

interface HostsAt {
  readonly definition: Definition;
  readonly stateDir: string;
  readonly emulator: Emulator;
  readonly events: InstanceEvents;
  readonly endings: Ending[];
}

async function startHosts(options: RuntimeOptions, at: HostsAt): Promise<Hosts> {
  const common = {
    cluster: at.definition.cluster,
    hosts: at.definition.hosts.map(localHost),
    region: REGION,
    tables: TABLES,
    account: ACCOUNT.id,
    ...(options.hasControl ? { onStateChange: (event: { readonly detail: object }) => at.events.deliver(event) } : {}),
    log: options.log,
  };
  return options.isThin === true ? thinHosts(common, at) : processHosts(options, common, at);
}

type CommonOptions = Omit<ThinFleetOptions, 'emulatorUrl' | 'credentials'>;

async function processHosts(options: RuntimeOptions, common: CommonOptions, at: HostsAt): Promise<Hosts> {
  const { stateDir, emulator, endings } = at;
  const scripts = await buildHostScripts(join(stateDir, 'build'));
  const witness = options.witness ?? startWitnessProcess(stateDir, endings, options.log);
  const fleet = await startFleet({ ...common, stateDir, emulatorPort: emulator.port, scripts, witness });
  return {
    fleet,
    witness,
    addMachine: () => Promise.reject(new HaError('config_invalid', 'only a thin fleet takes machines while it runs')),
    async powerOnAll() {
      // One after the other: launch times are kept on disk after each.
      for (const { host } of fleet.instances()) await fleet.powerOn(host);
    },
  };
}

async function thinHosts(common: CommonOptions, { emulator }: HostsAt): Promise<Hosts> {
  const fleet = await startThinFleet({ ...common, emulatorUrl: emulator.url, credentials: { ...CREDENTIALS } });
  return {
    fleet,
    witness: null,
    async addMachine({ name, machine }) {
      fleet.add(localHost({ name, instanceId: machine }));
      await fleet.powerOn(name);
    },
    async powerOnAll() {
      for (const { host } of fleet.instances()) await fleet.powerOn(host);
    },
  };
}

function localHost(host: Pick<HostDefinition, 'name' | 'instanceId'>): ThinMachine {
  if (host.instanceId === undefined) {
    throw new HaError('config_invalid', `host ${host.name} needs an instanceId: the local fleet stands for EC2`);
  }
  return { name: host.name, machine: host.instanceId, principal: principalOf(host, ACCOUNT) };
}
