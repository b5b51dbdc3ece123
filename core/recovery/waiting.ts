/**
 * Slots that wait for a host without anybody being called. Of a group that may run twice, and of which another slot is
 * active, one place less is less capacity and no outage: the run that could not place it has recovered what there was to
 * recover. Covered groups, and the last active slot of any, are held with a call as ever (I11).
 */
import { type GroupDefinition, isCovered } from '../config/model.ts';
import type { Filter, HostFinding } from '../placement/facts.ts';
import type { GroupRecord, SlotRecord } from '../protocol/records.ts';
import { isOwned } from './ownership.ts';

/** How the reason of such a slot begins. */
export const WAITS = 'waits for a host';

/** Not about who is there, but about what went wrong on them: more hosts may not help, a person must look. */
const NOT_CAPACITY: readonly Filter[] = ['failed-there', 'takers'];

/** The slots that a closed run left waiting, as its summary names them: the one record of it that outlives the slots. */
export function waitingIn(summary: string): readonly string[] {
  const end = ` ${WAITS}`;
  return summary.split('; ').flatMap((part) => (part.endsWith(end) ? [part.slice(0, -end.length)] : []));
}

export function isWaiting(slot: Pick<SlotRecord, 'phase' | 'why'>): boolean {
  return slot.phase === 'Held' && slot.why.startsWith(WAITS);
}

/** Another slot of the group is active, and the group may run without this one. */
export function mayWait(spec: GroupDefinition | undefined, group: GroupRecord, slot: number): boolean {
  if (spec === undefined || isCovered(spec)) return false;
  return group.slots.some((other) => other.slot !== slot && isOwned(other) && other.phase === 'Active');
}

/** No host can take it because there are too few, not because of a failure. */
export function isShortOfHosts(findings: readonly HostFinding[]): boolean {
  return findings.every((finding) => finding.outcome === 'dropped' && !NOT_CAPACITY.includes(finding.filter));
}
