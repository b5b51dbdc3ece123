/**
 * How much planned work is begun at once. Each run reads its cluster and waits for a host: hundreds together would crowd
 * out what cannot wait, the runs of hosts that failed, which no limit holds back.
 */
import type { ReconcileAction } from './reconcile.ts';

/** Planned runs of one cluster under way at the same time. */
export const PLANNED_RUNS_MAX = 64;

type Start = Extract<ReconcileAction, { readonly do: 'start_planned' }>;

export interface Limited {
  readonly actions: readonly ReconcileAction[];
  /** Starts left out, for a later pass. */
  readonly deferred: number;
}

/**
 * Leaves out the starts that exceed the limit, whatever else is to be done remains. What was tried least comes first, so that
 * work that fails again and again keeps nobody out for ever; of that, what lies still before what still runs somewhere.
 */
export function withinLimit(actions: readonly ReconcileAction[], running: number): Limited {
  const starts = actions.filter((action): action is Start => action.do === 'start_planned');
  const room = Math.max(0, PLANNED_RUNS_MAX - running);
  if (starts.length <= room) return { actions, deferred: 0 };
  const first = starts.toSorted((a, b) => a.attempt - b.attempt || urgency(a) - urgency(b)).slice(0, room);
  const kept = new Set<ReconcileAction>(first);
  return {
    actions: actions.filter((action) => action.do !== 'start_planned' || kept.has(action)),
    deferred: starts.length - first.length,
  };
}

/** Lower is sooner: an outage, a first start, what runs and is to be elsewhere. */
function urgency({ verb, epoch }: Start): number {
  if (verb === 'restart' || (verb === 'place' && epoch > 0)) return 0;
  return verb === 'place' ? 1 : 2;
}
