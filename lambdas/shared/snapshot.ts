/** The facts of a cluster as placement sees them. */
import { isCovered } from '../../core/config/model.ts';
import { type Destination, destinationIn } from '../../core/placement/destination.ts';
import type { HostFacts, Snapshot } from '../../core/placement/facts.ts';
import { isOwned } from '../../core/recovery/ownership.ts';
import type { GroupRecord, Heartbeat, HostRecord } from '../../core/protocol/records.ts';
import type { WallInstant } from '../../core/time/time.ts';
import { type ClusterFacts, isAnotherMachine, liveSession } from './cluster.ts';

export function hostFacts(facts: ClusterFacts): readonly HostFacts[] {
  return facts.definition.hosts.map((host) => {
    const record = facts.hosts.find((candidate) => candidate.host === host.name);
    return {
      name: host.name,
      status: record?.status ?? 'Connecting',
      admin: record?.admin ?? 'enabled',
      session: record === undefined ? null : takingSession(facts, record),
      zone: host.zone,
      labels: host.labels,
      capacity: host.capacity,
    };
  });
}

/**
 * The live session of a host that may be given something. One that is to be another machine takes nothing until it is: the
 * one that beats in its place is on its way out. Nor does a machine that calls itself another host: it registered before
 * it was made this one, and obeys no assignment of this name.
 */
function takingSession(facts: ClusterFacts, record: HostRecord): string | null {
  if (isAnotherMachine(facts, record) || facts.heartbeats.get(record.principal)?.host !== record.host) return null;
  return liveSession(facts, record.principal);
}

export function snapshotOf(
  facts: ClusterFacts,
  nowMs: WallInstant,
  groups: readonly GroupRecord[] = facts.groups,
): Snapshot {
  return { definition: facts.definition, hosts: hostFacts(facts), groups, nowMs };
}

/** Where one slot of `group`, as given, would go among the possible hosts. */
export function destinationOf(
  facts: ClusterFacts,
  nowMs: WallInstant,
  group: GroupRecord,
  slot: number,
  isPossible?: (host: string) => boolean,
): Destination {
  return destinationIn(snapshotOf(facts, nowMs), group, slot, isPossible);
}

export type { Destination };

/**
 * A slot that never had an owner may start only where every candidate with a live session has probed that nothing of it
 * runs there (S20): each shows it as `Standby` in its own heartbeat. Returns the hosts that have not. One whose live session
 * owns another slot of the group stands by for none, and need not: the slots of a group are the same services, its start
 * order begins with a probe of each, and what it finds of them there is that other slot's.
 */
export function unprobedHosts(
  facts: ClusterFacts,
  group: string,
  slot: number,
  candidates: readonly string[],
): readonly string[] {
  const spec = facts.definition.groups.find((candidate) => candidate.name === group);
  if (spec !== undefined && !isCovered(spec)) return [];
  const slots = facts.groups.find((record) => record.group === group)?.slots ?? [];
  return candidates.filter((name) => {
    const record = facts.hosts.find((host) => host.host === name);
    const session = record === undefined ? null : liveSession(facts, record.principal);
    if (record === undefined || session === null) return false;
    if (slots.some((other) => isOwned(other) && other.owner?.session === session)) return false;
    const heartbeat: Heartbeat | undefined = facts.heartbeats.get(record.principal);
    return (
      heartbeat?.slots.some(
        (report) => report.group === group && report.slot === slot && report.phase === 'Standby',
      ) !== true
    );
  });
}
