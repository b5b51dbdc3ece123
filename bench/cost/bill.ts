/** From measured units to dollars a month. Pure: units and prices in, lines out. */
import type { FailoverRun } from './failover.ts';
import type { AtRest, HostsAtRest, ScheduledRun } from './idle.ts';
import type { PriceFile, PriceName } from './prices.ts';

export interface Line {
  readonly name: string;
  readonly usd: number;
}

export type Prices = Pick<PriceFile, 'monthSeconds'> & {
  readonly prices: Readonly<Record<PriceName, { readonly usd: number }>>;
};

/** START, END and REPORT of one invocation, with what CloudWatch counts for each event. */
const PLATFORM_LOG_BYTES = 400;
/** One processor in Lambda: functions with less memory get their share of it. */
const MB_PER_PROCESSOR = 1_769;
const GB = 1e9;
const HOUR_S = 3_600;
/** Of provisioned capacity, where autoscaling keeps it unless the settings say otherwise (`utilisation`). */
const UTILISATION = 0.7;

export function total(lines: readonly Line[]): number {
  return lines.reduce((sum, { usd }) => sum + usd, 0);
}

export function unitsPerBeat({ beats, beatWriteUnits }: Pick<HostsAtRest, 'beats' | 'beatWriteUnits'>): number {
  return beats === 0 ? 0 : beatWriteUnits / beats;
}

/** One host for a month, by what it was seen to consume in the window. */
export function hostMonth(seen: HostsAtRest, intervalS: number, { prices, monthSeconds }: Prices): readonly Line[] {
  const perHostSecond = 1_000 / (seen.windowMs * seen.hosts);
  return [
    { name: 'renewals', usd: (monthSeconds / intervalS) * unitsPerBeat(seen) * prices.dynamoWriteUnit.usd },
    { name: 'reports', usd: monthSeconds * seen.otherWriteUnits * perHostSecond * prices.dynamoWriteUnit.usd },
    { name: 'assignment read again', usd: monthSeconds * seen.readUnits * perHostSecond * prices.dynamoReadUnit.usd },
    { name: 'storage', usd: (seen.itemBytesMax / GB) * prices.dynamoStorageGb.usd },
  ];
}

/** The renewals of one host where the table has provisioned capacity, and hosts enough to keep its minimum in use. */
export function hostMonthProvisioned(
  seen: Pick<HostsAtRest, 'beats' | 'beatWriteUnits'>,
  intervalS: number,
  { prices, monthSeconds }: Prices,
): number {
  return (unitsPerBeat(seen) / intervalS / UTILISATION) * (monthSeconds / HOUR_S) * prices.dynamoWriteCapacityHour.usd;
}

/**
 * How long Lambda would take for what took `ms` here, of which `cpuMs` on a processor: a function has a share of one by
 * its memory, and what is computed takes longer by it. What is waited for takes as long.
 */
export function atMemory({ ms, cpuMs, memoryMb }: Pick<ScheduledRun, 'ms' | 'cpuMs' | 'memoryMb'>): number {
  const slower = Math.max(1, MB_PER_PROCESSOR / memoryMb);
  return ms + cpuMs * (slower - 1);
}

function compute(ms: number, memoryMb: number, { prices }: Prices): number {
  return (ms / 1_000) * (memoryMb / 1_024) * prices.lambdaGbSecond.usd;
}

function capacity(run: Pick<ScheduledRun, 'units'>, { prices }: Prices): number {
  return run.units.reads * prices.dynamoReadUnit.usd + run.units.writes * prices.dynamoWriteUnit.usd;
}

/**
 * What is paid whether or not anything happens. `traced`: scheduled Lambdas whose every invocation X-Ray records.
 * Runs of the loop are longer by the sleep that computing takes away from, not by computing: its own wall time
 * is what it is.
 */
export function fixedMonth(seen: AtRest, traced: number, price: Prices): readonly Line[] {
  const { prices, monthSeconds } = price;
  const minutes = monthSeconds / 60;
  const { findBehind, reconcile } = seen;
  const logBytes = findBehind.logBytes + reconcile.logBytes + 2 * PLATFORM_LOG_BYTES;
  return [
    { name: 'find-behind: compute', usd: minutes * compute(findBehind.ms, findBehind.memoryMb, price) },
    { name: 'find-behind: store', usd: minutes * capacity(findBehind, price) },
    { name: 'reconcile: compute', usd: minutes * compute(atMemory(reconcile), reconcile.memoryMb, price) },
    { name: 'reconcile: store', usd: minutes * capacity(reconcile, price) },
    { name: 'invocations, schedules', usd: minutes * 2 * (prices.lambdaRequest.usd + prices.schedulerInvocation.usd) },
    { name: 'logs', usd: ((minutes * logBytes) / GB) * (prices.logGb.usd + prices.logStoredGb.usd) },
    { name: 'traces', usd: minutes * traced * prices.trace.usd },
    {
      name: 'registry: storage, recovery',
      usd: (seen.registryBytes / GB) * (prices.dynamoStorageGb.usd + prices.dynamoPitrGb.usd),
    },
  ];
}

export interface Apart {
  readonly alarms: number;
  readonly dashboards: number;
  readonly metrics: number;
}

export function apartMonth({ alarms, dashboards, metrics }: Apart, { prices }: Prices): readonly Line[] {
  return [
    { name: 'alarms', usd: alarms * prices.alarm.usd },
    { name: 'dashboard', usd: dashboards * prices.dashboard.usd },
    { name: 'custom metrics', usd: metrics * prices.metric.usd },
  ];
}

/** So many questions to the API: gateway, Lambda and store. What is computed there is taken for computing throughout. */
export function asked(count: number, seen: AtRest['asked'], memoryMb: number, price: Prices): number {
  const ms = atMemory({ ms: seen.ms, cpuMs: seen.ms, memoryMb });
  const { httpRequest, lambdaRequest, logGb, trace } = price.prices;
  const each = httpRequest.usd + lambdaRequest.usd + trace.usd + (PLATFORM_LOG_BYTES / GB) * logGb.usd;
  return count * (each + compute(ms, memoryMb, price) + capacity(seen, price));
}

/**
 * What each further host adds to the work of the control plane: its items are read in every sweep and every pass.
 * From two clusters measured alike but for their size.
 */
export function shareOfHost(small: AtRest, large: AtRest, price: Prices): number {
  const more = large.hosts.hosts - small.hosts.hosts;
  if (more <= 0) return 0;
  return (total(fixedMonth(large, 0, price)) - total(fixedMonth(small, 0, price))) / more;
}

export function failoverOnce(run: FailoverRun, memoryMb: number, price: Prices): readonly Line[] {
  const { prices } = price;
  const logBytes = run.historyBytes + run.lambdaCalls * PLATFORM_LOG_BYTES;
  return [
    { name: 'state transitions', usd: run.transitions * prices.stateTransition.usd },
    {
      name: 'Lambda',
      usd: compute(run.lambdaMs, memoryMb, price) + run.lambdaCalls * prices.lambdaRequest.usd,
    },
    { name: 'store', usd: capacity(run, price) },
    { name: 'logs', usd: (logBytes / GB) * (prices.logGb.usd + prices.logStoredGb.usd) },
    { name: 'page', usd: prices.page.usd },
  ];
}
