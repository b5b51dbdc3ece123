/**
 * Placement: which host takes each slot that needs an owner, and why no other.
 *
 * Greedy, one unit after the other in a fixed order: filters drop hosts, scores order the rest, names break ties.
 * So equal facts give an equal plan whatever order they came in (I8), at a cost of slots × kinds of hosts. The limit of
 * greed: a tight cluster may have an assignment that it does not find; then the explanation says what stood in
 * the way. A slot whose owner may still run it is never touched here: moving that one is a planned move (S9).
 */
import { invariant, unreachable } from '../failures/invariant.ts';
import { numberWaves } from './aggregates.ts';
import type {
  Filter,
  HostFacts,
  HostFinding,
  Plan,
  Placement,
  Relaxed,
  Score,
  SlotExplanation,
  Snapshot,
} from './facts.ts';
import { byText, FILTERS, RELAXED_IN_ORDER } from './facts.ts';
import { type Best, bestHost } from './best-host.ts';
import type { Drop } from './filters.ts';
import { firstDrop } from './filters.ts';
import { decidingPart, isBetter, scoreOf } from './scores.ts';
import { chooseStandbys } from './standbys.ts';
import type { Member, Unit } from './units.ts';
import { unitsInOrder } from './units.ts';
import type { World } from './world.ts';
import { occupy, worldOf } from './world.ts';
import { slotInWords } from './words.ts';

export interface PlanOptions {
  /** Slots to explain; findings are one per host and slot, so a large fleet asks for the few it will show. Default: all. */
  readonly explain?: (group: string, slot: number) => boolean;
}

type Look =
  | { readonly host: HostFacts; readonly drop: Drop }
  | { readonly host: HostFacts; readonly drop: undefined; readonly score: Score };

interface Choice {
  readonly unit: Unit;
  readonly best: Best | undefined;
  readonly relaxed: readonly Relaxed[];
  readonly looks: readonly Look[];
}

/** The plain form, which looks at every host and remembers what it saw; `bestHost` finds the same without. */
function lookAtAll(world: World, unit: Unit, asked: readonly Filter[]): Pick<Choice, 'best' | 'looks'> {
  const looks: Look[] = [];
  let best: Best | undefined;
  for (const host of world.hosts) {
    const drop = firstDrop(host, unit, world, asked);
    if (drop !== undefined) {
      looks.push({ host, drop });
      continue;
    }
    const score = scoreOf(world, unit, host);
    looks.push({ host, drop, score });
    if (best === undefined || isBetter(score, best.score)) best = { host, score };
  }
  return { best, looks };
}

/** First with every filter; then, after a failure, with one after the other out of the way. */
function chooseHost(world: World, unit: Unit, keepLooks: boolean): Choice {
  const look = (asked: readonly Filter[]): Pick<Choice, 'best' | 'looks'> =>
    keepLooks ? lookAtAll(world, unit, asked) : { best: bestHost(world, unit, asked), looks: [] };
  const strict = look(FILTERS);
  if (strict.best !== undefined) return { unit, relaxed: [], ...strict };
  const relaxed: Relaxed[] = [];
  for (const filter of RELAXED_IN_ORDER) {
    if (!givesWay(unit, filter)) continue;
    relaxed.push(filter);
    const looser = look(FILTERS.filter((one) => !relaxed.some((gone) => gone === one)));
    if (looser.best !== undefined) return { unit, relaxed, ...looser };
  }
  return { unit, relaxed: [], ...strict };
}

function givesWay(unit: Unit, filter: Relaxed): boolean {
  if (!unit.isFailover) return false;
  switch (filter) {
    case 'ha-tag':
      return unit.members.some(({ haTag }) => haTag !== null);
    case 'capacity':
      return unit.members.every(({ group }) => group.placement.overcommit === true);
    default:
      return unreachable(filter);
  }
}

function findingOf(look: Look, best: Best | undefined): HostFinding {
  const host = look.host.name;
  if (look.drop !== undefined) return { host, outcome: 'dropped', ...look.drop };
  invariant(best !== undefined, 'a host that no filter drops is a choice');
  const { score } = look;
  if (best.host === look.host) return { host, outcome: 'taken', score };
  return { host, outcome: 'possible', score, decidedBy: decidingPart(best.score, score) ?? 'name' };
}

function explanationOf(
  { unit, best, relaxed }: Choice,
  member: Member,
  hosts: readonly HostFinding[],
): SlotExplanation {
  const slot = { group: member.group.name, slot: member.slot, host: best?.host.name ?? null };
  const aggregate = unit.aggregate.filter((name) => name !== member.group.name);
  return { ...slot, aggregate, relaxed, hosts, says: slotInWords({ ...slot, aggregate, relaxed, hosts }) };
}

export function plan(snapshot: Snapshot, options: PlanOptions = {}): Plan {
  const { world, ...slots } = place(snapshot, options);
  return { ...slots, standbys: chooseStandbys(world) };
}

/** For those who ask about slots alone: choosing standbys costs as much again. */
export function planSlots(snapshot: Snapshot, options: PlanOptions = {}): Omit<Plan, 'standbys'> {
  const { actions, explanations } = place(snapshot, options);
  return { actions, explanations };
}

function place(snapshot: Snapshot, options: PlanOptions): Omit<Plan, 'standbys'> & { readonly world: World } {
  const explain = options.explain ?? (() => true);
  const world = worldOf(snapshot);
  const units = unitsInOrder(world);
  const waveNumber = numberWaves(units.flatMap((unit) => unit.members.map((member) => member.wave)));
  const actions: Placement[] = [];
  const explanations: SlotExplanation[] = [];
  for (const unit of units) {
    const shown = unit.members.filter((member) => explain(member.group.name, member.slot));
    const choice = chooseHost(world, unit, shown.length > 0);
    const host = choice.best?.host;
    for (const { group, slot, wave } of unit.members) {
      const place = { host: host?.name ?? null, session: host?.session ?? null, wave: waveNumber(wave) };
      actions.push({ group: group.name, slot, ...place });
      if (host !== undefined) occupy(world, group.name, host.name);
    }
    const findings = choice.looks.map((look) => findingOf(look, choice.best));
    explanations.push(...shown.map((member) => explanationOf(choice, member, findings)));
  }
  actions.sort((a, b) => a.wave - b.wave || byText(a.group, b.group) || a.slot - b.slot);
  explanations.sort((a, b) => byText(a.group, b.group) || a.slot - b.slot);
  return { actions, explanations, world };
}
