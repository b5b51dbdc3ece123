/**
 * Aggregates and waves. Groups tied by `together` (either way, transitively) form one aggregate: slot i of each
 * of its groups is on the same host, so they are placed as one unit. Waves order the starts of a plan.
 */
import type { GroupDefinition } from '../config/model.ts';
import type { Millis } from '../time/time.ts';
import { byText } from './facts.ts';

/** Aggregates as lists of groups, each by name; every group is in exactly one. Dangling names are ignored (the validator refuses them). */
export function aggregatesOf(groups: readonly GroupDefinition[]): readonly (readonly GroupDefinition[])[] {
  const byName = new Map(groups.map((group) => [group.name, group]));
  const neighbours = new Map<string, string[]>(groups.map((group) => [group.name, []]));
  for (const group of groups) {
    for (const other of group.placement.together) {
      if (!byName.has(other)) continue;
      neighbours.get(group.name)?.push(other);
      neighbours.get(other)?.push(group.name);
    }
  }
  const seen = new Set<string>();
  const aggregates: GroupDefinition[][] = [];
  for (const name of [...byName.keys()].sort(byText)) {
    if (seen.has(name)) continue;
    seen.add(name);
    const names = [name];
    // The list grows while it is read; `seen` bounds it by the number of groups.
    for (const next of names) {
      for (const other of neighbours.get(next) ?? []) {
        if (!seen.has(other)) names.push(other);
        seen.add(other);
      }
    }
    aggregates.push(names.sort(byText).flatMap((member) => byName.get(member) ?? []));
  }
  return aggregates;
}

/** Groups that may not share a host with each group, by name: `apart` binds both sides, whoever names it. */
export function apartFrom(groups: readonly GroupDefinition[]): ReadonlyMap<string, readonly string[]> {
  const apart = new Map<string, Set<string>>(groups.map((group) => [group.name, new Set()]));
  for (const group of groups) {
    for (const other of group.placement.apart) {
      apart.get(group.name)?.add(other);
      apart.get(other)?.add(group.name);
    }
  }
  return new Map([...apart].map(([name, others]) => [name, [...others].sort(byText)]));
}

/**
 * The step of a group inside its aggregate: a group starts after those it names in `together` (a database after
 * its address). Groups that name each other in a circle, and those that wait for them, start at once, last.
 */
export function stepsOf(aggregate: readonly GroupDefinition[]): ReadonlyMap<string, number> {
  const members = new Set(aggregate.map((group) => group.name));
  const steps = new Map<string, number>();
  let left = [...aggregate];
  for (let step = 0; step <= aggregate.length && left.length > 0; step += 1) {
    const ready = left.filter((group) =>
      group.placement.together.every((other) => !members.has(other) || (steps.get(other) ?? step) < step),
    );
    const next = ready.length > 0 ? ready : left;
    for (const group of next) steps.set(group.name, step);
    left = left.filter((group) => !steps.has(group.name));
  }
  return steps;
}

/** Sort key of a start: a lower `priority` number starts, and is placed, earlier; within it, the step. */
export interface WaveKey {
  readonly priority: number;
  readonly step: number;
}

export function byWave(a: WaveKey, b: WaveKey): number {
  return a.priority - b.priority || a.step - b.step;
}

/** Numbers 0, 1, … for the distinct keys in order. */
export function numberWaves(keys: readonly WaveKey[]): (key: WaveKey) => number {
  const text = (key: WaveKey) => `${key.priority}/${key.step}`;
  const numbers = new Map<string, number>();
  for (const key of [...keys].sort(byWave)) {
    if (!numbers.has(text(key))) numbers.set(text(key), numbers.size);
  }
  return (key) => numbers.get(text(key)) ?? 0;
}

/**
 * Longest that all of these take to start after a failure, as V10 counts it: services one after the other, groups of one
 * wave at once, waves one after the other. A start that fails is another fault and not counted, so attempts are not.
 */
export function startInWavesMs(groups: readonly GroupDefinition[]): Millis {
  const longest = new Map<string, Millis>();
  for (const aggregate of aggregatesOf(groups)) {
    const steps = stepsOf(aggregate);
    for (const { name, priority, services } of aggregate) {
      const wave = `${priority}/${steps.get(name) ?? 0}`;
      const startMs = services.reduce((sum, { actions }) => sum + actions.start.timeoutMs, 0);
      longest.set(wave, Math.max(longest.get(wave) ?? 0, startMs));
    }
  }
  return [...longest.values()].reduce((sum, ms) => sum + ms, 0);
}
