/** The facts of a cluster as placement sees them. */
import { isCovered } from '../../core/config/model.ts';
import type { HostFacts, HostFinding, Snapshot } from '../../core/placement/facts.ts';
import { slotInWords } from '../../core/placement/words.ts';
import { plan } from '../../core/placement/plan.ts';
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

export function snapshotOf(
  facts: ClusterFacts,
  nowMs: WallInstant,
  groups: readonly GroupRecord[] = facts.groups,
): Snapshot {
  return { definition: facts.definition, hosts: hostFacts(facts), groups, nowMs };
}

export interface Destination {
  /** null: no host can take it. */
  readonly host: string | null;
  readonly says: string;
  /** One per host that was asked for. */
  readonly findings: readonly HostFinding[];
}

/** Where one slot of `group`, as given, would go among the possible hosts. */
export function destinationOf(
  facts: ClusterFacts,
  nowMs: WallInstant,
  group: GroupRecord,
  slot: number,
  isPossible: (host: string) => boolean = () => true,
): Destination {
  const snapshot = snapshotOf(
    facts,
    nowMs,
    facts.groups.map((other) => (other.group === group.group ? group : other)),
  );
  const isThis = (name: string, no: number): boolean => name === group.group && no === slot;
  // What is not asked for stays in the picture: it counts for spreading and balance.
  const hosts = snapshot.hosts.map((host) => (isPossible(host.name) ? host : { ...host, session: null }));
  const [explanation] = plan({ ...snapshot, hosts }, { explain: isThis }).explanations;
  if (explanation === undefined) return { host: null, says: `${group.group}/${slot} needs no host`, findings: [] };
  const findings = explanation.hosts.filter((finding) => isPossible(finding.host));
  return { host: explanation.host, says: slotInWords({ ...explanation, hosts: findings }), findings };
}

/**
 * A slot that never had an owner may start only where every candidate with a live session has probed that nothing of it
 * runs there (S20): each shows it as `Standby` in its own heartbeat. Returns the hosts that have not.
 */
export function unprobedHosts(
  facts: ClusterFacts,
  group: string,
  slot: number,
  candidates: readonly string[],
): readonly string[] {
  const spec = facts.definition.groups.find((candidate) => candidate.name === group);
  if (spec !== undefined && !isCovered(spec)) return [];
  return candidates.filter((name) => {
    const record = facts.hosts.find((host) => host.host === name);
    if (record === undefined || liveSession(facts, record.principal) === null) return false;
    const heartbeat: Heartbeat | undefined = facts.heartbeats.get(record.principal);
    return (
      heartbeat?.slots.some(
        (report) => report.group === group && report.slot === slot && report.phase === 'Standby',
      ) !== true
    );
  });
}
