/**
 * I3: epochs rise by one per change of owner and never fall, and every start carries one that its host was given.
 *
 * Of records: a slot's epoch is what stood there, or one more together with a new owner; no owner changes without. A slot
 * that has had an epoch never vanishes from its record (S20).
 * Of starts, precisely: the epoch was given to that very host and session (S6); it has not been reported released by it
 * before (S6); and, of covered services, none of a higher epoch of the slot has started anywhere. That a newer epoch was
 * given a moment ago, and not started yet, makes no start wrong: whether the older one may go on is a matter of I4.
 * After a restore of the registry (S21) counting goes on from what was restored: the command that raises epochs is ahead.
 */
import type { Owner, Report } from '../../core/protocol/records.ts';
import type { ServiceLife, Told } from '../contract/truth.ts';
import { hasNewOwner, type SlotWritten, slotsWritten } from './seen.ts';
import { seconds, short, Watching } from './watching.ts';

interface Given {
  highest: number;
  readonly owners: Map<number, Owner[]>;
}

export class Epochs extends Watching {
  readonly invariant = 'I3';
  readonly #given = new Map<string, Given>();
  readonly #started = new Map<string, ServiceLife>();
  /** By session and slot: highest epoch reported released. */
  readonly #released = new Map<string, number>();

  protected judge(fact: Told): void {
    if (fact.type === 'group_written' && !this.seen.isRestoring(fact.at)) this.#onGroup(fact);
    else if (fact.type === 'service_up') this.#onStart(fact.life, fact.at);
    else if (fact.type === 'record_written' && fact.sk.startsWith('REPORT#')) this.#onReport(fact);
  }

  protected override onRestored(): void {
    for (const { group, slots } of this.seen.groups()) {
      for (const { slot, epoch } of slots) {
        const where = `${group}/${slot}`;
        const given = this.#given.get(where);
        if (given !== undefined) given.highest = Math.min(given.highest, epoch);
        const started = this.#started.get(where);
        if (started !== undefined && started.epoch > epoch) this.#started.delete(where);
      }
    }
  }

  #onGroup(fact: Extract<Told, { type: 'group_written' }>): void {
    for (const written of slotsWritten(fact)) this.#onSlot(written, fact.at);
    for (const old of fact.before?.slots ?? []) {
      if (old.epoch === 0 || fact.after.slots.some(({ slot }) => slot === old.slot)) continue;
      const where = `${fact.after.group}/${old.slot}`;
      this.violate(fact.at, `${where} vanished from its record at epoch ${old.epoch}: an epoch must be kept for ever`);
    }
  }

  #onSlot(written: SlotWritten, at: number): void {
    const { where, before, after } = written;
    const given = this.#given.get(where) ?? { highest: 0, owners: new Map<number, Owner[]>() };
    this.#given.set(where, given);
    const old = before?.epoch ?? 0;
    const is = `at ${seconds(at)} ${where} went from epoch ${old} of ${named(before?.owner)} to ${after.epoch} of ${named(after.owner)}`;
    if (after.epoch < Math.max(old, given.highest))
      this.violate(at, `${is}: an epoch never falls, the highest so far was ${Math.max(old, given.highest)}`);
    else if (hasNewOwner(written) && (after.epoch !== old + 1 || after.owner === null))
      this.violate(at, `${is}: it must rise by exactly one with each change of owner, and with nothing else`);
    if (after.owner === null || after.epoch === 0) return;
    given.highest = Math.max(given.highest, after.epoch);
    const owners = given.owners.get(after.epoch) ?? [];
    if (!owners.some((owner) => isSame(owner, after.owner))) given.owners.set(after.epoch, [...owners, after.owner]);
  }

  #onStart(life: ServiceLife, at: number): void {
    const { where, epoch, host, session } = life;
    if (epoch === 0) return;
    const is = `at ${seconds(at)} ${life.service} of ${where} started on ${host} in epoch ${epoch} by session ${short(session)}`;
    const owners = this.#given.get(where)?.owners.get(epoch) ?? [];
    if (!owners.some((owner) => owner.host === host && owner.session === session))
      this.violate(at, `${is}, which was never given to it (given to: ${owners.map(named).join(', ') || 'nobody'})`);
    const released = this.#released.get(`${session} ${where}`) ?? 0;
    if (epoch <= released) this.violate(at, `${is}, after that session had reported epoch ${released} released (S6)`);
    if (!life.covered) return;
    const highest = this.#started.get(where);
    if (highest !== undefined && highest.epoch > epoch)
      this.violate(
        at,
        `${is}, after epoch ${highest.epoch} had started on ${highest.host}: an older epoch never starts again`,
      );
    if (highest === undefined || highest.epoch <= epoch) this.#started.set(where, life);
  }

  /** What is reported released must be stopped, and stay so in that epoch. */
  #onReport({ pk, sk, at }: Extract<Told, { type: 'record_written' }>): void {
    const report = this.seen.truth.record<Report>(pk, sk);
    if (report?.outcome !== 'released' || report.order.startsWith('closed.')) return;
    const where = `${report.group}/${report.slot}`;
    const key = `${report.session} ${where}`;
    this.#released.set(key, Math.max(this.#released.get(key) ?? 0, report.epoch));
    for (const life of this.seen.lives(where)) {
      if (life.session !== report.session || life.epoch > report.epoch) continue;
      const says = `at ${seconds(at)} session ${short(report.session)} reports ${where} released in epoch ${report.epoch}, and ${life.service} of it runs on ${life.host} (pid ${life.pid}, epoch ${life.epoch})`;
      this.violate(at, says);
    }
  }
}

const isSame = (a: Owner, b: Owner | null): boolean => a.host === b?.host && a.session === b.session;

function named(owner: Owner | null | undefined): string {
  return owner === null || owner === undefined ? 'nobody' : `${owner.host}/${short(owner.session)}`;
}
