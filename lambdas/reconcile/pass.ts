import { withCandidates, withoutClaim, withPhase, withSlot, newSlot, slotOf } from '../../core/recovery/ownership.ts';
import { type ReconcileAction, reconcile } from '../../core/recovery/reconcile.ts';
import { slotCount } from '../../core/config/model.ts';
import { unreachable } from '../../core/failures/invariant.ts';
import { type GroupRecord, type HostRecord, keys, type RunRecord } from '../../core/protocol/records.ts';
import { syncAssignment } from '../shared/assign.ts';
import { changeRecord } from '../shared/change.ts';
import { type ClusterFacts, loadCluster, principalOf } from '../shared/cluster.ts';
import { setHostStatus } from '../shared/host-status.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { closeRun, recordEvent, recordStep } from '../shared/run-log.ts';
import { hostFacts, unprobedHosts } from '../shared/snapshot.ts';
import { startHaRun, startPlannedRun } from '../shared/start-run.ts';
import { each } from './troubles.ts';

/** Returns how many actions the pass took. */
export async function reconcileCluster(ports: ControlPorts, cluster: string): Promise<number> {
  const before = await loadCluster(ports, cluster);
  await ensureRecords(ports, before);
  await closeOrphans(ports, before);
  const facts = await loadCluster(ports, cluster);
  const principals = new Map(facts.hosts.map((host) => [host.host, host.principal]));
  const actions = reconcile({
    cluster,
    definition: facts.definition,
    haEnabled: facts.record.haEnabled,
    hosts: facts.hosts,
    hostFacts: hostFacts(facts),
    groups: facts.groups,
    heartbeatOf: (host) => facts.heartbeats.get(principals.get(host) ?? ''),
    unprobed: (group, slot, candidates) => unprobedHosts(facts, group, slot, candidates),
    nowMs: ports.wall.now(),
  });
  const known = facts.hosts.filter((host) => host.status !== 'Removed');
  await each(ports, cluster, [
    ...actions.map((action) => ({ subject: subjectOf(action), work: () => perform(ports, facts, action) })),
    ...known.map((host) => ({ subject: host.host, work: () => syncAssignment(ports, facts, host) })),
  ]);
  return actions.length;
}

/** A record for every host and slot of the definition; what is no longer defined stays until it is proven stopped (S20). */
async function ensureRecords(ports: ControlPorts, facts: ClusterFacts): Promise<void> {
  const { cluster, rev } = facts.record;
  const nowMs = ports.wall.now();
  for (const host of facts.definition.hosts) {
    const known = facts.hosts.find((candidate) => candidate.host === host.name);
    if (known !== undefined) {
      if (known.status === 'Removed')
        await setHostStatus(ports, cluster, host.name, { type: 'admitted' }, 'defined again');
      continue;
    }
    const record: HostRecord = {
      host: host.name,
      principal: principalOf(host, facts.record.account),
      status: 'Connecting',
      statusSinceMs: nowMs,
      why: 'defined, not yet heard of',
      admin: 'enabled',
      adminReason: '',
      claim: null,
      seen: null,
      tombstoneAtMs: null,
    };
    await ports.registry.put(keys.host(cluster, host.name), record, null);
  }
  for (const host of facts.hosts) {
    const isDefined = facts.definition.hosts.some((candidate) => candidate.name === host.host);
    if (!isDefined && host.status !== 'Removed' && !ownsAnything(facts, host)) {
      await setHostStatus(ports, cluster, host.host, { type: 'removed' }, 'no longer defined');
    }
  }
  for (const spec of facts.definition.groups) {
    await changeRecord<GroupRecord>(ports.registry, keys.group(cluster, spec.name), (old) => {
      const missing = Array.from({ length: slotCount(spec) }, (_, slot) => slot).filter(
        (slot) => old === undefined || slotOf(old, slot) === undefined,
      );
      if (old !== undefined && old.rev === rev && missing.length === 0) return null;
      const slots = [...(old?.slots ?? []), ...missing.map((slot) => newSlot(slot, nowMs))];
      return { group: spec.name, rev, standbys: old?.standbys ?? [], slots };
    });
  }
}

function ownsAnything(facts: ClusterFacts, host: HostRecord): boolean {
  return facts.groups.some((group) =>
    group.slots.some((slot) => slot.owner?.host === host.host && slot.evidence === null),
  );
}

/** A run stopped or lost leaves its claim behind: the run is closed for what it is, and the next pass starts another. */
async function closeOrphans(ports: ControlPorts, facts: ClusterFacts): Promise<void> {
  const { cluster } = facts.record;
  const claims = [
    ...facts.hosts.flatMap((host) => (host.claim === null ? [] : [host.claim.run])),
    ...facts.groups.flatMap((group) => group.slots.flatMap((slot) => (slot.claim === null ? [] : [slot.claim]))),
  ];
  for (const run of new Set(claims)) {
    const status = await ports.workflow.status(run);
    if (status === 'RUNNING') continue;
    const record = await ports.registry.get<RunRecord>(keys.run(run));
    if (record !== undefined && record.body.closedAtMs === null) {
      const says = `the execution ended (${status ?? 'unknown'}) before the run was done`;
      await recordStep(ports, run, 'Close', says);
      await closeRun(ports, run, { phase: 'Error', outcome: 'Error', summary: says });
      await recordEvent(ports, cluster, { kind: 'run.closed', subject: run, says, run, by: 'reconcile' });
    }
    for (const host of facts.hosts.filter((candidate) => candidate.claim?.run === run)) {
      await changeRecord<HostRecord>(ports.registry, keys.host(cluster, host.host), (old) =>
        old?.claim?.run === run ? { ...old, claim: null } : null,
      );
    }
    for (const group of facts.groups.filter((candidate) => candidate.slots.some((slot) => slot.claim === run))) {
      await changeRecord<GroupRecord>(ports.registry, keys.group(cluster, group.group), (old) =>
        old === undefined
          ? null
          : {
              ...old,
              slots: old.slots.map((slot) => (slot.claim === run ? withoutClaim(slot, ports.wall.now()) : slot)),
            },
      );
    }
  }
}

function subjectOf(action: ReconcileAction): string {
  if (action.do === 'start_ha') return action.host;
  return action.do === 'standbys' ? action.group : `${action.group}/${action.slot}`;
}

const PHASES = { active: 'Active', starting: 'Starting', failed: 'Failed' } as const;

async function perform(ports: ControlPorts, facts: ClusterFacts, action: ReconcileAction): Promise<void> {
  const { cluster } = facts.record;
  const change = (group: string, decide: (old: GroupRecord) => GroupRecord | null): Promise<unknown> =>
    changeRecord<GroupRecord>(ports.registry, keys.group(cluster, group), (old) =>
      old === undefined ? null : decide(old),
    );
  switch (action.do) {
    case 'start_planned': {
      const { verb, group, slot, epoch } = action;
      const started = await startPlannedRun(ports, { cluster, verb, group, slot, epoch, to: null }, action.attempt);
      if (started.isNew) return;
      // The name is used up though the slot knows nothing of that attempt: its run ended before it could say so.
      if ((await ports.workflow.status(started.run)) === 'RUNNING') return;
      await change(group, (old) => {
        const record = slotOf(old, slot);
        return record === undefined || record.epoch !== epoch || record.attempt >= action.attempt
          ? null
          : withSlot(old, { ...record, attempt: action.attempt });
      });
      return;
    }
    case 'start_ha':
      await startHaRun(ports, { cluster, host: action.host, session: action.session, seq: 0 });
      return;
    case 'active':
    case 'starting':
    case 'failed': {
      const phase = PHASES[action.do];
      await change(action.group, (old) => {
        const changed = withPhase(old, action, phase, action.why, ports.wall.now());
        return changed.ok && changed.group !== old ? changed.group : null;
      });
      if (action.do === 'failed') await ports.alerts.page(`${action.group}/${action.slot} has failed`, action.why);
      return;
    }
    case 'candidates':
      await change(action.group, (old) => {
        const next = withCandidates(old, action.slot, action.hosts, action.acknowledged);
        return next === old ? null : next;
      });
      return;
    case 'standbys':
      await change(action.group, (old) =>
        JSON.stringify(old.standbys) === JSON.stringify(action.standbys) ? null : { ...old, standbys: action.standbys },
      );
      return;
    default:
      return unreachable(action);
  }
}
