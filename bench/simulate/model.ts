/** The cluster as the benchmark defines it, and what may become of it: hosts come, groups are edited. */
import { thinHostName, thinInstanceId } from '../../local/thin/thin-definition.ts';

export type Random = () => number;

/** Numbers from a seed, the same ones each time (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function oneOf<T>(random: Random, from: readonly T[]): T | undefined {
  return from[Math.floor(random() * from.length)];
}

const ZONES = ['a', 'b', 'c'] as const;
const POOLS = ['1', '2'] as const;
/** Quick, and yet not upset by a machine that is busy: what counts here are owners, not milliseconds. */
const TIMING = 'timing: { profile: demo, interval: 500ms, renewCap: 450ms, holderLease: 6s, takerWait: 7s }';
const PRIORITIES = [10, 30, 50] as const;

export interface ModelHost {
  readonly name: string;
  readonly instanceId: string;
  readonly zone: string;
  readonly pool: string;
}

interface ModelGroup {
  readonly name: string;
  readonly pool: string | null;
  readonly prefer: string | null;
  readonly priority: number;
  readonly standby: number;
}

export interface Model {
  readonly hosts: readonly ModelHost[];
  readonly groups: readonly ModelGroup[];
}

export function firstModel(random: Random, size: { readonly hosts: number; readonly groups: number }): Model {
  const hosts = Array.from({ length: size.hosts }, (_, index) => newHost(random, index + 1));
  const numbers = Array.from({ length: size.groups }, (_, index) => index + 1);
  return { hosts, groups: numbers.map((n) => newGroup(random, n, hosts)) };
}

export function nextHost(random: Random, { hosts }: Model): ModelHost {
  return newHost(random, hosts.length + 1);
}

function newHost(random: Random, n: number): ModelHost {
  // Each pool has hosts from the beginning on.
  const pool = n <= POOLS.length * 2 ? POOLS[n % POOLS.length] : oneOf(random, POOLS);
  return {
    name: thinHostName(n),
    instanceId: thinInstanceId(n),
    zone: ZONES[n % ZONES.length] ?? 'a',
    pool: pool ?? '1',
  };
}

function newGroup(random: Random, n: number, hosts: readonly ModelHost[]): ModelGroup {
  const pool = random() < 0.5 ? (oneOf(random, POOLS) ?? null) : null;
  return {
    name: `g${String(n).padStart(3, '0')}`,
    pool,
    prefer: preferred(random, pool, hosts),
    priority: 10,
    standby: 1,
  };
}

function preferred(random: Random, pool: string | null, hosts: readonly ModelHost[]): string | null {
  const possible = hosts.filter((host) => pool === null || host.pool === pool);
  return random() < 0.3 ? (oneOf(random, possible)?.name ?? null) : null;
}

/** One group changed, and how in words. */
export function editGroup(random: Random, model: Model): { readonly model: Model; readonly says: string } {
  const group = oneOf(random, model.groups);
  const draw = random();
  if (group === undefined || draw < 0.15) {
    const added = newGroup(random, nextNumber(model), model.hosts);
    return { model: { ...model, groups: [...model.groups, added] }, says: `group ${added.name} added` };
  }
  const replaced = (changed: ModelGroup): Model => ({
    ...model,
    groups: model.groups.map((each) => (each.name === group.name ? changed : each)),
  });
  if (draw < 0.3 && model.groups.length > 2) {
    const groups = model.groups.filter(({ name }) => name !== group.name);
    return { model: { ...model, groups }, says: `group ${group.name} removed` };
  }
  if (draw < 0.55) {
    const pool = group.pool === null ? (oneOf(random, POOLS) ?? '1') : null;
    return {
      model: replaced({ ...group, pool, prefer: null }),
      says: `group ${group.name} needs pool ${pool ?? 'any'}`,
    };
  }
  if (draw < 0.8) {
    const possible = model.hosts.filter((host) => group.pool === null || host.pool === group.pool);
    const prefer = oneOf(random, possible)?.name ?? null;
    return { model: replaced({ ...group, prefer }), says: `group ${group.name} prefers ${prefer ?? 'nobody'}` };
  }
  const priority = oneOf(random, PRIORITIES) ?? 10;
  const standby = group.standby === 1 ? 0 : 1;
  const says = `group ${group.name} has priority ${String(priority)} and ${String(standby)} standbys`;
  return { model: replaced({ ...group, priority, standby }), says };
}

function nextNumber({ groups }: Model): number {
  return 1 + Math.max(0, ...groups.map(({ name }) => Number(name.slice(1))));
}

export function yamlOf({ hosts, groups }: Model): string {
  return [
    'apiVersion: holdfast/v1',
    'cluster: thin',
    TIMING,
    'hosts:',
    ...hosts.map(
      ({ name, instanceId, zone, pool }) =>
        `  - { name: ${name}, instanceId: ${instanceId}, zone: ${zone}, labels: { pool: "${pool}" } }`,
    ),
    'groups:',
    ...groups.flatMap(groupYaml),
    '',
  ].join('\n');
}

function groupYaml({ name, pool, prefer, priority, standby }: ModelGroup): string[] {
  const placement = [
    ...(pool === null ? [] : [`require: { pool: "${pool}" }`]),
    ...(prefer === null ? [] : [`prefer: [{ host: ${prefer}, weight: 100 }]`]),
    'spread: zone',
  ];
  return [
    `  - name: ${name}`,
    `    redundancy: { model: n-plus-m, active: 1, standby: ${String(standby)} }`,
    `    placement: { ${placement.join(', ')} }`,
    `    priority: ${String(priority)}`,
    '    limits: { restartsPerWindow: 30, movesPerWindow: 100 }',
    '    services:',
    '      - name: main',
    '        agent: exec',
    '        params: { command: [holdfast-sample, --name, main] }',
    '        monitor: { every: 10s, timeout: 5s }',
    '        actions: { start: { timeout: 5s }, stop: { timeout: 250ms } }',
  ];
}
