/** Which hosts really live, and where a slot could go among them, by the placement's own rules (core/placement). */
import type { Definition } from '../../core/config/model.ts';
import { destinationIn } from '../../core/placement/destination.ts';
import type { HostFacts } from '../../core/placement/facts.ts';
import { asIfReleased, slotOf, withSlot } from '../../core/recovery/ownership.ts';
import { type GroupRecord, type HostRecord, keys } from '../../core/protocol/records.ts';
import { type Millis, wallInstant, type WallInstant } from '../../core/time/time.ts';
import { BEGINNING_MS } from '../kernel/local-clock.ts';
import type { Seen } from './seen.ts';

/** So many renewals without a beat, and a host is not counted as living. */
const RENEWALS = 5;

/** What a control plane with the best of clocks would read now. */
export function wallNow(seen: Seen): WallInstant {
  return wallInstant(BEGINNING_MS + seen.truth.now());
}

/** By host: the session in which it renews, of a machine that is on and runs. */
export function livingSessions(seen: Seen): ReadonlyMap<string, string> {
  const now = seen.truth.now();
  const silentMs = Math.max(0, ...seen.definitions.all().map(({ timing }) => renewalMs(timing) * RENEWALS));
  const standing = new Set(seen.truth.heartbeats().map(({ session }) => session));
  const living = new Map<string, string>();
  for (const { host, power, isFrozen, belief } of seen.truth.machines()) {
    if (power !== 'on' || isFrozen || belief === null || !standing.has(belief.session)) continue;
    const lastBeatMs = seen.session(belief.session)?.lastBeatMs ?? null;
    if (lastBeatMs !== null && now - lastBeatMs <= silentMs) living.set(host, belief.session);
  }
  return living;
}

function renewalMs(timing: Definition['timing']): Millis {
  return timing.intervalMs * (1 + timing.jitter) + timing.renewCapMs;
}

export function hostRecord(seen: Seen, host: string): HostRecord | undefined {
  const { pk, sk } = keys.host(seen.scene.cluster, host);
  return seen.truth.record<HostRecord>(pk, sk);
}

/** What a slot's own failures to start on a host say is left out: by the end they are forgiven (S15). */
export function placeFor(
  seen: Seen,
  definition: Definition,
  group: GroupRecord,
  slotNo: number,
): { readonly host: string | null; readonly says: string } {
  const slot = slotOf(group, slotNo);
  if (slot === undefined) return { host: null, says: 'it has no record' };
  const nowMs = wallNow(seen);
  const living = livingSessions(seen);
  const hosts = definition.hosts.map(({ name, zone, labels, capacity }): HostFacts => ({
    name,
    status: living.has(name) ? 'Up' : 'Down',
    admin: hostRecord(seen, name)?.admin ?? 'enabled',
    session: living.get(name) ?? null,
    zone,
    labels,
    capacity,
  }));
  const forgiven = { ...slot, failedOn: [] };
  const freed = asIfReleased(withSlot(group, forgiven), forgiven, nowMs);
  const groups = seen.groups().map((other) => (other.group === group.group ? freed : other));
  return destinationIn({ definition, hosts, groups, nowMs }, freed, slotNo);
}
