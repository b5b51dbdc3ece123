/**
 * Whoever held a slot may have been killed before he could call anybody (I11): so reconcile asks about each held slot
 * whether a person was told, with the very words that hold it. What was told already is not told again.
 */
import { isOwned } from '../../core/recovery/ownership.ts';
import { briefly } from '../../core/recovery/told.ts';
import { isWaiting } from '../../core/recovery/waiting.ts';
import type { GroupRecord, SlotRecord } from '../../core/protocol/records.ts';
import type { ClusterFacts } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { tellOnce } from '../shared/tell.ts';

/** Slots that nobody may start now, for a reason that a person is to know. */
export function heldSlots(
  groups: readonly GroupRecord[],
): readonly { readonly group: string; readonly slot: SlotRecord }[] {
  return groups.flatMap(({ group, slots }) =>
    slots
      .filter((slot) => slot.phase === 'Held' && !isOwned(slot) && !isWaiting(slot))
      .map((slot) => ({ group, slot })),
  );
}

export async function tellHeld(
  ports: Pick<ControlPorts, 'registry' | 'wall' | 'alerts'>,
  { record, groups }: Pick<ClusterFacts, 'record' | 'groups'>,
): Promise<void> {
  for (const { group, slot } of heldSlots(groups)) {
    const where = `${group}/${slot.slot}`;
    const reason = `e${slot.epoch}: ${briefly(slot.why)}`;
    await tellOnce(ports, record.cluster, where, reason, { title: `${where} is held`, text: slot.why });
  }
}
