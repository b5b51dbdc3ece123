/** The local fleet: real processes that stand for EC2 instances, each behind a network that can be cut. */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { fileStore } from '../../adapters/node/file-store.ts';
import { MARKS, mark } from '../../adapters/node/marks.ts';
import type { Role } from '../../adapters/node/marks.ts';
import { environmentOf, findMarked, signalAll } from '../../adapters/node/processes.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { HostScripts } from './build.ts';
import type { Ec2Cloud } from './ec2/cloud.ts';
import { Ec2Error } from './ec2/ec2-error.ts';
import { startEc2 } from './ec2/server.ts';
import type { StateChangeEvent } from './ec2/state-events.ts';
import { machinesOf } from './machines.ts';
import { Instance } from './instance.ts';
import type { HostIdentity, InstanceView } from './instance.ts';
import { startProxy } from './proxy.ts';

const HOSTS_MAX = 64;
const ACCOUNT = '000000000000';
const ACCESS_KEY = 'local';

export interface FleetOptions {
  readonly cluster: string;
  /** `machine` is the instance id; `principal` keys the host's heartbeat item. */
  readonly hosts: readonly { readonly name: string; readonly machine: string; readonly principal: string }[];
  readonly stateDir: string;
  readonly region: string;
  readonly emulatorPort: number;
  readonly tables: { readonly heartbeats: string; readonly registry: string };
  readonly scripts: HostScripts;
  /** Unix socket of the witness. */
  readonly witness: string;
  /** Owner of the instances, as EC2 tells it. */
  readonly account?: string | undefined;
  /** What requests to EC2 must be signed with, and what hosts sign with; an emulator of AWS may read the account off it. */
  readonly accessKeyId?: string | undefined;
  /** Every change of state that the local EC2 reports, as EventBridge delivers them: perhaps twice, perhaps late. */
  readonly onStateChange?: ((event: StateChangeEvent) => void) | undefined;
  readonly log: (text: string) => void;
}

/** Which services a fault hits; all of the host if empty. */
export interface ServiceFilter {
  readonly group?: string | undefined;
  readonly slot?: number | undefined;
  readonly service?: string | undefined;
}

export interface Fleet {
  instances(): InstanceView[];
  /** Endpoint of EC2 and SSM. */
  readonly awsUrl: string;
  readonly ec2: Ec2Cloud;
  /** Instance id of a host. */
  idOf(host: string): string;
  /** `host` is a name of the definition or an instance id, here and below. */
  /** A start by way of EC2; a machine that has crashed is stopped first. */
  powerOn(host: string): Promise<void>;
  /** At once, and EC2 knows. */
  powerOff(host: string): Promise<void>;
  reboot(host: string): Promise<void>;
  cut(host: string): void;
  heal(host: string): void;
  /** Number of processes that took the signal. */
  signalRole(host: string, role: Role, signal: NodeJS.Signals, filter?: ServiceFilter): number;
  close(): Promise<void>;
}

const Launches = z.record(z.string(), z.iso.datetime());

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  if (options.hosts.length > HOSTS_MAX) {
    throw new HaError(
      'limit_exceeded',
      `${String(options.hosts.length)} hosts; the local fleet has room for ${String(HOSTS_MAX)}`,
    );
  }
  const launches = fileStore(join(options.stateDir, 'launches.json'), (json) => Launches.parse(json));
  const read = await launches.read();
  if (read.state === 'unreadable') options.log(`launches.json cannot be read, every host counts as new: ${read.why}`);
  const launchTimes = read.state === 'read' ? read.value : {};
  const instances: Instance[] = [];
  const lost: Lost = { tell: () => undefined };
  for (const host of options.hosts) instances.push(await createInstance(options, host, launchTimes[host.name], lost));
  const keepLaunches = (): Promise<void> =>
    launches.write(Object.fromEntries(instances.map((each) => [each.identity.host, each.view().launchTime])));
  const ec2 = await startEc2({
    source: machinesOf({ instances, keepLaunches, onLost: (listener) => (lost.tell = listener) }),
    region: options.region,
    account: options.account ?? ACCOUNT,
    accessKeyId: options.accessKeyId ?? ACCESS_KEY,
    onStateChange: options.onStateChange,
    log: options.log,
  });
  const { cloud } = ec2;

  const find = (host: string): Instance => {
    const found = instances.find(({ identity }) => identity.host === host || identity.machine === host);
    if (found !== undefined) return found;
    const names = instances.map(({ identity }) => identity.host).join(', ');
    throw new HaError('not_found', `no host "${host}" in the local fleet; there are ${names}`);
  };
  return {
    instances: () => instances.map((instance) => instance.view()),
    awsUrl: ec2.url,
    ec2: cloud,
    idOf: (host) => find(host).identity.machine,
    powerOn: (host) => asConflict(() => cloud.powerOn(find(host).identity.machine)),
    async powerOff(host) {
      await find(host).powerOff();
      lost.tell(find(host).identity.machine);
    },
    reboot: (host) => find(host).reboot(),
    cut: (host) => {
      find(host).proxy.cut();
    },
    heal: (host) => {
      find(host).proxy.heal();
    },
    signalRole: (host, role, signal, filter = {}) => signalRole(find(host), role, signal, filter),
    async close() {
      await ec2.close();
      const outcomes = await Promise.allSettled(instances.map((instance) => instance.powerOff()));
      await Promise.all(instances.map((instance) => instance.proxy.close()));
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    },
  };
}

/** Who is told that an instance went off by itself. */
interface Lost {
  tell: (id: string) => void;
}

/** What EC2 refuses, in the words of the failure table. */
export async function asConflict(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Ec2Error)) throw error;
    const code = error.code === 'IncorrectInstanceState' ? 'conflict' : 'power_refused';
    throw new HaError(code, `${error.code}: ${error.message}`);
  }
}

function signalRole(instance: Instance, role: Role, signal: NodeJS.Signals, filter: ServiceFilter): number {
  const { instanceMark, cluster } = instance.identity;
  const isMeant = (pid: number): boolean => {
    const environment = environmentOf(pid);
    const [inCluster, group, slot] = (environment?.[MARKS.slot] ?? '').split('/');
    return (
      (filter.group === undefined || (inCluster === cluster && group === filter.group)) &&
      (filter.slot === undefined || slot === String(filter.slot)) &&
      (filter.service === undefined || environment?.[MARKS.service] === filter.service)
    );
  };
  const pids = findMarked([mark('instance', instanceMark), mark('role', role)]);
  return signalAll(role === 'service' ? pids.filter(isMeant) : pids, signal);
}

async function createInstance(
  options: FleetOptions,
  host: FleetOptions['hosts'][number],
  lastLaunchTime: string | undefined,
  lost: Lost,
): Promise<Instance> {
  const folder = join(options.stateDir, 'hosts', host.name);
  await mkdir(folder, { recursive: true });
  const proxy = await startProxy({ port: options.emulatorPort });
  const identity: HostIdentity = {
    cluster: options.cluster,
    host: host.name,
    principal: host.principal,
    machine: host.machine,
    stateDir: join(folder, 'state'),
    region: options.region,
    endpoint: `http://127.0.0.1:${String(proxy.port)}`,
    tables: options.tables,
    // The same over all lives of a runtime on this folder, so that what one left behind is found by the next.
    instanceMark: `${digest(options.stateDir).slice(0, 12)}-${host.name}`,
    watchdog: { kind: 'init' },
    guardEntry: options.scripts.guard,
    agentEntry: options.scripts.agent,
    sampleCommand: [process.execPath, options.scripts.service, '--witness', options.witness],
    accessKeyId: options.accessKeyId ?? ACCESS_KEY,
    secretAccessKey: ACCESS_KEY,
  };
  return new Instance({
    identity,
    folder,
    initEntry: options.scripts.init,
    commandEntry: options.scripts.command,
    environment: hostEnvironment(options.witness),
    proxy,
    lastLaunchTime,
    onLost: () => lost.tell(host.machine),
    log: options.log,
  });
}

/** Hosts inherit nothing of the runtime's environment but what a program needs to run. */
function hostEnvironment(witness: string): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { [MARKS.witness]: witness };
  for (const name of ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR']) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
