/**
 * A registry that was restored from an older copy knows less than the hosts do (S21). Until `recover` has raised every
 * epoch above the highest reported, nothing of what they contradict starts, moves or stops.
 */
import type { Heartbeat } from '../protocol/records.ts';

/** What a live heartbeat says against the record of a covered slot, in words; null: nothing does. */
export function contradictedBy(
  live: Iterable<Heartbeat>,
  incarnation: string,
  at: { readonly group: string; readonly slot: number; readonly epoch: number },
): string | null {
  const where = `${at.group}/${at.slot}`;
  for (const { host, slots, incarnation: own } of live) {
    const report = slots.find((one) => one.group === at.group && one.slot === at.slot);
    if (report !== undefined && report.epoch > at.epoch) {
      return `${host} reports ${where} in epoch ${report.epoch}, the registry knows ${at.epoch}: it was restored from an older copy and must be recovered first`;
    }
    // A host that has not been told of any registry has none to contradict.
    if (own !== '' && own !== incarnation) {
      return `${host} works under incarnation ${own} of the registry, this one is ${incarnation}: it must be recovered before anything starts, moves or stops`;
    }
  }
  return null;
}
