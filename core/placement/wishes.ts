/** What a group wishes for, prepared once per plan: the weights of `prefer`, by what they ask of a host. */
import type { GroupDefinition } from '../config/model.ts';
import type { HostFacts } from './facts.ts';

export interface Wishes {
  readonly hosts: ReadonlyMap<string, number>;
  readonly labels: readonly { readonly labels: Readonly<Record<string, string>>; readonly weight: number }[];
  /** Wishes about another group: `isThere` says whether its slots are sought or shunned. */
  readonly groups: readonly { readonly group: string; readonly isThere: boolean; readonly weight: number }[];
}

export function wishesOf(group: GroupDefinition): Wishes {
  const hosts = new Map<string, number>();
  const labels: { labels: Readonly<Record<string, string>>; weight: number }[] = [];
  const groups: { group: string; isThere: boolean; weight: number }[] = [];
  for (const { host, labels: carried, apart, together, weight } of group.placement.prefer) {
    if (host !== undefined) hosts.set(host, (hosts.get(host) ?? 0) + weight);
    if (carried !== undefined) labels.push({ labels: carried, weight });
    if (apart !== undefined) groups.push({ group: apart, isThere: false, weight });
    if (together !== undefined) groups.push({ group: together, isThere: true, weight });
  }
  return { hosts, labels, groups };
}

export function hasLabels(host: Pick<HostFacts, 'labels'>, wanted: Readonly<Record<string, string>>): boolean {
  for (const key of Object.keys(wanted)) if (host.labels[key] !== wanted[key]) return false;
  return true;
}

/** The part that all hosts with the same labels share, as long as none of the other groups is on them. */
export function commonPreference(wishes: Wishes, host: Pick<HostFacts, 'labels'>): number {
  let sum = 0;
  for (const { labels, weight } of wishes.labels) if (hasLabels(host, labels)) sum += weight;
  for (const { isThere, weight } of wishes.groups) if (!isThere) sum += weight;
  return sum;
}

/** The sum of the weights that fit the host, with other groups where they are by now. */
export function preferenceOf(
  wishes: Wishes,
  host: Pick<HostFacts, 'name' | 'labels'>,
  ownersOf: ReadonlyMap<string, ReadonlySet<string>>,
): number {
  let sum = wishes.hosts.get(host.name) ?? 0;
  for (const { labels, weight } of wishes.labels) if (hasLabels(host, labels)) sum += weight;
  for (const { group, isThere, weight } of wishes.groups) {
    if ((ownersOf.get(group)?.has(host.name) ?? false) === isThere) sum += weight;
  }
  return sum;
}
