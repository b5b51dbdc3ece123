/** Changes of a definition as operators make them: candidates dropped and re-added, groups deleted, renamed and brought back, services, wishes, timing. */
import { formatDuration } from '../../core/config/durations.ts';
import { requiredTakerWaitMs } from '../../core/config/timing.ts';
import { TIMING_PROFILES } from '../../core/config/timing-profiles.ts';
import type { Timing } from '../../core/config/model.ts';
import type { Random } from '../kernel/random.ts';
import { type Draft, type DraftGroup, definitionOf } from './draft.ts';
import { drawRedundancy, drawServices } from './draw-definition.ts';
import { replacementOf } from './instance-ids.ts';

type Change = (random: Random, draft: Draft, first: Draft, timing: Timing) => Draft;

const TRIES_MAX = 8;

/** The definition as it is next; the same one if no valid change was found. */
export function changed(random: Random, draft: Draft, first: Draft): Draft {
  const now = definitionOf(draft);
  for (let attempt = 0; now !== null && attempt < TRIES_MAX; attempt += 1) {
    const next = random.weighted(CHANGES)(random, draft, first, now.timing);
    if (next !== draft && definitionOf(next) !== null) return next;
  }
  return draft;
}

/** Another lease, in either direction, by the rule that a taker waits longer than a holder holds (V3). */
export function retimed(random: Random, draft: Draft): Draft {
  const plain = TIMING_PROFILES[draft.timing.profile];
  const longer = random.pick([1.1, 1.3, 1.6]);
  const holderLeaseMs = Math.ceil(plain.holderLeaseMs * longer);
  const intervalMs = random.chance(0.4) ? Math.round(plain.intervalMs * random.between(1, longer)) : plain.intervalMs;
  const takerWaitMs = requiredTakerWaitMs({ ...plain, holderLeaseMs }) + random.int(0, 200);
  const { profile } = draft.timing;
  const next: Draft = {
    ...draft,
    timing: random.chance(0.4)
      ? { profile }
      : {
          profile,
          interval: formatDuration(intervalMs),
          holderLease: formatDuration(holderLeaseMs),
          takerWait: formatDuration(takerWaitMs),
        },
  };
  return definitionOf(next) === null ? draft : next;
}

/** The machine of a host is another from now on. */
export function withMachine(draft: Draft, first: Draft, at: { host: string; generation: number }): Draft {
  const instanceId = first.hosts.find(({ name }) => name === at.host)?.instanceId;
  if (instanceId === undefined) return draft;
  const other = { instanceId: replacementOf(instanceId, at.generation) };
  return { ...draft, hosts: draft.hosts.map((host) => (host.name === at.host ? { ...host, ...other } : host)) };
}

/** Everything that was dropped is back, hosts on their present machines. */
export function withAllHosts(draft: Draft, hosts: Draft['hosts']): Draft {
  const next = { ...draft, hosts };
  return definitionOf(next) === null ? draft : next;
}

const dropHost: Change = (random, draft) => {
  const gone = random.pick(draft.hosts);
  const prefers = (group: DraftGroup): DraftGroup => withoutWish(group, gone.name);
  return {
    ...draft,
    hosts: draft.hosts.filter((host) => host !== gone),
    groups: draft.groups.map(prefers),
  };
};

function withoutWish(group: DraftGroup, host: string): DraftGroup {
  const { prefer = [], ...rest } = group.placement ?? {};
  if (prefer.length === 0) return group;
  return { ...group, placement: { ...rest, prefer: prefer.filter((wish) => wish.host !== host) } };
}

const bringHostBack: Change = (random, draft, first) => {
  const missing = first.hosts.filter(({ name }) => draft.hosts.every((host) => host.name !== name));
  return missing.length === 0 ? draft : { ...draft, hosts: [...draft.hosts, random.pick(missing)] };
};

/** Candidates come and go by labels as well: what a group requires, and what a host carries. */
const relabel: Change = (random, draft) => {
  const host = random.pick(draft.hosts);
  const labels = { disk: random.pick(['fast', 'slow']) };
  return { ...draft, hosts: draft.hosts.map((one) => (one === host ? { ...host, labels } : one)) };
};

const onGroup =
  (make: (random: Random, group: DraftGroup, draft: Draft, timing: Timing) => DraftGroup): Change =>
  (random, draft, _first, timing) => {
    if (draft.groups.length === 0) return draft;
    const group = random.pick(draft.groups);
    const next = make(random, group, draft, timing);
    return { ...draft, groups: draft.groups.map((one) => (one === group ? next : one)) };
  };

const require = onGroup((random, group) => {
  const { require: old, ...rest } = group.placement ?? {};
  return {
    ...group,
    placement: old === undefined ? { ...rest, require: { disk: random.pick(['fast', 'slow']) } } : rest,
  };
});

const wish = onGroup((random, group, draft) => ({
  ...group,
  placement: {
    ...group.placement,
    prefer: [{ host: random.pick(draft.hosts).name, weight: random.pick([-100, 50, 100]) }],
  },
}));

const resize = onGroup((random, group, draft) => ({
  ...group,
  redundancy: drawRedundancy(random, draft.hosts.length),
}));

const reserve = onGroup((random, group, _draft, timing) => ({
  ...group,
  services: drawServices(random, group.name, timing),
}));

const deleteGroup: Change = (random, draft) => {
  if (draft.groups.length < 2) return draft;
  const gone = random.pick(draft.groups);
  return { ...draft, groups: unlinked(draft.groups.filter((group) => group !== gone)) };
};

const rename: Change = (random, draft) => {
  const old = random.pick(draft.groups);
  const name = old.name.endsWith('x') ? old.name.slice(0, -1) : `${old.name}x`;
  const others = draft.groups.filter((group) => group !== old);
  return { ...draft, groups: unlinked([...others, { ...old, name }]) };
};

const bringGroupBack: Change = (random, draft, first) => {
  const missing = first.groups.filter(({ name }) => draft.groups.every((group) => group.name !== name));
  return missing.length === 0 ? draft : { ...draft, groups: unlinked([...draft.groups, random.pick(missing)]) };
};

/** Rules about groups that are no longer there go with them. */
function unlinked(groups: readonly DraftGroup[]): readonly DraftGroup[] {
  const names = new Set(groups.map(({ name }) => name));
  return groups.map((group) => {
    if (group.placement === undefined) return group;
    const { apart = [], together = [], ...rest } = group.placement;
    const kept = {
      apart: apart.filter((name) => names.has(name)),
      together: together.filter((name) => names.has(name)),
    };
    return { ...group, placement: { ...rest, ...kept } };
  });
}

const CHANGES: readonly (readonly [Change, number])[] = [
  [dropHost, 16],
  [bringHostBack, 22],
  [relabel, 6],
  [require, 8],
  [wish, 10],
  [resize, 10],
  [reserve, 10],
  [deleteGroup, 8],
  [rename, 5],
  [bringGroupBack, 10],
];
