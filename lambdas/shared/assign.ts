/** Brings a host's assignment up to date with the group records, then raises the directive number on its heartbeat. */
import { candidateHosts } from '../../core/placement/candidates.ts';
import { nextAssignment, ordersFor } from '../../core/recovery/orders.ts';
import { type Assignment, type GroupRecord, type HostRecord, keys } from '../../core/protocol/records.ts';
import { changeRecord } from './change.ts';
import { type ClusterFacts, liveSession } from './cluster.ts';
import type { ControlPorts } from './ports.ts';

/** Groups are read again, strongly, inside: the assignment never runs behind an ownership write made before the call. */
export async function syncAssignment(ports: ControlPorts, facts: ClusterFacts, host: HostRecord): Promise<void> {
  const key = keys.assignment(host.principal);
  const heartbeat = await ports.heartbeats.read(host.principal);
  const heartbeats = new Map(heartbeat === undefined ? [] : [[host.principal, heartbeat]]);
  const session = liveSession({ heartbeats }, host.principal);
  const changed = await changeRecord<Assignment>(ports.registry, key, async (old) => {
    const stored = await ports.registry.query<GroupRecord>(keys.cluster(facts.record.cluster).pk, {
      prefix: 'GROUP#',
      limit: 10_000,
    });
    const groups = stored.map((group) => group.body);
    const isCandidate = (name: string, group: Parameters<typeof candidateHosts>[1]): boolean =>
      candidateHosts(facts.definition, group).includes(name);
    const orders = session === null ? [] : ordersFor({ host: host.host, session }, facts.specOf, groups, isCandidate);
    return nextAssignment(old ?? null, {
      cluster: facts.record.cluster,
      host: host.host,
      rev: facts.record.rev,
      incarnation: facts.record.incarnation,
      timing: facts.definition.timing,
      orders,
    });
  });
  const n = changed.body?.n;
  if (n !== undefined && heartbeat !== undefined && heartbeat.directive < n)
    await ports.heartbeats.direct(host.principal, n);
}
