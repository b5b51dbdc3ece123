/**
 * Evidence that an old (host, session) can no longer be running a slot (S7). Each kind is made here and nowhere else,
 * from records that were read back, never from what an execution carries along: a step that runs twice or late comes
 * to the same evidence or to none.
 */
import { requiredTakerWaitMs } from '../config/timing.ts';
import type { EvidenceKind } from '../config/model.ts';
import type { PoweredOff } from '../protocol/power-records.ts';
import {
  type CandidateList,
  type Evidence,
  type Heartbeat,
  type Report,
  REVOKED_PREFIX,
  RULES_VERSION,
  type SlotRecord,
} from '../protocol/records.ts';
import { type Millis, wallElapsed, type WallInstant } from '../time/time.ts';
import { whyNoRecord } from './power-off.ts';

/** Kinds that every slot accepts, whatever its fencing policy names (S7). */
export const ALWAYS_ACCEPTED: readonly EvidenceKind[] = ['released', 'closed', 'successor'];

export function isAccepted(kind: EvidenceKind, accepts: readonly EvidenceKind[]): boolean {
  return ALWAYS_ACCEPTED.includes(kind) || accepts.includes(kind);
}

export interface SessionRef {
  readonly host: string;
  readonly session: string;
}

export interface Finding {
  readonly run: string;
  readonly atMs: WallInstant;
}

/** The wait before a revocation: L_c of the old session's own timing (S19), never below V3, and ε on top. */
export function sessionWaitMs(heartbeat: Pick<Heartbeat, 'timing'>, wallGapMs: Millis): Millis {
  const { timing } = heartbeat;
  return Math.max(timing.takerWaitMs, requiredTakerWaitMs(timing)) + wallGapMs;
}

/** How long still to wait until (session, seq) may be revoked; 0: now. `observedAt` was stamped after an answer holding it. */
export function revocationDueInMs(
  heartbeat: Pick<Heartbeat, 'timing'>,
  observedAt: WallInstant,
  now: WallInstant,
  wallGapMs: Millis,
): Millis {
  return Math.max(0, sessionWaitMs(heartbeat, wallGapMs) - wallElapsed(observedAt, now));
}

/** Why `lease-over` cannot be had about this session, or null (S4, S7). */
export function whyNoLeaseOver(heartbeat: Pick<Heartbeat, 'guardLevel' | 'rules'>): string | null {
  if (heartbeat.guardLevel === 'none') return 'its guard level is none: nothing bounds a stopped guard';
  if (heartbeat.rules !== RULES_VERSION)
    return `it obeys rules version ${heartbeat.rules}, this control plane knows ${RULES_VERSION}`;
  return null;
}

/**
 * Evidence `lease-over` from the revocation's own answer. `revoked` is the item as the revocation found it; the lists
 * that the old owner had acknowledged bind its takers if it could have been holding (S11).
 */
export function leaseOver(
  revoked: Heartbeat,
  slot: Pick<SlotRecord, 'slot' | 'lists'>,
  group: string,
  finding: Finding,
): Evidence | null {
  if (whyNoLeaseOver(revoked) !== null) return null;
  return {
    kind: 'lease-over',
    host: revoked.host,
    session: revoked.session,
    ...finding,
    because: `it did not renew version ${revoked.seq} for longer than its lease, so its own guard has stopped everything; then its session was ended for good`,
    takers: boundTakers(revoked, slot, group),
  };
}

function boundTakers(
  revoked: Heartbeat,
  slot: Pick<SlotRecord, 'slot' | 'lists'>,
  group: string,
): readonly string[] | null {
  if (!revoked.mayHold) return null;
  const acknowledged = revoked.lists[`${group}/${slot.slot}`];
  const list = slot.lists.find((candidate: CandidateList) => candidate.no === acknowledged);
  return list?.hosts ?? [];
}

/** Evidence `successor`: the same machine registered a newer session. Another machine proves nothing, nor does an unknown one (undefined). */
export function successor(
  old: SessionRef & { readonly machine: string | undefined },
  current: Heartbeat | undefined,
  finding: Finding,
): Evidence | null {
  if (current === undefined || current.session === old.session) return null;
  if (current.session.startsWith(REVOKED_PREFIX)) return null;
  if (old.machine === undefined || current.machine !== old.machine) return null;
  return succeededBy(old, current.session, finding);
}

/**
 * The same from a record: a session of the same machine that stood in the item after `old`, whatever has become of it
 * since. That it came after is the caller's to know; that a session is on record says nothing about when.
 */
export function succeededBy(old: SessionRef, newer: string, finding: Finding): Evidence {
  return {
    kind: 'successor',
    host: old.host,
    session: old.session,
    ...finding,
    because: `the same machine registered a newer session (${newer}); before that its guard made sure that nothing was left running`,
    takers: null,
  };
}

/** Evidence `power-off`, from the stored record of two reads and nothing else: an answer or an event makes none. */
export function powerOff(
  old: SessionRef & { readonly principal: string },
  off: PoweredOff | undefined,
  finding: Finding,
): Evidence | null {
  if (off === undefined || whyNoRecord(off, old.principal, old.session) !== null) return null;
  const [first, second] = off.reads;
  const apartMs = wallElapsed(first.answeredAtMs, second.askedAtMs);
  return {
    kind: 'power-off',
    host: old.host,
    session: old.session,
    ...finding,
    because: `EC2 said twice, ${(apartMs / 1_000).toFixed(1)} s apart, that its machine ${off.machine} is ${second.state}, and not started again since this session began (LaunchTime ${first.launchTime})`,
    takers: null,
  };
}

/** Evidence `closed`: the session ended itself after releasing everything. */
export function closed(old: SessionRef, report: Report | undefined, finding: Finding): Evidence | null {
  if (report === undefined || report.order !== `closed.${old.session}` || report.session !== old.session) return null;
  if (report.outcome !== 'released') return null;
  return {
    kind: 'closed',
    host: old.host,
    session: old.session,
    ...finding,
    because: 'the host shut down in good order after stopping everything',
    takers: null,
  };
}

/** Evidence `released`: the owner reported the slot stopped and probed stopped in that epoch. */
export function released(
  owner: SessionRef,
  epoch: number,
  report: Report | undefined,
  finding: Finding,
): Evidence | null {
  if (report === undefined || report.outcome !== 'released') return null;
  if (report.session !== owner.session || report.epoch !== epoch) return null;
  return {
    kind: 'released',
    host: owner.host,
    session: owner.session,
    epoch,
    ...finding,
    because: `the owner stopped it and proved it stopped in epoch ${epoch}`,
    takers: null,
  };
}
