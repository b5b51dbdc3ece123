/** Units: what one decision places. Slot i of every group of an aggregate, as far as it needs an owner. */
import type { GroupDefinition } from '../config/model.ts';
import { slotCount } from '../config/model.ts';
import type { SlotRecord } from '../protocol/records.ts';
import type { WaveKey } from './aggregates.ts';
import { byWave, stepsOf } from './aggregates.ts';
import { byText } from './facts.ts';
import type { Wishes } from './wishes.ts';
import type { Amount, World } from './world.ts';
import { amountOf, mayStillRun } from './world.ts';

export interface Member {
  readonly group: GroupDefinition;
  readonly slot: number;
  /** undefined: the slot has no record yet, and so no history. */
  readonly record: SlotRecord | undefined;
  /** Hosts that S11 allows; null = any. */
  readonly takers: ReadonlySet<string> | null;
  readonly wishes: Wishes;
  /** The label asked for after a failure; null: none, or this start follows none. */
  readonly haTag: { readonly key: string; readonly value: string } | null;
  readonly wave: WaveKey;
}

export interface Unit {
  readonly aggregate: readonly string[];
  readonly members: readonly Member[];
  /** Hosts that may still run another slot of this unit: it can only join them. Empty: free. */
  readonly anchors: ReadonlySet<string>;
  readonly needs: Amount;
  /** Some member's owner is gone without having released it. */
  readonly isFailover: boolean;
}

/** A slot is taken over after a failure: its owner is gone, and not because it was asked to release the slot. */
export function isFailover(record: SlotRecord | undefined): boolean {
  return (
    record !== undefined && record.owner !== null && record.evidence !== null && record.evidence.kind !== 'released'
  );
}

export const NO_WISHES: Wishes = { hosts: new Map(), labels: [], groups: [] };

/** A slot needs an owner if it has none, or if evidence says that the old one cannot run it (S7). */
function memberOf(world: World, group: GroupDefinition, slot: number, wave: WaveKey): Member {
  const record = slotRecord(world, group.name, slot);
  const takers = record?.evidence?.takers ?? null;
  const wishes = world.wishes.get(group.name) ?? NO_WISHES;
  const [key = '', value = ''] = group.placement.haTag?.split('=') ?? [];
  const haTag = group.placement.haTag !== undefined && isFailover(record) ? { key, value } : null;
  return { group, slot, record, takers: takers === null ? null : new Set(takers), wishes, haTag, wave };
}

/** Records keep their slots in order of number, so it is mostly where its number says. */
function slotRecord(world: World, group: string, slot: number): SlotRecord | undefined {
  const slots = world.records.get(group)?.slots;
  return slots?.[slot]?.slot === slot ? slots[slot] : slots?.find((found) => found.slot === slot);
}

function unitsOf(world: World, aggregate: readonly GroupDefinition[]): readonly Unit[] {
  const steps = stepsOf(aggregate);
  const units: Unit[] = [];
  const places = Math.max(...aggregate.map(slotCount));
  for (let slot = 0; slot < places; slot += 1) {
    const all = aggregate
      .filter((group) => slot < slotCount(group))
      .map((group) => memberOf(world, group, slot, { priority: group.priority, step: steps.get(group.name) ?? 0 }));
    const members = all.filter((member) => member.record === undefined || !mayStillRun(member.record));
    if (members.length === 0) continue;
    const anchors = new Set(all.filter((m) => !members.includes(m)).flatMap((m) => m.record?.owner?.host ?? []));
    const amounts = members.map((member) => amountOf(member.group));
    const needs = {
      cpu: amounts.reduce((sum, amount) => sum + amount.cpu, 0),
      memoryMb: amounts.reduce((sum, amount) => sum + amount.memoryMb, 0),
    };
    const failover = members.some((member) => isFailover(member.record));
    units.push({ aggregate: aggregate.map((group) => group.name), members, anchors, needs, isFailover: failover });
  }
  return units;
}

const choices = (unit: Unit): number =>
  unit.anchors.size > 0 ? unit.anchors.size : Math.min(...unit.members.map((m) => m.takers?.size ?? Infinity));

const firstWave = (unit: Unit): WaveKey =>
  unit.members.map((member) => member.wave).reduce((a, b) => (byWave(a, b) <= 0 ? a : b));

/**
 * Units in the order in which they choose. Earlier waves first; then those with the fewest hosts to choose from,
 * or a free slot could take the one host that a bound slot is allowed (S11); then names.
 */
export function unitsInOrder(world: World): readonly Unit[] {
  const name = (unit: Unit) => unit.members[0]?.group.name ?? '';
  const slot = (unit: Unit) => unit.members[0]?.slot ?? 0;
  return world.aggregates
    .flatMap((aggregate) => unitsOf(world, aggregate))
    .map((unit) => ({ unit, wave: firstWave(unit), few: choices(unit) }))
    .sort(
      (a, b) =>
        byWave(a.wave, b.wave) ||
        (a.few === b.few ? 0 : a.few - b.few) ||
        byText(name(a.unit), name(b.unit)) ||
        slot(a.unit) - slot(b.unit),
    )
    .map(({ unit }) => unit);
}
