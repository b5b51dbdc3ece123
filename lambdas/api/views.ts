/** Builds what the API shows from records; nothing here decides anything. */
import { type Definition, type GroupDefinition, isCovered } from '../../core/config/model.ts';
import { outageSurvivedMs, recoveryBoundMs } from '../../core/config/timing.ts';
import { startInWavesMs } from '../../core/placement/aggregates.ts';
import { redundancyReport } from '../../core/placement/redundancy.ts';
import type { GroupRecord, Heartbeat, HostRecord, SlotRecord, SlotReport } from '../../core/protocol/records.ts';
import type { GroupView, HostView, SlotView, StatusView } from '../../core/protocol/views.ts';
import type { Registry } from '../../core/ports.ts';
import { hostWhy, ownedBy } from '../../core/recovery/admin-words.ts';
import { type ClusterFacts, liveSession, loadCluster } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { openRuns } from './run-views.ts';
import { SharedLook } from '../shared/shared-look.ts';

const CLUSTERS_KEPT_MAX = 1_000;
const looks = new WeakMap<Registry, Map<string, SharedLook<StatusView>>>();

/** Made of thousands of records in a large cluster: those who ask at the same time share it. */
export function statusView(ports: ControlPorts, cluster: string): Promise<StatusView> {
  const ofStore = looks.get(ports.registry) ?? new Map<string, SharedLook<StatusView>>();
  looks.set(ports.registry, ofStore);
  const known = ofStore.get(cluster) ?? new SharedLook(() => lookAt(ports, cluster));
  if (ofStore.size >= CLUSTERS_KEPT_MAX) ofStore.clear();
  ofStore.set(cluster, known);
  return known.ask();
}

async function lookAt(ports: ControlPorts, cluster: string): Promise<StatusView> {
  const [facts, runs] = await Promise.all([loadCluster(ports, cluster), openRuns(ports, cluster)]);
  const atMs = ports.wall.now();
  const { record, definition } = facts;
  const definedHosts = new Map(definition.hosts.map((host) => [host.name, host]));
  const groupRecords = new Map(facts.groups.map((group) => [group.group, group]));
  const reports = reportsByGroup(facts);
  return {
    cluster,
    rev: record.rev,
    haEnabled: record.haEnabled,
    atMs,
    hosts: facts.hosts
      .filter((host) => host.status !== 'Removed')
      .map((host) => hostView(facts, host, definedHosts.get(host.host), atMs)),
    groups: definition.groups.map((group) =>
      groupView(group, groupRecords.get(group.name), reports.get(group.name) ?? []),
    ),
    runs,
    bound: boundView(definition),
  };
}

/** V10 and V11 of a definition as it stands. */
export function boundView({ timing, groups }: Definition): StatusView['bound'] {
  const startMs = startInWavesMs(groups);
  return { recoveryMs: recoveryBoundMs(timing, { startMs }), outageMs: outageSurvivedMs(timing) };
}

function hostView(
  facts: ClusterFacts,
  host: HostRecord,
  defined: Definition['hosts'][number] | undefined,
  atMs: number,
): HostView {
  const item: Heartbeat | undefined = facts.heartbeats.get(host.principal);
  return {
    name: host.host,
    status: host.status,
    why: hostWhy(host, host.admin === 'enabled' ? [] : ownedBy(host.host, facts.groups)),
    admin: host.admin,
    adminReason: host.adminReason,
    zone: defined?.zone ?? null,
    labels: defined?.labels ?? {},
    machine: defined?.instanceId ?? defined?.certificateName ?? null,
    fencing: defined?.fencing ?? [],
    session: liveSession(facts, host.principal),
    seq: item?.seq ?? null,
    // Two clocks: shown to people as an age, compared by nobody (D4).
    beatAgeMs: item === undefined ? null : Math.max(0, atMs - item.sentAtWallMs),
    guardLevel: item?.guardLevel ?? null,
    slots: (item?.slots ?? []).map(({ group, slot, epoch, phase }) => ({ group, slot, epoch, phase })),
    claimRun: host.claim?.run ?? null,
  };
}

/** Of each slot only what its owner says: anybody with an item of its own may write there what it likes (S16). */
function reportsByGroup(facts: ClusterFacts): ReadonlyMap<string, readonly SlotReport[]> {
  const owners = new Map(
    facts.groups.flatMap(({ group, slots }) => slots.map(({ slot, owner }) => [`${group}/${slot}`, owner?.principal])),
  );
  const found = new Map<string, SlotReport[]>();
  for (const item of facts.heartbeats.values()) {
    for (const report of item.slots) {
      if (owners.get(`${report.group}/${report.slot}`) !== item.principal) continue;
      const known = found.get(report.group);
      if (known === undefined) found.set(report.group, [report]);
      else known.push(report);
    }
  }
  return found;
}

function groupView(group: GroupDefinition, record: GroupRecord | undefined, reports: readonly SlotReport[]): GroupView {
  return {
    name: group.name,
    model: group.redundancy.model,
    priority: group.priority,
    health: redundancyReport(group, record, reports).health,
    covered: isCovered(group),
    slots: (record?.slots ?? []).map(slotView),
    standbys: (record?.standbys ?? []).map((standby) => standby.host),
  };
}

function slotView(slot: SlotRecord): SlotView {
  return {
    slot: slot.slot,
    owner: slot.owner?.host ?? null,
    epoch: slot.epoch,
    phase: slot.phase,
    why: slot.why,
    evidenceKind: (slot.evidence ?? slot.tookOverBy)?.kind ?? null,
    candidates: slot.lists.at(-1)?.hosts ?? [],
  };
}
