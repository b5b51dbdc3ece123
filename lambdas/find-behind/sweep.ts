/** One sweep: every cluster's hosts against one scan of the heartbeats. Called alike by the Lambda, the local runtime and the simulator. */
import {
  type BehindHost,
  type DetectorMemory,
  EMPTY_MEMORY,
  gapAfterMs,
  observe,
} from '../../core/detection/detect.ts';
import type { ObserverMemory } from '../../core/detection/written-memory.ts';
import { messageOf } from '../../core/failures/failures.ts';
import type { LateRecord } from '../../core/protocol/observer-records.ts';
import {
  type ClusterRecord,
  type GroupRecord,
  type Heartbeat,
  type HostRecord,
  keys,
  type Owner,
  REVOKED_PREFIX,
  type SeenSession,
} from '../../core/protocol/records.ts';
import type { Instant, WallInstant } from '../../core/time/time.ts';
import { atOnce } from '../shared/at-once.ts';
import { changeRecord } from '../shared/change.ts';
import { loadDefinition, RECORDS_MAX } from '../shared/cluster.ts';
import { setHostStatus } from '../shared/host-status.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { recordEvent } from '../shared/run-log.ts';
import { waitingSlots } from '../shared/findings.ts';
import { startHaRun } from '../shared/start-run.ts';
import { vanishedHosts } from './vanished.ts';

const CLUSTERS_MAX = 1_000;
/** Sessions remembered per host as followed by the one on record. */
const FOLLOWED_MAX = 16;

/** Kept between sweeps. Losing it delays; losing it at every sweep would find nobody. */
export type SweepMemory = ObserverMemory;

export const EMPTY_SWEEP_MEMORY: SweepMemory = { clusters: new Map(), previousAnswerAt: null };

export interface SweepResult {
  readonly memory: SweepMemory;
  readonly hosts: number;
  readonly behind: number;
  /** Clusters that could not be looked at, with why; the others were. */
  readonly failed: readonly string[];
  /** Until the next sweep: the shortest period of any cluster. */
  readonly periodMs: number;
  /** Some cluster's observations began anew at this sweep, for none was made for too long before it (S13). */
  readonly isAfterGap: boolean;
}

const IDLE_PERIOD_MS = 1_000;

/** How sweeps come, where that is not as often as definitions say. */
export interface Pace {
  /** What a gap is, whatever sweep period a definition asks for (S13). */
  readonly gapMs?: number;
}

interface Scan extends Pace {
  readonly items: readonly Heartbeat[];
  readonly answeredAt: Instant;
  readonly answeredAtWall: WallInstant;
  readonly previousAnswerAt: Instant | null;
}

export async function sweepOnce(ports: ControlPorts, memory: SweepMemory, pace: Pace = {}): Promise<SweepResult> {
  const { previousAnswerAt } = memory;
  const items = await ports.heartbeats.scan();
  // Stamped after the whole answer had arrived: whoever waits must count from after it held the version.
  const now = { answeredAt: ports.boot.now(), answeredAtWall: ports.wall.now() };
  const scan: Scan = { items, ...now, previousAnswerAt, ...pace };
  const names = await ports.registry.query<{ cluster: string }>(keys.clusters('').pk, { limit: CLUSTERS_MAX });
  const clusters = new Map<string, DetectorMemory>();
  const failed: string[] = [];
  const totals = { hosts: 0, behind: 0, periodMs: Number.POSITIVE_INFINITY, isAfterGap: false };
  for (const name of names) {
    const { cluster } = name.body;
    const old = memory.clusters.get(cluster) ?? EMPTY_MEMORY;
    clusters.set(cluster, old);
    try {
      const swept = await sweepCluster(ports, cluster, scan, old);
      // Also where something failed about one host: with an older memory all the others would seem to have moved, for ever.
      clusters.set(cluster, swept.memory);
      totals.hosts += swept.hosts;
      totals.behind += swept.behind;
      totals.periodMs = Math.min(totals.periodMs, swept.periodMs);
      totals.isAfterGap ||= swept.isAfterGap;
      if (swept.failed.length > 0) throw swept.failed[0];
    } catch (error) {
      // One cluster's trouble is not another's. Its memory stands, as far as it came: counts in it began at answers that did arrive.
      failed.push(`${cluster}: ${messageOf(error)}`);
      ports.log('error', `the sweep of ${cluster} failed`, { error: messageOf(error) });
    }
  }
  if (failed.length > 0) ports.metrics.record('ClustersFailed', failed.length);
  const periodMs = Number.isFinite(totals.periodMs) ? totals.periodMs : IDLE_PERIOD_MS;
  return { ...totals, memory: { clusters, previousAnswerAt: scan.answeredAt }, failed, periodMs };
}

interface Swept extends Pick<SweepResult, 'hosts' | 'behind' | 'periodMs' | 'isAfterGap'> {
  readonly memory: DetectorMemory;
  /** What could not be done about some host; the next sweep finds it again. */
  readonly failed: readonly unknown[];
}

async function sweepCluster(ports: ControlPorts, cluster: string, scan: Scan, memory: DetectorMemory): Promise<Swept> {
  const record = await ports.registry.get<ClusterRecord>(keys.cluster(cluster));
  if (record === undefined)
    return { memory, hosts: 0, behind: 0, periodMs: IDLE_PERIOD_MS, isAfterGap: false, failed: [] };
  const definition = await loadDefinition(ports, cluster, record.body.rev, record.body.incarnation);
  const stored = await ports.registry.query<HostRecord>(keys.cluster(cluster).pk, {
    prefix: 'HOST#',
    limit: RECORDS_MAX,
  });
  const hosts = stored.map((host) => host.body).filter((host) => host.status !== 'Removed');
  const bindings = hosts.map(({ host, principal }) => ({ host, principal }));
  // A session is the matter of the cluster that it registered with, whoever else defines the machine.
  const own = scan.items.filter((item) => item.cluster === cluster);
  const { behindAfter, sweepPeriodMs, takerWaitMs } = definition.timing;
  const { answeredAt, answeredAtWall, previousAnswerAt, gapMs = gapAfterMs(sweepPeriodMs) } = scan;
  const observation = observe(
    memory,
    { scan: own, answeredAt, answeredAtWall, previousAnswerAt, bindings },
    { behindAfter, gapMs, takerWaitMs },
  );
  const { doubt, behind } = observation;
  // One that is off is nobody's trouble any more, though its last renewal stands still for ever.
  const down = new Set(hosts.filter(({ status }) => status === 'Down').map(({ host }) => host));
  // Before anything is done about them: that nothing can be done must not hide them.
  ports.metrics.record('HostsBehind', behind.filter(({ host }) => !down.has(host)).length, cluster);
  const at: Sweep = { ports, cluster, groups: groupsOnce(ports, cluster) };
  const notices = (): Promise<void> => noticeAll(at, hosts, { own, memory });
  const known = new Map(hosts.map((host) => [host.host, host]));
  const reports = (): Promise<void> => atOnce(behind, (late) => report(at, known.get(late.host), late));
  const vanished = (): Promise<void> =>
    atOnce(vanishedHosts(observation, hosts, definition.timing), (gone) => startHaRun(ports, { cluster, ...gone }));
  const failed = await inTurn(record.body.haEnabled ? [notices, reports, vanished] : [notices]);
  return {
    failed,
    memory: observation.memory,
    hosts: hosts.length,
    behind: behind.length,
    periodMs: sweepPeriodMs,
    isAfterGap: doubt?.why === 'gap' && doubt.from === answeredAt,
  };
}

/** Each, whatever became of those before: one host's trouble must not keep another from its failover. Returns what was thrown. */
async function inTurn(parts: readonly (() => Promise<void>)[]): Promise<readonly unknown[]> {
  const failed: unknown[] = [];
  for (const part of parts) {
    try {
      await part();
    } catch (error) {
      failed.push(error);
    }
  }
  return failed;
}

/** What one sweep of a cluster carries. */
interface Sweep {
  readonly ports: ControlPorts;
  readonly cluster: string;
  readonly groups: () => Promise<readonly GroupRecord[]>;
}

/**
 * The groups as one read shows them that began after the scan, at the first call: hundreds of hosts that register at once
 * would read hundreds of groups each. What is owned since is for the next sweep, or for reconcile.
 */
function groupsOnce(ports: ControlPorts, cluster: string): Sweep['groups'] {
  let read: Promise<readonly GroupRecord[]> | undefined;
  return () => {
    read ??= ports.registry
      .query<GroupRecord>(keys.cluster(cluster).pk, { prefix: 'GROUP#', limit: RECORDS_MAX })
      .then((stored) => stored.map(({ body }) => body));
    return read;
  };
}

/** Each writes to records of its own host alone. */
function noticeAll(
  at: Sweep,
  hosts: readonly HostRecord[],
  { own, memory }: { readonly own: readonly Heartbeat[]; readonly memory: DetectorMemory },
): Promise<void> {
  const items = new Map(own.map((item) => [item.principal, item]));
  return atOnce(hosts, async (host) => {
    const item = items.get(host.principal);
    if (item !== undefined) await notice(at, host, { item, before: memory.watches.get(host.host) });
  });
}

/** A live session that is new, or that moved on, changes what we believe of the host. */
async function notice(
  { ports, cluster, groups }: Sweep,
  host: HostRecord,
  saw: { readonly item: Heartbeat; readonly before: { readonly session: string; readonly seq: number } | undefined },
): Promise<void> {
  const { item, before } = saw;
  if (item.session.startsWith(REVOKED_PREFIX)) return;
  if (host.seen?.session !== item.session) {
    const owning = await groups();
    // A stale scan may show the session before the one on record: a session once left behind does not come back. Read
    // after the groups: what stands now came after every session that owns a slot there.
    const standing = await ports.heartbeats.read(host.principal);
    if (standing?.session !== item.session) return;
    await meet(ports, cluster, host, { item, owners: earlierOwners(owning, host, item.session) });
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
  if (status === 'Fenced') return backFromFence(ports, cluster, host, item.session);
  if (status !== 'Up') await setHostStatus(ports, cluster, host.host, { type: 'beat' }, 'it renews its lease');
}

/**
 * A host on record as fenced renews the session on record. Whoever met that session was killed before it could say so; else
 * the fenced one would stand there. A session whose own machine was shown off is a contradiction, and left to a person.
 */
async function backFromFence(ports: ControlPorts, cluster: string, host: HostRecord, session: string): Promise<void> {
  if (host.off?.session === session) return;
  const standing = await ports.heartbeats.read(host.principal);
  if (standing?.session !== session) return;
  await setHostStatus(ports, cluster, host.host, { type: 'registered' }, `session ${session.slice(0, 8)} renews`);
}

/** Earlier sessions of the host that own slots without evidence. */
function earlierOwners(groups: readonly GroupRecord[], { host }: HostRecord, session: string): readonly Owner[] {
  return groups
    .flatMap((group) => group.slots.flatMap((slot) => (slot.evidence === null ? (slot.owner ?? []) : [])))
    .filter((owner) => owner.host === host && owner.session !== session);
}

/** A new session: remember how it registered (S19), and look after what the one before owned (a quick reboot). */
async function meet(
  ports: ControlPorts,
  cluster: string,
  host: HostRecord,
  { item, owners }: { readonly item: Heartbeat; readonly owners: readonly Owner[] },
): Promise<void> {
  const { session, seq, machine, timing, guardLevel, rules, mayHold, launchTime } = item;
  const seen: SeenSession = { session, seq, machine, timing, guardLevel, rules, mayHold, launchTime };
  const earlier = owners.filter((owner) => owner.machine === machine).map((owner) => owner.session);
  const { body } = await changeRecord<HostRecord>(ports.registry, keys.host(cluster, host.host), (old) =>
    old === undefined || old.principal !== host.principal ? null : met(old, seen, earlier, ports.wall.now()),
  );
  // The host has become another machine meanwhile: what is on record of one says nothing about the other (S7).
  if (body?.principal !== host.principal) return;
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

/** Its end is certain and its slots have their evidence: what stands still in its item is nobody's trouble. */
async function ownsNothing({ groups }: Sweep, host: HostRecord, session: string): Promise<boolean> {
  return waitingSlots({ groups: await groups() }, { host, session }).length === 0;
}

async function report(sweep: Sweep, known: HostRecord | undefined, late: BehindHost): Promise<void> {
  const { ports, cluster } = sweep;
  const { host, principal, session, seq, observedAtWallMs, silentMs } = late;
  if (known?.claim?.session === session) return; // A run works on it; reconcile looks after runs that died.
  if (known?.status === 'Down' && (await ownsNothing(sweep, known, session))) return;
  const record: LateRecord = { host, principal, session, seq, observedAtMs: observedAtWallMs };
  await changeRecord<LateRecord>(ports.registry, keys.late(cluster, host), (old) =>
    old?.session === session && old.seq === seq ? null : record,
  );
  const why = `no renewal for ${Math.round(silentMs)} ms: version ${seq} of session ${session.slice(0, 8)} stands still`;
  await setHostStatus(ports, cluster, host, { type: 'behind' }, why);
  await startHaRun(ports, { cluster, host, session, seq });
}
