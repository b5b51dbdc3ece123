/** Step `place`: chooses a host for one slot and writes owner and epoch together; the order goes out behind it. */
import { objectionTo } from '../../core/placement/allowed.ts';
import { candidateHosts, candidateList } from '../../core/placement/candidates.ts';
import { chooseDestination } from '../../core/placement/destination.ts';
import { isCovered } from '../../core/config/model.ts';
import { HaError } from '../../core/failures/failures.ts';
import { asIfReleased, isOwned, slotOf, takeOwnership, withFailedHost } from '../../core/recovery/ownership.ts';
import { contradictedBy } from '../../core/recovery/restored.ts';
import { isShortOfHosts } from '../../core/recovery/waiting.ts';
import type { GroupRecord, Owner, SlotRecord } from '../../core/protocol/records.ts';
import { keys } from '../../core/protocol/records.ts';
import type { WallInstant } from '../../core/time/time.ts';
import { syncAssignment } from '../shared/assign.ts';
import { changeRecord } from '../shared/change.ts';
import { type ClusterFacts, liveSession, loadCluster } from '../shared/cluster.ts';
import { holdUnplaced } from '../shared/hold.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { readRun, recordEvent, recordStep } from '../shared/run-log.ts';
import { hostFacts, snapshotOf, unprobedHosts } from '../shared/snapshot.ts';
import type { SlotWork } from '../shared/work.ts';
import { whyNotClaimed, whyNotOurs } from './latecomer.ts';

export async function place(ports: ControlPorts, run: string, work: SlotWork): Promise<SlotWork> {
  const [facts, record] = await Promise.all([loadCluster(ports, work.cluster), readRun(ports, run)]);
  const group = facts.groups.find((candidate) => candidate.group === work.group);
  const slot = group === undefined ? undefined : slotOf(group, work.slot);
  if (group === undefined || slot === undefined) return { ...work, next: 'Superseded', says: 'the slot is gone' };
  if (isOwned(slot) && slot.placedBy === run && slot.epoch > work.epoch) return ownWork(ports, facts, work, slot);
  // Delivered again when its run is over: a slot that is free by now was freed by somebody else (S17).
  const isOver = record !== undefined && record.closedAtMs !== null;
  const latecomer = isOver
    ? `${run} is over`
    : (whyNotOurs(run, work, slot) ?? whyNotClaimed(run, record, facts.hosts));
  if (latecomer !== null) return { ...work, next: 'Superseded', epoch: slot.epoch, says: latecomer };
  const contradiction = contradictionOf(facts, group, slot);
  if (contradiction !== null) return { ...work, next: 'NoHost', says: contradiction };
  // The switch stops what is automatic; a move is an operator's word.
  if (!facts.record.haEnabled && work.verb !== 'move') {
    return { ...work, next: 'NoHost', says: 'HA is switched off for this cluster' };
  }
  if (isOwned(slot)) return placeOwned(ports, run, work, { facts, group, slot });

  const destination = chooseHost(ports, work, facts, group, slot);
  if (destination.host === null) {
    await recordStep(ports, run, `Place ${work.group}/${work.slot}`, destination.says);
    const spec = facts.definition.groups.find((candidate) => candidate.name === work.group);
    const isShort = destination.isShort === true;
    await holdUnplaced(ports, work.cluster, work, { spec, why: destination.says, isShort });
    return { ...work, next: 'Unplaced', says: destination.says };
  }
  return takeOver(ports, run, work, { slot, host: destination.host, says: destination.says });
}

/** S21: a live host knows more of this covered slot than the registry does. */
function contradictionOf(facts: ClusterFacts, group: GroupRecord, slot: SlotRecord): string | null {
  const spec = facts.specOf(group);
  if (spec !== undefined && !isCovered(spec)) return null;
  const live = [...facts.heartbeats.values()].filter(({ principal }) => liveSession(facts, principal) !== null);
  return contradictedBy(live, facts.record.incarnation, { group: group.group, slot: slot.slot, epoch: slot.epoch });
}

/** This run has placed the slot already and its answer was lost: the order goes out, and the wait goes on (S17). */
async function ownWork(ports: ControlPorts, facts: ClusterFacts, work: SlotWork, slot: SlotRecord): Promise<SlotWork> {
  const says = `${work.group}/${work.slot} was placed on ${slot.owner?.host ?? ''} as epoch ${slot.epoch}`;
  await syncOwners(ports, facts, [slot.owner?.host, slot.tookOverBy?.host]);
  return { ...work, next: 'Await', epoch: slot.epoch, round: 0, says };
}

interface Found {
  readonly facts: ClusterFacts;
  readonly group: GroupRecord;
  readonly slot: SlotRecord;
}

/** An owned slot is released first, and only if there is a place for it (S9); an HA run leaves it to whoever owns it. */
async function placeOwned(ports: ControlPorts, run: string, work: SlotWork, found: Found): Promise<SlotWork> {
  const { facts, group, slot } = found;
  const where = `${work.group}/${work.slot}`;
  if (work.verb === 'ha' || work.verb === 'place' || work.attempt > 0 || slot.owner === null) {
    const says = `${slot.owner?.host ?? 'nobody'} owns ${where} now`;
    return { ...work, next: 'Superseded', epoch: slot.epoch, says };
  }
  if (work.verb === 'stop') return { ...work, next: 'Release', epoch: slot.epoch, says: `${where} is to stop` };
  const nowMs = ports.wall.now();
  const released = asIfReleased(group, slot, nowMs);
  const freed = work.verb === 'restart' ? withFailedHost(released, work.slot, slot.owner.host, nowMs) : released;
  const destination = chooseHost(ports, work, facts, freed, slotOf(freed, work.slot) ?? slot);
  if (destination.host === null) {
    await recordStep(ports, run, `Place ${where}`, `nothing was stopped: ${destination.says}`);
    return { ...work, next: 'Cancelled', says: destination.says };
  }
  return { ...work, next: 'Release', epoch: slot.epoch, says: `${where} can run on ${destination.host}` };
}

interface NoDestination {
  readonly host: null;
  readonly says: string;
  /** Only hosts are lacking. */
  readonly isShort?: boolean;
}

interface Taken {
  readonly host: string;
  readonly says: string;
}

/** What the choice itself asks is shared with the what-if (`chooseDestination`); what no what-if can know is asked here. */
function chooseHost(
  ports: ControlPorts,
  work: SlotWork,
  facts: ClusterFacts,
  group: GroupRecord,
  slot: SlotRecord,
): NoDestination | Taken {
  const spec = facts.definition.groups.find((candidate) => candidate.name === group.group);
  const { verb, attempt, to } = work;
  if (spec === undefined || verb === 'stop') return { host: null, says: `${group.group} is no longer defined` };
  if (slot.epoch === 0) {
    const waiting = unprobedHosts(facts, group.group, slot.slot, candidateHosts(facts.definition, spec));
    if (waiting.length > 0) {
      return { host: null, says: `${waiting.join(', ')} must first show that nothing of it runs there` };
    }
  }
  const snapshot = snapshotOf(facts, ports.wall.now());
  const { host, says, findings } = chooseDestination(snapshot, group, slot.slot, { verb, attempt, to });
  if (host !== null) return { host, says };
  // Without a look at any host it was refused for what happened to it, not for want of one.
  return { host, says, isShort: findings.length > 0 && isShortOfHosts(findings) };
}

interface Chosen {
  readonly slot: SlotRecord;
  readonly host: string;
  readonly says: string;
}

async function takeOver(ports: ControlPorts, run: string, work: SlotWork, chosen: Chosen): Promise<SlotWork> {
  const { slot } = chosen;
  const startedAt = ports.wall.now();
  const [facts, objection] = await Promise.all([loadCluster(ports, work.cluster), objectionNow(ports, slot)]);
  const owner = ownerOf(facts, chosen.host);
  if (owner === null) return { ...work, next: 'NoHost', says: `${chosen.host} lost its session meanwhile` };
  if (objection !== null) return { ...work, next: 'Superseded', says: objection };

  const refusal =
    whyNoLonger(facts, work, chosen.host, startedAt) ??
    (await writeOwner(ports, run, work, { ...chosen, facts, owner }));
  // Somebody changed what the choice was made on: the workflow tries this step again, from new facts.
  if (refusal !== null) {
    throw new HaError('conflict', `${work.group}/${work.slot} was not given to ${chosen.host}: ${refusal}`);
  }

  const epoch = slot.epoch + 1;
  // The run has said the whole of the evidence once, when it recorded it.
  const because = slot.evidence === null ? 'it never ran before' : `evidence: ${slot.evidence.kind}`;
  const where = `${work.group}/${work.slot}`;
  const says = `${chosen.says} (epoch ${epoch}; ${because})`;
  const event = { kind: 'slot.owner', subject: where, says, run, by: run, facts: { owner, epoch } };
  await Promise.all([
    syncOwners(ports, facts, [chosen.host, slot.owner?.host]),
    recordStep(ports, run, `Place ${where}`, says, { owner, epoch, evidence: slot.evidence }, startedAt),
    recordEvent(ports, work.cluster, event),
  ]);
  return { ...work, next: 'Await', epoch, round: 0, says };
}

/** What another run has placed since the choice was made: two groups are two records, which refuse nothing to each other. */
function whyNoLonger(facts: ClusterFacts, work: SlotWork, host: string, nowMs: WallInstant): string | null {
  const mayOvercommit = facts.definition.groups.find(({ name }) => name === work.group)?.placement.overcommit === true;
  const drop = objectionTo(snapshotOf(facts, nowMs), { group: work.group, slot: work.slot, host, mayOvercommit });
  if (drop === null) return null;
  return drop === undefined ? 'it needs no host any more' : `${drop.filter}: ${drop.fact}`;
}

/** null: written, or why not. */
async function writeOwner(
  ports: ControlPorts,
  run: string,
  work: SlotWork,
  { facts, slot, owner }: Chosen & { readonly facts: ClusterFacts; readonly owner: Owner },
): Promise<string | null> {
  const spec = facts.definition.groups.find((group) => group.name === work.group);
  if (spec === undefined) return `${work.group} is no longer defined`;
  let refusal: string | null = 'the group has no record';
  await changeRecord<GroupRecord>(ports.registry, keys.group(work.cluster, work.group), (old) => {
    if (old === undefined) return null;
    const change = takeOwnership(old, {
      slot: work.slot,
      epoch: slot.epoch,
      rev: facts.record.rev,
      owner,
      candidates: candidateList(facts.definition, spec, hostFacts(facts)),
      nowMs: ports.wall.now(),
      isMove: slot.owner !== null && work.verb !== 'move',
      run,
    });
    refusal = change.ok ? null : change.why;
    return change.ok ? change.group : null;
  });
  return refusal;
}

function ownerOf(facts: ClusterFacts, host: string): Owner | null {
  const record = facts.hosts.find((candidate) => candidate.host === host);
  const session = record === undefined ? null : liveSession(facts, record.principal);
  if (record === undefined || session === null) return null;
  const machine = facts.heartbeats.get(record.principal)?.machine;
  return { host, principal: record.principal, session, machine };
}

/** S7: the old session is read again just before the ownership write. */
async function objectionNow(ports: ControlPorts, slot: SlotRecord): Promise<string | null> {
  // These are about a session that nobody replaced: it still stands in its item, and renews it no more.
  const kind = slot.evidence?.kind;
  if (slot.owner === null || kind === 'released' || kind === 'closed' || kind === 'power-off') return null;
  const heartbeat = await ports.heartbeats.read(slot.owner.principal);
  if (heartbeat?.session !== slot.owner.session) return null;
  return `session ${slot.owner.session} of ${slot.owner.host} stands in the store although there is evidence ${slot.evidence?.kind ?? 'none'}`;
}

async function syncOwners(
  ports: ControlPorts,
  facts: ClusterFacts,
  names: readonly (string | undefined)[],
): Promise<void> {
  const hosts = facts.hosts.filter(({ host }) => names.includes(host));
  await Promise.all(hosts.map((host) => syncAssignment(ports, facts, host)));
}
