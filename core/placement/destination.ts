/** Where one slot would go: what the workflow asks before it moves or places anything, and what a what-if asks. */
import { damped } from '../recovery/damping.ts';
import { forgiven, slotOf, withSlot } from '../recovery/ownership.ts';
import type { GroupRecord, SlotRecord } from '../protocol/records.ts';
import type { HostFinding, Snapshot } from './facts.ts';
import { planSlots } from './plan.ts';
import { slotInWords } from './words.ts';

export interface Destination {
  /** null: no host can take it. */
  readonly host: string | null;
  readonly says: string;
  /** One per host that was asked for. */
  readonly findings: readonly HostFinding[];
}

/** Where one slot of `group`, as given, would go among the possible hosts. */
export function destinationIn(
  snapshot: Snapshot,
  group: GroupRecord,
  slot: number,
  isPossible: (host: string) => boolean = () => true,
): Destination {
  const isThis = (name: string, no: number): boolean => name === group.group && no === slot;
  // What is not asked for stays in the picture: it counts for spreading and balance.
  const hosts = snapshot.hosts.map((host) => (isPossible(host.name) ? host : { ...host, session: null }));
  const groups = snapshot.groups.map((other) => (other.group === group.group ? group : other));
  const [explanation] = planSlots({ ...snapshot, hosts, groups }, { explain: isThis }).explanations;
  if (explanation === undefined) return { host: null, says: `${group.group}/${slot} needs no host`, findings: [] };
  const findings = explanation.hosts.filter((finding) => isPossible(finding.host));
  return { host: explanation.host, says: slotInWords({ ...explanation, hosts: findings }), findings };
}

/** What the slot is placed for; `attempt` counts hosts on which this run has failed to start it. */
export interface Errand {
  readonly verb: 'ha' | 'place' | 'move' | 'restart';
  readonly attempt: number;
  readonly to: string | null;
}

/**
 * The host for a slot that needs one now (`group` shows it without an owner that may run it). Damped slots stay where
 * nobody runs them (S15); where it failed before is better than nowhere, within limits (P9).
 */
export function chooseDestination(snapshot: Snapshot, group: GroupRecord, slotNo: number, errand: Errand): Destination {
  const where = `${group.group}/${slotNo}`;
  const spec = snapshot.definition.groups.find(({ name }) => name === group.group);
  const slot = slotOf(group, slotNo);
  if (spec === undefined || slot === undefined) return nowhere(`${where} is no longer defined`);
  // The first placement is no move, and an operator's move asks nobody.
  const often = slot.owner === null || errand.verb === 'move' ? null : damped(slot, spec.limits, snapshot.nowMs);
  if (often !== null) return nowhere(`${where} is not started: ${often.says}`);
  const choose = (record: GroupRecord): Destination =>
    destinationIn(snapshot, record, slotNo, (host) => !isExcluded(errand, slot, host));
  const best = choose(group);
  if (best.host !== null || slot.failedOn.length === 0) return best;
  // Nobody healthier. A restart may stay where it is: how often is bounded by whoever starts the run.
  const hopeful = errand.verb === 'restart' ? { ...slot, failedOn: [] } : forgiven(slot, spec.limits, snapshot.nowMs);
  return choose(withSlot(group, hopeful));
}

function nowhere(says: string): Destination {
  return { host: null, says, findings: [] };
}

/** A first attempt at a move goes where it was asked to, or anywhere but where it was; a later one anywhere, even back. */
function isExcluded({ verb, attempt, to }: Errand, slot: SlotRecord, host: string): boolean {
  if (verb !== 'move' || attempt > 0) return false;
  return to === null ? slot.owner?.host === host : to !== host;
}
