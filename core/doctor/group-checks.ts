/** Does every slot run, and would somebody be allowed to take it over? */
import { isCovered } from '../config/model.ts';
import { candidateHosts } from '../placement/candidates.ts';
import { mayStillRun } from '../placement/world.ts';
import type { DoctorCheck } from '../protocol/views.ts';
import { type DoctorFacts, fail, hostCases, isEligible, roughly, verdicts, warn } from './facts.ts';
import { wallElapsed } from '../time/time.ts';

export function slotCheck(facts: DoctorFacts): readonly DoctorCheck[] {
  const records = new Map(facts.groups.map((record) => [record.group, record]));
  const found = facts.definition.groups.flatMap((group) => {
    const slots = records.get(group.name)?.slots ?? [];
    return slots.flatMap((slot) => {
      if (slot.phase !== 'Held' && slot.phase !== 'Failed') return [];
      const subject = `${group.name}/${slot.slot}`;
      const since = roughly(wallElapsed(slot.sinceMs, facts.nowMs));
      const change = `see where it could run and what would change that: holdfast why ${subject}`;
      return [fail({ subject, says: `it has been ${slot.phase} for ${since}: ${slot.why}`, change })];
    });
  });
  return verdicts('slot-held', found, { subject: facts.record.cluster, says: 'no slot is Held or Failed' });
}

/** Placement's filters `admin`, `status` and `labels` leave at most one host: its end is the group's end. */
export function soleCandidateCheck(facts: DoctorFacts): readonly DoctorCheck[] {
  const eligible = new Set(hostCases(facts).flatMap((one) => (isEligible(one) ? [one.name] : [])));
  const found = facts.definition.groups.flatMap((group) => {
    const possible = candidateHosts(facts.definition, group);
    const now = possible.filter((name) => eligible.has(name));
    if (now.length > 1) return [];
    const says =
      now.length === 0
        ? 'no host can be given it now'
        : `${now[0] ?? ''} is the only host that can run it now: nothing takes over if that fails`;
    const change =
      possible.length <= 1
        ? 'define another host that has the labels it requires'
        : `bring back ${possible.filter((name) => !eligible.has(name)).join(', ')} (Up, enabled)`;
    return [fail({ subject: group.name, says, change })];
  });
  return verdicts('sole-candidate', found, {
    subject: facts.record.cluster,
    says: 'every group has at least two hosts that can run it now',
  });
}

/** After `lease-over` only hosts of the list that the old owner acknowledged may take over, if it could hold (S11). */
export function candidateListCheck(facts: DoctorFacts): readonly DoctorCheck[] {
  const found = facts.definition.groups.filter(isCovered).flatMap((group) => {
    const slots = facts.groups.find((record) => record.group === group.name)?.slots ?? [];
    return slots.flatMap((slot) => {
      const newest = slot.lists.at(-1);
      const item = slot.owner === null ? undefined : facts.heartbeats.get(slot.owner.principal);
      if (newest === undefined || !mayStillRun(slot) || item?.session !== slot.owner?.session) return [];
      const subject = `${group.name}/${slot.slot}`;
      const acknowledged = item?.lists[subject];
      if (item === undefined || acknowledged === newest.no) return [];
      const says =
        `its owner ${item.host} has not acknowledged candidate list ${newest.no} (${newest.hosts.join(', ') || 'nobody'})` +
        (acknowledged === undefined ? ', nor any other' : `, but list ${acknowledged}`);
      const change = `see that the agent of ${item.host} obeys its assignment; this lasts for a beat or two after a change`;
      const why = item.mayHold
        ? `${says}: if it falls silent now, hosts beyond what it acknowledged may not take over`
        : says;
      return [item.mayHold ? fail({ subject, says: why, change }) : warn({ subject, says: why, change })];
    });
  });
  return verdicts('list-acknowledged', found, {
    subject: facts.record.cluster,
    says: 'every owner has acknowledged its newest candidate list',
  });
}
