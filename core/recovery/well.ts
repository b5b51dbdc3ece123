/** Which subjects of calls are well again, so that their next trouble is told anew (I11). */
import type { GroupRecord, Heartbeat, HostRecord } from '../protocol/records.ts';
import { isOwned, slotOf } from './ownership.ts';

export interface WellFacts {
  readonly hosts: readonly HostRecord[];
  readonly groups: readonly GroupRecord[];
  readonly heartbeatOf: (principal: string) => Heartbeat | undefined;
  readonly liveSessionOf: (principal: string) => string | null;
}

const IN_TROUBLE: readonly HostRecord['status'][] = ['Behind', 'Investigating', 'Disconnected', 'Fencing', 'Alert'];

/** Subjects are hosts and `group/slot`; what no longer exists is nobody's trouble. */
export function isWellAgain(facts: WellFacts): (subject: string) => boolean {
  return (subject) => {
    const [group, slot] = subject.split('/');
    return slot === undefined ? isHostWell(facts, subject) : isSlotWell(facts, group ?? '', Number(slot));
  };
}

/** Also a host that is Up may have left slots behind in an older session, which nothing proves to be over. */
function isHostWell({ hosts, groups, liveSessionOf }: WellFacts, name: string): boolean {
  const host = hosts.find((candidate) => candidate.host === name);
  if (host === undefined || host.status === 'Removed') return true;
  if (IN_TROUBLE.includes(host.status) || host.claim !== null) return false;
  const live = liveSessionOf(host.principal);
  return !groups.some(({ slots }) =>
    slots.some((slot) => isOwned(slot) && slot.owner?.host === name && slot.owner.session !== live),
  );
}

/** Active is not enough: the owner may have reported a failure that the record does not show yet. */
function isSlotWell({ groups, heartbeatOf }: WellFacts, name: string, no: number): boolean {
  const group = groups.find((candidate) => candidate.group === name);
  const slot = group === undefined ? undefined : slotOf(group, no);
  if (slot === undefined) return true;
  if (slot.owner === null || !isOwned(slot) || slot.phase !== 'Active' || slot.claim !== null) return false;
  const reports = heartbeatOf(slot.owner.principal)?.slots ?? [];
  const own = reports.find((report) => report.group === name && report.slot === no && report.epoch === slot.epoch);
  return own?.phase === 'Active';
}
