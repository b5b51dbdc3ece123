/**
 * Is a scene placed as its definition says? Asked before any fault, of the world itself: what the registry holds, which
 * processes run where, and where a slot could go at all.
 */
import type { Definition, GroupDefinition } from '../../core/config/model.ts';
import type { GroupRecord, HostRecord, SlotRecord } from '../../core/protocol/records.ts';
import { keys } from '../../core/protocol/records.ts';
import { hostRecord, placeFor } from '../checks/eligible.ts';
import type { Seen } from '../checks/seen.ts';

/** What still keeps it; null: nothing. A slot without a place, among the hosts that are on, is as it should be. */
export function whyNotPlaced(seen: Seen): string | null {
  const definition = seen.definitions.now();
  if (definition === undefined) return 'there is no definition';
  return (
    firstOf(definition.hosts, ({ name }) => hostMissing(seen, name)) ??
    firstOf(definition.groups, (group) => groupMissing(seen, definition, group))
  );
}

function hostMissing(seen: Seen, name: string): string | null {
  const isOn = seen.scene.hosts.some((host) => host.name === name && host.isOnAtFirst);
  const status: HostRecord['status'] | undefined = hostRecord(seen, name)?.status;
  return isOn && status !== 'Up' ? `${name} is ${status ?? 'not recorded'}` : null;
}

function groupMissing(seen: Seen, definition: Definition, group: GroupDefinition): string | null {
  const { pk, sk } = keys.group(seen.scene.cluster, group.name);
  const record = seen.truth.record<GroupRecord>(pk, sk);
  if (record === undefined) return `${group.name} has no record`;
  return firstOf(record.slots, (slot) => {
    const isPlaceless = slot.owner === null && placeFor(seen, definition, record, slot.slot).host === null;
    return isPlaceless ? null : slotMissing(seen, group, slot);
  });
}

function slotMissing(seen: Seen, group: GroupDefinition, slot: SlotRecord): string | null {
  const where = `${group.name}/${slot.slot}`;
  if (slot.phase !== 'Active') return `${where} is ${slot.phase}: ${slot.why}`;
  const host = slot.owner?.host ?? 'any host';
  const running = [...seen.lives(where)].filter((life) => life.host === host).map((life) => life.service);
  const idle = group.services.find(({ name }) => !running.includes(name));
  return idle === undefined ? null : `${idle.name} of ${where} does not run on ${host}`;
}

function firstOf<T>(list: readonly T[], ask: (one: T) => string | null): string | null {
  for (const one of list) {
    const found = ask(one);
    if (found !== null) return found;
  }
  return null;
}
