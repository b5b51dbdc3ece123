/**
 * Evidence about a (host, session) as the store proves it now. Every step that needs evidence asks here again, so that
 * nothing is believed because an execution said so (S7, S17).
 */
import {
  closed,
  type Finding,
  leaseOver,
  revocationDueInMs,
  succeededBy,
  successor,
} from '../../core/recovery/evidence.ts';
import {
  type Evidence,
  type Heartbeat,
  type HostRecord,
  keys,
  type Report,
  REVOKED_PREFIX,
  type SeenSession,
  type SlotRecord,
  TOMBSTONE_MACHINE,
} from '../../core/protocol/records.ts';
import type { WallInstant } from '../../core/time/time.ts';
import type { ClusterFacts } from './cluster.ts';
import type { ControlPorts } from './ports.ts';

export interface Proof {
  /** Evidence for one slot of the old session, or null if its kind binds other takers or is unavailable. */
  readonly for: (group: string, slot: Pick<SlotRecord, 'slot' | 'lists'>) => Evidence | null;
  readonly kind: Evidence['kind'];
  readonly because: string;
}

export interface SessionOf {
  readonly host: HostRecord;
  readonly session: string;
}

/** null: nothing proves yet that the session is over. */
export async function findProof(
  ports: ControlPorts,
  facts: ClusterFacts,
  about: SessionOf,
  run: string,
): Promise<Proof | null> {
  const { host, session } = about;
  const { wallGapMs } = facts.definition.timing;
  const heartbeat = await ports.heartbeats.read(host.principal);
  const finding = { run, atMs: ports.wall.now() };
  const old = { host: host.host, session };

  const report = await ports.registry.get<Report>(keys.report(host.principal, `closed.${session}`));
  const bySelf = closed(old, report?.body, finding);
  if (bySelf !== null) return { for: () => bySelf, kind: bySelf.kind, because: bySelf.because };

  const machine = machineOf(facts, about);
  const bySuccessor =
    successor({ ...old, machine }, heartbeat, finding) ??
    (await onceSucceeded(ports, about, machine, heartbeat, finding));
  if (bySuccessor !== null) return { for: () => bySuccessor, kind: 'successor', because: bySuccessor.because };

  const over = await endedByLease(ports, about, heartbeat, { now: finding.atMs, wallGapMs });
  const sample = over === null ? null : leaseOver(over, { slot: -1, lists: [] }, '', finding);
  if (over === null || sample === null) return null;
  return {
    for: (group, slot) => leaseOver(over, slot, group, finding),
    kind: 'lease-over',
    because: sample.because,
  };
}

interface Clock {
  readonly now: WallInstant;
  readonly wallGapMs: number;
}

/** The old session as it stood when its lease ran out for good, or null: not yet, or nothing shows it. */
async function endedByLease(
  ports: ControlPorts,
  { host, session }: SessionOf,
  heartbeat: Heartbeat | undefined,
  clock: Clock,
): Promise<Heartbeat | null> {
  if (heartbeat === undefined || heartbeat.session === session) return null;
  const { seen, tombstoneAtMs, replaced } = host;
  // Whatever took its place in the item, this session cannot renew from then on (S2).
  if (replaced?.seen.session === session) return waitedOut(heartbeat, replaced.seen, replaced.atMs, clock);
  if (!heartbeat.session.startsWith(REVOKED_PREFIX)) return null;
  if (heartbeat.machine !== TOMBSTONE_MACHINE) return revokedItem(ports, host.principal, session, heartbeat);
  if (seen?.session !== session || tombstoneAtMs === null) return null;
  return waitedOut(heartbeat, seen, tombstoneAtMs, clock);
}

/** A successor that has been revoked, or whose item is gone since: that it registered stays true. */
async function onceSucceeded(
  ports: ControlPorts,
  { host, session }: SessionOf,
  machine: string | undefined,
  heartbeat: Heartbeat | undefined,
  finding: Finding,
): Promise<Evidence | null> {
  if (machine === undefined) return null;
  const old = { host: host.host, session };
  if (host.seen?.machine === machine && host.followed?.includes(session) === true)
    return succeededBy(old, host.seen.session, finding);
  if (heartbeat === undefined || !heartbeat.session.startsWith(REVOKED_PREFIX)) return null;
  // A revoked item keeps the machine of the session that was revoked; it stood after the old one unless it is the old one.
  if (heartbeat.machine !== machine) return null;
  const by = heartbeat.session.slice(REVOKED_PREFIX.length);
  const again = await ports.heartbeats.revoke(host.principal, session, heartbeat.seq, by);
  const isOther = again.outcome === 'refused' && again.found?.session === heartbeat.session;
  return isOther ? succeededBy(old, `since then ${heartbeat.session}`, finding) : null;
}

/** The machine of the old session; undefined: it owns nothing and was not seen, so that no evidence about it has any effect. */
function machineOf(facts: ClusterFacts, { host, session }: SessionOf): string | undefined {
  if (host.seen?.session === session) return host.seen.machine;
  if (host.replaced?.seen.session === session) return host.replaced.seen.machine;
  const owners = facts.groups.flatMap((group) => group.slots.flatMap((slot) => slot.owner ?? []));
  return owners.find((owner) => owner.host === host.host && owner.session === session)?.machine;
}

/** L_c + ε have passed since something else stood in the session's place (S3). */
function waitedOut(instead: Heartbeat, seen: SeenSession, sinceMs: WallInstant, clock: Clock): Heartbeat | null {
  if (revocationDueInMs(seen, sinceMs, clock.now, clock.wallGapMs) > 0) return null;
  // Which lists it had acknowledged went with the item: a session that could hold binds to nobody.
  return { ...instead, ...seen, lists: {} };
}

/** The item as the revocation found it, if it was this session that was revoked. */
async function revokedItem(
  ports: ControlPorts,
  principal: string,
  session: string,
  heartbeat: Heartbeat,
): Promise<Heartbeat | null> {
  const by = heartbeat.session.slice(REVOKED_PREFIX.length);
  // Revoking again in the name of the run that did it changes nothing and returns what it found.
  const again = await ports.heartbeats.revoke(principal, session, heartbeat.seq, by);
  return again.outcome === 'revoked' && again.heartbeat.session === session ? again.heartbeat : null;
}
