/** Steps `stop` and `plan` of an HA run: records the evidence on every slot of the dead session, then says what goes where. */
import { plan as planPlacement } from '../../core/placement/plan.ts';
import type { SlotExplanation } from '../../core/placement/facts.ts';
import { slotOf, withEvidence } from '../../core/recovery/ownership.ts';
import { isShortOfHosts } from '../../core/recovery/waiting.ts';
import { type GroupRecord, type HostRecord, keys } from '../../core/protocol/records.ts';
import { changeRecord } from '../shared/change.ts';
import { type ClusterFacts, loadCluster } from '../shared/cluster.ts';
import { findProof, type Proof } from '../shared/findings.ts';
import { holdUnplaced, type SlotAt } from '../shared/hold.ts';
import { isNewest, setHostStatus } from '../shared/host-status.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { recordEvent, recordStep, setRunPhase } from '../shared/run-log.ts';
import { snapshotOf } from '../shared/snapshot.ts';
import type { Work } from '../shared/work.ts';
import { ownedSlots, short } from './open.ts';

export async function stop(ports: ControlPorts, run: string, work: Work): Promise<Work> {
  const startedAt = ports.wall.now();
  const facts = await loadCluster(ports, work.cluster);
  const host = facts.hosts.find((candidate) => candidate.host === work.host);
  if (host === undefined || work.session === null)
    return { ...work, next: 'Hold', says: `${work.host ?? 'the host'} is no longer defined` };
  const proof = await findProof(ports, facts, { host, session: work.session }, run);
  if (proof === null && (await isGoneWithNothing(ports, facts, host, work.session))) {
    const says = `session ${short(work.session)} of ${host.host} gave way to another and owned nothing`;
    await recordStep(ports, run, 'Stop', says, {}, startedAt);
    return { ...work, slots: [], next: 'Plan', says };
  }
  if (proof === null)
    return {
      ...work,
      next: 'Hold',
      says: `nothing proves that session ${short(work.session)} of ${host.host} is over`,
    };
  const slots = ownedSlots(facts, { host: host.host, session: work.session });
  const [refused] = await Promise.all([
    recordEvidences(ports, facts, slots, proof),
    setRunPhase(ports, run, 'Stopping'),
    sayOver(ports, work, host, proof),
  ]);
  const says = [
    `${host.host} cannot be running ${slots.length === 0 ? 'anything' : slots.map(({ group, slot }) => `${group}/${slot}`).join(', ')} (${proof.kind}: ${proof.because})`,
    ...refused.map((text) => `but ${text}`),
  ].join('; ');
  await Promise.all([
    recordStep(ports, run, 'Stop', says, { evidence: proof.kind, refused }, startedAt),
    recordEvent(ports, work.cluster, { kind: 'host.over', subject: host.host, says, run, by: run }),
  ]);
  return { ...work, slots, next: slots.length > 0 && refused.length === slots.length ? 'Hold' : 'Plan', says };
}

/** A newer session that stands is what the status speaks of; the end of the one before is no news about the host. */
async function sayOver(ports: ControlPorts, work: Work, host: HostRecord, proof: Proof): Promise<void> {
  if (!isNewest(host, work.session) && host.status === 'Up') return;
  const type = proof.kind === 'lease-over' ? 'revoked' : 'session_over';
  await setHostStatus(ports, work.cluster, host.host, { type }, proof.because);
}

/** On every slot of the session: groups at once, the slots of one record one after the other. Returns what was refused. */
async function recordEvidences(
  ports: ControlPorts,
  facts: ClusterFacts,
  slots: Work['slots'],
  proof: Proof,
): Promise<readonly string[]> {
  const groups = [...new Set(slots.map(({ group }) => group))];
  const refused = await Promise.all(
    groups.map(async (name) => {
      const whys: string[] = [];
      for (const { group, slot } of slots.filter((at) => at.group === name)) {
        const why = await recordEvidence(ports, facts, { group, slot }, proof);
        if (why !== null) whys.push(`${group}/${slot}: ${why}`);
      }
      return whys;
    }),
  );
  return refused.flat();
}

/** No evidence is needed about a session that another stands in place of and that no slot remembers. */
async function isGoneWithNothing(
  ports: ControlPorts,
  facts: ClusterFacts,
  host: HostRecord,
  session: string,
): Promise<boolean> {
  if (ownedSlots(facts, { host: host.host, session }).length > 0) return false;
  const standing = await ports.heartbeats.read(host.principal);
  return standing !== undefined && standing.session !== session;
}

async function recordEvidence(
  ports: ControlPorts,
  facts: ClusterFacts,
  at: { readonly group: string; readonly slot: number },
  proof: Proof,
): Promise<string | null> {
  let why: string | null = null;
  await changeRecord<GroupRecord>(ports.registry, keys.group(facts.record.cluster, at.group), (old) => {
    const slot = old === undefined ? undefined : slotOf(old, at.slot);
    if (old === undefined || slot === undefined || slot.evidence !== null) return null;
    const evidence = proof.for(at.group, slot);
    const accepts = facts.specOf(old)?.accepts ?? [];
    if (evidence === null) why = `no ${proof.kind} can be had`;
    const change = evidence === null ? null : withEvidence(old, at.slot, evidence, accepts);
    if (change?.ok === false) why = change.why;
    return change?.ok === true ? change.group : null;
  });
  return why;
}

export async function plan(ports: ControlPorts, run: string, work: Work): Promise<Work> {
  const startedAt = ports.wall.now();
  const phase = setRunPhase(ports, run, 'Restarting');
  if (work.verb !== 'ha') {
    await phase;
    return { ...work, waves: [work.slots], next: 'Restart', says: 'one slot' };
  }
  const [facts] = await Promise.all([loadCluster(ports, work.cluster), phase]);
  if (!facts.record.haEnabled) return { ...work, waves: [], next: 'Hold', says: 'HA is switched off for this cluster' };
  const isOurs = (group: string, slot: number): boolean =>
    work.slots.some((own) => own.group === group && own.slot === slot);
  const planned = planPlacement(snapshotOf(facts, ports.wall.now()), { explain: isOurs });
  const waves = new Map<number, Work['slots']>();
  for (const action of planned.actions.filter((candidate) => isOurs(candidate.group, candidate.slot))) {
    if (action.host !== null)
      waves.set(action.wave, [...(waves.get(action.wave) ?? []), { group: action.group, slot: action.slot }]);
  }
  const unplaced = planned.actions.filter(({ group, slot, host }) => host === null && isOurs(group, slot));
  const ordered = [...waves.keys()].toSorted((a, b) => a - b).map((wave) => waves.get(wave) ?? []);
  const says = planned.explanations.map((explanation) => explanation.says).join('; ') || 'there is nothing to start';
  await Promise.all([
    recordStep(ports, run, 'Plan', says, { waves: ordered, explanations: planned.explanations }, startedAt),
    ...unplaced.map((action) => holdPlanned(ports, facts, action, planned.explanations)),
  ]);
  return { ...work, waves: ordered, next: ordered.length > 0 ? 'Restart' : 'Close', says };
}

async function holdPlanned(
  ports: ControlPorts,
  facts: ClusterFacts,
  at: SlotAt,
  explanations: readonly SlotExplanation[],
): Promise<void> {
  const explained = explanations.find((one) => one.group === at.group && one.slot === at.slot);
  const spec = facts.definition.groups.find(({ name }) => name === at.group);
  const isShort = explained !== undefined && isShortOfHosts(explained.hosts);
  const why = explained?.says ?? 'no host is possible';
  await holdUnplaced(ports, facts.record.cluster, at, { spec, why, isShort });
}
