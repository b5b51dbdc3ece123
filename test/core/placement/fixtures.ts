/** Small definitions, hosts and records by hand; each test states only what it is about. */
import type {
  Definition,
  GroupDefinition,
  HostDefinition,
  PlacementRules,
  Redundancy,
} from '../../../core/config/model.ts';
import type { HostFacts, Snapshot } from '../../../core/placement/facts.ts';
import type { Evidence, GroupRecord, SlotRecord } from '../../../core/protocol/records.ts';
import { wallInstant } from '../../../core/time/time.ts';

export const NOW = wallInstant(1_000_000);

export function host(name: string, facts: Partial<HostFacts> = {}): HostFacts {
  return { name, status: 'Up', admin: 'enabled', session: `s-${name}`, zone: 'a', labels: {}, ...facts };
}

export const ONE_PLUS_ONE: Redundancy = { model: 'n-plus-m', active: 1, standby: 1 };

export interface GroupSketch {
  readonly redundancy?: Redundancy;
  readonly placement?: Partial<PlacementRules>;
  readonly priority?: number;
  readonly cpu?: number;
}

export function group(name: string, sketch: GroupSketch = {}): GroupDefinition {
  return {
    name,
    domain: 'default',
    redundancy: sketch.redundancy ?? ONE_PLUS_ONE,
    placement: { require: {}, prefer: [], together: [], apart: [], ...sketch.placement },
    failback: 'never',
    priority: sketch.priority ?? 10,
    limits: { restartsPerWindow: 2, windowMs: 90_000, movesPerWindow: 3, movesWindowMs: 60_000 },
    onControlPlaneLoss: 'failsafe',
    accepts: ['lease-over'],
    services: [
      {
        name: `${name}-service`,
        agent: { kind: 'exec' },
        params: {},
        command: ['/bin/true'],
        dependsOn: [],
        monitor: { everyMs: 5_000, timeoutMs: 10_000, failures: 1 },
        impact: 'critical',
        needs: sketch.cpu === undefined ? undefined : { cpu: sketch.cpu },
        actions: { start: { timeoutMs: 60_000, attempts: 2 }, stop: { timeoutMs: 60_000, attempts: 1 } },
      },
    ],
  };
}

export function definition(groups: readonly GroupDefinition[], hosts: readonly HostFacts[]): Definition {
  const defined: HostDefinition[] = hosts.map(({ name, zone, labels, capacity }) => {
    return { name, zone, labels, capacity, paths: {}, fencing: [['lease']] };
  });
  const timing: Definition['timing'] = {
    profile: 'fast',
    intervalMs: 1_000,
    jitter: 0.1,
    renewCapMs: 800,
    lostRenewals: 2,
    guardPeriodMs: 500,
    watchdogMs: 2_000,
    cleanStopMs: 1_000,
    killMs: 500,
    writeLifeMs: 500,
    freezeMs: 500,
    clockRateError: 0.001,
    wallGapMs: 1_000,
    holderLeaseMs: 10_000,
    takerWaitMs: 12_000,
    sweepPeriodMs: 1_000,
    behindAfter: 2.5,
  };
  return { apiVersion: 'holdfast/v1', cluster: 'c', timing, hosts: defined, groups };
}

export function slot(no: number, facts: Partial<SlotRecord> = {}): SlotRecord {
  return {
    slot: no,
    owner: null,
    epoch: 0,
    phase: 'Stopped',
    why: '',
    sinceMs: wallInstant(0),
    evidence: null,
    tookOverBy: null,
    boundTo: null,
    lists: [],
    attempt: 0,
    movesMs: [],
    failedOn: [],
    claim: null,
    ...facts,
  };
}

export function ownedBy(name: string): Pick<SlotRecord, 'owner' | 'epoch' | 'phase'> {
  return { owner: { host: name, principal: `p-${name}`, session: `s-${name}` }, epoch: 1, phase: 'Active' };
}

export function evidenceAbout(name: string, takers: readonly string[] | null = null): Evidence {
  const kind = takers === null ? 'power-off' : 'lease-over';
  return { kind, host: name, session: `s-${name}`, run: 'r', atMs: wallInstant(0), because: '', takers };
}

export function record(name: string, slots: readonly SlotRecord[], standbys: readonly string[] = []): GroupRecord {
  return { group: name, rev: 1, slots, standbys: standbys.map((at) => ({ host: at, session: `s-${at}` })) };
}

export function snapshot(
  groups: readonly GroupDefinition[],
  hosts: readonly HostFacts[],
  records: readonly GroupRecord[] = [],
): Snapshot {
  return { definition: definition(groups, hosts), hosts, groups: records, nowMs: NOW };
}
