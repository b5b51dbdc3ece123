import { describe, expect, test } from '@jest/globals';
import {
  apartMonth,
  asked,
  atMemory,
  failoverOnce,
  fixedMonth,
  hostMonth,
  hostMonthProvisioned,
  type Prices,
  shareOfHost,
  total,
} from '../../../bench/cost/bill.ts';
import type { AtRest, HostsAtRest, ScheduledRun } from '../../../bench/cost/idle.ts';
import { readPrices } from '../../../bench/cost/prices.ts';
import { DeploymentSettings } from '../../../lib/settings.ts';

/** 600 minutes, and prices in whole dollars, so that everything below can be reckoned by hand. */
const PRICES: Prices = {
  monthSeconds: 36_000,
  prices: {
    dynamoWriteUnit: { usd: 10 },
    dynamoReadUnit: { usd: 1 },
    dynamoWriteCapacityHour: { usd: 4 },
    dynamoReadCapacityHour: { usd: 1 },
    dynamoStorageGb: { usd: 2 },
    dynamoPitrGb: { usd: 3 },
    lambdaGbSecond: { usd: 8 },
    lambdaRequest: { usd: 1 },
    schedulerInvocation: { usd: 2 },
    logGb: { usd: 400 },
    logStoredGb: { usd: 100 },
    httpRequest: { usd: 7 },
    stateTransition: { usd: 5 },
    trace: { usd: 6 },
    page: { usd: 9 },
    alarm: { usd: 0.5 },
    dashboard: { usd: 3 },
    metric: { usd: 0.25 },
  },
};

const HOSTS: HostsAtRest = {
  hosts: 2,
  windowMs: 60_000,
  beats: 40,
  beatWriteUnits: 80,
  readUnits: 4,
  otherWriteUnits: 1,
  itemBytesMax: 1_000,
};

const RUN: ScheduledRun = {
  memoryMb: 128,
  ms: 64_000,
  cpuMs: 500,
  ownMb: 100,
  units: { reads: 90, writes: 21, requests: 100 },
  logBytes: 600,
};

const AT_REST: AtRest = {
  profile: 'standard',
  hosts: HOSTS,
  findBehind: { ...RUN, sweeps: 20, overlapMs: 4_000 },
  reconcile: {
    ...RUN,
    memoryMb: 1_769,
    ms: 1_000,
    cpuMs: 400,
    units: { reads: 5, writes: 0, requests: 5 },
    logBytes: 600,
  },
  consumed: { findBehind: [], reconcile: [] },
  asked: { units: { reads: 3, writes: 0.5, requests: 3 }, ms: 250 },
  registryBytes: 2e9,
  metrics: [],
};

const byName = (lines: readonly { name: string; usd: number }[]): Record<string, number> =>
  Object.fromEntries(lines.map(({ name, usd }) => [name, usd]));

describe('one host for a month', () => {
  test('pays for each renewal by its units, whatever jitter did to their number in the window', () => {
    // 36 000 s / 3 s = 12 000 beats of 2 units at $10.
    expect(byName(hostMonth(HOSTS, 3, PRICES))['renewals']).toBe(240_000);
  });

  test('pays its share of what all hosts read and reported', () => {
    const lines = byName(hostMonth(HOSTS, 3, PRICES));

    // 4 units in a minute by 2 hosts: 2 a minute, 600 minutes, $1.
    expect(lines['assignment read again']).toBeCloseTo(1_200, 6);
    // Half a unit a minute, 600 minutes, $10.
    expect(lines['reports']).toBeCloseTo(3_000, 6);
    expect(lines['storage']).toBeCloseTo(0.000_002, 12);
  });

  test('with provisioned capacity pays for a unit a second at 70 % use, the default of the settings', () => {
    // 2 units every 5 s = 0.4 a second, 4/7 provisioned, 10 hours at $4.
    const { heartbeats } = DeploymentSettings.parse({ tables: { heartbeats: { billing: 'provisioned' } } }).tables;
    expect(heartbeats).toMatchObject({ utilisation: 70 });
    expect(hostMonthProvisioned(HOSTS, 5, PRICES)).toBeCloseTo(160 / 7, 9);
  });

  test('without a beat in the window has no price for one', () => {
    expect(byName(hostMonth({ ...HOSTS, beats: 0, beatWriteUnits: 0 }, 3, PRICES))['renewals']).toBe(0);
  });
});

describe('what is fixed', () => {
  const lines = byName(fixedMonth(AT_REST, 1, PRICES));

  test('find-behind is paid for as long as it takes, the hand-over included', () => {
    // 600 invocations of 64 s at an eighth of a GB, $8.
    expect(lines['find-behind: compute']).toBeCloseTo(38_400, 6);
    // 600 × (90 × $1 + 21 × $10).
    expect(lines['find-behind: store']).toBe(180_000);
  });

  test('reconcile is paid for what it waits and computes', () => {
    // One processor: 600 × 1 s × 1769/1024 GB × $8.
    expect(lines['reconcile: compute']).toBeCloseTo(8_292.1875, 6);
    expect(lines['reconcile: store']).toBe(3_000);
  });

  test('each minute two schedules invoke, log and may be traced', () => {
    expect(lines['invocations, schedules']).toBe(3_600);
    // 600 × (600 + 600 + 2 × 400) bytes = 0.0012 GB at $500.
    expect(lines['logs']).toBeCloseTo(0.6, 9);
    expect(lines['traces']).toBe(3_600);
    expect(lines['registry: storage, recovery']).toBe(10);
  });
});

test('a share of a processor stretches what is computed, not what is waited for', () => {
  // 300 ms of waiting, and 100 ms of computing that take twice as long with half a processor.
  expect(atMemory({ ms: 400, cpuMs: 100, memoryMb: 884.5 })).toBeCloseTo(500, 9);
  expect(atMemory({ ms: 400, cpuMs: 100, memoryMb: 3_008 })).toBe(400);
});

test('what a further host adds is the difference of two clusters', () => {
  const reads = (count: number): AtRest['findBehind'] => ({
    ...AT_REST.findBehind,
    units: { ...RUN.units, reads: count },
  });
  const large = { ...AT_REST, hosts: { ...HOSTS, hosts: 12 }, findBehind: reads(140) };

  // 50 units more in each of 600 invocations, for 10 hosts more.
  expect(shareOfHost(AT_REST, large, PRICES)).toBeCloseTo(3_000, 6);
  expect(shareOfHost(AT_REST, AT_REST, PRICES)).toBe(0);
});

test('questions to the API are paid to gateway, Lambda, store and logs', () => {
  // $7 + $1 + $6, a quarter second at 1769 MB, 3 × $1 + 0.5 × $10, and 400 bytes at $400 a GB.
  const compute = 0.25 * (1_769 / 1_024) * 8;
  expect(asked(2, AT_REST.asked, 1_769, PRICES)).toBeCloseTo(2 * (14 + compute + 8 + 0.000_16), 9);
});

test('alarms by the metrics they watch, dashboards and metrics apart', () => {
  expect(byName(apartMonth({ alarms: 8, dashboards: 1, metrics: 6 }, PRICES))).toEqual({
    alarms: 4,
    dashboard: 3,
    'custom metrics': 1.5,
  });
});

test('one failover is paid by transition, by Lambda, by unit', () => {
  const run = {
    way: 'cut',
    transitions: 30,
    lambdaCalls: 10,
    lambdaMs: 4_000,
    historyBytes: 6_000,
    seconds: 28,
  } as const;
  const lines = failoverOnce({ ...run, units: { reads: 70, writes: 6, requests: 50 } }, 512, PRICES);

  expect(byName(lines)).toEqual({
    'state transitions': 150,
    Lambda: 26, // 4 s × half a GB × $8, and 10 requests.
    store: 130,
    logs: 0.005, // 10 000 bytes at $500 a GB.
    page: 9,
  });
  expect(total(lines)).toBeCloseTo(315.005, 9);
});

describe('the price file', () => {
  test('is dated, and says where each price is from', () => {
    const file = readPrices();

    expect(file.region).toBe('us-east-1');
    expect(file.monthSeconds).toBe(730 * 3_600);
    // The price that a deployment's bill mostly consists of, as of the date in the file.
    expect(file.prices.dynamoWriteUnit.usd * 1_000_000).toBeCloseTo(0.625, 9);
    expect(file.prices.lambdaGbSecond.usd).toBeCloseTo(0.000_013_333_4, 12);
  });

  test('of one host that beats every second: $1.6425', () => {
    const idle = { ...HOSTS, beats: 120, beatWriteUnits: 120, readUnits: 0, otherWriteUnits: 0 };

    expect(byName(hostMonth(idle, 1, readPrices()))['renewals']).toBeCloseTo(1.6425, 9);
  });
});
