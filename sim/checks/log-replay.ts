/**
 * I9: the event log, folded, gives the owner and the epoch of every slot, and whether it is held, as its record shows them.
 *
 * Folded are the events that carry facts about a slot: `slot.owner` (who owns it from an epoch on) and `slot.state` (what
 * reconcile found on record and nobody had said). The one with the highest epoch counts, of equal ones the one whose state
 * of the slot is the newest (`sinceMs`; the giving away comes before any state). What
 * changed in the last two passes of reconcile before the end is not asked about: a Lambda that was killed after its write
 * has its event written by them. What a restored registry forgot (S21) stays in the log, which is append only: a slot that is
 * no longer as it was left is not asked about, until it is given away in an epoch that was never in use.
 */
import { type EventRecord, keys, type SlotRecord } from '../../core/protocol/records.ts';
import type { Millis } from '../../core/time/time.ts';
import { BEGINNING_MS } from '../kernel/local-clock.ts';
import type { Told } from '../contract/truth.ts';
import { dayOf } from '../../lambdas/shared/run-log.ts';
import { hasNewOwner, slotsWritten } from './seen.ts';
import { doneWithinMs, short, Watching } from './watching.ts';

const DAY_MS: Millis = 86_400_000;

interface Folded {
  readonly epoch: number;
  readonly owner: string;
  readonly isHeld: boolean;
}

interface Said {
  readonly folded: Folded;
  readonly sinceMs: number;
}

export class LogReplay extends Watching {
  readonly invariant = 'I9';
  readonly #changedAt = new Map<string, Millis>();
  /** By slot: what was written last. */
  readonly #left = new Map<string, SlotRecord>();
  /** By slot: the highest epoch that a restored registry forgot. Up to it an epoch may be in the log twice. */
  readonly #forgotten = new Map<string, number>();

  protected judge(fact: Told): void {
    if (fact.type !== 'group_written') return;
    for (const written of slotsWritten(fact)) {
      const { where, before, after } = written;
      this.#noteForgotten(where, before ?? after);
      this.#left.set(where, after);
      if (hasNewOwner(written) || isHeld(before) !== isHeld(after)) this.#changedAt.set(where, fact.at);
    }
  }

  #noteForgotten(where: string, found: SlotRecord): void {
    const left = this.#left.get(where);
    if (left === undefined || (left.epoch === found.epoch && left.sinceMs === found.sinceMs)) return;
    this.#forgotten.set(where, Math.max(left.epoch, this.#forgotten.get(where) ?? 0));
  }

  protected override conclude(): void {
    const now = this.seen.truth.now();
    const folded = this.#fold(now);
    for (const { group, slots } of this.seen.groups()) {
      for (const slot of slots) {
        const where = `${group}/${slot.slot}`;
        this.#noteForgotten(where, slot);
        const isNew = now - (this.#changedAt.get(where) ?? -Infinity) < doneWithinMs(this.seen.scene.profile);
        // Epoch 0: never placed.
        const isAsked = slot.epoch > (this.#forgotten.get(where) ?? 0) && !isNew;
        if (isAsked) this.#ask(where, slot, folded.get(where), now);
      }
    }
  }

  #ask(where: string, slot: SlotRecord, log: Folded | undefined, now: Millis): void {
    const record: Folded = { epoch: slot.epoch, owner: ownerOf(slot.owner), isHeld: isHeld(slot) };
    if (log !== undefined && JSON.stringify(log) === JSON.stringify(record)) return;
    const says = log === undefined ? 'nothing' : inWords(log);
    this.violate(now, `the event log of ${where} replays to ${says}, and its record shows ${inWords(record)}`);
  }

  #fold(now: Millis): ReadonlyMap<string, Folded> {
    const newest = new Map<string, Said>();
    for (const event of this.#events(now)) {
      const said = saidBy(event);
      const known = newest.get(event.subject);
      if (said !== null && (known === undefined || !isOlder(said, known))) newest.set(event.subject, said);
    }
    return new Map([...newest].map(([where, { folded }]) => [where, folded]));
  }

  /** In the order of their keys, which is that of time. Clocks may be off by a while: the days around are read too. */
  *#events(now: Millis): Generator<EventRecord> {
    for (let day = BEGINNING_MS - DAY_MS; day <= BEGINNING_MS + now + DAY_MS; day += DAY_MS) {
      const { pk } = keys.event(this.seen.scene.cluster, dayOf(day), '');
      yield* this.seen.truth.records<EventRecord>(pk, '');
    }
  }
}

function saidBy({ kind, facts }: EventRecord): Said | null {
  const { epoch, owner, sinceMs } = facts;
  if (typeof epoch !== 'number' || (kind !== 'slot.owner' && kind !== 'slot.state')) return null;
  const isOwner = typeof owner === 'object' && owner !== null && 'host' in owner && 'session' in owner;
  const known = isOwner ? { host: String(owner.host), session: String(owner.session) } : null;
  const folded: Folded = { epoch, owner: ownerOf(known), isHeld: facts['isHeld'] === true };
  return { folded, sinceMs: typeof sinceMs === 'number' ? sinceMs : 0 };
}

function isOlder(a: Said, b: Said): boolean {
  return a.folded.epoch < b.folded.epoch || (a.folded.epoch === b.folded.epoch && a.sinceMs < b.sinceMs);
}

const isHeld = (slot: SlotRecord | undefined): boolean => slot?.phase === 'Held';

function ownerOf(owner: { readonly host: string; readonly session: string } | null): string {
  return owner === null ? 'nobody' : `${owner.host}/${owner.session}`;
}

function inWords({ epoch, owner, isHeld: held }: Folded): string {
  const [host, session] = owner.split('/');
  return `epoch ${epoch} of ${host}${session === undefined ? '' : `/${short(session)}`}${held ? ', held' : ''}`;
}
