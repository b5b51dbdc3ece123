/** One sweep: every cluster's hosts against one scan of the heartbeats. Called alike by the Lambda, the local runtime and the simulator. */
import { type BehindHost, type DetectorMemory, EMPTY_MEMORY, observe } from '../../core/detection/detect.ts';
import { messageOf } from '../../core/failures/failures.ts';
import {
  type ClusterRecord,
  type GroupRecord,
  type Heartbeat,
  type HostRecord,
  keys,
  type LateRecord,
  type Owner,
  REVOKED_PREFIX,
  type SeenSession,
  type Stored,
} from '../../core/protocol/records.ts';
import type { Instant, WallInstant } from '../../core/time/time.ts';
import { changeRecord } from '../shared/change.ts';
import { loadDefinition, RECORDS_MAX } from '../shared/cluster.ts';
import { setHostStatus } from '../shared/host-status.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { recordEvent } from '../shared/run-log.ts';
import { startHaRun } from '../shared/start-run.ts';
import { vanishedHosts } from './vanished.ts';

const CLUSTERS_MAX = 1_000;
/** Sessions remembered per host as followed by the one on record. */
const FOLLOWED_MAX = 16;

/** Kept between sweeps; losing it only delays. */
export interface SweepMemory {
  readonly clusters: ReadonlyMap<string, DetectorMemory>;
  readonly previousAnswerAt: Instant | null;
}

export const EMPTY_SWEEP_MEMORY: SweepMemory = { clusters: new Map(), previousAnswerAt: null };

export interface SweepResult {
  readonly memory: SweepMemory;
  readonly hosts: number;
  readonly behind: number;
  /** Clusters that could not be looked at, with why; the others were. */
  readonly failed: readonly string[];
  /** Until the next sweep: the shortest period of any cluster. */
  readonly periodMs: number;
}

const IDLE_PERIOD_MS = 1_000;

interface Scan {
  readonly items: readonly Heartbeat[];
  readonly answeredAt: Instant;
  readonly answeredAtWall: WallInstant;
}

export async function sweepOnce(ports: ControlPorts, memory: SweepMemory): Promise<SweepResult> {
  const items = await ports.heartbeats.scan();
  // Stamped after the whole answer had arrived: whoever waits must count from after it held the version.
  const scan: Scan = { items, answeredAt: ports.boot.now(), answeredAtWall: ports.wall.now() };
  const names = await ports.registry.query<{ cluster: string }>(keys.clusters('').pk, { limit: CLUSTERS_MAX });
  const clusters = new Map<string, DetectorMemory>();
  const failed: string[] = [];
  const totals = { hosts: 0, behind: 0, periodMs: Number.POSITIVE_INFINITY };
  for (const name of names) {
    const { cluster } = name.body;
    const old = memory.clusters.get(cluster) ?? EMPTY_MEMORY;
    clusters.set(cluster, old);
    try {
      const swept = await sweepCluster(ports, cluster, scan, old, memory.previousAnswerAt);
      clusters.set(cluster, swept.memory);
      totals.hosts += swept.hosts;
      totals.behind += swept.behind;
      totals.periodMs = Math.min(totals.periodMs, swept.periodMs);
    } catch (error) {
      // One cluster's trouble is not another's. Its memory stands: counts in it began at answers that did arrive.
      failed.push(`${cluster}: ${messageOf(error)}`);
      ports.log('error', `the sweep of ${cluster} failed`, { error: messageOf(error) });
    }
  }
  const periodMs = Number.isFinite(totals.periodMs) ? totals.periodMs : IDLE_PERIOD_MS;
  return { ...totals, memory: { clusters, previousAnswerAt: scan.answeredAt }, failed, periodMs };
}

async function sweepCluster(
  ports: ControlPorts,
  cluster: string,
  scan: Scan,
  memory: DetectorMemory,
  previousAnswerAt: Instant | null,
): Promise<{ memory: DetectorMemory; hosts: number; behind: number; periodMs: number }> {
  const record = await ports.registry.get<ClusterRecord>(keys.cluster(cluster));
  if (record === undefined) return { memory, hosts: 0, behind: 0, periodMs: IDLE_PERIOD_MS };
  const definition = await loadDefinition(ports, cluster, record.body.rev, record.body.incarnation);
  const stored = await ports.registry.query<HostRecord>(keys.cluster(cluster).pk, {
    prefix: 'HOST#',
    limit: RECORDS_MAX,
  });
  const hosts = stored.map((host) => host.body).filter((host) => host.status !== 'Removed');
  const bindings = hosts.map(({ host, principal }) => ({ host, principal }));
  const { behindAfter, sweepPeriodMs, takerWaitMs } = definition.timing;
  const observation = observe(
    memory,
    { scan: scan.items, answeredAt: scan.answeredAt, answeredAtWall: scan.answeredAtWall, previousAnswerAt, bindings },
    { behindAfter, sweepPeriodMs, takerWaitMs },
  );
  const items = new Map(scan.items.map((item) => [item.principal, item]));
  for (const host of hosts) {
    const item = items.get(host.principal);
    if (item !== undefined) await notice(ports, cluster, host, { item, before: memory.watches.get(host.host) });
  }
  if (record.body.haEnabled) {
    for (const late of observation.behind) await report(ports, cluster, hosts, late);
    for (const gone of vanishedHosts(observation, hosts, definition.timing))
      await startHaRun(ports, { cluster, ...gone });
  }
  return {
    memory: observation.memory,
    hosts: hosts.length,
    behind: observation.behind.length,
    periodMs: sweepPeriodMs,
  };
}

/** A live session that is new, or that moved on, changes what we believe of the host. */
async function notice(
  ports: ControlPorts,
  cluster: string,
  host: HostRecord,
  saw: { readonly item: Heartbeat; readonly before: { readonly session: string; readonly seq: number } | undefined },
): Promise<void> {
  const { item, before } = saw;
  if (item.session.startsWith(REVOKED_PREFIX)) return;
  if (host.seen?.session !== item.session) {
    const groups = await ports.registry.query<GroupRecord>(keys.cluster(cluster).pk, {
      prefix: 'GROUP#',
      limit: RECORDS_MAX,
    });
    // A stale scan may show the session before the one on record: a session once left behind does not come back. Read
    // after the groups: what stands now came after every session that owns a slot there.
    const standing = await ports.heartbeats.read(host.principal);
    if (standing?.session !== item.session) return;
    await meet(ports, cluster, host, { item, owners: earlierOwners(groups, host, item.session) });
    return;
  }
  const isMoved = before === undefined || before.session !== item.session || before.seq < item.seq;
  if (!isMoved || before === undefined) return;
  const { status } = host;
  if (status === 'Investigating' || status === 'Fencing') {
    // While a run has the host, the run decides. One that was stopped left the status behind; its claim was taken away.
    if (host.claim === null)
      await setHostStatus(ports, cluster, host.host, { type: 'renewed' }, 'it renews its lease, and no run has it');
    return;
  }
  if (status !== 'Up' && status !== 'Fenced')
    await setHostStatus(ports, cluster, host.host, { type: 'beat' }, 'it renews its lease');
}

/** Earlier sessions of the host that own slots without evidence. */
function earlierOwners(
  groups: readonly Stored<GroupRecord>[],
  { host }: HostRecord,
  session: string,
): readonly Owner[] {
  return groups
    .flatMap((group) => group.body.slots.flatMap((slot) => (slot.evidence === null ? (slot.owner ?? []) : [])))
    .filter((owner) => owner.host === host && owner.session !== session);
}

/** A new session: remember how it registered (S19), and look after what the one before owned (a quick reboot). */
async function meet(
  ports: ControlPorts,
  cluster: string,
  host: HostRecord,
  { item, owners }: { readonly item: Heartbeat; readonly owners: readonly Owner[] },
): Promise<void> {
  const { session, seq, machine, timing, guardLevel, rules, mayHold } = item;
  const seen: SeenSession = { session, seq, machine, timing, guardLevel, rules, mayHold };
  const earlier = owners.filter((owner) => owner.machine === machine).map((owner) => owner.session);
  await changeRecord<HostRecord>(ports.registry, keys.host(cluster, host.host), (old) =>
    old === undefined ? null : met(old, seen, earlier, ports.wall.now()),
  );
  await setHostStatus(ports, cluster, host.host, { type: 'registered' }, `session ${session.slice(0, 8)} registered`);
  await recordEvent(ports, cluster, {
    kind: 'host.session',
    subject: host.host,
    says: `registered session ${session}`,
    run: null,
    by: host.host,
    facts: { machine, guardLevel },
  });
  for (const old of new Set(owners.map((owner) => owner.session)))
    await startHaRun(ports, { cluster, host: host.host, session: old, seq: 0 });
}

/** A machine that took another's place says nothing about what runs there: its predecessor is remembered, and waited out. */
function met(host: HostRecord, seen: SeenSession, earlier: readonly string[], nowMs: WallInstant): HostRecord {
  const isSameMachine = host.seen?.machine === seen.machine;
  const before = isSameMachine ? [...(host.followed ?? []), ...(host.seen === null ? [] : [host.seen.session])] : [];
  const followed = [...new Set([...before, ...earlier])].filter((session) => session !== seen.session);
  const next = { ...host, seen, followed: followed.slice(-FOLLOWED_MAX), tombstoneAtMs: null };
  return host.seen === null || isSameMachine ? next : { ...next, replaced: { seen: host.seen, atMs: nowMs } };
}

async function report(
  ports: ControlPorts,
  cluster: string,
  hosts: readonly HostRecord[],
  late: BehindHost,
): Promise<void> {
  const { host, principal, session, seq, observedAtWallMs, silentMs } = late;
  const known = hosts.find((candidate) => candidate.host === host);
  if (known?.claim?.session === session) return; // A run works on it; reconcile looks after runs that died.
  const record: LateRecord = { host, principal, session, seq, observedAtMs: observedAtWallMs };
  await changeRecord<LateRecord>(ports.registry, keys.late(cluster, host), (old) =>
    old?.session === session && old.seq === seq ? null : record,
  );
  const why = `no renewal for ${Math.round(silentMs)} ms: version ${seq} of session ${session.slice(0, 8)} stands still`;
  await setHostStatus(ports, cluster, host, { type: 'behind' }, why);
  await startHaRun(ports, { cluster, host, session, seq });
}
