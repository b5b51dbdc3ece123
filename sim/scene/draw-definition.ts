/** Random clusters: hosts with their machines, groups of every redundancy model, services, wishes and limits. */
import { formatDuration } from '../../core/config/durations.ts';
import { type ProfileName, TIMING_PROFILES } from '../../core/config/timing-profiles.ts';
import type { Timing } from '../../core/config/model.ts';
import type { HostScene } from '../contract/scene.ts';
import type { Random } from '../kernel/random.ts';
import { instanceIdOf } from './instance-ids.ts';
import {
  type Draft,
  type DraftGroup,
  type DraftHost,
  type DraftPlacement,
  type DraftRedundancy,
  type DraftService,
  definitionOf,
} from './draft.ts';

export const CLUSTER = 'sim';

const PROFILES = [
  ['demo', 25],
  ['fast', 30],
  ['standard', 25],
  ['conservative', 20],
] as const;
/** A beat of each profile costs the same, so the size of the cluster makes the price of a run. */
const HOSTS = [
  [1, 4],
  [2, 27],
  [3, 34],
  [4, 21],
  [5, 7],
  [6, 3],
  [7, 2],
  [9, 2],
] as const;
const GROUPS = [
  [1, 30],
  [2, 32],
  [3, 22],
  [4, 10],
  [6, 6],
] as const;
const FENCING: readonly (readonly [DraftHost['fencing'], number])[] = [
  [[['ec2'], ['lease']], 30],
  [[['lease']], 30],
  [[['lease'], ['ec2']], 18],
  [[['ec2', 'lease']], 10],
  [[['ec2']], 12],
];
const ATTEMPTS_MAX = 40;

export interface Cluster {
  readonly profile: ProfileName;
  readonly draft: Draft;
  readonly hosts: readonly HostScene[];
}

export function drawCluster(random: Random): Cluster {
  const profile = random.weighted(PROFILES);
  const timing = TIMING_PROFILES[profile];
  const hosts = Array.from({ length: random.weighted(HOSTS) }, (_, i) => drawHost(random, i));
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const names = Array.from({ length: random.weighted(GROUPS) }, (_, i) => `g${i + 1}`);
    const groups = names.map((name) => drawGroup(random, { name, names, hosts, timing }));
    const draft: Draft = { cluster: CLUSTER, timing: { profile }, hosts, groups };
    if (definitionOf(draft) !== null) return { profile, draft, hosts: drawMachines(random, hosts, timing) };
  }
  const groups = [plainGroup(random, hosts.length, timing)];
  const draft: Draft = { cluster: CLUSTER, timing: { profile }, hosts, groups };
  return { profile, draft, hosts: drawMachines(random, hosts, timing) };
}

function drawHost(random: Random, place: number): DraftHost {
  const isServer = random.chance(0.06);
  const name = `h${place + 1}`;
  return {
    name,
    ...(isServer ? { certificateName: `server-${place + 1}` } : { instanceId: instanceIdOf(place + 1) }),
    zone: random.pick(['a', 'b', 'c']),
    ...(random.chance(0.3) ? { labels: { disk: random.pick(['fast', 'slow']) } } : {}),
    ...(random.chance(0.12) ? { capacity: { cpu: random.int(4, 16) } } : {}),
    fencing: isServer ? [['lease']] : random.weighted(FENCING),
  };
}

/** Rates at the ends of what is assumed, more often than in between: there the inequalities bind. */
function drawMachines(random: Random, hosts: readonly DraftHost[], { clockRateError }: Timing): readonly HostScene[] {
  return hosts.map(({ name, instanceId = null, zone }) => ({
    name,
    instanceId,
    zone,
    guardLevel: random.weighted([
      ['watchdog', 48],
      ['init', 46],
      ['none', 6],
    ] as const),
    clockRate: random.weighted([
      [1 - clockRateError, 35],
      [1 + clockRateError, 35],
      [1 + clockRateError * random.between(-1, 1), 30],
    ]),
    wallOffsetMs: random.chance(0.7) ? random.int(-500, 500) : random.int(-3_600_000, 3_600_000),
    isOnAtFirst: random.chance(0.93),
  }));
}

interface GroupDraw {
  readonly name: string;
  readonly names: readonly string[];
  readonly hosts: readonly DraftHost[];
  readonly timing: Timing;
}

function drawGroup(random: Random, draw: GroupDraw): DraftGroup {
  const { name, hosts, timing } = draw;
  const isPowerOnly = random.chance(0.06) && hosts.every(({ instanceId }) => instanceId !== undefined);
  return {
    name,
    redundancy: drawRedundancy(random, hosts.length),
    ...(random.chance(0.5) ? { placement: drawPlacement(random, draw) } : {}),
    ...(random.chance(0.4) ? { priority: random.pick([10, 100, 100, 300]) } : {}),
    limits: drawLimits(random, timing),
    ...(isPowerOnly ? { accepts: ['power-off'] } : random.chance(0.4) ? { accepts: ['lease-over', 'power-off'] } : {}),
    ...(random.chance(0.25) ? { probe: { tcp: '10.0.0.1:5432' } } : {}),
    services: drawServices(random, name, timing),
  };
}

export function drawRedundancy(random: Random, hosts: number): DraftRedundancy {
  const active = random.int(1, Math.min(hosts, 3));
  return random.weighted<DraftRedundancy>([
    [{ model: 'n-plus-m', active: 1, standby: Math.min(1, hosts - 1) }, 50],
    [{ model: 'n-plus-m', active, standby: random.int(0, Math.min(2, hosts - active)) }, 25],
    [{ model: 'n', active, exclusive: true }, 15],
    [{ model: 'n', active, exclusive: false }, 10],
  ]);
}

function drawPlacement(random: Random, { name, names, hosts }: GroupDraw): DraftPlacement {
  const others = names.filter((other) => other !== name);
  const other = others.length === 0 ? undefined : random.pick(others);
  const rules: readonly (readonly [DraftPlacement, number])[] = [
    [{ prefer: [{ host: random.pick(hosts).name, weight: random.pick([-50, 50, 100]) }] }, 40],
    [{ spread: 'zone' }, 25],
    [{ require: { disk: random.pick(['fast', 'slow']) } }, 12],
    [other === undefined ? {} : { apart: [other] }, 13],
    [other === undefined ? {} : { together: [other] }, 10],
  ];
  return { ...random.weighted(rules), ...(random.chance(0.2) ? { spread: 'zone' } : {}) };
}

/** Windows that slide within the quiet phase, so that whatever is damped goes on before the end is judged (S15). */
export function movesWindowMs({ intervalMs }: Pick<Timing, 'intervalMs'>): number {
  return Math.max(5_000, Math.min(60_000, intervalMs * 20));
}

function drawLimits(random: Random, timing: Timing): DraftGroup['limits'] {
  const windowMs = movesWindowMs(timing);
  return {
    restartsPerWindow: random.pick([0, 2, 5, 20]),
    window: formatDuration(Math.round(windowMs / 2)),
    movesPerWindow: random.pick([1, 3, 10, 30]),
    movesWindow: formatDuration(windowMs),
  };
}

/** Stops that fit the longest clean stop, mostly: what does not is killed. */
export function drawServices(random: Random, group: string, timing: Timing): readonly DraftService[] {
  const count = random.weighted([
    [1, 60],
    [2, 28],
    [3, 12],
  ] as const);
  const stopMs = Math.floor((timing.cleanStopMs * (random.chance(0.9) ? 1 : 2)) / count);
  const names = Array.from({ length: count }, (_, i) => `${group}-${['store', 'api', 'tail'][i] ?? 'more'}`);
  return names.map((name, i) => {
    const before = names[i - 1];
    return {
      name,
      agent: 'exec',
      params: { command: ['holdfast-sample', '--name', name] },
      ...(before !== undefined && random.chance(0.7) ? { dependsOn: [before] } : {}),
      ...(random.chance(0.12) ? { needs: { cpu: random.int(1, 2) } } : {}),
      monitor: { every: formatDuration(Math.max(1_000, 2 * timing.intervalMs)), timeout: '1s' },
      actions: {
        start: { timeout: formatDuration(Math.max(1_000, timing.intervalMs)), attempts: random.pick([1, 1, 2]) },
        stop: { timeout: formatDuration(Math.max(50, stopMs)) },
      },
    };
  });
}

function plainGroup(random: Random, hosts: number, timing: Timing): DraftGroup {
  return {
    name: 'g1',
    redundancy: { model: 'n-plus-m', active: 1, standby: Math.min(1, hosts - 1) },
    limits: drawLimits(random, timing),
    services: drawServices(random, 'g1', timing).map(({ needs: _needs, ...service }) => service),
  };
}
