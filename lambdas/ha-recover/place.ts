/** Step `place`: chooses a host for one slot and writes owner and epoch together; the order goes out behind it. */
import { candidateHosts, candidateList } from '../../core/placement/candidates.ts';
import { plan } from '../../core/placement/plan.ts';
import { isOwned, slotOf, takeOwnership, withSlot } from '../../core/recovery/ownership.ts';
import type { Evidence, GroupRecord, HostRecord, Owner, SlotRecord } from '../../core/protocol/records.ts';
import { keys } from '../../core/protocol/records.ts';
import { syncAssignment } from '../shared/assign.ts';
import { changeRecord } from '../shared/change.ts';
import { type ClusterFacts, liveSession, loadCluster } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { recordEvent, recordStep } from '../shared/run-log.ts';
import { hostFacts, snapshotOf, unprobedHosts } from '../shared/snapshot.ts';
import type { SlotWork } from '../shared/work.ts';

interface Destination {
  readonly host: string | null;
  readonly says: string;
}

export async function place(ports: ControlPorts, run: string, work: SlotWork): Promise<SlotWork> {
  const facts = await loadCluster(ports, work.cluster);
  const group = facts.groups.find((candidate) => candidate.group === work.group);
  const slot = group === undefined ? undefined : slotOf(group, work.slot);
  if (group === undefined || slot === undefined) return { ...work, next: 'Superseded', says: 'the slot is gone' };
  if (!facts.record.haEnabled) return { ...work, next: 'NoHost', says: 'HA is switched off for this cluster' };
  if (isOwned(slot)) return placeOwned(ports, run, work, facts, group, slot);

  const destination = chooseHost(ports, work, facts, group, slot);
  if (destination.host === null) {
    await recordStep(ports, run, `Place ${work.group}/${work.slot}`, destination.says);
    return { ...work, next: 'NoHost', says: destination.says };
  }
  return takeOver(ports, run, work, { facts, slot, host: destination.host, says: destination.says });
}

/** An owned slot is released first, and only if there is a place for it (S9); an HA run leaves it to whoever owns it. */
async function placeOwned(
  ports: ControlPorts,
  run: string,
  work: SlotWork,
  facts: ClusterFacts,
  group: GroupRecord,
  slot: SlotRecord,
): Promise<SlotWork> {
  const where = `${work.group}/${work.slot}`;
  if (work.verb === 'ha' || work.verb === 'place' || work.attempt > 0 || slot.owner === null) {
    return { ...work, next: 'Superseded', epoch: slot.epoch, says: `${slot.owner?.host ?? 'nobody'} owns ${where} now` };
  }
  if (work.verb === 'stop') return { ...work, next: 'Release', epoch: slot.epoch, says: `${where} is to stop` };
  const asIfReleased: Evidence = {
    kind: 'released',
    host: slot.owner.host,
    session: slot.owner.session,
    run,
    atMs: ports.wall.now(),
    because: 'what if it were released',
    takers: null,
  };
  const freed = withSlot(group, { ...slot, evidence: asIfReleased, phase: 'Stopped' });
  const destination = chooseHost(ports, work, facts, freed, { ...slot, evidence: asIfReleased });
  if (destination.host === null) {
    await recordStep(ports, run, `Place ${where}`, `nothing was stopped: ${destination.says}`);
    return { ...work, next: 'Cancelled', says: destination.says };
  }
  return { ...work, next: 'Release', epoch: slot.epoch, says: `${where} can run on ${destination.host}` };
}

function chooseHost(ports: ControlPorts, work: SlotWork, facts: ClusterFacts, group: GroupRecord, slot: SlotRecord): Destination {
  const spec = facts.definition.groups.find((candidate) => candidate.name === group.group);
  if (spec === undefined) return { host: null, says: `${group.group} is no longer defined` };
  if (slot.epoch === 0) {
    const waiting = unprobedHosts(facts, group.group, slot.slot, candidateHosts(facts.definition, spec));
    if (waiting.length > 0) return { host: null, says: `${waiting.join(', ')} must first show that nothing of it runs there` };
  }
  const groups = facts.groups.map((candidate) => (candidate.group === group.group ? group : candidate));
  const choose = (records: readonly GroupRecord[]): Destination => {
    const snapshot = snapshotOf(facts, ports.wall.now(), records);
    const hosts = snapshot.hosts.map((host) => (isExcluded(work, slot, host.name) ? { ...host, session: null } : host));
    const isThis = (name: string, no: number): boolean => name === group.group && no === slot.slot;
    const planned = plan({ ...snapshot, hosts }, { explain: isThis });
    const host = planned.actions.find((action) => isThis(action.group, action.slot))?.host ?? null;
    return { host, says: planned.explanations[0]?.says ?? 'no host is possible' };
  };
  const best = choose(groups);
  if (best.host !== null) return best;
  // Nobody healthier: where it failed before is better than nowhere; how often is bounded by whoever starts the run.
  const forgiving = groups.map((candidate) =>
    candidate.group === group.group ? withSlot(candidate, { ...slot, failedOn: [] }) : candidate,
  );
  return work.verb === 'restart' ? choose(forgiving) : best;
}

/** A first attempt at a move goes where it was asked to, or anywhere but where it was; a later one anywhere, even back. */
function isExcluded(work: SlotWork, slot: SlotRecord, host: string): boolean {
  if (work.verb !== 'move' || work.attempt > 0) return false;
  return work.to === null ? slot.owner?.host === host : work.to !== host;
}

async function takeOver(
  ports: ControlPorts,
  run: string,
  work: SlotWork,
  chosen: { readonly facts: ClusterFacts; readonly slot: SlotRecord; readonly host: string; readonly says: string },
): Promise<SlotWork> {
  const { facts, slot } = chosen;
  const startedAt = ports.wall.now();
  const record = facts.hosts.find((host) => host.host === chosen.host);
  const session = record === undefined ? null : liveSession(facts, record.principal);
  const spec = facts.definition.groups.find((group) => group.name === work.group);
  if (record === undefined || session === null || spec === undefined) {
    return { ...work, next: 'NoHost', says: `${chosen.host} lost its session meanwhile` };
  }
  const objection = await objectionNow(ports, facts, slot);
  if (objection !== null) return { ...work, next: 'Superseded', says: objection };

  const owner: Owner = { host: chosen.host, principal: record.principal, session };
  let refusal = '';
  const changed = await changeRecord<GroupRecord>(ports.registry, keys.group(work.cluster, work.group), (old) => {
    if (old === undefined) return null;
    const change = takeOwnership(old, {
      slot: work.slot,
      epoch: slot.epoch,
      rev: facts.record.rev,
      owner,
      candidates: candidateList(facts.definition, spec, hostFacts(facts)),
      nowMs: ports.wall.now(),
      isMove: slot.owner !== null,
    });
    refusal = change.ok ? '' : change.why;
    return change.ok ? change.group : null;
  });
  if (!changed.isChanged) return { ...work, next: 'Superseded', says: refusal };

  await syncOwners(ports, facts, [record, facts.hosts.find((host) => host.host === slot.owner?.host)]);
  const epoch = slot.epoch + 1;
  const evidence = slot.evidence === null ? 'it never ran' : `${slot.evidence.kind}: ${slot.evidence.because}`;
  const says = `${work.group}/${work.slot} goes to ${chosen.host} as epoch ${epoch} (${evidence}). ${chosen.says}`;
  await recordStep(ports, run, `Place ${work.group}/${work.slot}`, says, { owner, epoch, evidence: slot.evidence }, startedAt);
  await recordEvent(ports, work.cluster, { kind: 'slot.owner', subject: `${work.group}/${work.slot}`, says, run, by: run, facts: { owner, epoch } });
  return { ...work, next: 'Await', epoch, round: 0, says };
}

/** S7: the old session is read again just before the ownership write. */
async function objectionNow(ports: ControlPorts, facts: ClusterFacts, slot: SlotRecord): Promise<string | null> {
  if (slot.owner === null || slot.evidence?.kind === 'released' || slot.evidence?.kind === 'closed') return null;
  const heartbeat = await ports.heartbeats.read(slot.owner.principal);
  if (heartbeat?.session !== slot.owner.session) return null;
  return `session ${slot.owner.session} of ${slot.owner.host} stands in the store although there is evidence ${slot.evidence?.kind ?? 'none'}`;
}

async function syncOwners(ports: ControlPorts, facts: ClusterFacts, hosts: readonly (HostRecord | undefined)[]): Promise<void> {
  const [target, ...others] = hosts;
  if (target !== undefined) await syncAssignment(ports, facts, target);
  for (const host of others) {
    if (host !== undefined && host !== target) await syncAssignment(ports, facts, host);
  }
}
