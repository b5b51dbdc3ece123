/**
 * Finds the least loaded host of each kind without looking at all of them.
 *
 * Hosts that differ in nothing that a rule of this definition can see (labels, zone) form a class: they pass the same
 * filters and score alike, but for load and name. A class keeps them by load and then by name, so the first that
 * passes the few filters about a single host is its best. What sets single hosts apart (a warm standby, the last
 * owner, a wish for a host) is looked at host by host by the caller. A plan then costs slots × classes, not slots × hosts.
 */
import type { Definition } from '../config/model.ts';
import type { HostFacts } from './facts.ts';

export interface HostClass {
  /** Any of its hosts: alike in labels and zone, as far as rules look at them. */
  readonly example: HostFacts;
  /** Ranks (positions in the order of names) by load, each ascending. */
  readonly byLoad: number[][];
  /** Most free capacity that any of its hosts had when it was last looked at: never too low. */
  room: { cpu: number; memoryMb: number };
}

export class HostIndex {
  readonly classes: readonly HostClass[];
  readonly #hosts: readonly HostFacts[];
  readonly #places = new Map<string, { readonly rank: number; readonly inClass: HostClass; load: number }>();

  /** `hosts` by name; those that are not enabled, Up and live are in no class. */
  constructor(definition: Definition, hosts: readonly HostFacts[], loadOf: (host: string) => number) {
    this.#hosts = hosts;
    const keys = keysRead(definition);
    const classes = new Map<string, HostClass>();
    for (const [rank, host] of hosts.entries()) {
      if (host.admin !== 'enabled' || host.status !== 'Up' || host.session === null) continue;
      const kind = JSON.stringify([host.zone ?? '', ...keys.map((key) => host.labels[key] ?? null)]);
      const known = classes.get(kind);
      const inClass = known ?? { example: host, byLoad: [], room: { cpu: Infinity, memoryMb: Infinity } };
      if (known === undefined) classes.set(kind, inClass);
      const load = loadOf(host.name);
      this.#places.set(host.name, { rank, inClass, load });
      bucket(inClass, load).push(rank);
    }
    this.classes = [...classes.values()];
  }

  has(host: string): boolean {
    return this.#places.has(host);
  }

  /** Position in the order of names, by which ties fall. */
  rankOf(host: string): number {
    return this.#places.get(host)?.rank ?? Infinity;
  }

  /** The host carries one more slot or standby. */
  bump(host: string): void {
    const place = this.#places.get(host);
    if (place === undefined) return;
    const from = bucket(place.inClass, place.load);
    from.splice(lowerBound(from, place.rank), 1);
    place.load += 1;
    const to = bucket(place.inClass, place.load);
    to.splice(lowerBound(to, place.rank), 0, place.rank);
  }

  /** The least loaded host of the class that passes, ties by name. */
  first(inClass: HostClass, passes: (host: HostFacts) => boolean): HostFacts | undefined {
    for (const ranks of inClass.byLoad) {
      for (const rank of ranks) {
        const host = this.#hosts[rank];
        if (host !== undefined && passes(host)) return host;
      }
    }
    return undefined;
  }

  *hostsOf(inClass: HostClass): Iterable<HostFacts> {
    for (const ranks of inClass.byLoad) {
      for (const rank of ranks) {
        const host = this.#hosts[rank];
        if (host !== undefined) yield host;
      }
    }
  }
}

/** Label keys that any rule of the definition reads. */
function keysRead(definition: Definition): readonly string[] {
  const keys = new Set<string>();
  for (const { placement } of definition.groups) {
    for (const key of Object.keys(placement.require)) keys.add(key);
    for (const { labels } of placement.prefer) for (const key of Object.keys(labels ?? {})) keys.add(key);
    if (placement.spread !== undefined) keys.add(placement.spread);
    if (placement.haTag !== undefined) keys.add(placement.haTag.split('=')[0] ?? '');
  }
  return [...keys].sort();
}

function bucket(inClass: HostClass, load: number): number[] {
  for (let next = inClass.byLoad.length; next <= load; next += 1) inClass.byLoad.push([]);
  return inClass.byLoad[load] ?? [];
}

/** Position of the first entry that is not below `rank`. */
function lowerBound(ranks: readonly number[], rank: number): number {
  let low = 0;
  let high = ranks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranks[middle] ?? 0) < rank) low = middle + 1;
    else high = middle;
  }
  return low;
}
