/**
 * What really happens, kept beside the control plane's records: which host runs which slot, since which session. Every
 * start and every write of a group record is judged at the moment it happens.
 */
import type { GroupRecord, SlotRecord } from '../../core/protocol/records.ts';

export interface Running {
  readonly host: string;
  readonly session: string;
  readonly epoch: number;
}

export interface OwnerChange {
  readonly atMs: number;
  readonly slot: string;
  readonly from: string | null;
  readonly to: string;
  readonly epoch: number;
  readonly evidence: string | null;
}

export class GroundTruth {
  readonly violations: string[] = [];
  readonly ownerChanges: OwnerChange[] = [];
  /** When evidence was recorded, on the control plane's wall clock. */
  readonly evidences: { readonly atMs: number; readonly slot: string; readonly kind: string }[] = [];
  readonly #running = new Map<string, Running[]>();
  readonly #highest = new Map<string, number>();
  readonly #groups = new Map<string, GroupRecord>();
  readonly #now: () => number;
  readonly #isCovered: (group: string) => boolean;

  constructor(now: () => number, isCovered: (group: string) => boolean) {
    this.#now = now;
    this.#isCovered = isCovered;
  }

  runners(slot: string): readonly string[] {
    return (this.#running.get(slot) ?? []).map(({ host }) => host);
  }

  started(slot: string, by: Running): void {
    const others = (this.#running.get(slot) ?? []).filter(({ host }) => host !== by.host);
    if (this.#isCovered(groupOf(slot))) {
      if (others.length > 0)
        this.#violated(`I2: ${slot} runs on ${others.map(({ host }) => host).join()} and on ${by.host}`);
      const highest = this.#highest.get(slot) ?? 0;
      if (by.epoch < highest) this.#violated(`I3: ${slot} started in epoch ${by.epoch} after ${highest}`);
    }
    this.#highest.set(slot, Math.max(by.epoch, this.#highest.get(slot) ?? 0));
    this.#running.set(slot, [...others, by]);
  }

  stopped(slot: string, host: string): void {
    this.#running.set(
      slot,
      (this.#running.get(slot) ?? []).filter((one) => one.host !== host),
    );
  }

  /** A group record as it stands after a write. */
  wrote(next: GroupRecord): void {
    const old = this.#groups.get(next.group);
    this.#groups.set(next.group, next);
    for (const slot of next.slots) {
      const before = old?.slots.find((one) => one.slot === slot.slot);
      if (before !== undefined) this.#compare(`${next.group}/${slot.slot}`, before, slot);
    }
    const gone = (old?.slots ?? []).filter((slot) => !next.slots.some((one) => one.slot === slot.slot));
    if (gone.length > 0) this.#violated(`S20: ${next.group} lost the record of a slot, and with it its epoch`);
  }

  #compare(where: string, old: SlotRecord, next: SlotRecord): void {
    const isSame =
      old.owner?.session === next.owner?.session && old.owner?.host === next.owner?.host && old.epoch === next.epoch;
    if (isSame) {
      if (old.evidence === null && next.evidence !== null) this.#proven(where, next);
      else if (JSON.stringify(old.evidence) !== JSON.stringify(next.evidence))
        this.#violated(`${where}: evidence was changed`);
      return;
    }
    if (next.epoch !== old.epoch + 1) this.#violated(`I3: ${where} went from epoch ${old.epoch} to ${next.epoch}`);
    if (next.owner === null) this.#violated(`${where} lost its owner`);
    if (old.owner !== null && old.evidence === null) this.#violated(`I4: ${where} changed owner without evidence`);
    if (old.owner !== null) this.#mustBeQuiet(where, old);
    const { kind = null } = old.evidence ?? {};
    const change = {
      slot: where,
      from: old.owner?.host ?? null,
      to: next.owner?.host ?? '',
      epoch: next.epoch,
      evidence: kind,
    };
    this.ownerChanges.push({ atMs: this.#now(), ...change });
  }

  #proven(where: string, slot: SlotRecord): void {
    const { evidence, owner } = slot;
    if (evidence?.session !== owner?.session || evidence?.host !== owner?.host)
      this.#violated(`I4: ${where} has evidence about another session`);
    this.#mustBeQuiet(where, slot);
    this.evidences.push({ atMs: this.#now(), slot: where, kind: evidence?.kind ?? '' });
  }

  /** The evidence must be true: the old session runs nothing of the slot, not even in its last moments. */
  #mustBeQuiet(where: string, { owner, evidence }: SlotRecord): void {
    const isRunning = (this.#running.get(where) ?? []).some(
      ({ host, session }) => host === owner?.host && session === owner.session,
    );
    if (isRunning && this.#isCovered(groupOf(where)))
      this.#violated(`I4: ${evidence?.kind ?? 'nothing'} about ${owner?.host ?? ''}, which runs ${where}`);
  }

  #violated(what: string): void {
    this.violations.push(`at ${this.#now()}: ${what}`);
  }
}

export function groupOf(slot: string): string {
  return slot.split('/')[0] ?? '';
}
