/** The deployed system: MiniStack with the CDK app in it, the fleet as its EC2 instances, and the witness outside of it all. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sigV4 } from '../../adapters/aws/sigv4.ts';
import { apiClient, type ApiClient } from '../../adapters/node/api-client.ts';
import { readDefinition } from '../../adapters/node/definition-file.ts';
import { endChild, startChild, untilThere } from '../../bench/failover/children.ts';
import { untilSettled, type Harness } from '../../bench/failover/harness.ts';
import { WitnessLog } from '../../bench/failover/witness-log.ts';
import type { Definition } from '../../core/config/model.ts';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import { principalOf } from '../../lambdas/shared/cluster.ts';
import { buildHostScripts } from '../../local/fleet/build.ts';
import { causeFault, type ControlSwitch } from '../../local/fleet/faults.ts';
import { type Fleet, startFleet } from '../../local/fleet/fleet.ts';
import { startProxy } from '../../local/fleet/proxy.ts';
import { connectWitness, type WitnessClient } from '../../local/witness/client.ts';
import { type Cdk, cdk } from './cdk.ts';
import { type Cloud, cloudAt } from './cloud.ts';
import { type Deployed, findDeployed, lambdaOf } from './deployed.ts';
import { ACCOUNT, REGION, SECRET, startEmulator } from './emulator.ts';

/** The first tick of a schedule comes after a minute, and a tick is up to ten seconds late. */
const SETTLE_LIMIT_MS = 180_000;
/** The emulator's bound is not AWS's: beyond this something hangs. */
const SLACK_MS = 120_000;

/** Between calls of reconcile by hand while the cluster settles. */
const HURRY_MS = 5_000;

/** Ended in reverse order, however far it came. */
export type Endings = (() => Promise<unknown> | void)[];

export interface Account {
  readonly cloud: Cloud;
  readonly cdk: Cdk;
  readonly port: number;
  /** Endpoint of EC2 and SSM, as the Lambdas know it: whatever listens there later. */
  readonly pointEc2To: (url: string) => void;
}

export interface AccountOptions {
  readonly python: string;
  readonly folder: string;
  readonly endings: Endings;
}

/** An empty account. The Lambdas' EC2 must have an address before there is anything to be known of the fleet. */
export async function startAccount({ python, folder, endings }: AccountOptions): Promise<Account> {
  const target = { port: 0 };
  const ec2 = await startProxy(target);
  endings.push(() => ec2.close());
  const url = `http://127.0.0.1:${String(ec2.port)}`;
  const endpoints = { AWS_ENDPOINT_URL_EC2: url, AWS_ENDPOINT_URL_SSM: url, AWS_ENDPOINT_URL_AUTO_SCALING: url };
  const emulator = await startEmulator({ python, folder, endpoints });
  endings.push(() => emulator.close());
  const cloud = cloudAt(emulator.url);
  endings.push(() => cloud.close());
  return {
    cloud,
    cdk: cdk({ folder, url: emulator.url }),
    port: emulator.port,
    pointEc2To(to) {
      target.port = Number(new URL(to).port);
    },
  };
}

export interface System extends Account {
  readonly deployed: Deployed;
  readonly fleet: Fleet;
  readonly harness: Harness;
}

export interface SystemOptions {
  readonly folder: string;
  readonly definitionText: string;
  readonly endings: Endings;
}

/** Three hosts with their agents, known to the deployed control plane by the definition that its API took. */
export async function startSystem(account: Account, options: SystemOptions): Promise<System> {
  const { folder, endings } = options;
  const deployed = await findDeployed(account.cloud, await account.cdk.outputs());
  const definition = parsed(options.definitionText);
  const { witness, log, socket } = await startWitness(folder, endings);
  const fleet = await startHosts({ account, deployed, definition, folder, socket });
  endings.push(() => fleet.close());
  account.pointEc2To(fleet.awsUrl);
  const api = apiOf(account.cloud, deployed.apiUrl);
  const applied = await api.apply(options.definitionText);
  if (applied.outcome !== 'accepted') throw new Error(`the API refused the definition: ${applied.detail}`);
  for (const { host } of fleet.instances()) await fleet.powerOn(host);
  const harness = harnessOf({ definition, api, witness, log, fleet, reconcile: () => reconcileNow(account, deployed) });
  return { ...account, deployed, fleet, harness };
}

function parsed(text: string): Definition {
  const read = readDefinition([{ content: text }]);
  if (read.ok) return read.definition;
  throw new HaError('config_invalid', JSON.stringify(read.problems));
}

async function startWitness(folder: string, endings: Endings) {
  const socket = join(folder, 'witness.sock');
  const file = join(folder, 'witness.log');
  await writeFile(file, '');
  const child = startChild(join(folder, 'witness.out'), [
    '../../local/witness/main.ts',
    ...['--socket', socket, '--log', file],
  ]);
  endings.push(() => endChild(child));
  const witness = await untilThere('the witness', () => connectWitness(socket), child);
  const log = new WitnessLog(file);
  endings.push(() => {
    witness.close();
    log.close();
  });
  return { witness, log, socket };
}

interface HostsAt {
  readonly account: Account;
  readonly deployed: Deployed;
  readonly definition: Definition;
  readonly folder: string;
  readonly socket: string;
}

async function startHosts({ account, deployed, definition, folder, socket }: HostsAt): Promise<Fleet> {
  const place = { partition: 'aws', region: REGION, id: ACCOUNT } as const;
  const stateDir = join(folder, 'fleet');
  await mkdir(stateDir, { recursive: true });
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  return startFleet({
    cluster: definition.cluster,
    hosts: definition.hosts.map((host) => {
      if (host.instanceId === undefined) throw new Error(`host ${host.name} needs an instanceId`);
      return { name: host.name, machine: host.instanceId, principal: principalOf(host, place) };
    }),
    stateDir,
    region: REGION,
    account: ACCOUNT,
    accessKeyId: ACCOUNT,
    emulatorPort: account.port,
    tables: deployed.tables,
    scripts: await buildHostScripts(join(folder, 'hosts')),
    witness: socket,
    onStateChange: (event) => {
      account.cloud.put(event).catch((error: unknown) => say(`a state change was not taken: ${messageOf(error)}`));
    },
    log: say,
  });
}

/** Signed as the operators' command line signs; only the way to API Gateway is the emulator's. */
export function apiOf(cloud: Cloud, apiUrl: string): ApiClient {
  const [id] = new URL(apiUrl).hostname.split('.');
  const credentials = () => Promise.resolve({ accessKeyId: ACCOUNT, secretAccessKey: SECRET });
  const authorize = sigV4({ region: REGION, credentials });
  return apiClient({ url: `${cloud.url}/_aws/execute-api/${id ?? ''}/$default`, authorize });
}

interface HarnessParts {
  readonly definition: Definition;
  readonly api: ApiClient;
  readonly witness: WitnessClient;
  readonly log: WitnessLog;
  readonly fleet: Fleet;
  readonly reconcile: () => Promise<void>;
}

/** Its schedule comes once a minute; the test has better things to do than to wait for it. What it does is the same. */
async function reconcileNow({ cloud }: Account, { lambdas }: Deployed): Promise<void> {
  await cloud.invoke(lambdaOf(lambdas, 'Reconcile'), {});
}

/** The same harness as that of `npm run failover`, about the deployed system. */
function harnessOf({ definition, api, witness, log, fleet, reconcile }: HarnessParts): Harness {
  const absent = (): never => {
    throw new Error('a deployed control plane is no process that could be killed');
  };
  const control: ControlSwitch = { kill: absent, stop: absent, start: absent };
  return {
    ...{ definition, api, witness, log, slackMs: SLACK_MS },
    async cause(fault) {
      const { signalled } = await causeFault(fault, fleet, control);
      if (signalled === 0) throw new HaError('not_found', `${fault.fault} reached no process`);
    },
    boots: async () =>
      Object.fromEntries(
        fleet.instances().map(({ host, bootId, state }) => [host, state === 'running' ? bootId : 'off']),
      ),
    blackout: absent,
    async untilSettled(limitMs = SETTLE_LIMIT_MS) {
      const isOver = new AbortController();
      const hurry = repeat(reconcile, isOver.signal);
      try {
        return await untilSettled(() => api, definition, limitMs);
      } finally {
        isOver.abort();
        await hurry;
      }
    },
    keep: () => undefined,
    close: async () => undefined,
  };
}

/** Again and again until it is enough; what fails is tried again. */
async function repeat(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(HURRY_MS, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await work().catch(() => undefined);
  }
}
