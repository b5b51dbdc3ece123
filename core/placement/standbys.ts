/**
 * Standbys of n-plus-m groups: hosts that could take an active slot at once. Current ones stay while they can;
 * new ones are chosen by the same order of reasons as owners.
 */
import type { GroupDefinition } from '../config/model.ts';
import { aggregatesOf } from './aggregates.ts';
import type { Filter, HostFacts, StandbyChoice } from './facts.ts';
import { byText } from './facts.ts';
import { firstDrop } from './filters.ts';
import { spreadScore } from './scores.ts';
import type { Unit } from './units.ts';
import type { World } from './world.ts';
import { amountOf, spreadValue } from './world.ts';

/** S11 and `together` bind owners, not standbys: they are asked again when one is to become active. */
const ASKED: readonly Filter[] = ['admin', 'status', 'labels', 'capacity', 'failed-there', 'same-group', 'apart'];

interface Choosing {
  readonly world: World;
  readonly group: GroupDefinition;
  readonly current: ReadonlySet<string>;
  readonly mates: ReadonlyMap<string, number>;
  readonly load: ReadonlyMap<string, number>;
}

/** Parts in order; higher is better. */
function rank(choosing: Choosing, host: HostFacts, chosenValues: ReadonlyMap<string, number>): readonly number[] {
  const { world, group, current, mates, load } = choosing;
  const key = group.placement.spread;
  const preference = group.placement.prefer.reduce((sum, p) => (p.host === host.name ? sum + p.weight : sum), 0);
  const sameValue = key === undefined ? 0 : (chosenValues.get(spreadValue(host, key)) ?? 0);
  return [
    current.has(host.name) ? 1 : 0,
    mates.get(host.name) ?? 0,
    preference,
    spreadScore(world, group.name, host) - sameValue,
    -(world.ownedBy.get(host.name) ?? 0) - (load.get(host.name) ?? 0),
  ];
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
  const members = (world.records.get(group.name)?.slots ?? []).map((record) => ({
    group,
    slot: record.slot,
    record,
    takers: null,
    weights: new Map<string, number>(),
    wave: { priority: group.priority, step: 0 },
  }));
  const blank = { group, slot: 0, record: undefined, takers: null, weights: new Map<string, number>() };
  return {
    aggregate: [],
    members: members.length > 0 ? members : [{ ...blank, wave: { priority: group.priority, step: 0 } }],
    anchors: new Set(),
    needs: amountOf(group),
  };
}

function choose(choosing: Choosing, wanted: number): readonly HostFacts[] {
  const { world, group } = choosing;
  const unit = unitOf(world, group);
  const possible = world.hosts.filter((host) => firstDrop(host, unit, world, ASKED) === undefined);
  const chosen: HostFacts[] = [];
  const values = new Map<string, number>();
  while (chosen.length < wanted) {
    let best: { host: HostFacts; rank: readonly number[] } | undefined;
    for (const host of possible) {
      if (chosen.includes(host)) continue;
      const its = rank(choosing, host, values);
      if (best === undefined || isHigher(its, best.rank)) best = { host, rank: its };
    }
    if (best === undefined) break;
    chosen.push(best.host);
    if (group.placement.spread !== undefined) {
      const value = spreadValue(best.host, group.placement.spread);
      values.set(value, (values.get(value) ?? 0) + 1);
    }
  }
  return chosen;
}

/** To be called once every slot of the plan has been decided: a standby that becomes active is one no longer. */
export function chooseStandbys(world: World): readonly StandbyChoice[] {
  const load = new Map<string, number>();
  const choices: StandbyChoice[] = [];
  for (const aggregate of aggregatesOf(world.definition.groups)) {
    const mates = new Map<string, number>();
    for (const group of aggregate) {
      const { redundancy } = group;
      if (redundancy.model !== 'n-plus-m') continue;
      const current = new Set(world.records.get(group.name)?.standbys.map((standby) => standby.host));
      const chosen = choose({ world, group, current, mates, load }, redundancy.standby);
      for (const { name } of chosen) {
        load.set(name, (load.get(name) ?? 0) + 1);
        mates.set(name, (mates.get(name) ?? 0) + 1);
      }
      const hosts = chosen.flatMap(({ name, session }) => (session === null ? [] : [{ host: name, session }]));
      hosts.sort((a, b) => byText(a.host, b.host));
      choices.push({ group: group.name, hosts, missing: redundancy.standby - hosts.length });
    }
  }
  return choices.sort((a, b) => byText(a.group, b.group));
}
