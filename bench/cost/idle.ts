/** What a cluster at rest consumes: hosts, one whole invocation of find-behind with its hand-over, passes of reconcile. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ProfileName } from '../../core/config/timing-profiles.ts';
import { failureCode, HaError } from '../../core/failures/failures.ts';
import { type LambdaProcess, startLambda } from '../bundles/lambda-process.ts';
import { lambdaNamed, type Synthesised } from '../bundles/synth.ts';
import { emfMetrics } from './emf.ts';
import { itemBytes, scanItems } from './items.ts';
import { type Consumed, startMeter, type Units, unitsOf } from './meter.ts';
import { type CostSystem, type Size, TABLES } from './system.ts';

/** The schedule of both. */
const MINUTE_MS = 60_000;
const PASSES = 5;
/** A machine that is busy with other things may fail a sweep: then the minute is measured again. */
const TRIES = 3;
const ASKED = 20;
/** What an open console asks for again and again, and the command line first of all. */
const ASKED_PATH = '/api/v1/status';

export interface HostsAtRest {
  readonly hosts: number;
  readonly windowMs: number;
  readonly beats: number;
  readonly beatWriteUnits: number;
  /** Of the hosts' own reads: assignments read again. */
  readonly readUnits: number;
  /** Writes other than beats: reports. */
  readonly otherWriteUnits: number;
  readonly itemBytesMax: number;
}

/** One invocation of a scheduled Lambda. */
export interface ScheduledRun {
  readonly memoryMb: number;
  readonly ms: number;
  readonly cpuMs: number;
  /** Anonymous memory when it was done. */
  readonly ownMb: number;
  readonly units: Units;
  readonly logBytes: number;
}

export interface AtRest {
  readonly profile: ProfileName;
  readonly hosts: HostsAtRest;
  /** From the claim to its end, which is one sweep after the next invocation's claim. */
  readonly findBehind: ScheduledRun & { readonly sweeps: number; readonly overlapMs: number };
  readonly reconcile: ScheduledRun;
  readonly consumed: { readonly findBehind: readonly Consumed[]; readonly reconcile: readonly Consumed[] };
  /** One question to the API. */
  readonly asked: { readonly units: Units; readonly ms: number };
  readonly registryBytes: number;
  /** Custom metrics that the logs carried, name and dimensions. */
  readonly metrics: readonly string[];
}

export async function measureAtRest(system: CostSystem, synthesised: Synthesised, about: Size): Promise<AtRest> {
  for (let left = TRIES; left > 1; left -= 1) {
    try {
      return await measureOnce(system, synthesised, about);
    } catch (error) {
      if (failureCode(error) === undefined) throw error;
      await system.until('every group active again', () => system.isAtRest());
    }
  }
  return measureOnce(system, synthesised, about);
}

async function measureOnce(system: CostSystem, synthesised: Synthesised, about: Size): Promise<AtRest> {
  system.meters.hosts.take();
  const windowFrom = performance.now();
  const [swept, reconciled] = await Promise.all([
    measureFindBehind(system, synthesised),
    measureReconcile(system, synthesised),
  ]);
  const windowMs = performance.now() - windowFrom;
  const ofHosts = system.meters.hosts.take();
  const asked = await measureAsked(system);
  const registry = await scanItems(system.emulatorUrl, TABLES.registry);
  return {
    profile: about.profile,
    hosts: await hostsAtRest(system, ofHosts, { hosts: about.hosts, windowMs }),
    findBehind: swept.run,
    reconcile: reconciled.run,
    consumed: { findBehind: swept.consumed, reconcile: reconciled.consumed },
    asked,
    registryBytes: registry.reduce((sum, item) => sum + itemBytes(item), 0),
    metrics: [...new Set([...swept.metrics, ...reconciled.metrics])].toSorted(),
  };
}

async function hostsAtRest(
  { emulatorUrl }: CostSystem,
  consumed: readonly Consumed[],
  window: { readonly hosts: number; readonly windowMs: number },
): Promise<HostsAtRest> {
  const isBeat = ({ operation, table }: Consumed): boolean => operation === 'UpdateItem' && table === TABLES.heartbeats;
  const beats = consumed.filter(isBeat);
  const items = await scanItems(emulatorUrl, TABLES.heartbeats);
  return {
    ...window,
    beats: beats.reduce((sum, { requests }) => sum + requests, 0),
    beatWriteUnits: unitsOf(beats).writes,
    readUnits: unitsOf(consumed).reads,
    otherWriteUnits: unitsOf(consumed.filter((one) => !isBeat(one))).writes,
    itemBytesMax: Math.max(...items.map(itemBytes)),
  };
}

async function measureAsked(system: CostSystem): Promise<AtRest['asked']> {
  const { meters } = system;
  await system.ask(ASKED_PATH);
  meters.runs.take();
  const from = performance.now();
  for (let n = 0; n < ASKED; n += 1) await system.ask(ASKED_PATH);
  const ms = (performance.now() - from) / ASKED;
  const { reads, writes, requests } = unitsOf(meters.runs.take());
  return { ms, units: { reads: reads / ASKED, writes: writes / ASKED, requests: requests / ASKED } };
}

interface Measured<R> {
  readonly run: R;
  readonly consumed: readonly Consumed[];
  readonly metrics: readonly string[];
}

/** The very bundle, in two processes as in two environments: the second is called a minute after the first. */
async function measureFindBehind(
  { emulatorUrl }: CostSystem,
  synthesised: Synthesised,
): Promise<Measured<AtRest['findBehind']>> {
  const lambda = lambdaNamed(synthesised, 'FindBehind');
  const meter = await startMeter(emulatorUrl);
  const place = { dynamoUrl: meter.url, tables: TABLES };
  const first = await startLambda(lambda, place);
  const other = await startLambda(lambda, { ...place, dynamoUrl: emulatorUrl });
  try {
    // Connections stand, as in an environment that was used before.
    await first.invoke({ once: true });
    first.takeLog();
    meter.take();
    const running = first.invoke({});
    await delay(MINUTE_MS);
    const taken = other.invoke({});
    taken.catch(() => undefined);
    const done = await running;
    const consumed = meter.take();
    const log = first.takeLog();
    const { sweeps, failures } = JSON.parse(done.output ?? '{}') as { sweeps: number; failures: number };
    if (failures > 0)
      throw new HaError('store_unavailable', `find-behind failed ${failures} times: ${log.slice(-1_000)}`);
    const run = { ...scheduledRun(lambda.memoryMb, done, { consumed, log }), sweeps, overlapMs: done.ms - MINUTE_MS };
    return { run, consumed, metrics: emfMetrics(log) };
  } finally {
    await endAll([first, other], () => meter.close());
  }
}

async function measureReconcile(
  { emulatorUrl }: CostSystem,
  synthesised: Synthesised,
): Promise<Measured<ScheduledRun>> {
  const lambda = lambdaNamed(synthesised, 'Reconcile');
  const meter = await startMeter(emulatorUrl);
  const process = await startLambda(lambda, { dynamoUrl: meter.url, tables: TABLES });
  try {
    await process.invoke({});
    const passes: Measured<ScheduledRun>[] = [];
    for (let pass = 0; pass < PASSES; pass += 1) {
      process.takeLog();
      meter.take();
      const done = await process.invoke({});
      const [consumed, log] = [meter.take(), process.takeLog()];
      passes.push({ run: scheduledRun(lambda.memoryMb, done, { consumed, log }), consumed, metrics: emfMetrics(log) });
      await delay(MINUTE_MS / (PASSES + 1));
    }
    const [median] = passes.toSorted((a, b) => a.run.ms - b.run.ms).slice(Math.floor(PASSES / 2));
    if (median === undefined) throw new HaError('not_found', 'no pass of reconcile was measured');
    return median;
  } finally {
    await endAll([process], () => meter.close());
  }
}

function scheduledRun(
  memoryMb: number,
  done: { readonly ms: number; readonly cpuMs: number; readonly memoryMb: number },
  { consumed, log }: { readonly consumed: readonly Consumed[]; readonly log: string },
): ScheduledRun {
  const { ms, cpuMs, memoryMb: ownMb } = done;
  return { memoryMb, ms, cpuMs, ownMb, units: unitsOf(consumed), logBytes: Buffer.byteLength(log) };
}

async function endAll(processes: readonly LambdaProcess[], close: () => Promise<void>): Promise<void> {
  for (const process of processes) await process.end();
  await close();
}
