/** Moves a slot on an operator's word: checks first, says what will happen, then starts the run. */
import { findingInWords } from '../../core/placement/words.ts';
import { asIfReleased, isOwned, slotOf } from '../../core/recovery/ownership.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { GroupRecord, SlotRecord } from '../../core/protocol/records.ts';
import type { MoveView } from '../../core/protocol/views.ts';
import { type ClusterFacts, loadCluster } from '../shared/cluster.ts';
import { startMove } from '../shared/host-admin.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { recordEvent } from '../shared/run-log.ts';
import { destinationOf } from '../shared/snapshot.ts';

export interface MoveOrder {
  readonly cluster: string;
  readonly group: string;
  readonly slot: number;
  readonly to: string | null;
  readonly dryRun: boolean;
  readonly by: string;
}

export async function moveSlot(ports: ControlPorts, order: MoveOrder): Promise<MoveView> {
  const facts = await loadCluster(ports, order.cluster);
  const { group, slot } = ownedSlot(facts, order);
  const from = slot.owner?.host ?? '';
  const to = destination(ports, facts, order, group, slot);
  const where = `${order.group}/${order.slot}`;
  const words = [
    `${where} runs on ${from} (epoch ${slot.epoch}, ${slot.phase})`,
    `${from} is ordered to stop it and to prove it stopped; if it is too slow, the move is cancelled and it stays there`,
    `then ${to} becomes its owner as epoch ${slot.epoch + 1} and starts it`,
  ];
  if (order.dryRun) return { run: null, plan: words };
  const run = await startMove(ports, { ...order, record: slot });
  if (run === null)
    throw new HaError(
      'conflict',
      `${where} was moved too often in epoch ${slot.epoch} without success; look at \`holdfast runs\``,
    );
  const says = `${order.by} moves ${where} from ${from} to ${to}`;
  await recordEvent(ports, order.cluster, { kind: 'operator.move', subject: where, says, run, by: order.by });
  return { run, plan: words };
}

function ownedSlot(facts: ClusterFacts, order: MoveOrder): { group: GroupRecord; slot: SlotRecord } {
  const group = facts.groups.find((candidate) => candidate.group === order.group);
  if (group === undefined || !facts.definition.groups.some((spec) => spec.name === order.group)) {
    const names = facts.definition.groups.map((spec) => spec.name).join(', ');
    throw new HaError('not_found', `there is no group ${order.group}; there are ${names}`);
  }
  const slot = slotOf(group, order.slot);
  if (slot === undefined)
    throw new HaError('not_found', `${order.group} has no slot ${order.slot}; it has 0 to ${group.slots.length - 1}`);
  if (!isOwned(slot))
    throw new HaError('conflict', `${order.group}/${order.slot} has no owner now (${slot.phase}: ${slot.why})`);
  if (slot.claim !== null)
    throw new HaError('conflict', `run ${slot.claim} works on ${order.group}/${order.slot} already`);
  return { group, slot };
}

/** Where it would go if its owner released it now; refused with the reasons where there is no such host. */
function destination(
  ports: ControlPorts,
  facts: ClusterFacts,
  order: MoveOrder,
  group: GroupRecord,
  slot: SlotRecord,
): string {
  if (order.to !== null && !facts.definition.hosts.some((host) => host.name === order.to)) {
    throw new HaError(
      'not_found',
      `there is no host ${order.to}; there are ${facts.definition.hosts.map((host) => host.name).join(', ')}`,
    );
  }
  if (order.to === slot.owner?.host)
    throw new HaError('conflict', `${order.group}/${order.slot} runs on ${order.to} already`);
  const nowMs = ports.wall.now();
  const isPossible = (name: string): boolean => (order.to === null ? name !== slot.owner?.host : name === order.to);
  const { host, findings } = destinationOf(facts, nowMs, asIfReleased(group, slot, nowMs), slot.slot, isPossible);
  if (host !== null) return host;
  const reasons = findings.map(findingInWords).join('; ') || 'there is no other host';
  throw new HaError('no_host', `${order.group}/${order.slot} cannot move: ${reasons}`);
}
