/**
 * The host that `plan` would choose, found without looking at every host: single hosts that stand out are scored one by
 * one, all others by their class. Must agree with the plain look at all hosts in `plan.ts` in every case; a test holds
 * the two against each other.
 */
import type { Filter, HostFacts, Score } from './facts.ts';
import { firstDrop, hasRoom } from './filters.ts';
import type { HostClass } from './host-index.ts';
import { decidingPart, isBetter, scoreOf, spreadScore } from './scores.ts';
import type { Unit } from './units.ts';
import { commonPreference } from './wishes.ts';
import type { World } from './world.ts';
import { used } from './world.ts';

export interface Best {
  readonly host: HostFacts;
  readonly score: Score;
}

/** Of these a class decides for all its hosts at once. */
const OF_CLASSES: readonly Filter[] = ['admin', 'status', 'labels'];

/** Better, or equal and earlier by name. */
function beats(world: World, a: Best, b: Best | undefined): boolean {
  if (b === undefined || isBetter(a.score, b.score)) return true;
  return (
    decidingPart(a.score, b.score) === undefined && world.index.rankOf(a.host.name) < world.index.rankOf(b.host.name)
  );
}

export function bestHost(world: World, unit: Unit, asked: readonly Filter[]): Best | undefined {
  const only = onlyHosts(unit);
  if (only !== null) return bestAmong(world, unit, only, asked);
  const groups = unit.members.map(({ group }) => group.name).join();
  const kind = asked.includes('capacity') ? groups : `${groups} overcommitted`;
  if (world.exhausted.has(kind)) return undefined;

  const special = standingOut(world, unit);
  let best = bestAmong(world, unit, special, asked);
  const single = asked.filter((filter) => !OF_CLASSES.includes(filter));
  const isRoomAsked = asked.includes('capacity');
  for (const inClass of classesFor(world, unit, groups)) {
    const found = bestOfClass(world, unit, inClass, { single, isRoomAsked, special, best });
    if (found !== undefined && beats(world, found, best)) best = found;
  }
  // Hosts only fill up while a plan is made: what found none now finds none later, unless the reason was its own.
  const isOwnReason = unit.members.some(({ record, haTag }) => haTag !== null || (record?.failedOn.length ?? 0) > 0);
  if (best === undefined && !isOwnReason) world.exhausted.add(kind);
  return best;
}

/** Few hosts that the unit is bound to, or null: free. */
function onlyHosts(unit: Unit): ReadonlySet<string> | null {
  if (unit.anchors.size > 0) return unit.anchors;
  return unit.members.find(({ takers }) => takers !== null)?.takers ?? null;
}

function bestAmong(world: World, unit: Unit, names: ReadonlySet<string>, asked: readonly Filter[]): Best | undefined {
  let best: Best | undefined;
  for (const name of names) {
    const host = world.factsOf.get(name);
    if (host === undefined || firstDrop(host, unit, world, asked) !== undefined) continue;
    const candidate = { host, score: scoreOf(world, unit, host) };
    if (beats(world, candidate, best)) best = candidate;
  }
  return best;
}

/** Hosts whose score is not that of their class: warm, wished for, last owner, or beside a group that a wish names. */
function standingOut(world: World, unit: Unit): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { group, record, wishes } of unit.members) {
    for (const { host } of world.records.get(group.name)?.standbys ?? []) names.add(host);
    for (const host of wishes.hosts.keys()) names.add(host);
    if (record?.owner) names.add(record.owner.host);
    for (const { group: other } of wishes.groups) for (const host of world.ownersOf.get(other) ?? []) names.add(host);
  }
  return names;
}

/** Classes with the labels that the unit's groups require: the same for every unit of these groups. */
function classesFor(world: World, unit: Unit, groups: string): readonly HostClass[] {
  const known = world.classesFor.get(groups);
  if (known !== undefined) return known;
  const fitting = world.index.classes.filter(
    ({ example }) => firstDrop(example, unit, world, OF_CLASSES) === undefined,
  );
  world.classesFor.set(groups, fitting);
  return fitting;
}

interface Looking {
  /** Filters about single hosts. */
  readonly single: readonly Filter[];
  readonly isRoomAsked: boolean;
  readonly special: ReadonlySet<string>;
  readonly best: Best | undefined;
}

function bestOfClass(world: World, unit: Unit, inClass: HostClass, looking: Looking): Best | undefined {
  const { single, isRoomAsked, special, best } = looking;
  if (isRoomAsked && !mayHaveRoom(inClass, unit)) return undefined;
  if (best !== undefined && isBehind(world, unit, inClass, best.score)) return undefined;
  const host = world.index.first(
    inClass,
    (one) =>
      (!isRoomAsked || hasRoom(one, unit.needs, used(world, one.name))) &&
      !special.has(one.name) &&
      firstDrop(one, unit, world, single) === undefined,
  );
  if (host === undefined && isRoomAsked) measure(world, inClass);
  return host === undefined ? undefined : { host, score: scoreOf(world, unit, host) };
}

/** True if no host of the class that does not stand out can score as well: not one that owns nothing at all. */
function isBehind(world: World, unit: Unit, { example }: HostClass, best: Score): boolean {
  if (best.warm > 0) return true;
  let preference = 0;
  let spread = 0;
  for (const { group, wishes } of unit.members) {
    preference += commonPreference(wishes, example);
    spread += spreadScore(world, group.name, example);
  }
  if (preference !== best.preference) return preference < best.preference;
  return best.sticky > 0 || spread < best.spread;
}

export function mayHaveRoom({ room }: HostClass, { needs }: Pick<Unit, 'needs'>): boolean {
  return needs.cpu <= room.cpu && needs.memoryMb <= room.memoryMb;
}

/** After a search in vain: the most that any host of the class has left, so that the next in vain costs nothing. */
export function measure(world: World, inClass: HostClass): void {
  let cpu = 0;
  let memoryMb = 0;
  for (const host of world.index.hostsOf(inClass)) {
    const inUse = used(world, host.name);
    cpu = Math.max(cpu, (host.capacity?.cpu ?? Infinity) - inUse.cpu);
    memoryMb = Math.max(memoryMb, (host.capacity?.memoryMb ?? Infinity) - inUse.memoryMb);
  }
  inClass.room = { cpu, memoryMb };
}
