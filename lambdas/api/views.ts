/** Builds what the API shows from records; nothing here decides anything. */
import { isCovered } from '../../core/config/model.ts';
import { outageSurvivedMs, recoveryBoundMs } from '../../core/config/timing.ts';
import { redundancyReport } from '../../core/placement/redundancy.ts';
import {
  type Heartbeat,
  type HostRecord,
  keys,
  type RunRecord,
  type SlotRecord,
  type StepRecord,
} from '../../core/protocol/records.ts';
import type { GroupView, HostView, RunStoryView, RunView, SlotView, StatusView } from '../../core/protocol/views.ts';
import { HaError } from '../../core/failures/failures.ts';
import { type ClusterFacts, liveSession, loadCluster } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';

const STEPS_MAX = 2_000;
/** Runs looked through for open ones: more are not shown, and a reconcile pass closes leftovers. */
const OPEN_LOOKBACK = 200;

export async function statusView(ports: ControlPorts, cluster: string): Promise<StatusView> {
  const facts = await loadCluster(ports, cluster);
  const recent = await runViews(ports, cluster, OPEN_LOOKBACK);
  const { timing, groups } = facts.definition;
  const startMs = Math.max(
    0,
    ...groups.map((group) => group.services.reduce((sum, { actions }) => sum + actions.start.timeoutMs, 0)),
  );
  const atMs = ports.wall.now();
  return {
    cluster,
    rev: facts.record.rev,
    haEnabled: facts.record.haEnabled,
    atMs,
    hosts: facts.hosts.filter((host) => host.status !== 'Removed').map((host) => hostView(facts, host, atMs)),
    groups: groups.map((group) => groupView(facts, group)),
    runs: recent.filter((run) => run.closedAtMs === null),
    bound: { recoveryMs: recoveryBoundMs(timing, { startMs }), outageMs: outageSurvivedMs(timing) },
  };
}

function hostView(facts: ClusterFacts, host: HostRecord, atMs: number): HostView {
  const item: Heartbeat | undefined = facts.heartbeats.get(host.principal);
  return {
    name: host.host,
    status: host.status,
    why: host.why,
    admin: host.admin,
    session: liveSession(facts, host.principal),
    seq: item?.seq ?? null,
    // Two clocks: shown to people as an age, compared by nobody (D4).
    beatAgeMs: item === undefined ? null : Math.max(0, atMs - item.sentAtWallMs),
    guardLevel: item?.guardLevel ?? null,
    slots: (item?.slots ?? []).map(({ group, slot, epoch, phase }) => ({ group, slot, epoch, phase })),
    claimRun: host.claim?.run ?? null,
  };
}

function groupView(facts: ClusterFacts, group: ClusterFacts['definition']['groups'][number]): GroupView {
  const record = facts.groups.find((candidate) => candidate.group === group.name);
  const reports = [...facts.heartbeats.values()].flatMap((item) => item.slots);
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

export async function runViews(ports: ControlPorts, cluster: string, limit: number): Promise<readonly RunView[]> {
  const index = await ports.registry.query<{ run: string }>(keys.runIndex(cluster, 0, '').pk, {
    limit,
    newestFirst: true,
  });
  const records = await Promise.all(index.map((entry) => ports.registry.get<RunRecord>(keys.run(entry.body.run))));
  return records.flatMap((record) => (record === undefined ? [] : [runView(record.body)]));
}

function runView(record: RunRecord): RunView {
  const { run, work, host, group, slot, phase, outcome, summary, openedAtMs, closedAtMs } = record;
  return { run, work, host, group, slot, phase, outcome, summary, openedAtMs, closedAtMs };
}

export async function runStory(ports: ControlPorts, run: string): Promise<RunStoryView> {
  const record = await ports.registry.get<RunRecord>(keys.run(run));
  if (record === undefined) throw new HaError('not_found', `there is no run ${run}; list them with \`holdfast runs\``);
  const steps = await ports.registry.query<StepRecord>(keys.run(run).pk, { prefix: 'STEP#', limit: STEPS_MAX });
  return {
    run: runView(record.body),
    steps: steps.map(({ body }, n) => {
      const { step, atMs, tookMs, says, facts } = body;
      return { n: n + 1, step, atMs, tookMs, says, facts };
    }),
  };
}
