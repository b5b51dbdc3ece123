/** A cluster at work in this process: emulator, hosts without processes, the control plane's handlers, a meter on each way. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureTables } from '../../adapters/aws/dynamodb-tables.ts';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import type { Workflow } from '../../core/ports.ts';
import type { ProfileName } from '../../core/config/timing-profiles.ts';
import { type GroupRecord, keys } from '../../core/protocol/records.ts';
import { substitute } from '../../core/workflow/substitute.ts';
import { asJson } from '../../core/workflow/workflow.ts';
import { applyDefinition } from '../../lambdas/api/apply.ts';
import { principalOf } from '../../lambdas/shared/cluster.ts';
import type { ControlPorts } from '../../lambdas/shared/ports.ts';
import { controlPorts, createLambdas, FUNCTIONS, type Lambdas } from '../../local/control/handlers.ts';
import { startEmulator } from '../../local/emulator.ts';
import { thinDefinition, thinHostName, thinInstanceId } from '../../local/thin/thin-definition.ts';
import { startThinFleet, type ThinFleet } from '../../local/thin/thin-fleet.ts';
import { openWorkflowDriver, type WorkflowDriver } from '../../local/workflow/driver.ts';
import { processTimers } from '../../local/workflow/timers.ts';
import { type Meter, startMeter } from './meter.ts';

/** Names as long as those on AWS: they are part of each item's size. */
const ACCOUNT = { partition: 'aws', region: 'us-east-1', id: '123456789012' } as const;
export const CLUSTER = 'thin';
export const TABLES = {
  heartbeats: 'HoldfastState-Heartbeats740CD8B8-1ABCDEFGHIJKL',
  registry: 'HoldfastState-Registry4DB9CCA5-1ABCDEFGHIJKL',
} as const;
const CREDENTIALS = { accessKeyId: 'bench', secretAccessKey: 'bench' } as const;
const UP_LIMIT_MS = 300_000;
const ROUND_MS = 1_000;

export interface Size {
  readonly hosts: number;
  readonly profile: ProfileName;
}

export interface Call {
  readonly ms: number;
}

export interface CostSystem {
  readonly emulatorUrl: string;
  readonly fleet: ThinFleet;
  readonly driver: WorkflowDriver;
  readonly ports: ControlPorts;
  /** Sweeps and reconciles once, as the schedules would. */
  round(): Promise<void>;
  /** Rounds until `isDone`. */
  until(what: string, isDone: () => boolean | Promise<boolean>): Promise<void>;
  isAtRest(): Promise<boolean>;
  readonly meters: { readonly hosts: Meter; readonly runs: Meter };
  /** One question to the API, through the meter of the runs. */
  ask(path: string): Promise<void>;
  /** Calls of the workflow's Lambdas so far. */
  readonly calls: Call[];
}

export async function withSystem<T>(size: Size, work: (system: CostSystem) => Promise<T>): Promise<T> {
  const endings: (() => Promise<unknown> | void)[] = [];
  try {
    return await work(await startSystem(size, endings));
  } finally {
    for (const end of endings.toReversed()) await end();
  }
}

async function startSystem({ hosts, profile }: Size, endings: (() => Promise<unknown> | void)[]): Promise<CostSystem> {
  const emulator = await startEmulator();
  endings.push(() => emulator.close());
  const place = { region: ACCOUNT.region, endpoint: emulator.url, credentials: { ...CREDENTIALS } };
  await ensureTables(place, TABLES);
  const meters = { hosts: await startMeter(emulator.url), runs: await startMeter(emulator.url) };
  endings.push(
    () => meters.hosts.close(),
    () => meters.runs.close(),
  );
  const numbers = Array.from({ length: hosts }, (_, index) => index + 1);
  const fleet = await startThinFleet({
    ...{ cluster: CLUSTER, region: ACCOUNT.region, account: ACCOUNT.id, tables: TABLES },
    emulatorUrl: meters.hosts.url,
    credentials: { ...CREDENTIALS },
    hosts: numbers.map((n) => {
      const machine = thinInstanceId(n);
      return { name: thinHostName(n), machine, principal: principalOf({ instanceId: machine }, ACCOUNT) };
    }),
    log: () => undefined,
  });
  endings.push(() => fleet.close());
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  endings.push(() => rm(folder, { recursive: true, force: true }));
  const control = await startControl(folder, {
    emulatorUrl: emulator.url,
    runsUrl: meters.runs.url,
    awsUrl: fleet.awsUrl,
  });
  endings.push(() => control.driver.close());
  await applyDefinition(control.ports, thinDefinition({ hosts, groups: hosts }, profile), {
    ...{ dryRun: false, account: ACCOUNT, by: 'bench' },
  });
  for (const n of numbers) await fleet.powerOn(thinHostName(n));
  const system = { ...{ emulatorUrl: emulator.url, fleet, meters }, ...control };
  const until = (what: string, isDone: () => boolean | Promise<boolean>): Promise<void> =>
    rounds(control, what, isDone);
  await until('every group active', system.isAtRest);
  return { ...system, until };
}

type Control = Pick<CostSystem, 'driver' | 'ports' | 'calls' | 'round' | 'isAtRest' | 'ask'>;

async function startControl(
  folder: string,
  urls: { readonly emulatorUrl: string; readonly runsUrl: string; readonly awsUrl: string },
): Promise<Control> {
  const parts: { driver?: WorkflowDriver } = {};
  const required = (): WorkflowDriver => {
    if (parts.driver === undefined) throw new HaError('store_unavailable', 'the workflow driver is not open yet');
    return parts.driver;
  };
  const workflow: Workflow = {
    start: (name, input) => required().start(name, input),
    status: (name) => required().status(name),
  };
  const portsAt = (emulatorUrl: string): ControlPorts =>
    controlPorts(
      {
        ...{ emulatorUrl, awsUrl: urls.awsUrl, region: ACCOUNT.region, ...CREDENTIALS, tables: TABLES },
        ...{ stateDir: folder, socket: 'none', token: 'none', definitionFile: 'none' },
        fleet: { url: 'none', token: 'none' },
      },
      workflow,
      () => undefined,
    );
  const ports = portsAt(urls.emulatorUrl);
  const steps = createLambdas(portsAt(urls.runsUrl));
  const schedules = createLambdas(ports);
  const calls: Call[] = [];
  const driver = await openWorkflowDriver({
    folder: join(folder, 'executions'),
    asl: await haRunAsl(),
    invoke: (resource, input) => timed(steps, calls, resource, input),
    timers: processTimers,
    log: () => undefined,
  });
  parts.driver = driver;
  return {
    ...{ driver, ports, calls },
    async round() {
      await schedules.findBehind({ once: true });
      await schedules.reconcile({});
    },
    async ask(rawPath) {
      const requestContext = { http: { method: 'GET' }, by: 'bench' };
      const { statusCode, body } = await steps.api({ rawPath, rawQueryString: '', requestContext });
      if (statusCode !== 200) throw new HaError('protocol_mismatch', `${rawPath}: ${statusCode} ${body.slice(0, 300)}`);
    },
    isAtRest: () => isAtRest(ports, driver),
  };
}

async function haRunAsl() {
  const file = new URL('../../stepfunctions/ha-run.asl.json', import.meta.url);
  return substitute(asJson(JSON.parse(await readFile(file, 'utf8'))), FUNCTIONS);
}

async function timed(lambdas: Lambdas, calls: Call[], resource: string, input: unknown): Promise<unknown> {
  const from = performance.now();
  try {
    return await lambdas.invoke(resource, input);
  } finally {
    calls.push({ ms: performance.now() - from });
  }
}

async function isAtRest(ports: ControlPorts, driver: WorkflowDriver): Promise<boolean> {
  if (driver.list({ status: 'RUNNING', limit: 1 }).length > 0) return false;
  const groups = await ports.registry.query<GroupRecord>(keys.cluster(CLUSTER).pk, { prefix: 'GROUP#', limit: 10_000 });
  const slots = groups.flatMap(({ body }) => body.slots);
  return slots.length > 0 && slots.every(({ phase, claim }) => phase === 'Active' && claim === null);
}

/** A fault of the machine that this runs on is not what is measured: the next round is another try, as the next schedule is. */
async function rounds(
  { round }: Pick<CostSystem, 'round'>,
  what: string,
  isDone: () => boolean | Promise<boolean>,
): Promise<void> {
  let last = 'it was not done';
  for (let left = UP_LIMIT_MS; left > 0; left -= ROUND_MS) {
    try {
      await round();
      if (await isDone()) return;
    } catch (error) {
      last = messageOf(error);
    }
    await delay(ROUND_MS);
  }
  throw new HaError('timed_out', `${what}: not within ${UP_LIMIT_MS / 1_000} s: ${last}`);
}
