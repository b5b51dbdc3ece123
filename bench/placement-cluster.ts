/** Large clusters of one kind, made by rule so that every run measures the same. */
import type { Definition, GroupDefinition, HostDefinition } from '../core/config/model.ts';
import { resolveTiming } from '../core/config/timing.ts';
import type { Snapshot } from '../core/placement/facts.ts';
import { wallInstant } from '../core/time/time.ts';

export interface LargeCluster {
  readonly hosts: number;
  readonly slots: number;
  /**
   * pairs: as many 1+1 groups as slots. wide: few groups with a hundred slots each, spread over racks. full: pairs
   * whose needs leave room for exactly one slot per host.
   */
  readonly shape: 'pairs' | 'wide' | 'full';
}

const SLOTS_WIDE = 100;
const RACKS = 50;

export function largeCluster({ hosts, slots, shape }: LargeCluster): Snapshot {
  const count = shape === 'wide' ? slots / SLOTS_WIDE : slots;
  const defined = Array.from({ length: hosts }, (_, at) => hostOf(at));
  const definition: Definition = {
    apiVersion: 'holdfast/v1',
    cluster: 'large',
    timing: resolveTiming({ profile: 'standard' }),
    hosts: defined,
    groups: Array.from({ length: count }, (_, at) => groupOf(at, shape)),
  };
  const facts = defined.map(({ name, zone, labels, capacity }) => {
    return { name, status: 'Up' as const, admin: 'enabled' as const, session: `s-${name}`, zone, labels, capacity };
  });
  return { definition, hosts: facts, groups: [], nowMs: wallInstant(1_000_000) };
}

function hostOf(at: number): HostDefinition {
  return {
    name: `h${String(at).padStart(5, '0')}`,
    zone: `z${at % 3}`,
    labels: { storage: at % 2 === 0 ? 'ssd' : 'hdd', rack: `r${at % RACKS}` },
    capacity: { cpu: 4 },
    paths: {},
    fencing: [['lease']],
  };
}

function groupOf(at: number, shape: LargeCluster['shape']): GroupDefinition {
  const isWide = shape === 'wide';
  const attempt = { timeoutMs: 10_000, attempts: 1 };
  return {
    name: `g${String(at).padStart(5, '0')}`,
    domain: 'default',
    redundancy: isWide
      ? { model: 'n', active: SLOTS_WIDE, exclusive: false }
      : { model: 'n-plus-m', active: 1, standby: 1 },
    placement: {
      require: at % 2 === 0 ? { storage: 'ssd' } : {},
      prefer: [],
      together: [],
      apart: [],
      spread: isWide ? 'rack' : 'zone',
    },
    failback: 'never',
    priority: at % 3,
    limits: { restartsPerWindow: 2, windowMs: 90_000, movesPerWindow: 3, movesWindowMs: 3_600_000 },
    onControlPlaneLoss: 'failsafe',
    accepts: ['lease-over'],
    services: [
      {
        name: 'service',
        agent: { kind: 'exec' },
        params: {},
        command: ['/bin/true'],
        dependsOn: [],
        monitor: { everyMs: 5_000, timeoutMs: 5_000, failures: 1 },
        impact: 'critical',
        needs: { cpu: shape === 'full' ? 4 : 1 },
        actions: { start: attempt, stop: attempt },
      },
    ],
  };
}
