/** How far an operator's word about a host has come, read off the records: nothing else remembers it, so a crash forgets nothing. */
import type { AdminState, GroupRecord, HostRecord } from '../protocol/records.ts';
import { isOwned } from './ownership.ts';

/** Slots that the host may be running: it owns them and nothing says that it is gone. As `group/slot`, in order. */
export function ownedBy(host: string, groups: readonly GroupRecord[]): readonly string[] {
  return groups
    .flatMap((group) =>
      group.slots
        .filter((slot) => isOwned(slot) && slot.owner?.host === host)
        .map((slot) => `${group.group}/${slot.slot}`),
    )
    .toSorted();
}

/** In these states a host gives up what it runs as soon as there is another place for it. */
export function givesUp(admin: AdminState): boolean {
  return admin === 'maintenance' || admin === 'locked';
}

/**
 * `errorInMaintenance`: it still owns slots and is not well, so that it will not give them up by itself. They are
 * recovered as after any other failure; the operator is told not to wait for the drain.
 */
export type DrainState = 'none' | 'draining' | 'drained' | 'errorInMaintenance';

export function drainState(host: Pick<HostRecord, 'admin' | 'status'>, owned: readonly string[]): DrainState {
  if (!givesUp(host.admin)) return 'none';
  if (owned.length === 0) return 'drained';
  return host.status === 'Up' || host.status === 'Connecting' ? 'draining' : 'errorInMaintenance';
}

const SHOWN_MAX = 5;

export function slotsInWords(slots: readonly string[]): string {
  const more = slots.length - SHOWN_MAX;
  return `${slots.slice(0, SHOWN_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** The host's own `why`, with what an operator made of it in front. */
export function hostWhy(
  host: Pick<HostRecord, 'admin' | 'adminReason' | 'status' | 'why'>,
  owned: readonly string[],
): string {
  if (host.admin === 'enabled') return host.why;
  const reason = host.adminReason === '' ? '' : ` (${host.adminReason})`;
  return `${host.admin}${reason}: ${progress(host, owned)}; ${host.why}`;
}

function progress(host: Pick<HostRecord, 'admin' | 'status'>, owned: readonly string[]): string {
  const state = drainState(host, owned);
  switch (state) {
    case 'none':
      return 'takes nothing new, what runs stays';
    case 'draining':
      return `draining, ${slotsInWords(owned)} still here`;
    case 'drained':
      return 'drained, it runs nothing';
    case 'errorInMaintenance':
      return `errorInMaintenance, it is ${host.status} and ${slotsInWords(owned)} still here`;
  }
}
