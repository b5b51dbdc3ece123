/** Facts of a cluster as they stand in the store, read strongly (heartbeats: scanned). */
import { unpack } from '../../adapters/node/packing.ts';
import type { Definition, GroupDefinition, HostDefinition } from '../../core/config/model.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { Registry } from '../../core/ports.ts';
import {
  type ClusterRecord,
  type DefinitionRecord,
  type GroupRecord,
  type Heartbeat,
  type HostRecord,
  keys,
  REVOKED_PREFIX,
} from '../../core/protocol/records.ts';
import type { ControlPorts } from './ports.ts';

export const RECORDS_MAX = 10_000;

export interface ClusterFacts {
  readonly record: ClusterRecord;
  readonly definition: Definition;
  readonly hosts: readonly HostRecord[];
  readonly groups: readonly GroupRecord[];
  /** By principal, of this cluster. */
  readonly heartbeats: ReadonlyMap<string, Heartbeat>;
  /** The definition of a group as its record knows it: today's, or the last one that had it. */
  readonly specOf: (group: GroupRecord) => GroupDefinition | undefined;
}

/** Per store: two deployments in one process may have clusters of the same name and incarnation. */
const definitions = new WeakMap<Registry, Map<string, Definition>>();
const DEFINITIONS_CACHED_MAX = 50;

/** Definitions are immutable once stored, so a Lambda that stays warm reads each once. */
export async function loadDefinition(
  ports: Pick<ControlPorts, 'registry'>,
  cluster: string,
  rev: number,
  incarnation: string,
): Promise<Definition> {
  const cacheKey = `${cluster}#${incarnation}#${rev}`;
  const ofStore = definitions.get(ports.registry) ?? new Map<string, Definition>();
  definitions.set(ports.registry, ofStore);
  const cached = ofStore.get(cacheKey);
  if (cached !== undefined) return cached;
  const stored = await ports.registry.get<DefinitionRecord>(keys.definition(cluster, rev));
  if (stored === undefined) throw new HaError('not_found', `cluster ${cluster} has no definition ${rev}`);
  const definition = unpack(stored.body.packed) as Definition; // Validated before it was stored, immutable since.
  if (ofStore.size >= DEFINITIONS_CACHED_MAX) ofStore.clear();
  ofStore.set(cacheKey, definition);
  return definition;
}

export async function loadClusterRecord(
  ports: Pick<ControlPorts, 'registry'>,
  cluster: string,
): Promise<ClusterRecord> {
  const stored = await ports.registry.get<ClusterRecord>(keys.cluster(cluster));
  if (stored === undefined) throw new HaError('not_found', `there is no cluster ${cluster}; apply a definition first`);
  return stored.body;
}

export async function loadCluster(ports: ControlPorts, cluster: string): Promise<ClusterFacts> {
  const record = await loadClusterRecord(ports, cluster);
  const pk = keys.cluster(cluster).pk;
  const [definition, hosts, groups, scanned] = await Promise.all([
    loadDefinition(ports, cluster, record.rev, record.incarnation),
    ports.registry.query<HostRecord>(pk, { prefix: 'HOST#', limit: RECORDS_MAX }),
    ports.registry.query<GroupRecord>(pk, { prefix: 'GROUP#', limit: RECORDS_MAX }),
    ports.heartbeats.scan(),
  ]);
  const heartbeats = new Map(scanned.filter((item) => item.cluster === cluster).map((item) => [item.principal, item]));
  const groupRecords = groups.map((stored) => stored.body);
  const specs = await loadSpecs(ports, record, definition, groupRecords);
  return {
    record,
    definition,
    hosts: hosts.map((stored) => stored.body),
    groups: groupRecords,
    heartbeats,
    specOf: (group) => specs.get(group.group),
  };
}

/** One group as `loadCluster` shows it, without the reading of all others; undefined: it has no record. */
export async function loadGroup(
  ports: Pick<ControlPorts, 'registry'>,
  cluster: string,
  name: string,
): Promise<{ readonly group: GroupRecord; readonly spec: GroupDefinition | undefined } | undefined> {
  const record = await loadClusterRecord(ports, cluster);
  const [definition, stored] = await Promise.all([
    loadDefinition(ports, cluster, record.rev, record.incarnation),
    ports.registry.get<GroupRecord>(keys.group(cluster, name)),
  ]);
  if (stored === undefined) return undefined;
  const specs = await loadSpecs(ports, record, definition, [stored.body]);
  return { group: stored.body, spec: specs.get(name) };
}

async function loadSpecs(
  ports: Pick<ControlPorts, 'registry'>,
  record: ClusterRecord,
  definition: Definition,
  groups: readonly GroupRecord[],
): Promise<ReadonlyMap<string, GroupDefinition>> {
  const specs = new Map(definition.groups.map((group) => [group.name, group]));
  for (const group of groups.filter((candidate) => !specs.has(candidate.group) && candidate.rev > 0)) {
    const older = await loadDefinition(ports, record.cluster, group.rev, record.incarnation);
    const spec = older.groups.find((candidate) => candidate.name === group.group);
    if (spec !== undefined) specs.set(group.group, spec);
  }
  return specs;
}

/** The key of a host's heartbeat item: the principal that IAM can check. */
export function principalOf(
  host: Pick<HostDefinition, 'certificateName' | 'instanceId'>,
  account: { readonly partition: string; readonly region: string; readonly id: string },
): string {
  if (host.certificateName !== undefined) return host.certificateName;
  return `arn:${account.partition}:ec2:${account.region}:${account.id}:instance/${host.instanceId ?? ''}`;
}

/** The session that stands in a host's item, or null: none, revoked, or a tombstone. */
export function liveSession(facts: Pick<ClusterFacts, 'heartbeats'>, principal: string): string | null {
  const session = facts.heartbeats.get(principal)?.session;
  return session === undefined || session.startsWith(REVOKED_PREFIX) ? null : session;
}

/** The principal that the definition names for a host; undefined: it is not defined. */
export function definedPrincipal(facts: ClusterFacts, { host }: Pick<HostRecord, 'host'>): string | undefined {
  const defined = facts.definition.hosts.find(({ name }) => name === host);
  return defined === undefined ? undefined : principalOf(defined, facts.record.account);
}

/** The definition names another machine for this host than the one that its record, and whatever it may still own, is about. */
export function isAnotherMachine(facts: ClusterFacts, host: Pick<HostRecord, 'host' | 'principal'>): boolean {
  const defined = definedPrincipal(facts, host);
  return defined !== undefined && defined !== host.principal;
}
