/** Brings a host's assignment up to date with the group records, then raises the directive number on its heartbeat. */
import type { GroupDefinition } from '../../core/config/model.ts';
import { candidateHosts } from '../../core/placement/candidates.ts';
import { nextAssignment, ordersFor } from '../../core/recovery/orders.ts';
import {
  type Assignment,
  type GroupRecord,
  type Heartbeat,
  type HostRecord,
  keys,
} from '../../core/protocol/records.ts';
import { changeRecord } from './change.ts';
import { type ClusterFacts, liveSession } from './cluster.ts';
import type { ControlPorts } from './ports.ts';

const GROUPS_MAX = 10_000;

/** Groups are read again, strongly, inside: the assignment never runs behind an ownership write made before the call. */
export async function syncAssignment(ports: ControlPorts, facts: ClusterFacts, host: HostRecord): Promise<void> {
  const key = keys.assignment(host.principal);
  const reading = ports.heartbeats.read(host.principal);
  const isCandidate = candidacy(facts);
  const decide = async (old: Assignment | undefined): Promise<Assignment | null> => {
    // After the assignment was read: else an older ownership could be written over a newer one's orders.
    const [groups, heartbeat] = await Promise.all([readGroups(ports, facts.record.cluster), reading]);
    return nextAssignment(
      old ?? null,
      wanted(facts, { groups, isCandidate }, host, sessionOf(heartbeat, host.principal)),
    );
  };
  const [changed, heartbeat] = await Promise.all([changeRecord(ports.registry, key, decide), reading]);
  const n = changed.body?.n;
  if (n !== undefined && heartbeat !== undefined && heartbeat.directive < n)
    await ports.heartbeats.direct(host.principal, n);
}

/**
 * Syncs hosts where something differs from the groups as they are at the first call, which are read once for all, or not at
 * all if the caller has changed none (`standing`): a pass over N hosts and N groups would otherwise read N × N records.
 * What changes meanwhile is synced by whoever changes it, and by the next pass.
 */
export function syncWhereStale(
  ports: ControlPorts,
  facts: ClusterFacts,
  standing?: readonly GroupRecord[],
): (host: HostRecord) => Promise<void> {
  const isCandidate = candidacy(facts);
  let groups = standing === undefined ? undefined : Promise.resolve(standing);
  return async (host) => {
    const heartbeat = facts.heartbeats.get(host.principal);
    const session = sessionOf(heartbeat, host.principal);
    groups ??= readGroups(ports, facts.record.cluster);
    // Awaited together: groups that cannot be read, before the assignment is, are the trouble of whoever waits for them.
    const [stored, all] = await Promise.all([ports.registry.get<Assignment>(keys.assignment(host.principal)), groups]);
    const next = nextAssignment(stored?.body ?? null, wanted(facts, { groups: all, isCandidate }, host, session));
    const isTold = heartbeat === undefined || heartbeat.directive >= (stored?.body.n ?? 0);
    if (next !== null || !isTold) await syncAssignment(ports, facts, host);
  };
}

type Candidacy = (host: string, group: GroupDefinition) => boolean;

function candidacy({ definition }: ClusterFacts): Candidacy {
  const known = new Map<GroupDefinition, ReadonlySet<string>>();
  return (host, group) => {
    const hosts = known.get(group) ?? new Set(candidateHosts(definition, group));
    known.set(group, hosts);
    return hosts.has(host);
  };
}

async function readGroups(ports: ControlPorts, cluster: string): Promise<readonly GroupRecord[]> {
  const { pk } = keys.cluster(cluster);
  const stored = await ports.registry.query<GroupRecord>(pk, { prefix: 'GROUP#', limit: GROUPS_MAX });
  return stored.map((group) => group.body);
}

function sessionOf(heartbeat: Heartbeat | undefined, principal: string): string | null {
  const heartbeats = new Map(heartbeat === undefined ? [] : [[principal, heartbeat]]);
  return liveSession({ heartbeats }, principal);
}

function wanted(
  facts: ClusterFacts,
  { groups, isCandidate }: { readonly groups: readonly GroupRecord[]; readonly isCandidate: Candidacy },
  { host }: HostRecord,
  session: string | null,
): Omit<Assignment, 'n'> {
  const { cluster, rev, incarnation } = facts.record;
  const orders = session === null ? [] : ordersFor({ host, session }, facts.specOf, groups, isCandidate);
  return { cluster, host, rev, incarnation, timing: facts.definition.timing, orders };
}
