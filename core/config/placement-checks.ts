/** Whether the places that groups ask for can exist at all: labels, aggregates, and groups kept apart. */
import type { Finding, Remark } from './problem.ts';
import { shown } from './problem.ts';
import { listed } from './references.ts';
import type { WrittenDefinition, WrittenGroup, WrittenHost } from './schema.ts';

export function placesOf({ redundancy }: Pick<WrittenGroup, 'redundancy'>): number {
  return redundancy.active + (redundancy.model === 'n-plus-m' ? redundancy.standby : 0);
}

type Amount = 'cpu' | 'memoryMb';
const AMOUNTS: readonly Amount[] = ['cpu', 'memoryMb'];

function neededBy(group: WrittenGroup, amount: Amount): number {
  return group.services.reduce((sum, { needs }) => sum + (needs?.[amount] ?? 0), 0);
}

/** Hosts that carry every required label and, where they state a capacity, could take the group alone. */
export function possibleHosts(group: WrittenGroup, hosts: readonly WrittenHost[]): WrittenHost[] {
  const required = Object.entries(group.placement.require);
  const needs = AMOUNTS.map((amount) => ({ amount, needed: neededBy(group, amount) }));
  return hosts.filter(
    ({ labels, capacity }) =>
      required.every(([key, value]) => labels[key] === value) &&
      needs.every(({ amount, needed }) => (capacity?.[amount] ?? Infinity) >= needed),
  );
}

export function placementFindings({ hosts, groups }: WrittenDefinition): Finding[] {
  const aggregates = aggregatesOf(groups);
  return [
    ...groups.flatMap((group, i) => tooFewHosts(group, i, hosts)),
    ...groups.flatMap((group, i) => selfReferences(group, i)),
    ...groups.flatMap((group, i) => contradictions(group, i, groups, aggregates)),
    ...groups.flatMap((group, i) => tooFewApart(group, i, groups, hosts)),
    ...aggregateFindings(groups, hosts, aggregates),
  ];
}

function requireText(group: WrittenGroup): string {
  const required = Object.entries(group.placement.require).map(([key, value]) => `${key}=${value}`);
  const needs = AMOUNTS.filter((amount) => neededBy(group, amount) > 0);
  const all = [...required, ...needs.map((amount) => `${amount} ${neededBy(group, amount)}`)];
  return all.length === 0 ? '' : ` with ${all.join(', ')}`;
}

function tooFewHosts(group: WrittenGroup, i: number, hosts: readonly WrittenHost[]): Finding[] {
  const places = placesOf(group);
  const possible = possibleHosts(group, hosts);
  if (possible.length >= places) return [];
  const { redundancy } = group;
  const standby = redundancy.model === 'n-plus-m' ? ` + ${redundancy.standby} standby` : '';
  const names = possible.length === 0 ? '' : ` (${listed(possible.map(({ name }) => name))})`;
  return [
    {
      at: ['groups', i, 'redundancy'],
      got: `${redundancy.active} active${standby} = ${places} places, and ${possible.length} hosts${requireText(group)}${names}`,
      change: `ask for at most ${possible.length} places, or add hosts${requireText(group)}`,
    },
  ];
}

function selfReferences(group: WrittenGroup, i: number): Finding[] {
  return (['together', 'apart'] as const).flatMap((key) =>
    group.placement[key].flatMap((other, j): Finding[] =>
      other === group.name
        ? [{ at: ['groups', i, 'placement', key, j], got: `${shown(other)}, the group itself`, change: 'remove it' }]
        : [],
    ),
  );
}

/** The groups that move as one, by any chain of `together`: group name → a name that stands for its aggregate. */
function aggregatesOf(groups: readonly WrittenGroup[]): ReadonlyMap<string, string> {
  const parent = new Map(groups.map(({ name }) => [name, name]));
  const rootOf = (name: string): string => {
    let root = name;
    for (let up = parent.get(root); up !== undefined && up !== root; up = parent.get(root)) root = up;
    return root;
  };
  for (const { name, placement } of groups) {
    for (const other of placement.together) if (parent.has(other)) parent.set(rootOf(other), rootOf(name));
  }
  return new Map(groups.map(({ name }) => [name, rootOf(name)]));
}

function contradictions(
  group: WrittenGroup,
  i: number,
  groups: readonly WrittenGroup[],
  aggregates: ReadonlyMap<string, string>,
): Finding[] {
  const apart = group.placement.apart.flatMap((other, j): Finding[] => {
    const isOne = other !== group.name && aggregates.get(other) === aggregates.get(group.name);
    if (!isOne || !aggregates.has(other)) return [];
    const got = `apart from ${shown(other)}, which it must also be together with`;
    return [{ at: ['groups', i, 'placement', 'apart', j], got, change: 'remove it from together or from apart' }];
  });
  const uneven = group.placement.together.flatMap((name, j): Finding[] => {
    const other = groups.find((candidate) => candidate.name === name);
    if (other === undefined || other.redundancy.active === group.redundancy.active) return [];
    const got = `${group.redundancy.active} active places together with ${name}, which has ${other.redundancy.active}`;
    return [
      { at: ['groups', i, 'placement', 'together', j], got, change: 'give both the same number of active places' },
    ];
  });
  return [...apart, ...uneven];
}

function tooFewApart(
  group: WrittenGroup,
  i: number,
  groups: readonly WrittenGroup[],
  hosts: readonly WrittenHost[],
): Finding[] {
  return group.placement.apart.flatMap((name, j): Finding[] => {
    const other = groups.find((candidate) => candidate.name === name);
    if (other === undefined || other === group) return [];
    const both = new Set([...possibleHosts(group, hosts), ...possibleHosts(other, hosts)]);
    const needed = group.redundancy.active + other.redundancy.active;
    if (both.size >= needed) return [];
    const got = `${group.redundancy.active} + ${other.redundancy.active} active places apart from ${name} on ${both.size} hosts`;
    const change = `add hosts (${needed} are needed), or remove it from apart`;
    return [{ at: ['groups', i, 'placement', 'apart', j], got, change }];
  });
}

/** Each member alone may have hosts enough while no host can take all of them. */
function aggregateFindings(
  groups: readonly WrittenGroup[],
  hosts: readonly WrittenHost[],
  aggregates: ReadonlyMap<string, string>,
): Finding[] {
  const members = new Map<string, WrittenGroup[]>();
  for (const group of groups) {
    const aggregate = aggregates.get(group.name) ?? group.name;
    members.set(aggregate, [...(members.get(aggregate) ?? []), group]);
  }
  return [...members.values()].flatMap((aggregate): Finding[] => {
    if (aggregate.length < 2) return [];
    const places = Math.max(...aggregate.map(placesOf));
    const alone = aggregate.every((group) => possibleHosts(group, hosts).length >= placesOf(group));
    const shared = hosts.filter((host) => aggregate.every((group) => possibleHosts(group, [host]).length === 1));
    if (!alone || shared.length >= places) return [];
    const i = groups.findIndex((group) => aggregate.includes(group) && group.placement.together.length > 0);
    const names = listed(aggregate.map(({ name }) => name));
    const got = `${names} together need ${places} hosts; ${shared.length} satisfy the required labels of all`;
    return [{ at: ['groups', i, 'placement', 'together'], got, change: 'require labels that the same hosts carry' }];
  });
}

/** What is accepted although it will not do what it seems to say. */
export function placementRemarks({ hosts, groups }: WrittenDefinition): Remark[] {
  return groups.flatMap((group, i) => {
    const possible = possibleHosts(group, hosts);
    const at = ['groups', i, 'placement'];
    const prefer = group.placement.prefer.flatMap(({ host }, j): Remark[] =>
      host === undefined || possible.some(({ name }) => name === host)
        ? []
        : [
            {
              at: [...at, 'prefer', j],
              says: `${host} lacks a required label or the capacity for group ${group.name}, so it is never used`,
            },
          ],
    );
    const { haTag, spread: key } = group.placement;
    const [tagKey = '', tagValue] = haTag?.split('=') ?? [];
    if (haTag !== undefined && !possible.some(({ labels }) => labels[tagKey] === tagValue)) {
      const says = `no host of group ${group.name} carries its haTag ${haTag}, so a failover takes any of its hosts`;
      prefer.push({ at: [...at, 'haTag'], says });
    }
    if (key === undefined) return prefer;
    const without = possible.filter((host) => (key === 'zone' ? host.zone : host.labels[key]) === undefined);
    if (without.length === 0) return prefer;
    const says = `${listed(without.map(({ name }) => name))} have no ${key}, so group ${group.name} is not spread over them`;
    return [...prefer, { at: [...at, 'spread'], says }];
  });
}
