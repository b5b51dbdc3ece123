/** Nothing is held in silence: the slot says why, a person is called once per reason, and reconcile asks again (S15, I11). */
import type { GroupDefinition } from '../../core/config/model.ts';
import { isOwned, slotOf, withSlot } from '../../core/recovery/ownership.ts';
import { briefly, reasonOf } from '../../core/recovery/told.ts';
import { mayWait, WAITS } from '../../core/recovery/waiting.ts';
import { type GroupRecord, keys, type SlotRecord } from '../../core/protocol/records.ts';
import { changeRecord } from './change.ts';
import type { ControlPorts } from './ports.ts';
import { recordEvent } from './run-log.ts';
import { tellOnce } from './tell.ts';

export interface SlotAt {
  readonly group: string;
  readonly slot: number;
}

/** Changes nothing while somebody may be running the slot, but for one that failed where it is. */
export async function holdSlot(ports: ControlPorts, cluster: string, at: SlotAt, why: string): Promise<void> {
  const held = await setHeld(ports, cluster, at, why);
  if (held === null) return;
  const where = `${at.group}/${at.slot}`;
  const page = { title: `${where} is held`, text: why };
  await tellOnce(ports, cluster, where, `e${held.epoch}: ${briefly(why)}`, page);
}

/**
 * The same for a slot that no host can take: one that its group can spare waits, with an event and without a call. `spec`
 * is the group as it is defined now, `isShort` whether only hosts are lacking.
 */
export async function holdUnplaced(
  ports: ControlPorts,
  cluster: string,
  at: SlotAt,
  found: { readonly spec: GroupDefinition | undefined; readonly why: string; readonly isShort: boolean },
): Promise<'waits' | 'held'> {
  const group = await ports.registry.get<GroupRecord>(keys.group(cluster, at.group));
  if (!found.isShort || group === undefined || !mayWait(found.spec, group.body, at.slot)) {
    await holdSlot(ports, cluster, at, found.why);
    return 'held';
  }
  const before = slotOf(group.body, at.slot);
  const why = `${WAITS}: ${found.why}`;
  const waiting = await setHeld(ports, cluster, at, why);
  const isNew = before?.phase !== 'Held' || !before.why.startsWith(WAITS);
  if (waiting !== null && isNew) {
    const where = `${at.group}/${at.slot}`;
    const says = `${where} ${why}`;
    await recordEvent(ports, cluster, { kind: 'slot.waiting', subject: where, says, run: null, by: 'placement' });
  }
  return 'waits';
}

/** The slot as it is held now; null: it may be running, or is gone, and was left as it is. */
async function setHeld(ports: ControlPorts, cluster: string, at: SlotAt, why: string): Promise<SlotRecord | null> {
  let held: SlotRecord | null = null;
  await changeRecord<GroupRecord>(ports.registry, keys.group(cluster, at.group), (old) => {
    held = null;
    const slot = old === undefined ? undefined : slotOf(old, at.slot);
    if (old === undefined || slot === undefined || (isOwned(slot) && slot.phase !== 'Failed')) return null;
    held = slot;
    if (slot.phase === 'Held' && slot.why === why) return null;
    // Since when is that of the hold, not of its latest wording.
    const isSame = slot.phase === 'Held' && reasonOf(slot.why) === reasonOf(why);
    held = { ...slot, phase: 'Held', why, sinceMs: isSame ? slot.sinceMs : ports.wall.now() };
    return withSlot(old, held);
  });
  return held;
}
