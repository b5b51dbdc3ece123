/**
 * Filters: reasons why a host cannot take a unit, all of them hard. Each answers with the fact that drops the
 * host, or undefined; texts are built only for a host that is dropped.
 */
import { wallElapsed } from '../time/time.ts';
import type { Filter, HostFacts } from './facts.ts';
import { FILTERS } from './facts.ts';
import type { Unit } from './units.ts';
import type { Amount, World } from './world.ts';
import { used } from './world.ts';

/** A filter sees only the host's own state and the unit's own rules; `world` is what stands where by now. */
type Check = (host: HostFacts, unit: Unit, world: World) => string | undefined;

function labels(host: HostFacts, unit: Unit): string | undefined {
  for (const { group } of unit.members) {
    for (const key of Object.keys(group.placement.require)) {
      if (host.labels[key] !== group.placement.require[key]) return `${key}=${group.placement.require[key]}`;
    }
  }
  return undefined;
}

/** Where it ran last it may start again without the tag: that is no failover. */
function haTag(host: HostFacts, unit: Unit): string | undefined {
  for (const { haTag: tag, record } of unit.members) {
    if (tag === null || record?.owner?.host === host.name || host.labels[tag.key] === tag.value) continue;
    return `${tag.key}=${tag.value}`;
  }
  return undefined;
}

/** False: `capacity` would drop the host. Asked of thousands of full hosts, so it builds no text. */
export function hasRoom(host: HostFacts, needs: Amount, inUse: Amount): boolean {
  const has = host.capacity;
  if (has === undefined) return true;
  const { cpu, memoryMb } = needs;
  return !(
    (has.cpu !== undefined && cpu > 0 && inUse.cpu + cpu > has.cpu) ||
    (has.memoryMb !== undefined && memoryMb > 0 && inUse.memoryMb + memoryMb > has.memoryMb)
  );
}

/** Compares what both sides state: a host without figures, or a group without needs, is not limited. */
function capacity(host: HostFacts, unit: Unit, world: World): string | undefined {
  const has = host.capacity;
  const inUse = used(world, host.name);
  if (has === undefined || hasRoom(host, unit.needs, inUse)) return undefined;
  const { cpu, memoryMb } = unit.needs;
  if (has.cpu !== undefined && cpu > 0 && inUse.cpu + cpu > has.cpu) return `${cpu} cpu, ${has.cpu - inUse.cpu} left`;
  return `${memoryMb} MB of memory, ${(has.memoryMb ?? 0) - inUse.memoryMb} left`;
}

function failedThere(host: HostFacts, unit: Unit, world: World): string | undefined {
  for (const { group, slot, record } of unit.members) {
    for (const failure of record?.failedOn ?? []) {
      if (failure.host !== host.name) continue;
      const leftMs = group.limits.movesWindowMs - wallElapsed(failure.atMs, world.nowMs);
      if (leftMs > 0) return `${group.name}/${slot}, ${Math.ceil(leftMs / 1000)} s of the window left`;
    }
  }
  return undefined;
}

function takers(host: HostFacts, unit: Unit): string | undefined {
  for (const { group, slot, takers: allowed } of unit.members) {
    if (allowed !== null && !allowed.has(host.name))
      return `${group.name}/${slot} may go to ${[...allowed].join(', ') || 'no host'}`;
  }
  return undefined;
}

function sameGroup(host: HostFacts, unit: Unit, world: World): string | undefined {
  for (const { group } of unit.members) {
    if (world.ownersOf.get(group.name)?.has(host.name) === true) return group.name;
  }
  return undefined;
}

function apart(host: HostFacts, unit: Unit, world: World): string | undefined {
  for (const { group } of unit.members) {
    for (const other of world.apart.get(group.name) ?? []) {
      const inside = unit.members.some((member) => member.group.name === other);
      if (inside || world.ownersOf.get(other)?.has(host.name) === true) return `${group.name} and ${other}`;
    }
  }
  return undefined;
}

function together(host: HostFacts, unit: Unit): string | undefined {
  if (unit.anchors.size === 0 || unit.anchors.has(host.name)) return undefined;
  return [...unit.anchors].join(', ');
}

const CHECKS: Readonly<Record<Filter, Check>> = {
  admin: (host) => (host.admin === 'enabled' ? undefined : host.admin),
  status: (host) => {
    if (host.status !== 'Up') return host.status;
    return host.session === null ? 'no live session' : undefined;
  },
  labels,
  'ha-tag': haTag,
  capacity,
  'failed-there': failedThere,
  takers,
  'same-group': sameGroup,
  apart,
  together,
};

export interface Drop {
  readonly filter: Filter;
  readonly fact: string;
}

/** The first filter of `asked` (in the fixed order) that drops the host. */
export function firstDrop(
  host: HostFacts,
  unit: Unit,
  world: World,
  asked: readonly Filter[] = FILTERS,
): Drop | undefined {
  for (const filter of asked) {
    const fact = CHECKS[filter](host, unit, world);
    if (fact !== undefined) return { filter, fact };
  }
  return undefined;
}
