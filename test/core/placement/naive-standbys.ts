/** Standbys by looking at every host for every place: slow, and plain enough to be believed. The oracle of `chooseStandbys`. */
import type { GroupDefinition } from '../../../core/config/model.ts';
import { aggregatesOf } from '../../../core/placement/aggregates.ts';
import type { Filter, HostFacts, Placement, Snapshot, StandbyChoice } from '../../../core/placement/facts.ts';
import { byText } from '../../../core/placement/facts.ts';
import { firstDrop } from '../../../core/placement/filters.ts';
import { NO_WISHES, type Unit } from '../../../core/placement/units.ts';
import { preferenceOf, wishesOf } from '../../../core/placement/wishes.ts';
import { amountOf, occupy, spreadValue, type World, worldOf } from '../../../core/placement/world.ts';

const ASKED: readonly Filter[] = ['admin', 'status', 'labels', 'capacity', 'failed-there', 'same-group', 'apart'];

function unitOf(world: World, group: GroupDefinition): Unit {
  const blank = { group, takers: null, wishes: NO_WISHES, haTag: null, wave: { priority: 0, step: 0 } };
  const slots = world.records.get(group.name)?.slots ?? [];
  const members = slots.map((record) => ({ ...blank, slot: record.slot, record }));
  return {
    aggregate: [],
    members: members.length > 0 ? members : [{ ...blank, slot: 0, record: undefined }],
    anchors: new Set(),
    needs: amountOf(group),
    isFailover: false,
  };
}

const isHigher = (a: readonly number[], b: readonly number[]): boolean => {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at >= 0 && (a[at] ?? 0) > (b[at] ?? 0);
};

export function naiveStandbys(snapshot: Snapshot, actions: readonly Placement[]): readonly StandbyChoice[] {
  const world = worldOf(snapshot);
  for (const { group, host } of actions) if (host !== null) occupy(world, group, host);
  const load = new Map<string, number>();
  const choices: StandbyChoice[] = [];
  for (const aggregate of aggregatesOf(world.definition.groups)) {
    const mates = new Map<string, number>();
    for (const group of aggregate) {
      const { redundancy, placement } = group;
      if (redundancy.model !== 'n-plus-m') continue;
      const key = placement.spread;
      const current = new Set(world.records.get(group.name)?.standbys.map(({ host }) => host));
      const chosen: HostFacts[] = [];
      const valuesOf = (value: string): number =>
        (world.spreadOf.get(group.name)?.get(value) ?? 0) +
        chosen.filter((one) => spreadValue(one, key ?? '') === value).length;
      const rank = (host: HostFacts): readonly number[] => [
        current.has(host.name) ? 1 : 0,
        mates.get(host.name) ?? 0,
        preferenceOf(wishesOf(group), host, world.ownersOf),
        key === undefined ? 0 : 0 - valuesOf(spreadValue(host, key)),
        0 - (world.ownedBy.get(host.name) ?? 0) - (load.get(host.name) ?? 0),
      ];
      const unit = unitOf(world, group);
      const possible = world.hosts.filter((host) => firstDrop(host, unit, world, ASKED) === undefined);
      while (chosen.length < redundancy.standby) {
        const left = possible.filter((host) => !chosen.includes(host));
        const [first, ...others] = left;
        if (first === undefined) break;
        chosen.push(others.reduce((best, host) => (isHigher(rank(host), rank(best)) ? host : best), first));
      }
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
