/** Scores: of the hosts that may take a unit, which one should. */
import type { HostFacts, Score, ScorePart } from './facts.ts';
import { SCORE_PARTS } from './facts.ts';
import type { Unit } from './units.ts';
import { preferenceOf } from './wishes.ts';
import type { World } from './world.ts';
import { spreadValue } from './world.ts';

/** Slots of the group already in this host's zone or label value, as a score (fewer is better). */
export function spreadScore(world: World, group: string, host: HostFacts): number {
  const key = world.groups.get(group)?.placement.spread;
  const counts = key === undefined ? undefined : world.spreadOf.get(group);
  if (key === undefined || counts === undefined) return 0;
  const count = counts.get(spreadValue(host, key)) ?? 0;
  return count === 0 ? 0 : -count;
}

export function scoreOf(world: World, unit: Unit, host: HostFacts): Score {
  let warm = 0;
  let preference = 0;
  let sticky = 0;
  let spread = 0;
  for (const { group, record, wishes } of unit.members) {
    // A standby of an earlier session is cold again: what it had prepared is gone.
    const standbys = world.records.get(group.name)?.standbys ?? [];
    if (standbys.some((standby) => standby.host === host.name && standby.session === host.session)) warm += 1;
    preference += preferenceOf(wishes, host, world.ownersOf);
    if (record?.owner?.host === host.name) sticky += 1;
    spread += spreadScore(world, group.name, host);
  }
  const owned = world.ownedBy.get(host.name) ?? 0;
  return { warm, preference, sticky, spread, balance: owned === 0 ? 0 : -owned };
}

/** The first part in which the two differ; undefined if they are equal. */
export function decidingPart(a: Score, b: Score): ScorePart | undefined {
  return SCORE_PARTS.find((part) => a[part] !== b[part]);
}

export function isBetter(a: Score, b: Score): boolean {
  const part = decidingPart(a, b);
  return part !== undefined && a[part] > b[part];
}
