/**
 * Ownership of slots. Every function maps a group record to its successor or says why not; the caller writes it on the
 * version it read, so that epoch, evidence and definition version are one condition (S7).
 */
import type { EvidenceKind } from '../config/model.ts';
import { invariant } from '../failures/invariant.ts';
import type { CandidateList, Evidence, GroupRecord, Owner, SlotPhase, SlotRecord } from '../protocol/records.ts';
import { wallElapsed, type WallInstant } from '../time/time.ts';
import { damped, type MoveLimits } from './damping.ts';
import { isAccepted } from './evidence.ts';

export type Change = { readonly ok: true; readonly group: GroupRecord } | { readonly ok: false; readonly why: string };

/** Candidate lists kept per slot; the oldest is dropped when an owner acknowledges none for that long. */
export const LISTS_MAX = 16;
/** Failed starts remembered per slot. */
const HISTORY_MAX = 20;
/** Moves remembered per slot: as many as the schema allows per window, or the limit would never be met. */
const MOVES_MAX = 100;

const refuse = (why: string): Change => ({ ok: false, why });

export function newSlot(slot: number, nowMs: WallInstant): SlotRecord {
  return {
    slot,
    owner: null,
    epoch: 0,
    phase: 'Stopped',
    why: 'never placed',
    sinceMs: nowMs,
    evidence: null,
    tookOverBy: null,
    boundTo: null,
    lists: [],
    attempt: 0,
    movesMs: [],
    failedOn: [],
    claim: null,
  };
}

export function slotOf(group: GroupRecord, slot: number): SlotRecord | undefined {
  return group.slots.find((candidate) => candidate.slot === slot);
}

export function withSlot(group: GroupRecord, changed: SlotRecord): GroupRecord {
  return { ...group, slots: group.slots.map((slot) => (slot.slot === changed.slot ? changed : slot)) };
}

/** True while somebody may be running the slot: it has an owner and no evidence about that owner. */
export function isOwned(slot: SlotRecord): boolean {
  return slot.owner !== null && slot.evidence === null;
}

/** The group as it would stand if the slot's owner released it now: what a move or a restart is planned on before anything stops. */
export function asIfReleased(group: GroupRecord, slot: SlotRecord, nowMs: WallInstant): GroupRecord {
  if (slot.owner === null || slot.evidence !== null) return group;
  const { host, session } = slot.owner;
  const because = 'as if it were released';
  const evidence: Evidence = { kind: 'released', host, session, run: '', atMs: nowMs, because, takers: null };
  return withSlot(group, { ...slot, evidence, phase: 'Stopped' });
}

/** Records evidence about the slot's owner; ownership and epoch stay until someone takes over. */
export function withEvidence(
  group: GroupRecord,
  slotNo: number,
  evidence: Evidence,
  accepts: readonly EvidenceKind[],
): Change {
  const slot = slotOf(group, slotNo);
  if (slot === undefined || slot.owner === null) return refuse('the slot has no owner');
  if (slot.owner.session !== evidence.session || slot.owner.host !== evidence.host) {
    return refuse(
      `the evidence is about ${evidence.host}/${evidence.session}, the owner is ${slot.owner.host}/${slot.owner.session}`,
    );
  }
  if (evidence.kind === 'released' && evidence.epoch !== slot.epoch) {
    return refuse(`epoch ${evidence.epoch ?? 'unknown'} was released, the slot stands at ${slot.epoch}`);
  }
  if (slot.evidence !== null) return refuse(`there is evidence already: ${slot.evidence.kind}`);
  if (!isAccepted(evidence.kind, accepts)) return refuse(`this group does not accept ${evidence.kind}`);
  const why = `${evidence.host} cannot be running it: ${evidence.because}`;
  const bound: Evidence = { ...evidence, takers: bothBind(evidence.takers, slot.boundTo) };
  return {
    ok: true,
    group: withSlot(group, { ...slot, evidence: bound, phase: 'Stopped', why, sinceMs: evidence.atMs }),
  };
}

/** An owner that never reported Active lifted nothing: whoever was bound before it stays bound (S11). */
function bothBind(a: readonly string[] | null, b: readonly string[] | null): readonly string[] | null {
  if (a === null || b === null) return a ?? b;
  return a.filter((host) => b.includes(host));
}

/** The ownership write: owner, epoch + 1 and first candidate list in one. Needs evidence about the old owner, or none ever. */
export function takeOwnership(
  group: GroupRecord,
  options: {
    readonly slot: number;
    readonly epoch: number;
    readonly rev: number;
    readonly owner: Owner;
    readonly candidates: readonly string[];
    readonly nowMs: WallInstant;
    /** An automatic move, which damping counts (S15). */
    readonly isMove: boolean;
    readonly run: string;
  },
): Change {
  const slot = slotOf(group, options.slot);
  if (slot === undefined) return refuse('there is no such slot');
  if (slot.epoch !== options.epoch) return refuse(`the epoch is ${slot.epoch}, not ${options.epoch}`);
  if (group.rev !== options.rev)
    return refuse(`the group stands at definition ${group.rev}, the plan was made for ${options.rev}`);
  if (isOwned(slot)) return refuse(`${slot.owner?.host ?? ''} owns it and there is no evidence about that session`);
  const takers = slot.evidence?.takers ?? null;
  if (takers !== null && !takers.includes(options.owner.host)) {
    return refuse(
      `${options.owner.host} is not among the hosts that the old owner had acknowledged (${takers.join(', ') || 'none'})`,
    );
  }
  // Two runs may have chosen the same host from facts of different moments; this record is where they meet.
  const rival = group.slots.find(
    (other) => other.slot !== slot.slot && isOwned(other) && other.owner?.host === options.owner.host,
  );
  if (rival !== undefined) return refuse(`${options.owner.host} owns slot ${rival.slot} of this group`);
  invariant(slot.owner === null || slot.evidence !== null, 'a slot changes owner only with evidence');
  const list: CandidateList = { no: (slot.lists.at(-1)?.no ?? 0) + 1, hosts: options.candidates };
  const next: SlotRecord = {
    ...slot,
    owner: options.owner,
    epoch: slot.epoch + 1,
    phase: 'Starting',
    why: `placed on ${options.owner.host}`,
    sinceMs: options.nowMs,
    evidence: null,
    tookOverBy: slot.evidence,
    boundTo: takers,
    lists: [list],
    placedBy: options.run,
    attempt: 0,
    movesMs: options.isMove ? [...slot.movesMs, options.nowMs].slice(-MOVES_MAX) : slot.movesMs,
  };
  return { ok: true, group: withSlot(group, next) };
}

/** Changes the phase while (session, epoch) still own the slot; anything else is a latecomer and changes nothing (S17). */
export function withPhase(
  group: GroupRecord,
  at: { readonly slot: number; readonly epoch: number; readonly session: string },
  phase: SlotPhase,
  why: string,
  nowMs: WallInstant,
): Change {
  const slot = slotOf(group, at.slot);
  if (slot === undefined || slot.epoch !== at.epoch || slot.owner?.session !== at.session || slot.evidence !== null) {
    return refuse(`epoch ${at.epoch} is no longer owned by session ${at.session}`);
  }
  if (slot.phase === phase && slot.why === why) return { ok: true, group };
  const boundTo = phase === 'Active' ? null : slot.boundTo;
  return { ok: true, group: withSlot(group, { ...slot, phase, why, sinceMs: nowMs, boundTo }) };
}

/** The planned run of this slot is over; the next one waits for its pause (S15). */
export function withoutClaim(slot: SlotRecord, nowMs: WallInstant): SlotRecord {
  return { ...slot, claim: null, triedAtMs: nowMs };
}

/** Remembers that the slot could not run on a host, so that the next plan goes elsewhere within the window (S15). */
export function withFailedHost(group: GroupRecord, slotNo: number, host: string, nowMs: WallInstant): GroupRecord {
  const slot = slotOf(group, slotNo);
  if (slot === undefined) return group;
  const failedOn = [...slot.failedOn.filter((old) => old.host !== host), { host, atMs: nowMs }].slice(-HISTORY_MAX);
  return withSlot(group, { ...slot, failedOn });
}

/** A start that failed on a host is not tried there again before this, however few other hosts there are. */
export const FORGIVE_AFTER_MS = 30_000;

/**
 * The slot as if older failures to start were forgotten: where it failed before is better than nowhere. Only while the
 * slot has moves left in its window, so that a start that always fails ends held, with a person called (S15).
 */
export function forgiven(slot: SlotRecord, limits: MoveLimits, nowMs: WallInstant): SlotRecord {
  if (damped(slot, limits, nowMs) !== null) return slot;
  return { ...slot, failedOn: slot.failedOn.filter(({ atMs }) => wallElapsed(atMs, nowMs) < FORGIVE_AFTER_MS) };
}

/** A newer candidate list for a running owner; numbers rise by one, and the acknowledged one and later are kept (S10, S11). */
export function withCandidates(
  group: GroupRecord,
  slotNo: number,
  hosts: readonly string[],
  acknowledged: number,
): GroupRecord {
  const slot = slotOf(group, slotNo);
  if (slot === undefined) return group;
  const newest = slot.lists.at(-1);
  // The newest stays whatever was acknowledged: the next number counts on from it.
  const kept = slot.lists.filter((list) => list.no >= acknowledged || list === newest);
  const isSame = newest !== undefined && JSON.stringify(newest.hosts) === JSON.stringify(hosts);
  if (isSame && kept.length === slot.lists.length) return group;
  const lists = isSame ? kept : [...kept, { no: (newest?.no ?? 0) + 1, hosts }];
  return withSlot(group, { ...slot, lists: lists.slice(-LISTS_MAX) });
}
