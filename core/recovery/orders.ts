/**
 * A host's orders are a projection of the group records: whoever changes a group computes them anew, and the same
 * records give the same orders, whoever computes them and however often.
 */
import { type GroupDefinition, isCovered } from '../config/model.ts';
import type { Assignment, CandidateList, GroupRecord, Order, OrderVerb, SlotRecord } from '../protocol/records.ts';
import { isOwned } from './ownership.ts';

export interface LiveHost {
  readonly host: string;
  readonly session: string;
}

const NO_LIST: CandidateList = { no: 0, hosts: [] };

export function orderId(verb: OrderVerb, group: string, slot: number, epoch: number, session: string): string {
  return `${verb}.${group}.${slot}.e${epoch}.${session}`;
}

export function ordersFor(
  live: LiveHost,
  specOf: (group: GroupRecord) => GroupDefinition | undefined,
  groups: readonly GroupRecord[],
  isCandidate: (host: string, group: GroupDefinition) => boolean,
): readonly Order[] {
  const orders: Order[] = [];
  for (const group of groups) {
    const spec = specOf(group);
    const owned = group.slots.filter((slot) => isOwned(slot) && slot.owner?.session === live.session);
    for (const slot of owned) {
      // Held with an owner: it would not start there and would not stop either, so it is still to be released.
      const isToStop = slot.phase === 'Stopping' || slot.phase === 'Held';
      if (spec !== undefined) orders.push(orderOf(isToStop ? 'release' : 'start', spec, slot, live));
    }
    // Every candidate that owns no slot stands by: it probes that nothing of the group runs there (S20). Of what is not
    // covered two may run, so nobody needs to know.
    if (owned.length > 0 || spec === undefined || !isCovered(spec) || !isCandidate(live.host, spec)) continue;
    for (const slot of group.slots) orders.push(orderOf('standby', spec, slot, live));
  }
  return orders.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

function orderOf(verb: OrderVerb, spec: GroupDefinition, slot: SlotRecord, live: LiveHost): Order {
  return {
    id: orderId(verb, spec.name, slot.slot, slot.epoch, live.session),
    verb,
    group: spec.name,
    slot: slot.slot,
    epoch: slot.epoch,
    session: live.session,
    list: verb === 'standby' ? NO_LIST : (slot.lists.at(-1) ?? NO_LIST),
    spec,
  };
}

/** The next assignment, or null if nothing changed. */
export function nextAssignment(old: Assignment | null, wanted: Omit<Assignment, 'n'>): Assignment | null {
  if (old === null) return { n: 1, ...wanted };
  const { n, ...rest } = old;
  return isSameJson(rest, wanted) ? null : { n: n + 1, ...wanted };
}

/** Key order does not survive every store, and fields that are undefined are none. A pass compares megabytes. */
function isSameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return one.every((entry, at) => isSameJson(entry ?? null, other[at] ?? null));
  }
  const isMore = Object.entries(one).some(([key, field]) => field !== undefined && fieldOf(other, key) === undefined);
  return !isMore && Object.entries(other).every(([key, field]) => isSameJson(fieldOf(one, key), field));
}

function fieldOf(from: object, key: string): unknown {
  return Object.hasOwn(from, key) ? Reflect.get(from, key) : undefined;
}
