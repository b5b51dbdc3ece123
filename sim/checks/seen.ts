/**
 * What the facts so far add up to: which processes live where, which session is of which machine, what guards believe.
 * One for all checkers of a run; whoever sees a fact first brings it here.
 */
import { type GroupRecord, keys, type SlotRecord } from '../../core/protocol/records.ts';
import type { Millis } from '../../core/time/time.ts';
import type { Scene } from '../contract/scene.ts';
import type { ServiceLife, Told, Truth } from '../contract/truth.ts';
import { AcceptedBeats } from './accepted.ts';
import { Beliefs } from './beliefs.ts';
import { Definitions } from './definitions.ts';
import { Standstills } from './standstills.ts';

export interface SessionSeen {
  readonly session: string;
  readonly host: string;
  readonly machine: string;
  /** When its guard named it, or the store first held it. */
  readonly fromMs: Millis;
  lastBeatMs: Millis | null;
}

/** Of records that were written: the slot before and after. */
export interface SlotWritten {
  readonly where: string;
  readonly before: SlotRecord | undefined;
  readonly after: SlotRecord;
}

export class Seen {
  readonly scene: Scene;
  readonly truth: Truth;
  readonly beliefs = new Beliefs();
  readonly accepted = new AcceptedBeats();
  readonly standstills = new Standstills();
  readonly definitions: Definitions;
  /** How often the registry was restored from an older copy, as far as that is over. */
  restores = 0;
  /** When a host registered a session last. */
  lastSessionMs: Millis = 0;
  readonly #lives = new Map<string, Map<string, ServiceLife>>();
  readonly #sessions = new Map<string, SessionSeen>();
  readonly #newest = new Map<string, SessionSeen>();
  readonly #offAt = new Map<string, Millis>();
  readonly #frozen = new Set<string>();
  #told: Told | null = null;
  #last: Told | null = null;
  #restoredAt: Millis | null = null;
  #isWallSpread = false;
  #dueAt: Millis = 0;
  #due: (() => void)[] = [];

  constructor(scene: Scene, truth: Truth) {
    this.scene = scene;
    this.truth = truth;
    this.definitions = new Definitions(truth, scene.cluster);
  }

  /** The fact as checkers are to judge it: what is covered for certain is, whatever its host takes it for. */
  see(told: Told): Told {
    if (told === this.#told) return this.#last ?? told;
    this.#told = told;
    this.definitions.see(told);
    const fact = this.#withCover(told);
    this.#last = fact;
    this.#take(fact);
    return fact;
  }

  #withCover(fact: Told): Told {
    switch (fact.type) {
      case 'service_up':
      case 'service_down':
        return { ...fact, life: this.#judged(fact.life) };
      case 'belief':
        return { ...fact, belief: { ...fact.belief, slots: fact.belief.slots.map((slot) => this.#judged(slot)) } };
      default:
        return fact;
    }
  }

  #judged<T extends { readonly where: string; readonly epoch: number; readonly covered: boolean }>(of: T): T {
    const [group = ''] = of.where.split('/');
    // A standby runs in no epoch, and is stopped by none.
    return of.covered || of.epoch === 0 || !this.definitions.isAlwaysCovered(group) ? of : { ...of, covered: true };
  }

  #take(fact: Told): void {
    if (fact.at > this.#dueAt) this.settle();
    if (this.#restoredAt !== null && fact.at > this.#restoredAt) {
      this.#restoredAt = null;
      this.restores += 1;
    }
    this.beliefs.see(fact);
    this.standstills.see(fact);
    switch (fact.type) {
      case 'service_up':
        this.#livesOf(fact.life.where).set(keyOf(fact.life), fact.life);
        break;
      case 'service_down':
        this.#livesOf(fact.life.where).delete(keyOf(fact.life));
        break;
      case 'machine':
        this.#onMachine(fact);
        break;
      case 'belief':
        this.#onSession(fact.belief.session, fact);
        break;
      case 'beat':
        this.#onSession(fact.session, fact).lastBeatMs = fact.at;
        this.accepted.see(fact);
        break;
      case 'fault':
        if (fact.kind === 'registry_restored' && fact.now === 'begins') this.#restoredAt = fact.at;
        if (fact.kind === 'control_wall_step') this.#isWallSpread = true;
        break;
      default:
    }
  }

  /** Judged once time has gone on, on what stood then: what began and ended in one instant has had no length. */
  later(judge: () => void): void {
    this.#dueAt = this.truth.now();
    this.#due.push(judge);
  }

  settle(): void {
    const due = this.#due;
    this.#due = [];
    for (const judge of due) judge();
  }

  /** Writes of this moment are those of a restore, and no work of the system under test. */
  isRestoring(at: Millis): boolean {
    return this.#restoredAt === at;
  }

  *lives(where: string): Generator<ServiceLife> {
    yield* this.#lives.get(where)?.values() ?? [];
  }

  *livesOn(machine: string): Generator<ServiceLife> {
    for (const lives of this.#lives.values())
      for (const life of lives.values()) if (life.machine === machine) yield life;
  }

  isFrozen(machine: string): boolean {
    return this.#frozen.has(machine);
  }

  session(session: string): SessionSeen | undefined {
    return this.#sessions.get(session);
  }

  sessions(): readonly SessionSeen[] {
    return [...this.#sessions.values()];
  }

  /** The newest session of a machine. */
  newestOn(machine: string): SessionSeen | undefined {
    return this.#newest.get(machine);
  }

  /** When the power of a machine went last. */
  offAt(machine: string): Millis | undefined {
    return this.#offAt.get(machine);
  }

  /** The wall clocks of the control plane were set apart: from then on they may differ by ε. */
  get isWallSpread(): boolean {
    return this.#isWallSpread;
  }

  /** Why the machine of a session was not off since that session began; null: it is, or was. */
  whyNotOff(session: string, recorded: string | undefined): string | null {
    const known = this.session(session);
    const machine = known?.machine ?? recorded ?? '';
    const isOff = this.truth.machines().some((one) => one.machine === machine && one.power !== 'on');
    const offAt = this.offAt(machine);
    if (isOff || (offAt !== undefined && offAt >= (known?.fromMs ?? Infinity))) return null;
    return `${machine} is on, and was not off since that session began at ${((known?.fromMs ?? 0) / 1_000).toFixed(3)} s`;
  }

  groups(): readonly GroupRecord[] {
    const { pk, sk } = keys.group(this.scene.cluster, '');
    return this.truth.records<GroupRecord>(pk, sk);
  }

  #livesOf(where: string): Map<string, ServiceLife> {
    const known = this.#lives.get(where) ?? new Map<string, ServiceLife>();
    this.#lives.set(where, known);
    return known;
  }

  #onMachine({ machine, now, at }: Extract<Told, { type: 'machine' }>): void {
    if (now === 'frozen') this.#frozen.add(machine);
    else this.#frozen.delete(machine);
    if (now === 'off' || now === 'replaced') this.#offAt.set(machine, at);
  }

  #onSession(
    session: string,
    of: { readonly host: string; readonly machine: string; readonly at: Millis },
  ): SessionSeen {
    const known = this.#sessions.get(session);
    if (known !== undefined) return known;
    const { host, machine, at } = of;
    const first: SessionSeen = { session, host, machine, fromMs: at, lastBeatMs: null };
    this.#sessions.set(session, first);
    this.#newest.set(machine, first);
    this.lastSessionMs = at;
    return first;
  }
}

const keyOf = ({ machine, pid, session }: ServiceLife): string => `${machine} ${pid} ${session}`;

/** Slots of a written group that are new or changed, with what stood there. */
export function slotsWritten(fact: Extract<Told, { type: 'group_written' }>): readonly SlotWritten[] {
  const { before, after } = fact;
  return after.slots.map((slot) => ({
    where: `${after.group}/${slot.slot}`,
    before: before?.slots.find((old) => old.slot === slot.slot),
    after: slot,
  }));
}

export function hasNewOwner({ before, after }: SlotWritten): boolean {
  const [old, now] = [before?.owner ?? null, after.owner];
  return old?.host !== now?.host || old?.session !== now?.session || (before?.epoch ?? 0) !== after.epoch;
}
