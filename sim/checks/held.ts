/**
 * I11: nothing is held without a reason that still holds, and a person told.
 *
 * Told: a page that names the slot, sent since the slot has its present epoch (a reason is said once, S15), at the latest
 * two passes of reconcile and one invocation after it was held. Judged is what is held in the quiet phase; before, the
 * same faults that hold it may hold up the page. A slot that its group can spare waits for a host without a call.
 * Reasons that are gone, at the end: a host in trouble on record that has renewed for that long and has left no slot
 * behind in an older session; a storm or a braked call while every host renews; a claim of a run that has ended. That no
 * slot is held which a host could run is I5.
 */
import { type Definition, slotCount } from '../../core/config/model.ts';
import type { BrakeRecord } from '../../core/protocol/brake-records.ts';
import { type GroupRecord, type HostRecord, keys, type SlotRecord } from '../../core/protocol/records.ts';
import { isOwned, slotOf } from '../../core/recovery/ownership.ts';
import { isWaiting, mayWait } from '../../core/recovery/waiting.ts';
import type { Millis } from '../../core/time/time.ts';
import type { Told } from '../contract/truth.ts';
import { livingSessions } from './eligible.ts';
import { slotsWritten } from './seen.ts';
import { doneWithinMs, seconds, Watching } from './watching.ts';

interface Hold {
  readonly where: string;
  readonly why: string;
  readonly fromMs: Millis;
  /** Since when the slot has the epoch in which it is held. */
  readonly epochMs: Millis;
  toMs: Millis | null;
}

const IN_TROUBLE: readonly HostRecord['status'][] = ['Behind', 'Investigating', 'Disconnected', 'Fencing', 'Alert'];

export class Held extends Watching {
  readonly invariant = 'I11';
  readonly #withinMs = doneWithinMs(this.seen.scene.profile);
  readonly #holds: Hold[] = [];
  readonly #under = new Map<string, Hold>();
  readonly #epochs = new Map<string, { readonly epoch: number; readonly fromMs: Millis }>();
  readonly #pages: { readonly at: Millis; readonly says: string }[] = [];
  readonly #ended = new Map<string, Millis>();
  #definition: Definition | undefined = undefined;

  protected judge(fact: Told): void {
    // What another definition says of a slot holds, or ends, from then on, though nobody writes the slot.
    if (this.#definition !== this.seen.definitions.now()) this.#onAll();
    if (fact.type === 'page') this.#pages.push({ at: fact.at, says: `${fact.subject} ${fact.text}` });
    else if (fact.type === 'run_ended') this.#ended.set(fact.run, fact.at);
    else if (fact.type === 'group_written')
      for (const { where, after } of slotsWritten(fact)) this.#onSlot(where, fact.after, after, fact.at);
  }

  #onSlot(where: string, group: GroupRecord, slot: SlotRecord, at: Millis): void {
    const known = this.#epochs.get(where);
    const epoch = known?.epoch === slot.epoch ? known : { epoch: slot.epoch, fromMs: slot.epoch === 0 ? 0 : at };
    this.#epochs.set(where, epoch);
    const hold = this.#under.get(where);
    const isHeld = slot.phase === 'Held' && !this.#isSpared(group, slot);
    if (isHeld && hold === undefined) {
      const begun: Hold = { where, why: slot.why, fromMs: at, epochMs: epoch.fromMs, toMs: null };
      this.#under.set(where, begun);
      this.#holds.push(begun);
    } else if (!isHeld && hold !== undefined) {
      hold.toMs = at;
      this.#under.delete(where);
    }
  }

  #isSpared(group: GroupRecord, slot: SlotRecord): boolean {
    const spec = this.seen.definitions.now()?.groups.find(({ name }) => name === group.group);
    // What is no longer defined, and owned by nobody, waits for nothing any more.
    if (spec === undefined || slot.slot >= slotCount(spec)) return !isOwned(slot);
    return isWaiting(slot) && mayWait(spec, group, slot.slot);
  }

  protected override onRestored(): void {
    this.#onAll();
  }

  #onAll(): void {
    this.#definition = this.seen.definitions.now();
    for (const group of this.seen.groups()) {
      for (const slot of group.slots) this.#onSlot(`${group.group}/${slot.slot}`, group, slot, this.seen.truth.now());
    }
  }

  protected override conclude(): void {
    for (const hold of this.#holds) this.#askTold(hold);
    this.#askHosts();
    this.#askBrake();
    this.#askClaims();
  }

  #askTold({ where, why, fromMs, epochMs, toMs }: Hold): void {
    const now = this.seen.truth.now();
    const dueMs = Math.max(fromMs, now - this.seen.scene.quietForMs) + this.#withinMs;
    if ((toMs ?? now) <= dueMs) return;
    // An older copy of the registry brings an older epoch back, and with it what was told in its time: those very words count.
    const isTold = ({ at, says }: { readonly at: Millis; readonly says: string }): boolean =>
      at <= dueMs && names(says, where) && (at >= epochMs || says.includes(why));
    if (this.#pages.some(isTold)) return;
    this.violate(
      dueMs,
      `${where} is held since ${seconds(fromMs)} (${why}), and by ${seconds(dueMs)} nobody was called about it`,
    );
  }

  #askHosts(): void {
    const now = this.seen.truth.now();
    for (const [host, session] of livingSessions(this.seen)) {
      const record = this.#hosts().find((one) => one.host === host);
      const isNew = now - (this.seen.session(session)?.fromMs ?? now) < this.#withinMs;
      const isQuiet = this.seen.scene.quietForMs >= this.#withinMs;
      if (record === undefined || isNew || !isQuiet || !IN_TROUBLE.includes(record.status)) continue;
      if (this.#hasLeftBehind(host, session)) continue;
      this.violate(
        now,
        `${host} is ${record.status} on record (${record.why}), though it has renewed for ${this.#withinMs} ms and owns nothing in an older session`,
      );
    }
  }

  #hasLeftBehind(host: string, session: string): boolean {
    return this.seen
      .groups()
      .some(({ slots }) =>
        slots.some((slot) => isOwned(slot) && slot.owner?.host === host && slot.owner.session !== session),
      );
  }

  #askBrake(): void {
    const now = this.seen.truth.now();
    const { pk, sk } = keys.budget(this.seen.scene.cluster);
    const brake = this.seen.truth.record<BrakeRecord>(pk, sk);
    const hosts = this.seen.definitions.now()?.hosts ?? [];
    const living = livingSessions(this.seen);
    const areAllWell = hosts.every(({ name }) => living.has(name)) && now - this.seen.lastSessionMs >= this.#withinMs;
    if (brake === undefined || !areAllWell || this.seen.scene.quietForMs < this.#withinMs) return;
    if (brake.storm !== null) this.violate(now, `a storm is on record (${brake.storm.says}), though every host renews`);
    for (const { host, says } of brake.held)
      this.violate(now, `a stop of ${host} is held (${says}), though every host renews`);
  }

  #askClaims(): void {
    for (const { host, claim } of this.#hosts()) this.#askClaim(host, claim?.run ?? null);
    for (const group of this.seen.groups())
      for (const { slot } of group.slots) this.#askClaim(`${group.group}/${slot}`, slotOf(group, slot)?.claim ?? null);
  }

  #askClaim(subject: string, run: string | null): void {
    const now = this.seen.truth.now();
    const endedMs = run === null ? undefined : this.#ended.get(run);
    if (endedMs === undefined || now - Math.max(endedMs, now - this.seen.scene.quietForMs) <= this.#withinMs) return;
    this.violate(now, `${subject} is claimed by ${run ?? ''}, which ended at ${seconds(endedMs)}`);
  }

  #hosts(): readonly HostRecord[] {
    const { pk, sk } = keys.host(this.seen.scene.cluster, '');
    return this.seen.truth.records<HostRecord>(pk, sk);
  }
}

/** `web/1` is not named by `web/10`, nor by `my-web/1`. */
function names(says: string, where: string): boolean {
  for (let at = says.indexOf(where); at >= 0; at = says.indexOf(where, at + 1)) {
    if (!isPartOfName(says[at - 1]) && !isPartOfName(says[at + where.length])) return true;
  }
  return false;
}

const isPartOfName = (letter: string | undefined): boolean => letter !== undefined && /[\w/-]/.test(letter);
