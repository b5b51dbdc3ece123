import { withCandidates, withoutClaim, withPhase, withSlot, newSlot, slotOf } from '../../core/recovery/ownership.ts';
import { type Limited, withinLimit } from '../../core/recovery/planned-limit.ts';
import { type ReconcileAction, reconcile } from '../../core/recovery/reconcile.ts';
import { standingOrder } from '../../core/recovery/fencing.ts';
import { slotCount } from '../../core/config/model.ts';
import { unreachable } from '../../core/failures/invariant.ts';
import { type GroupRecord, type HostRecord, keys, type RunRecord } from '../../core/protocol/records.ts';
import { wallElapsed } from '../../core/time/time.ts';
import { syncWhereStale } from '../shared/assign.ts';
import { atOnce } from '../shared/at-once.ts';
import { changeRecord } from '../shared/change.ts';
import { type ClusterFacts, isAnotherMachine, liveSession, loadCluster, principalOf } from '../shared/cluster.ts';
import { holdUnplaced } from '../shared/hold.ts';
import { setHostStatus } from '../shared/host-status.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { closeRun, recordEvent, recordStep } from '../shared/run-log.ts';
import { hostFacts, unprobedHosts } from '../shared/snapshot.ts';
import { startHaRun, startPlannedRun, triedOf } from '../shared/start-run.ts';
import { tellOnce } from '../shared/tell.ts';
import { becomeMachines, newHost, ownsAnything } from './another-machine.ts';
import { calm } from './calm.ts';
import { logSlots } from './logged.ts';
import { heldSlots, tellHeld } from './told-held.ts';
import { each } from './troubles.ts';

/** Returns what the pass did, and how many starts it left for a later one. */
export async function reconcileCluster(ports: ControlPorts, cluster: string): Promise<Limited> {
  const before = await loadCluster(ports, cluster);
  const isMended = await ensureRecords(ports, before);
  const isFreed = await closeOrphans(ports, before);
  const mended = isMended || isFreed ? await loadCluster(ports, cluster) : before;
  const facts = (await becomeMachines(ports, mended)) ? await loadCluster(ports, cluster) : mended;
  const principals = new Map(facts.hosts.map((host) => [host.host, host.principal]));
  const due = reconcile({
    cluster,
    definition: facts.definition,
    haEnabled: facts.record.haEnabled,
    hosts: facts.hosts,
    hostFacts: hostFacts(facts),
    groups: facts.groups,
    otherMachines: new Set(facts.hosts.filter((host) => isAnotherMachine(facts, host)).map(({ host }) => host)),
    heartbeatOf: (host) => facts.heartbeats.get(principals.get(host) ?? ''),
    unprobed: (group, slot, candidates) => unprobedHosts(facts, group, slot, candidates),
    nowMs: ports.wall.now(),
  });
  // One that was started and has no claim yet is due again by the same name, and counted as such.
  const running = new Set(facts.groups.flatMap(({ slots }) => slots.flatMap(({ claim }) => claim ?? [])));
  const limited = withinLimit(due, running.size);
  const { actions } = limited;
  const known = facts.hosts.filter((host) => host.status !== 'Removed');
  const sync = syncWhereStale(ports, facts, actions.length === 0 ? facts.groups : undefined);
  await each(ports, cluster, [
    actions.map((action) => ({
      subject: subjectOf(action),
      lane: action.do === 'start_ha' ? `host ${action.host}` : `group ${action.group}`,
      work: () => perform(ports, facts, action),
    })),
    known.map((host) => ({
      subject: host.host,
      lane: `host ${host.host}`,
      work: () => obeyOrder(ports, facts, host),
    })),
    // Orders follow what the round before has written.
    known.map((host) => ({ subject: host.host, lane: host.host, work: () => sync(host) })),
  ]);
  ports.metrics.record('SlotsHeld', heldSlots(facts.groups).length, cluster);
  await calm(ports, facts);
  await tellHeld(ports, facts);
  await logSlots(ports, facts);
  return limited;
}

/** An operator's order that no run has taken up: whoever gave it died first, or the run that was to obey was about to end. */
async function obeyOrder(ports: ControlPorts, facts: ClusterFacts, host: HostRecord): Promise<void> {
  const session = liveSession(facts, host.principal);
  if (session === null || !facts.record.haEnabled || host.off?.session === session) return;
  const order = standingOrder(host, session, ports.wall.now());
  if (order === null) return;
  const isTakenUp = triedOf(host).some(
    ({ failure, atMs }) => failure.startsWith(`${session}.`) && wallElapsed(order.atMs, atMs) >= 0,
  );
  if (isTakenUp) return;
  const seq = facts.heartbeats.get(host.principal)?.seq ?? 0;
  await startHaRun(ports, { cluster: facts.record.cluster, host: host.host, session, seq });
}

/**
 * A record for every host and slot of the definition; what is no longer defined stays until it is proven stopped (S20).
 * False: all were there, and what was read of them still stands.
 */
async function ensureRecords(ports: ControlPorts, facts: ClusterFacts): Promise<boolean> {
  const { cluster, rev } = facts.record;
  const nowMs = ports.wall.now();
  let isMended = false;
  const hosts = new Map(facts.hosts.map((host) => [host.host, host]));
  await atOnce(facts.definition.hosts, async (host) => {
    const known = hosts.get(host.name);
    if (known !== undefined) {
      if (known.status !== 'Removed' || isAnotherMachine(facts, known)) return;
      isMended = true;
      await setHostStatus(ports, cluster, host.name, { type: 'admitted' }, 'defined again');
      return;
    }
    const record = newHost({ host: host.name, principal: principalOf(host, facts.record.account), nowMs });
    isMended = true;
    await ports.registry.put(keys.host(cluster, host.name), record, null);
  });
  const defined = new Set(facts.definition.hosts.map(({ name }) => name));
  for (const host of facts.hosts) {
    if (!defined.has(host.host) && host.status !== 'Removed' && !ownsAnything(facts, host)) {
      isMended = true;
      await setHostStatus(ports, cluster, host.host, { type: 'removed' }, 'no longer defined');
    }
  }
  const groups = new Map(facts.groups.map((group) => [group.group, group]));
  await atOnce(facts.definition.groups, async (spec) => {
    const known = groups.get(spec.name);
    const isWhole = known?.rev === rev && hasSlots(known, slotCount(spec));
    if (isWhole) return;
    isMended = true;
    await changeRecord<GroupRecord>(ports.registry, keys.group(cluster, spec.name), (old) => {
      const missing = Array.from({ length: slotCount(spec) }, (_, slot) => slot).filter(
        (slot) => old === undefined || slotOf(old, slot) === undefined,
      );
      if (old !== undefined && old.rev === rev && missing.length === 0) return null;
      const slots = [...(old?.slots ?? []), ...missing.map((slot) => newSlot(slot, nowMs))];
      return { group: spec.name, rev, standbys: old?.standbys ?? [], slots };
    });
  });
  return isMended;
}

function hasSlots(group: GroupRecord, count: number): boolean {
  return Array.from({ length: count }, (_, slot) => slotOf(group, slot)).every((slot) => slot !== undefined);
}

/** A run stopped or lost leaves its claim behind: the run is closed for what it is, and the next pass starts another. True if one was. */
async function closeOrphans(ports: ControlPorts, facts: ClusterFacts): Promise<boolean> {
  const { cluster } = facts.record;
  const claims = [
    ...facts.hosts.flatMap((host) => (host.claim === null ? [] : [host.claim.run])),
    ...facts.groups.flatMap((group) => group.slots.flatMap((slot) => (slot.claim === null ? [] : [slot.claim]))),
  ];
  let isFreed = false;
  await atOnce([...new Set(claims)], async (run) => {
    const status = await ports.workflow.status(run);
    if (status === 'RUNNING') return;
    isFreed = true;
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
  });
  return isFreed;
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
      if (action.do === 'failed') await tellFailed(ports, cluster, action);
      return;
    }
    case 'hold': {
      const spec = facts.definition.groups.find(({ name }) => name === action.group);
      await holdUnplaced(ports, cluster, action, { ...action, spec });
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

async function tellFailed(
  ports: ControlPorts,
  cluster: string,
  { group, slot, epoch, why }: { group: string; slot: number; epoch: number; why: string },
): Promise<void> {
  const where = `${group}/${slot}`;
  await tellOnce(ports, cluster, where, `e${epoch}: ${why}`, { title: `${where} has failed`, text: why });
}
