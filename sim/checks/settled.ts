/**
 * I5: once faults have ended, every defined slot that an eligible living host could run is Active on record and runs on
 * its owner, exactly once if it is covered; and it came back within the bound.
 *
 * Eligible is who passes placement's own filters on what is true: hosts whose machine is on and that renew a session.
 * Excused is only what needs a person (I11 asks whether one was called):
 *   - HA is switched off; or nobody is eligible;
 *   - the slot was moved as often as its limits allow (S15), until that window slides;
 *   - nothing can prove its owner over: it is not alive, its group does not accept `lease-over` (or the guard level is
 *     `none`, S4), and `power-off` is not accepted, or cannot be had of a host that EC2 does not know;
 *   - the registry was restored from before the slot's highest epoch, and `recover` is ahead (S21).
 *
 * The bound is V10 of the slowest timing that was in force, from the end of faults, or from the loss or the last
 * registration of any host if that came later. On top: L_c of grace for an observer that doubts itself (S13); one pass of
 * reconcile, and the longest pause before an attempt (S15); a start and a stop that a run may still be waiting out; and,
 * where power must be cut, a window of the brake per host (S14).
 */
import { BRAKE_LIMITS } from '../../core/config/brake-limits.ts';
import { type Definition, type GroupDefinition, isCovered, slotCount } from '../../core/config/model.ts';
import { recoveryBoundMs } from '../../core/config/timing.ts';
import type { GroupRecord, Owner, SlotRecord } from '../../core/protocol/records.ts';
import { damped } from '../../core/recovery/damping.ts';
import { FORGIVE_AFTER_MS, isOwned, slotOf } from '../../core/recovery/ownership.ts';
import { retryPauseMs, startLimitMs, stopLimitMs } from '../../core/recovery/reconcile.ts';
import { type Millis, wallAfter } from '../../core/time/time.ts';
import { reconcileMs } from '../contract/schedule.ts';
import type { ServiceLife, Told } from '../contract/truth.ts';
import { hostRecord, livingSessions, placeFor, wallNow } from './eligible.ts';
import { slotsWritten } from './seen.ts';
import { seconds, Watching } from './watching.ts';

interface Outage {
  readonly fromMs: Millis;
  toMs: Millis | null;
  /** Held by damping meanwhile, until its window slides. */
  isDamped: boolean;
}

interface At {
  readonly group: GroupRecord | undefined;
  readonly spec: GroupDefinition;
  readonly no: number;
  readonly where: string;
}

/** Attempts at which the pause before the next has its full length. */
const ATTEMPTS_MANY = 100;

export class Settled extends Watching {
  readonly invariant = 'I5';
  readonly #records = new Map<string, SlotRecord>();
  readonly #outages = new Map<string, Outage[]>();
  readonly #highest = new Map<string, number>();

  protected judge(fact: Told): void {
    if (fact.type === 'service_up' || fact.type === 'service_down') this.#look(fact.life.where, fact.at);
    if (fact.type !== 'group_written') return;
    for (const { where, after } of slotsWritten(fact)) {
      this.#records.set(where, after);
      this.#highest.set(where, Math.max(this.#highest.get(where) ?? 0, after.epoch));
      this.#look(where, fact.at, fact.after.group);
    }
  }

  /** Whether the slot runs as its record says; a change of that begins or ends an outage. */
  #look(where: string, at: Millis, group?: string): void {
    const slot = this.#records.get(where);
    if (slot === undefined) return;
    const outages = this.#outages.get(where) ?? [];
    const last = outages.at(-1);
    const isOut = last !== undefined && last.toMs === null;
    if (this.#runs(where, slot)) {
      if (isOut) last.toMs = at;
      return;
    }
    const outage = isOut ? last : { fromMs: at, toMs: null, isDamped: false };
    if (!isOut) this.#outages.set(where, [...outages, outage]);
    const limits = this.seen.definitions.now()?.groups.find(({ name }) => name === group)?.limits;
    if (limits !== undefined && !isOwned(slot) && damped(slot, limits, wallNow(this.seen)) !== null)
      outage.isDamped = true;
  }

  #runs(where: string, { phase, owner, epoch }: SlotRecord): boolean {
    if (phase !== 'Active' || owner === null) return false;
    for (const life of this.seen.lives(where)) if (isOwn(life, { ...owner, epoch })) return true;
    return false;
  }

  protected override onRestored(): void {
    for (const { group, slots } of this.seen.groups()) {
      for (const slot of slots) {
        this.#records.set(`${group}/${slot.slot}`, slot);
        this.#look(`${group}/${slot.slot}`, this.seen.truth.now(), group);
      }
    }
  }

  protected override conclude(): void {
    const definition = this.seen.definitions.now();
    if (definition === undefined || this.seen.definitions.record?.haEnabled !== true) return;
    const groups = this.seen.groups();
    for (const spec of definition.groups) {
      const group = groups.find((one) => one.group === spec.name);
      for (let no = 0; no < slotCount(spec); no += 1)
        this.#askSlot(definition, { group, spec, no, where: `${spec.name}/${no}` });
    }
  }

  #askSlot(definition: Definition, at: At): void {
    const now = this.seen.truth.now();
    const allowedMs = this.#allowedMs(at.spec.name);
    const quietMs = now - this.seen.scene.quietForMs;
    for (const { fromMs, toMs, isDamped } of this.#outages.get(at.where) ?? []) {
      const sinceMs = Math.max(fromMs, quietMs, toMs === null ? 0 : this.#lastSessionBefore(toMs));
      if (toMs === null || isDamped || toMs - sinceMs <= allowedMs) continue;
      this.violate(
        toMs,
        `${at.where} was active again at ${seconds(toMs)}, ${toMs - sinceMs} ms after ${seconds(sinceMs)}: it must be within ${allowedMs} ms`,
      );
    }
    const why = this.#whyNotRight(at);
    const excuse = why === null ? null : this.#excuse(definition, at);
    if (why === null || excuse !== null) return;
    const fromMs = this.#outages.get(at.where)?.at(-1)?.fromMs ?? 0;
    // What was out when faults ended has had the whole of the quiet phase, which is as long as the scene makes it.
    if (fromMs > quietMs && now - Math.max(fromMs, this.seen.lastSessionMs) <= allowedMs) return;
    const { host } = placeFor(this.seen, definition, at.group ?? EMPTY, at.no);
    this.violate(now, `at the end ${at.where} ${why}, though ${host ?? 'its owner'} could run it`);
  }

  #lastSessionBefore(at: Millis): Millis {
    return this.seen.sessions().reduce((last, { fromMs }) => (fromMs <= at ? Math.max(last, fromMs) : last), 0);
  }

  #whyNotRight({ group, where, no, spec }: At): string | null {
    const slot = group === undefined ? undefined : slotOf(group, no);
    if (slot === undefined) return 'has no record';
    const { owner, phase, epoch } = slot;
    if (owner === null || !isOwned(slot)) return `is ${phase} (${slot.why}), and nobody owns it`;
    if (phase !== 'Active') return `is ${phase} on ${owner.host} (${slot.why})`;
    const lives = [...this.seen.lives(where)];
    const own = lives.filter((life) => isOwn(life, { ...owner, epoch }));
    const missing = this.#mustRun(spec).filter((name) => !own.some(({ service }) => service === name));
    if (own.length === 0 || missing.length > 0)
      return `is Active on ${owner.host} by its record, and ${missing.join(', ') || 'nothing of it'} does not run there`;
    const others = isCovered(spec) ? lives.filter((life) => life.covered && !own.includes(life)) : [];
    const [other] = others;
    return other === undefined ? null : `runs on ${other.host} too, in epoch ${other.epoch}`;
  }

  /** Services that no change of the definition has added to a running slot. */
  #mustRun(spec: GroupDefinition): readonly string[] {
    const all = this.seen.definitions.all().map(({ groups }) => groups.find(({ name }) => name === spec.name));
    const names = spec.services.map(({ name }) => name);
    return names.filter((name) => all.every((one) => one?.services.some((service) => service.name === name) === true));
  }

  #excuse(definition: Definition, at: At): string | null {
    const { spec, group, where } = at;
    const slot = group === undefined ? undefined : slotOf(group, at.no);
    if (group === undefined || slot === undefined) return null;
    if (this.seen.restores > 0 && (this.#highest.get(where) ?? 0) > slot.epoch)
      return 'the registry was restored (S21)';
    const goesOnMs = reconcileMs(this.seen.scene.profile) + retryPauseMs(ATTEMPTS_MANY) + startLimitMs(spec.services);
    const earlier = wallAfter(wallNow(this.seen), -goesOnMs);
    if (slot.epoch > 0 && damped(slot, spec.limits, earlier) !== null) return 'it was moved too often (S15)';
    const unproven = this.#whyNothingProves(definition, spec, slot);
    if (unproven !== null) return unproven;
    return placeFor(this.seen, definition, group, at.no).host === null ? 'nobody is eligible' : null;
  }

  /** Of a slot whose owner is not alive, and about which no evidence that the group accepts can be had. */
  #whyNothingProves({ hosts }: Definition, spec: GroupDefinition, slot: SlotRecord): string | null {
    const { owner } = slot;
    if (owner === null || !isOwned(slot) || livingSessions(this.seen).get(owner.host) === owner.session) return null;
    const machine = this.seen.session(owner.session)?.machine ?? owner.machine ?? '';
    const newest = this.seen.newestOn(machine);
    if (newest !== undefined && newest.session !== owner.session) return null;
    const record = hostRecord(this.seen, owner.host);
    const known = [record?.seen, record?.replaced?.seen].find((one) => one?.session === owner.session);
    if (spec.accepts.includes('lease-over') && known?.guardLevel !== 'none') return null;
    // EC2 does not know a copy of a machine (`sim/hosts/hosts.ts` names them).
    const isInEc2 =
      !machine.includes('~clone') &&
      this.seen.scene.hosts.some(({ name, instanceId }) => name === owner.host && instanceId !== null);
    // What has crashed is running to EC2, until somebody stops it there.
    const isShown = this.seen.scene.hosts.some(({ name, ends }) => name === owner.host && ends !== 'crashed');
    const isOff = isShown && this.seen.truth.machines().some((one) => one.machine === machine && one.power !== 'on');
    const mayBeCut = hosts.some(({ name, fencing }) => name === owner.host && fencing.flat().includes('ec2'));
    if (spec.accepts.includes('power-off') && isInEc2 && (isOff || mayBeCut)) return null;
    return `nothing that its group accepts can prove ${owner.host} over`;
  }

  #allowedMs(group: string): Millis {
    const [retryMs, all] = [retryPauseMs(ATTEMPTS_MANY), this.seen.definitions.all()];
    const bounds = all.map(({ timing, groups, hosts }) => {
      const spec = groups.find(({ name }) => name === group);
      const [startMs, stopMs] = [startLimitMs(spec?.services ?? []), stopLimitMs(spec?.services ?? [])];
      const brakeMs =
        spec?.accepts.includes('lease-over') === false ? BRAKE_LIMITS[timing.profile].windowMs * hosts.length : 0;
      return recoveryBoundMs(timing, { startMs }) + timing.takerWaitMs + startMs + stopMs + brakeMs;
    });
    return Math.max(0, ...bounds) + reconcileMs(this.seen.scene.profile) + retryMs + FORGIVE_AFTER_MS;
  }
}

/**
 * Started by its owner in its epoch. What is not covered runs on through a lost session, and the next session of the same
 * machine takes it as it runs.
 */
function isOwn(life: ServiceLife, owner: Owner & { readonly epoch: number }): boolean {
  if (life.session === owner.session && life.epoch === owner.epoch) return true;
  return !life.covered && life.machine === owner.machine && life.epoch < owner.epoch;
}

const EMPTY: GroupRecord = { group: '', rev: 0, slots: [], standbys: [] };
