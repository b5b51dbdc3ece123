/**
 * Would any single host's death leave a slot without a place? Asked of placement itself, on the facts as they are: each
 * owner in turn is taken away with the evidence that its death would leave behind, and `plan` says who takes its slots.
 *
 * One plan per owner costs hosts² × slots, so that in a large fleet only the owners of most slots are tried.
 */
import type { GroupDefinition } from '../config/model.ts';
import { isAccepted, leaseOver } from '../recovery/evidence.ts';
import { type HostFacts, type SlotExplanation, type Snapshot } from '../placement/facts.ts';
import { planSlots } from '../placement/plan.ts';
import { mayStillRun } from '../placement/world.ts';
import type { Evidence, GroupRecord, SlotRecord } from '../protocol/records.ts';
import type { DoctorCheck } from '../protocol/views.ts';
import { namesOf } from './cluster-checks.ts';
import { counted, type DoctorFacts, fail, hasPowerFence, type HostCase, hostCases, verdicts, warn } from './facts.ts';

export const HOSTS_TRIED_MAX = 60;

export function snapshotOf(facts: DoctorFacts): Snapshot {
  const hosts = hostCases(facts).map(({ name, defined, record, item, isLive }): HostFacts => {
    const { zone, labels, capacity } = defined;
    const session = isLive && item !== undefined ? item.session : null;
    const status = record?.status ?? 'Connecting';
    return { name, status, admin: record?.admin ?? 'enabled', session, zone, labels, capacity };
  });
  return { definition: facts.definition, hosts, groups: facts.groups, nowMs: facts.nowMs };
}

/** The evidence by which others would take over from `dead`: whatever its power fence or its lease would give. */
function evidenceOf(facts: DoctorFacts, dead: HostCase, group: GroupDefinition, slot: SlotRecord): Evidence {
  const finding = { run: 'doctor', atMs: facts.nowMs };
  const session = slot.owner?.session ?? '';
  const off: Evidence = {
    kind: 'power-off',
    host: dead.name,
    session,
    ...finding,
    because: 'supposed by the doctor',
    takers: null,
  };
  const byPower = hasPowerFence(dead.defined) && isAccepted('power-off', group.accepts);
  if (byPower || dead.item?.session !== session) return off;
  // What refuses lease-over is another check's to say; here it is asked whether there would be a place.
  return leaseOver(dead.item, slot, group.name, finding) ?? off;
}

function withoutHost(facts: DoctorFacts, whole: Snapshot, dead: HostCase): Snapshot {
  const specs = new Map(facts.definition.groups.map((group) => [group.name, group]));
  const hosts = whole.hosts.map((host): HostFacts =>
    host.name === dead.name ? { ...host, status: 'Down', session: null } : host,
  );
  const groups = whole.groups.map((record): GroupRecord => {
    const group = specs.get(record.group);
    if (group === undefined) return record;
    const standbys = record.standbys.filter(({ host }) => host !== dead.name);
    const slots = record.slots.map((slot) =>
      isOwnedBy(slot, dead.name) ? { ...slot, evidence: evidenceOf(facts, dead, group, slot) } : slot,
    );
    return { ...record, standbys, slots };
  });
  return { ...whole, hosts, groups };
}

function isOwnedBy(slot: SlotRecord, host: string): boolean {
  return slot.owner?.host === host && mayStillRun(slot);
}

/** A group of model `n` goes on in its other slots; it is lost only with the last of them. */
function goesOn(facts: DoctorFacts, group: string, dead: string): boolean {
  const spec = facts.definition.groups.find(({ name }) => name === group);
  const slots = facts.groups.find((record) => record.group === group)?.slots ?? [];
  return spec?.redundancy.model === 'n' && slots.some((slot) => mayStillRun(slot) && !isOwnedBy(slot, dead));
}

function lostWithout(facts: DoctorFacts, whole: Snapshot, dead: HostCase): readonly SlotExplanation[] {
  const isLost = (group: string, slot: number): boolean =>
    whole.groups.some(
      (record) => record.group === group && record.slots.some((one) => one.slot === slot && isOwnedBy(one, dead.name)),
    );
  const { explanations } = planSlots(withoutHost(facts, whole, dead), { explain: isLost });
  return explanations.filter(({ host, group }) => host === null && !goesOn(facts, group, dead.name));
}

export function capacityCheck(facts: DoctorFacts): readonly DoctorCheck[] {
  const whole = snapshotOf(facts);
  const owned = new Map<string, number>();
  for (const slot of facts.groups.flatMap(({ slots }) => slots)) {
    if (slot.owner !== null && mayStillRun(slot)) owned.set(slot.owner.host, (owned.get(slot.owner.host) ?? 0) + 1);
  }
  const owners = hostCases(facts)
    .filter(({ name }) => owned.has(name))
    .sort((a, b) => (owned.get(b.name) ?? 0) - (owned.get(a.name) ?? 0));
  const tried = owners.slice(0, HOSTS_TRIED_MAX);
  const left = owners.slice(HOSTS_TRIED_MAX).map(({ name }) => name);
  const found = tried.flatMap((dead) => {
    const lost = lostWithout(facts, whole, dead);
    if (lost.length === 0) return [];
    const slots = namesOf(lost.map(({ group, slot }) => `${group}/${slot}`));
    const says = `if it died now, ${slots} would have no place: ${lost[0]?.says ?? ''}`;
    const change = `bring back or add a host that may take it; try it first: holdfast simulate --add NAME --down ${dead.name}`;
    return [fail({ subject: dead.name, says, change })];
  });
  const untried = warn({
    subject: facts.record.cluster,
    says: `the deaths of ${counted(left.length, 'host')} with fewest slots were not tried: ${namesOf(left)}`,
    change: 'try one: holdfast simulate --down HOST',
  });
  return verdicts('capacity', [...found, ...(left.length > 0 ? [untried] : [])], {
    subject: facts.record.cluster,
    says: 'the death of any one host would leave every slot a place',
  });
}
