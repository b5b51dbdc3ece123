/** What operators do while faults happen, and how they put the cluster back in service afterwards, so that the end can be judged (I5). */
import type { Timing } from '../../core/config/model.ts';
import type { Millis } from '../../core/time/time.ts';
import type { ScheduledFault } from '../contract/faults.ts';
import type { OperatorAct } from '../contract/scene.ts';
import type { Random } from '../kernel/random.ts';
import { type Draft, yamlOf } from './draft.ts';
import { changed, retimed, withAllHosts, withMachine } from './draw-changes.ts';

export interface ActDraw {
  readonly first: Draft;
  readonly timing: Timing;
  readonly faultsForMs: Millis;
  readonly faults: readonly ScheduledFault[];
}

const VERBS = [
  ['disable', 3],
  ['maintenance', 4],
  ['drain', 3],
  ['lock', 3],
  ['fence', 3],
  ['enable', 2],
  ['unlock', 1],
] as const;
/** By whom each is taken back. */
const BACK: Readonly<Record<string, string>> = {
  disable: 'enable',
  maintenance: 'enable',
  drain: 'enable',
  lock: 'unlock',
};

/** Definitions in the order in which they come into force; the last is the one to end with. */
export interface DrawnApplies {
  readonly acts: readonly OperatorAct[];
  readonly drafts: readonly Draft[];
}

/** The applies that the faults of a run call for: changes drawn, and machines replaced. */
export function drawApplies(random: Random, { first, faults }: ActDraw): DrawnApplies {
  const acts: OperatorAct[] = [];
  const drafts: Draft[] = [first];
  let whole = first;
  let draft = first;
  for (const { at, kind, subject, amount = 1 } of faults) {
    const before = draft;
    if (kind === 'definition_changed') draft = changed(random, draft, whole);
    if (kind === 'timing_changed') draft = retimed(random, draft);
    if (kind === 'replaced') {
      whole = withMachine(whole, first, { host: subject, generation: amount });
      draft = withMachine(draft, first, { host: subject, generation: amount });
    }
    if (draft === before) continue;
    drafts.push(draft);
    acts.push({ at: at + (kind === 'replaced' ? random.int(0, 5_000) : 0), do: 'apply', yaml: yamlOf(draft) });
  }
  const last = withAllHosts(draft, whole.hosts);
  return { acts, drafts: [...drafts, last] };
}

export function drawOrders(random: Random, { first, timing, faultsForMs }: ActDraw): readonly OperatorAct[] {
  const acts: OperatorAct[] = [];
  const { intervalMs, takerWaitMs } = timing;
  for (let left = random.int(1, 6); left > 0; left -= 1) {
    const at = Math.round(random.between(2 * intervalMs, faultsForMs));
    const backAt = at + Math.round(random.between(1, 3) * takerWaitMs);
    const kind = random.weighted([
      ['move', 45],
      ['host', 42],
      ['switch', 13],
    ] as const);
    const host = random.pick(first.hosts).name;
    if (kind === 'move') {
      const { name, redundancy } = random.pick(first.groups);
      const to = random.chance(0.5) ? null : host;
      acts.push({ at, do: 'move', where: `${name}/${random.int(0, redundancy.active - 1)}`, to });
    } else if (kind === 'host') {
      const verb = random.weighted(VERBS);
      acts.push({ at, do: 'host', host, verb });
      const back = BACK[verb];
      if (back !== undefined && backAt < faultsForMs) acts.push({ at: backAt, do: 'host', host, verb: back });
    } else {
      acts.push({ at, do: 'switch', isOn: false });
      if (backAt < faultsForMs) acts.push({ at: backAt, do: 'switch', isOn: true });
    }
  }
  return acts;
}

/** Said twice: an answer may be lost, or a request refused while something else is under way. */
export function backInService(
  { faultsForMs, timing }: ActDraw,
  before: readonly OperatorAct[],
  last: Draft,
): readonly OperatorAct[] {
  const verbs = new Map<string, string[]>();
  for (const act of before) {
    if (act.do === 'host') verbs.set(act.host, [...(verbs.get(act.host) ?? []), act.verb]);
  }
  const hosts = [...verbs].flatMap(([host, said]) => [
    ...(said.includes('lock') ? [{ do: 'host' as const, host, verb: 'unlock' }] : []),
    ...(said.some((verb) => BACK[verb] === 'enable') ? [{ do: 'host' as const, host, verb: 'enable' }] : []),
  ]);
  const isSwitched = before.some((act) => act.do === 'switch');
  const isApplied = before.some((act) => act.do === 'apply');
  const round = [
    ...(isSwitched ? [{ do: 'switch' as const, isOn: true }] : []),
    ...(isApplied ? [{ do: 'apply' as const, yaml: yamlOf(last) }] : []),
    ...hosts,
  ];
  const gapMs = 8 * timing.intervalMs;
  return [0, 1].flatMap((again) => round.map((act, i) => ({ ...act, at: faultsForMs + (again + 1) * gapMs + i * 50 })));
}
