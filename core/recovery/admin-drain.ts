/**
 * Draining as reconcile goes on with it: a host in maintenance or locked gives up its slots, few at a time, each as soon as
 * another host can take it. Driven by records alone, so that it survives the end of whoever asked for it.
 */
import type { Definition } from '../config/model.ts';
import type { HostFacts } from '../placement/facts.ts';
import { planSlots } from '../placement/plan.ts';
import type { GroupRecord, HostRecord, SlotRecord } from '../protocol/records.ts';
import type { WallInstant } from '../time/time.ts';
import { type SlotMove, wave } from './admin.ts';
import { givesUp } from './admin-words.ts';
import { asIfReleased, isOwned } from './ownership.ts';

export interface DrainFacts {
  readonly definition: Definition;
  readonly haEnabled: boolean;
  readonly hosts: readonly HostRecord[];
  readonly hostFacts: readonly HostFacts[];
  readonly groups: readonly GroupRecord[];
  readonly nowMs: WallInstant;
  /** The pause after the last attempt at this slot is over (S15). */
  readonly isDue: (slot: SlotRecord) => boolean;
}

export interface DrainMove extends SlotMove {
  readonly why: string;
}

/** Moves that are due now; none while the kill switch is off. */
export function drainMoves(facts: DrainFacts): readonly DrainMove[] {
  if (!facts.haEnabled) return [];
  return facts.hosts.filter((host) => givesUp(host.admin)).flatMap((host) => movesFrom(facts, host));
}

function movesFrom(facts: DrainFacts, host: HostRecord): readonly DrainMove[] {
  const session = facts.hostFacts.find(({ name }) => name === host.host)?.session ?? null;
  const own = facts.groups.flatMap((group) =>
    group.slots
      .filter((slot) => isOwned(slot) && slot.owner?.host === host.host)
      .map((slot) => ({ group: group.group, slot, record: group })),
  );
  // What another session owned is the matter of an HA run, not of a planned one (S9).
  const movable = own.filter(
    ({ slot }) =>
      slot.phase === 'Active' && slot.claim === null && slot.owner?.session === session && facts.isDue(slot),
  );
  const underWay = own.filter(({ slot }) => slot.claim !== null);
  const why = `${host.host} is ${host.admin}${host.adminReason === '' ? '' : ` (${host.adminReason})`}`;
  const moves = wave(movable, underWay, ({ record, slot }) => hasPlace(facts, record, slot));
  return moves.map(({ group, slot }) => ({ group, slot, why }));
}

function hasPlace(facts: DrainFacts, group: GroupRecord, slot: SlotRecord): boolean {
  const freed = asIfReleased(group, slot, facts.nowMs);
  const groups = facts.groups.map((other) => (other.group === group.group ? freed : other));
  const isThis = (name: string, no: number): boolean => name === group.group && no === slot.slot;
  const { definition, hostFacts: hosts, nowMs } = facts;
  const [explanation] = planSlots({ definition, hosts, groups, nowMs }, { explain: isThis }).explanations;
  return explanation !== undefined && explanation.host !== null;
}
