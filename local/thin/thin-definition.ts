/** `--thin HxG`: a cluster of H thin hosts and G groups, by rule: small pools of hosts, as large clusters are built. */
import { HaError } from '../../core/failures/failures.ts';

const HOSTS_MAX = 500;
const GROUPS_MAX = 1_000;
/** Hosts that may run the same groups. */
const POOL = 5;
const ZONES = ['a', 'b', 'c'] as const;

export interface ThinSize {
  readonly hosts: number;
  readonly groups: number;
}

export function parseThinSize(text: string): ThinSize {
  const found = /^(\d+)x(\d+)$/.exec(text);
  const hosts = Number(found?.[1] ?? Number.NaN);
  const groups = Number(found?.[2] ?? Number.NaN);
  if (hosts >= 2 && hosts <= HOSTS_MAX && groups >= 1 && groups <= GROUPS_MAX) return { hosts, groups };
  throw new HaError(
    'config_invalid',
    `--thin ${text}: give hosts x groups, such as 200x200, from 2x1 to ${String(HOSTS_MAX)}x${String(GROUPS_MAX)}`,
  );
}

export function thinHostName(n: number): string {
  return `t${String(n).padStart(3, '0')}`;
}

export function thinInstanceId(n: number): string {
  return `i-${(0x7000 + n).toString(16).padStart(17, '0')}`;
}

/** Hosts are numbered from 1 on; neighbours are in other zones. */
export function thinHost(n: number, hosts: number): string {
  const zone = ZONES[n % ZONES.length] ?? 'a';
  const pool = String(poolOf(n, hosts));
  return `  - { name: ${thinHostName(n)}, instanceId: ${thinInstanceId(n)}, zone: ${zone}, labels: { pool: "${pool}" } }`;
}

/** A last pool too small for a pair is part of the one before. */
function poolOf(n: number, hosts: number): number {
  const pools = Math.max(1, Math.floor(hosts / POOL));
  return Math.min(pools, Math.ceil(n / POOL));
}

export function thinDefinition({ hosts, groups }: ThinSize, profile = 'standard'): string {
  const pools = Math.max(1, Math.floor(hosts / POOL));
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
  return [
    '# Made by `npm start -- --thin`: hosts without processes.',
    'apiVersion: holdfast/v1',
    'cluster: thin',
    `timing: { profile: ${profile} }`,
    'hosts:',
    ...numbers(hosts).map((n) => thinHost(n, hosts)),
    'groups:',
    ...numbers(groups).flatMap((n) => thinGroup(n, ((n - 1) % pools) + 1)),
    '',
  ].join('\n');
}

function thinGroup(n: number, pool: number): string[] {
  return [
    `  - name: g${String(n).padStart(3, '0')}`,
    '    redundancy: { model: n-plus-m, active: 1, standby: 1 }',
    `    placement: { require: { pool: "${String(pool)}" }, spread: zone }`,
    '    limits: { restartsPerWindow: 30, movesPerWindow: 100 }',
    '    services:',
    '      - name: main',
    '        agent: exec',
    '        params: { command: [holdfast-sample, --name, main] }',
    '        monitor: { every: 10s, timeout: 5s }',
    '        actions: { start: { timeout: 5s }, stop: { timeout: 1s } }',
  ];
}
