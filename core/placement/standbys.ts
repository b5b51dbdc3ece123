/**
 * Standbys of n-plus-m groups: hosts that could take an active slot at once. Current ones stay while they can;
 * new ones are chosen by the same order of reasons as owners.
 */
import type { GroupDefinition } from '../config/model.ts';
import type { GroupRecord } from '../protocol/records.ts';
import { mayHaveRoom, measure } from './best-host.ts';
import type { Filter, HostFacts, Placement, StandbyChoice } from './facts.ts';
import { byText } from './facts.ts';
import { firstDrop, hasRoom } from './filters.ts';
import type { HostClass } from './host-index.ts';
import { spreadScore } from './scores.ts';
import { NO_WISHES, type Unit } from './units.ts';
import { commonPreference, preferenceOf } from './wishes.ts';
import type { World } from './world.ts';
import { amountOf, spreadValue, used } from './world.ts';

/** S11 and `together` bind owners, not standbys: they are asked again when one is to become active. */
const OF_HOSTS: readonly Filter[] = ['admin', 'status', 'labels'];
const SINGLE: readonly Filter[] = ['capacity', 'failed-there', 'same-group', 'apart'];
const ASKED: readonly Filter[] = [...OF_HOSTS, ...SINGLE];

interface Choosing {
  readonly world: World;
  readonly group: GroupDefinition;
  readonly unit: Unit;
  readonly current: ReadonlySet<string>;
  readonly mates: ReadonlyMap<string, number>;
  readonly load: ReadonlyMap<string, number>;
  /** Standbys chosen so far, and how many of them per value of the spread label. */
  readonly chosen: Set<HostFacts>;
  readonly values: Map<string, number>;
}

/** Parts in order; higher is better. */
function rank(choosing: Choosing, host: HostFacts): readonly number[] {
  const { world, group, current, mates, load } = choosing;
  return [
    current.has(host.name) ? 1 : 0,
    mates.get(host.name) ?? 0,
    preferenceOf(world.wishes.get(group.name) ?? NO_WISHES, host, world.ownersOf),
    spreadScore(world, group.name, host) - sameValue(choosing, host),
    -(world.ownedBy.get(host.name) ?? 0) - (load.get(host.name) ?? 0),
  ];
}

function sameValue({ group, values }: Choosing, host: HostFacts): number {
  const key = group.placement.spread;
  return key === undefined ? 0 : (values.get(spreadValue(host, key)) ?? 0);
}

function isHigher(a: readonly number[], b: readonly number[]): boolean {
  for (const [at, value] of a.entries()) {
    const other = b[at] ?? 0;
    if (value !== other) return value > other;
  }
  return false;
}

/** A group as a unit of its own: any of its slots might come to the standby, so failures of all of them count. */
function unitOf(world: World, group: GroupDefinition): Unit {
  const blank = { group, takers: null, wishes: NO_WISHES, haTag: null, wave: { priority: group.priority, step: 0 } };
  const members = (world.records.get(group.name)?.slots ?? []).map((record) => ({
    ...blank,
    slot: record.slot,
    record,
  }));
  return {
    aggregate: [],
    members: members.length > 0 ? members : [{ ...blank, slot: 0, record: undefined }],
    anchors: new Set(),
    needs: amountOf(group),
    isFailover: false,
  };
}

interface Ranked {
  readonly host: HostFacts;
  readonly rank: readonly number[];
}

function beats(world: World, a: Ranked, b: Ranked | undefined): boolean {
  if (b === undefined || isHigher(a.rank, b.rank)) return true;
  return !isHigher(b.rank, a.rank) && world.index.rankOf(a.host.name) < world.index.rankOf(b.host.name);
}

/** As in `best-host.ts`: those that stand out one by one, all others by their class. */
function next(choosing: Choosing, special: ReadonlySet<string>): HostFacts | undefined {
  const { world, unit, chosen } = choosing;
  let best: Ranked | undefined;
  for (const name of special) {
    const host = world.factsOf.get(name);
    if (host === undefined || chosen.has(host) || firstDrop(host, unit, world, ASKED) !== undefined) continue;
    const ranked = { host, rank: rank(choosing, host) };
    if (beats(world, ranked, best)) best = ranked;
  }
  for (const inClass of world.index.classes) {
    if (best !== undefined && isHigher(best.rank, bestRankOf(choosing, inClass))) continue;
    const host = firstOf(choosing, inClass, special);
    if (host === undefined) continue;
    const ranked = { host, rank: rank(choosing, host) };
    if (beats(world, ranked, best)) best = ranked;
  }
  return best?.host;
}

function bestRankOf(choosing: Choosing, { example }: HostClass): readonly number[] {
  const { world, group } = choosing;
  const preference = commonPreference(world.wishes.get(group.name) ?? NO_WISHES, example);
  return [0, 0, preference, spreadScore(world, group.name, example) - sameValue(choosing, example), 0];
}

function firstOf(choosing: Choosing, inClass: HostClass, special: ReadonlySet<string>): HostFacts | undefined {
  const { world, unit, chosen } = choosing;
  if (!mayHaveRoom(inClass, unit) || firstDrop(inClass.example, unit, world, OF_HOSTS) !== undefined) return undefined;
  const host = world.index.first(
    inClass,
    (one) =>
      hasRoom(one, unit.needs, used(world, one.name)) &&
      !special.has(one.name) &&
      !chosen.has(one) &&
      firstDrop(one, unit, world, SINGLE) === undefined,
  );
  if (host === undefined) measure(world, inClass);
  return host;
}

function choose(choosing: Choosing, wanted: number): readonly HostFacts[] {
  const { world, group, chosen, values } = choosing;
  const wishes = world.wishes.get(group.name) ?? NO_WISHES;
  const beside = wishes.groups.flatMap(({ group: other }) => [...(world.ownersOf.get(other) ?? [])]);
  const special = new Set([...choosing.current, ...choosing.mates.keys(), ...wishes.hosts.keys(), ...beside]);
  while (chosen.size < wanted) {
    const host = next(choosing, special);
    if (host === undefined) break;
    chosen.add(host);
    const key = group.placement.spread;
    if (key !== undefined) values.set(spreadValue(host, key), (values.get(spreadValue(host, key)) ?? 0) + 1);
  }
  return [...chosen];
}

/** To be called once every slot of the plan has been decided: a standby that becomes active is one no longer. */
export function chooseStandbys(world: World): readonly StandbyChoice[] {
  const load = new Map<string, number>();
  const choices: StandbyChoice[] = [];
  for (const aggregate of world.aggregates) {
    const mates = new Map<string, number>();
    for (const group of aggregate) {
      const { redundancy } = group;
      if (redundancy.model !== 'n-plus-m') continue;
      const current = new Set(world.records.get(group.name)?.standbys.map((standby) => standby.host));
      const fresh = { unit: unitOf(world, group), chosen: new Set<HostFacts>(), values: new Map<string, number>() };
      const chosen = choose({ world, group, current, mates, load, ...fresh }, redundancy.standby);
      for (const { name } of chosen) {
        load.set(name, (load.get(name) ?? 0) + 1);
        world.index.bump(name);
        mates.set(name, (mates.get(name) ?? 0) + 1);
      }
      const hosts = chosen.flatMap(({ name, session }) => (session === null ? [] : [{ host: name, session }]));
      hosts.sort((a, b) => byText(a.host, b.host));
      choices.push({ group: group.name, hosts, missing: redundancy.standby - hosts.length });
    }
  }
  return choices.sort((a, b) => byText(a.group, b.group));
}

/**
 * The standbys to put on record now. While a slot of the group is on its way to a host, those on record stay, as far as
 * their sessions live: the one that will take the slot is among them, and must still be known as warm when it is chosen;
 * and one that is called standby meanwhile would be taken for warm and outrank the host that the plan has chosen.
 */
export function standbysNow(
  record: GroupRecord,
  plan: { readonly actions: readonly Placement[]; readonly standbys: readonly StandbyChoice[] },
  hosts: readonly Pick<HostFacts, 'name' | 'session'>[],
): GroupRecord['standbys'] {
  const isOnItsWay = plan.actions.some(({ group, host }) => group === record.group && host !== null);
  if (isOnItsWay) {
    return record.standbys.filter(({ host, session }) =>
      hosts.some((facts) => facts.name === host && facts.session === session),
    );
  }
  const chosen = plan.standbys.find(({ group }) => group === record.group)?.hosts ?? [];
  return chosen.map(({ host, session }) => ({ host, session }));
}
