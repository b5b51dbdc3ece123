/** The facts of a cluster as placement sees them. */
import { isCovered } from '../../core/config/model.ts';
import type { HostFacts, Snapshot } from '../../core/placement/facts.ts';
import type { GroupRecord, Heartbeat } from '../../core/protocol/records.ts';
import type { WallInstant } from '../../core/time/time.ts';
import { type ClusterFacts, liveSession } from './cluster.ts';

export function hostFacts(facts: ClusterFacts): readonly HostFacts[] {
  return facts.definition.hosts.map((host) => {
    const record = facts.hosts.find((candidate) => candidate.host === host.name);
    return {
      name: host.name,
      status: record?.status ?? 'Connecting',
      admin: record?.admin ?? 'enabled',
      session: record === undefined ? null : liveSession(facts, record.principal),
      zone: host.zone,
      labels: host.labels,
      capacity: host.capacity,
    };
  });
}

export function snapshotOf(facts: ClusterFacts, nowMs: WallInstant, groups: readonly GroupRecord[] = facts.groups): Snapshot {
  return { definition: facts.definition, hosts: hostFacts(facts), groups, nowMs };
}

/**
 * A slot that never had an owner may start only where every candidate with a live session has probed that nothing of it
 * runs there (S20): each shows it as `Standby` in its own heartbeat. Returns the hosts that have not.
 */
export function unprobedHosts(facts: ClusterFacts, group: string, slot: number, candidates: readonly string[]): readonly string[] {
  const spec = facts.definition.groups.find((candidate) => candidate.name === group);
  if (spec !== undefined && !isCovered(spec)) return [];
  return candidates.filter((name) => {
    const record = facts.hosts.find((host) => host.host === name);
    if (record === undefined || liveSession(facts, record.principal) === null) return false;
    const heartbeat: Heartbeat | undefined = facts.heartbeats.get(record.principal);
    return heartbeat?.slots.some((report) => report.group === group && report.slot === slot && report.phase === 'Standby') !== true;
  });
}
