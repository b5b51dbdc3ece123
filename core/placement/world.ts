/**
 * What stands where while a plan is made. `plan` owns it and updates it after each decision; nothing outside
 * sees it. Every question that is asked once per host and slot is a map look-up.
 */
import type { Definition, GroupDefinition } from '../config/model.ts';
import type { GroupRecord, SlotRecord } from '../protocol/records.ts';
import type { WallInstant } from '../time/time.ts';
import { aggregatesOf, apartFrom } from './aggregates.ts';
import type { HostFacts, Snapshot } from './facts.ts';
import { byText } from './facts.ts';
import { type HostClass, HostIndex } from './host-index.ts';
import { oncePer } from './once-per.ts';
import { type Wishes, wishesOf } from './wishes.ts';

export interface Amount {
  readonly cpu: number;
  readonly memoryMb: number;
}

/** What of a world follows from the definition alone. */
interface Defined {
  readonly groups: ReadonlyMap<string, GroupDefinition>;
  readonly aggregates: readonly (readonly GroupDefinition[])[];
  readonly apart: ReadonlyMap<string, readonly string[]>;
  readonly needs: ReadonlyMap<string, Amount>;
  readonly wishes: ReadonlyMap<string, Wishes>;
}

export interface World extends Defined {
  readonly definition: Definition;
  readonly nowMs: WallInstant;
  /** By name, so that ties fall to the first. */
  readonly hosts: readonly HostFacts[];
  readonly records: ReadonlyMap<string, GroupRecord>;
  readonly factsOf: ReadonlyMap<string, HostFacts>;
  /** Hosts with an owned slot of the group. */
  readonly ownersOf: Map<string, Set<string>>;
  /** Per group: owned slots by value of its spread label. */
  readonly spreadOf: Map<string, Map<string, number>>;
  readonly ownedBy: Map<string, number>;
  readonly usedBy: Map<string, Amount>;
  readonly index: HostIndex;
  /** By groups of a unit (as one text): the classes of hosts whose labels suit them. */
  readonly classesFor: Map<string, readonly HostClass[]>;
  /** Groups (as one text) of which this plan has seen that no host at all can take one more slot. */
  readonly exhausted: Set<string>;
}

const NOTHING: Amount = { cpu: 0, memoryMb: 0 };

/** True while the owner on record may still run the slot: it is never moved by a plan, and its host counts as taken. */
export function mayStillRun(slot: SlotRecord): boolean {
  return slot.owner !== null && slot.evidence === null;
}

/** The value that spreading counts; hosts without one form a value of their own. */
export function spreadValue(host: HostFacts, key: string): string {
  return (key === 'zone' ? host.zone : host.labels[key]) ?? '';
}

export function amountOf(group: GroupDefinition): Amount {
  return group.services.reduce<Amount>(
    (sum, { needs }) => ({ cpu: sum.cpu + (needs?.cpu ?? 0), memoryMb: sum.memoryMb + (needs?.memoryMb ?? 0) }),
    NOTHING,
  );
}

export function used(world: World, host: string): Amount {
  return world.usedBy.get(host) ?? NOTHING;
}

/** Records that `host` owns one more slot of `group` (which may be a leftover that the definition no longer has). */
export function occupy(world: World, group: string, host: string): void {
  const owners = world.ownersOf.get(group) ?? new Set();
  world.ownersOf.set(group, owners.add(host));
  world.ownedBy.set(host, (world.ownedBy.get(host) ?? 0) + 1);
  world.index.bump(host);
  const need = world.needs.get(group) ?? NOTHING;
  const sum = used(world, host);
  world.usedBy.set(host, { cpu: sum.cpu + need.cpu, memoryMb: sum.memoryMb + need.memoryMb });
  const key = world.groups.get(group)?.placement.spread;
  const facts = world.factsOf.get(host);
  if (key === undefined || facts === undefined) return;
  const counts = world.spreadOf.get(group) ?? new Map<string, number>();
  const value = spreadValue(facts, key);
  world.spreadOf.set(group, counts.set(value, (counts.get(value) ?? 0) + 1));
}

const definedBy = oncePer(({ groups }: Definition): Defined => ({
  groups: new Map(groups.map((group) => [group.name, group])),
  aggregates: aggregatesOf(groups),
  apart: apartFrom(groups),
  needs: new Map(groups.map((group) => [group.name, amountOf(group)])),
  wishes: new Map(groups.map((group) => [group.name, wishesOf(group)])),
}));

export function worldOf(snapshot: Snapshot): World {
  const { definition } = snapshot;
  const hosts = [...snapshot.hosts].sort((a, b) => byText(a.name, b.name));
  const world: World = {
    ...definedBy(definition),
    definition,
    nowMs: snapshot.nowMs,
    hosts,
    records: new Map(snapshot.groups.map((record) => [record.group, record])),
    factsOf: new Map(hosts.map((host) => [host.name, host])),
    ownersOf: new Map(),
    spreadOf: new Map(),
    ownedBy: new Map(),
    usedBy: new Map(),
    index: new HostIndex(definition, hosts, () => 0),
    classesFor: new Map(),
    exhausted: new Set(),
  };
  for (const record of snapshot.groups) {
    for (const slot of record.slots) {
      if (slot.owner !== null && mayStillRun(slot)) occupy(world, record.group, slot.owner.host);
    }
  }
  return world;
}
