/**
 * Whether a choice that was made a moment ago still stands. Two runs that place at the same time choose from snapshots of
 * different moments; what one group's own record cannot refuse (`apart`, capacity) is asked here once more, on facts read
 * right before the ownership write. It makes the gap small and does not close it: two groups are two records.
 */
import type { Filter, Snapshot } from './facts.ts';
import type { Drop } from './filters.ts';
import { firstDrop } from './filters.ts';
import { unitsInOrder } from './units.ts';
import { worldOf } from './world.ts';

/** What another placement may have changed meanwhile. */
const ASKED_AGAIN: readonly Filter[] = ['admin', 'status', 'capacity', 'takers', 'same-group', 'apart', 'together'];

/**
 * What speaks against `host` for the slot as the snapshot now stands, or null. `mayOvercommit`: the plan let the capacity
 * give way. A slot that needs no host (somebody owns it) is allowed nowhere: undefined.
 */
export function objectionTo(
  snapshot: Snapshot,
  at: { readonly group: string; readonly slot: number; readonly host: string; readonly mayOvercommit?: boolean },
): Drop | null | undefined {
  const world = worldOf(snapshot);
  const facts = world.factsOf.get(at.host);
  const unit = unitsInOrder(world).find(({ members }) =>
    members.some(({ group, slot }) => group.name === at.group && slot === at.slot),
  );
  if (unit === undefined || facts === undefined) return undefined;
  const asked = at.mayOvercommit === true ? ASKED_AGAIN.filter((filter) => filter !== 'capacity') : ASKED_AGAIN;
  return firstDrop(facts, unit, world, asked) ?? null;
}

/** True if the host may be given the slot on these facts. */
export function stillAllowed(
  snapshot: Snapshot,
  at: { readonly group: string; readonly slot: number; readonly host: string; readonly mayOvercommit?: boolean },
): boolean {
  return objectionTo(snapshot, at) === null;
}
