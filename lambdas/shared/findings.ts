/**
 * Evidence about a (host, session) as the store proves it now. Every step that needs evidence asks here again, so that
 * nothing is believed because an execution said so (S7, S17).
 */
import {
  closed,
  type Finding,
  isAccepted,
  leaseOver,
  powerOff,
  revocationDueInMs,
  succeededBy,
  successor,
} from '../../core/recovery/evidence.ts';
import {
  type Evidence,
  type Heartbeat,
  type HostRecord,
  REVOKED_PREFIX,
  type SeenSession,
  type SlotRecord,
  TOMBSTONE_MACHINE,
} from '../../core/protocol/records.ts';
import type { EvidenceKind } from '../../core/config/model.ts';
import type { WallInstant } from '../../core/time/time.ts';
import type { ClusterFacts } from './cluster.ts';
import type { ControlPorts } from './ports.ts';
import { readReport } from './reports.ts';

/** One kind of evidence that stands about a session. */
interface Standing {
  readonly kind: Evidence['kind'];
  readonly because: string;
  /** null: it cannot be had about this slot. */
  readonly for: (group: string, slot: SlotKey) => Evidence | null;
}

type SlotKey = Pick<SlotRecord, 'slot' | 'lists'>;

/** All evidence that stands about a session: a race over the kinds that each slot accepts (S7). */
export interface Proof {
  /** For one slot of the old session: the first kind that its group accepts, else the first that can be had, else null. */
  readonly for: (group: string, slot: SlotKey) => Evidence | null;
  /** What is of most use: the first kind that a waiting slot accepts, else the first that was found. */
  readonly kind: Evidence['kind'];
  readonly because: string;
  /** Some slot that waits for evidence accepts what was found, or none waits. */
  readonly isOfUse: boolean;
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
  const [heartbeat, report] = await Promise.all([
    ports.heartbeats.read(host.principal),
    readReport(ports, host.principal, `closed.${session}`),
  ]);
  const finding = { run, atMs: ports.wall.now() };
  const old = { host: host.host, session, principal: host.principal };

  // These every slot accepts: nothing better can be found.
  const machine = machineOf(facts, about);
  const certain =
    closed(old, report, finding) ??
    successor({ ...old, machine }, heartbeat, finding) ??
    (await onceSucceeded(ports, about, machine, heartbeat, finding));
  if (certain !== null) return proofOf(facts, about, [standing(certain)]);

  const off = powerOff(old, host.off, finding);
  const over = await endedByLease(ports, about, heartbeat, { now: finding.atMs, wallGapMs });
  const sample = over === null ? null : leaseOver(over, { slot: -1, lists: [] }, '', finding);
  const byLease: readonly Standing[] =
    over === null || sample === null
      ? []
      : [{ ...standing(sample), for: (group, slot) => leaseOver(over, slot, group, finding) }];
  // Where no slot accepts it, it is no end of the wait either: the lease goes on being counted.
  const byPower = off !== null && isAnywhereAccepted(facts, about, off.kind) ? [standing(off)] : [];
  return proofOf(facts, about, [...byPower, ...byLease]);
}

function isAnywhereAccepted(facts: ClusterFacts, about: SessionOf, kind: EvidenceKind): boolean {
  const waiting = waitingSlots(facts, about);
  return waiting.length === 0 || waiting.some(({ group }) => isAccepted(kind, acceptedBy(facts, group)));
}

function standing(evidence: Evidence): Standing {
  return { kind: evidence.kind, because: evidence.because, for: () => evidence };
}

function proofOf(facts: ClusterFacts, about: SessionOf, found: readonly Standing[]): Proof | null {
  const [first] = found;
  if (first === undefined) return null;
  const accepts = (group: string) => acceptedBy(facts, group);
  const fitting = (group: string) => found.filter(({ kind }) => isAccepted(kind, accepts(group)));
  const waiting = waitingSlots(facts, about);
  const use = found.find(({ kind }) => waiting.some(({ group }) => isAccepted(kind, accepts(group))));
  const { kind, because } = use ?? first;
  return {
    kind,
    because,
    isOfUse: use !== undefined || waiting.length === 0,
    for: (group, slot) => firstOf(fitting(group), group, slot) ?? firstOf(found, group, slot),
  };
}

function firstOf(found: readonly Standing[], group: string, slot: SlotKey): Evidence | null {
  for (const candidate of found) {
    const evidence = candidate.for(group, slot);
    if (evidence !== null) return evidence;
  }
  return null;
}

/** Kinds beyond those that every slot accepts. */
export function acceptedBy(facts: ClusterFacts, group: string): readonly EvidenceKind[] {
  const record = facts.groups.find((candidate) => candidate.group === group);
  return record === undefined ? [] : (facts.specOf(record)?.accepts ?? []);
}

/** Slots that the session owns and that no evidence was recorded about. */
export function waitingSlots(
  facts: Pick<ClusterFacts, 'groups'>,
  { host, session }: { readonly host: Pick<HostRecord, 'host'>; readonly session: string },
): readonly { readonly group: string; readonly slot: number }[] {
  return facts.groups.flatMap(({ group, slots }) =>
    slots
      .filter(({ owner, evidence }) => evidence === null && owner?.host === host.host && owner.session === session)
      .map(({ slot }) => ({ group, slot })),
  );
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
  if (host.followed?.includes(session) === true) return host.seen?.machine;
  const owners = facts.groups.flatMap((group) => group.slots.flatMap((slot) => slot.owner ?? []));
  return owners.find((owner) => owner.host === host.host && owner.session === session)?.machine;
}

/** L_c + ε have passed since something else stood in the session's place (S3). */
function waitedOut(instead: Heartbeat, seen: SeenSession, sinceMs: WallInstant, clock: Clock): Heartbeat | null {
  if (revocationDueInMs(seen, sinceMs, clock.now, clock.wallGapMs) > 0) return null;
  // Which lists it had acknowledged went with the item: a session that could hold binds to nobody.
  return { ...instead, ...seen, launchTime: seen.launchTime ?? '', lists: {} };
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
