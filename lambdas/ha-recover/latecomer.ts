/** A step may run late or be redriven when its run is long over: what stands since then is not its own (S17). */
import { isOwned } from '../../core/recovery/ownership.ts';
import type { HostRecord, RunRecord, SlotRecord } from '../../core/protocol/records.ts';
import type { SlotWork } from '../shared/work.ts';

/**
 * null: the run may act on the slot. Planned work holds the slot's claim, and acts on the epoch that it was opened for or
 * on one that it made itself. An HA run holds its host's claim; of slots that have an owner it acts on those it placed.
 */
export function whyNotOurs(run: string, work: SlotWork, slot: SlotRecord): string | null {
  const where = `${work.group}/${work.slot}`;
  if (work.verb === 'ha') {
    if (!isOwned(slot) || slot.placedBy === run) return null;
    return `${slot.owner?.host ?? 'nobody'} owns ${where} now`;
  }
  if (slot.claim !== run) return `${slot.claim ?? 'no run'} has the claim on ${where} now`;
  if (slot.epoch === work.opened || slot.placedBy === run) return null;
  return `${where} is at epoch ${slot.epoch}, the work was for ${work.opened}`;
}

/**
 * null: an HA run holds its host's claim, or is planned work. One that was stopped has lost it to the next run about its
 * host; redriven, it would give away what that one is at work on.
 */
export function whyNotClaimed(run: string, record: RunRecord | undefined, hosts: readonly HostRecord[]): string | null {
  const host = hosts.find((candidate) => candidate.host === record?.host);
  if (host === undefined || host.claim?.run === run) return null;
  return `${host.claim?.run ?? 'no run'} has the claim on ${host.host} now`;
}
