/**
 * `npm run bench -- cost [--hosts N]`: what a deployment costs, from consumed capacity measured on the emulator while the
 * agents' own loops and the synthesised bundles run, and from the price file.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProfileName } from '../../core/config/timing-profiles.ts';
import { TIMING_PROFILES } from '../../core/config/timing-profiles.ts';
import { HaError } from '../../core/failures/failures.ts';
import { lambdaNamed, type Synthesised, synthesise } from '../bundles/synth.ts';
import type { BenchOptions, BenchResult, Figure } from '../figure.ts';
import {
  apartMonth,
  asked,
  failoverOnce,
  fixedMonth,
  hostMonth,
  hostMonthProvisioned,
  type Line,
  shareOfHost,
  total,
  unitsPerBeat,
} from './bill.ts';
import { type FailoverRun, measureFailover } from './failover.ts';
import { type AtRest, measureAtRest } from './idle.ts';
import { type PriceFile, readPrices } from './prices.ts';
import { withSystem } from './system.ts';

const PROFILES = ['fast', 'standard', 'conservative'] as const;
/** The one that the targets are about: I = 3 s. */
const TARGET_PROFILE = 'standard';
/** The smallest cluster worth the name: what it pays is what is fixed. */
const HOSTS_MIN = 3;
const HOSTS_MAX = 300;
const QUESTIONS = 10_000;

const TARGETS = { fixedUsd: 6, hostUsd: 0.7, failoverUsd: 0.01 } as const;
/** What Lambda's own runtime takes of a function's memory, beside Node and the handler. */
const RUNTIME_MB = 20;

interface Measured {
  readonly intervalS: number;
  /** Of the smallest cluster. */
  readonly small: AtRest;
  /** Of as many hosts as were asked for. */
  readonly atRest: AtRest;
  readonly failovers: readonly FailoverRun[];
}

export async function benchCost(say: (text: string) => void, { hosts }: BenchOptions): Promise<BenchResult> {
  if (hosts < HOSTS_MIN || hosts > HOSTS_MAX) {
    throw new HaError('config_invalid', `--hosts ${hosts}: give a number from ${HOSTS_MIN} to ${HOSTS_MAX}`);
  }
  const prices = readPrices();
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  try {
    say('  synthesising the stacks');
    const synthesised = await synthesise(join(folder, 'cdk.out'));
    say('  measuring a minute at rest at I = 1, 3 and 5 s, then failing over');
    const measured = await Promise.all(PROFILES.map((profile) => measure(profile, hosts, synthesised)));
    return billed(measured, synthesised, prices);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(profile: ProfileName, hosts: number, synthesised: Synthesised): Promise<Measured> {
  const intervalS = TIMING_PROFILES[profile].intervalMs / 1_000;
  const small = await withSystem({ hosts: HOSTS_MIN, profile }, async (system) => {
    const atRest = await measureAtRest(system, synthesised, { profile, hosts: HOSTS_MIN });
    if (profile !== TARGET_PROFILE) return { atRest, failovers: [] };
    return { atRest, failovers: [await measureFailover(system, 'off', 1), await measureFailover(system, 'cut', 2)] };
  });
  const measured = { intervalS, small: small.atRest, failovers: small.failovers };
  if (hosts === HOSTS_MIN) return { ...measured, atRest: small.atRest };
  const atRest = await withSystem({ hosts, profile }, (system) =>
    measureAtRest(system, synthesised, { profile, hosts }),
  );
  return { ...measured, atRest };
}

function billed(measured: readonly Measured[], synthesised: Synthesised, prices: PriceFile): BenchResult {
  const bills = measured.map((one) => billOf(one, synthesised, prices));
  const apart = apartLines(measured, synthesised, prices);
  return {
    figures: [...bills.flatMap(({ figures }) => figures), ...bill('apart', apart, placeOf(prices), 'USD/month')],
    failures: bills.flatMap(({ failures }) => failures),
  };
}

function billOf(one: Measured, synthesised: Synthesised, prices: PriceFile): BenchResult {
  const { atRest, small, intervalS } = one;
  const { hosts } = atRest.hosts;
  const about = placeOf(prices);
  const params = { I: `${intervalS} s`, hosts };
  const failures: string[] = [];
  const isTarget = atRest.profile === TARGET_PROFILE;
  const must = (what: string, value: number, most: number): void => {
    if (isTarget && value > most) failures.push(`${what} costs $${value.toFixed(4)}, the target is $${most}`);
  };
  const traced = ['FindBehind', 'Reconcile'].filter((name) => lambdaNamed(synthesised, name).isTraced).length;
  const share = { name: 'read by the control plane', usd: shareOfHost(small, atRest, prices) };
  const hostLines = [...hostMonth(atRest.hosts, intervalS, prices), ...(hosts > HOSTS_MIN ? [share] : [])];
  const fixedLines = fixedMonth(small, traced, prices);
  const questions = asked(QUESTIONS, atRest.asked, lambdaNamed(synthesised, 'Api').memoryMb, prices);
  must('a host at I = 3 s', total(hostLines), TARGETS.hostUsd);
  must('the control plane at I = 3 s', total(fixedLines), TARGETS.fixedUsd);
  const ownMb = Math.max(atRest.findBehind.ownMb, small.findBehind.ownMb);
  if (ownMb + RUNTIME_MB > small.findBehind.memoryMb) {
    const has = `${Math.round(ownMb)} MB here, with ${RUNTIME_MB} MB of Lambda's own`;
    failures.push(`find-behind at I = ${intervalS} s used ${has}: more than its ${small.findBehind.memoryMb} MB`);
  }
  const figures = [
    ...bill('host', hostLines, { ...params, ...about }, 'USD/month'),
    usd('host: renewals, provisioned', hostMonthProvisioned(atRest.hosts, intervalS, prices), params),
    ...bill('control plane', fixedLines, { I: `${intervalS} s`, hosts: HOSTS_MIN, ...about }, 'USD/month'),
    usd(`${QUESTIONS} questions to the API`, questions, params, 'USD'),
    ...units(atRest, params),
  ];
  const memoryMb = lambdaNamed(synthesised, 'HaRecover').memoryMb;
  for (const run of one.failovers) {
    const lines = failoverOnce(run, memoryMb, prices);
    figures.push(...bill(`failover, host ${run.way}`, lines, about, 'USD'), ...runFigures(run));
    must(`a failover (host ${run.way})`, total(lines), TARGETS.failoverUsd);
  }
  return { figures, failures };
}

/** Metrics of hosts that are well: those of failures are paid for in months that have one. */
function apartLines(
  measured: readonly Measured[],
  { dashboards, alarmMetrics }: Synthesised,
  prices: PriceFile,
): readonly Line[] {
  const metrics = Math.max(...measured.map(({ atRest }) => atRest.metrics.length));
  return apartMonth({ alarms: alarmMetrics, dashboards, metrics }, prices);
}

function bill(of: string, lines: readonly Line[], params: Figure['params'], unit: string): Figure[] {
  const short = Object.fromEntries(Object.entries(params).filter(([name]) => name === 'I' || name === 'hosts'));
  return [
    ...lines.map((line) => usd(`${of}: ${line.name}`, line.usd, short, unit)),
    usd(`${of}: together`, total(lines), params, unit),
  ];
}

function placeOf({ region, asOf }: PriceFile): Figure['params'] {
  return { region, prices: asOf };
}

function usd(name: string, value: number, params: Figure['params'], unit = 'USD/month'): Figure {
  return { name, value: round(value, unit === 'USD' ? 6 : 4), unit, params };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

const measuredWith =
  (params: Figure['params'], digits: number) =>
  (name: string, value: number, unit: string): Figure => ({ name, value: round(value, digits), unit, params });

function units({ hosts, findBehind, reconcile, registryBytes, metrics }: AtRest, params: Figure['params']): Figure[] {
  const figure = measuredWith(params, 2);
  const perSweep = (count: number): number => (findBehind.sweeps === 0 ? 0 : count / findBehind.sweeps);
  return [
    figure('beat', unitsPerBeat(hosts), 'WRU'),
    figure('heartbeat item, largest', hosts.itemBytesMax, 'bytes'),
    figure('sweep', perSweep(findBehind.units.reads), 'RRU'),
    figure('sweep', perSweep(findBehind.units.writes), 'WRU'),
    figure('sweep, processor', perSweep(findBehind.cpuMs), 'ms'),
    figure('find-behind, invocation', findBehind.ms / 1_000, 's'),
    figure('find-behind, hand-over', findBehind.overlapMs, 'ms'),
    figure('find-behind, memory', findBehind.ownMb, 'MB'),
    figure('find-behind, log', findBehind.logBytes, 'bytes'),
    figure('reconcile', reconcile.units.reads, 'RRU'),
    figure('reconcile', reconcile.units.writes, 'WRU'),
    figure('reconcile, processor', reconcile.cpuMs, 'ms'),
    figure('reconcile, log', reconcile.logBytes, 'bytes'),
    figure('registry', registryBytes, 'bytes'),
    figure('custom metrics seen', metrics.length, 'metrics'),
  ];
}

function runFigures(run: FailoverRun): Figure[] {
  const figure = measuredWith({ host: run.way }, 1);
  return [
    figure('failover: transitions', run.transitions, 'transitions'),
    figure('failover: Lambda calls', run.lambdaCalls, 'calls'),
    figure('failover: Lambda time', run.lambdaMs, 'ms'),
    figure('failover: write units', run.units.writes, 'WRU'),
    figure('failover: read units', run.units.reads, 'RRU'),
    figure('failover: run', run.seconds, 's'),
  ];
}
