/**
 * A host in virtual time: registers, renews, reads its assignment when the directive rises and answers its orders after
 * scripted delays. It stops what is covered as late as a guard ever would, at its lease deadline + b, so that the
 * control plane is judged against the worst host that keeps the rules.
 */
import type { MemoryClock } from '../../adapters/memory/memory-clock.ts';
import type { MemoryStore } from '../../adapters/memory/memory-store.ts';
import type { GroupDefinition, Timing } from '../../core/config/model.ts';
import { isCovered } from '../../core/config/model.ts';
import { registrationMove } from '../../core/lease/registration.ts';
import type {
  Assignment,
  Heartbeat,
  Order,
  Registration,
  Report,
  ReportOutcome,
  SlotReport,
} from '../../core/protocol/records.ts';
import { keys } from '../../core/protocol/records.ts';
import type { GroundTruth } from './ground-truth.ts';
import { DEFAULT_SCRIPT, type HostScript } from './host-script.ts';

export interface HostSetting {
  readonly name: string;
  readonly cluster: string;
  readonly principal: string;
  readonly machine: string;
  /** Of the machine's present life. */
  readonly launchTime: () => string;
  readonly clock: MemoryClock;
  readonly store: MemoryStore;
  readonly truth: GroundTruth;
  readonly timing: Timing;
  readonly freshId: () => string;
}

interface Slot {
  readonly spec: GroupDefinition;
  report: SlotReport;
  isRunning: boolean;
}

const RETRY_MS = 200;
const TTL = 2_000_000_000;

export class ScriptedHost {
  readonly name: string;
  readonly script: HostScript;
  session: string | null = null;
  /** Cut off from the store. */
  isCut = false;
  readonly #at: HostSetting;
  /** Rises with every end of a life: what was begun in an earlier one is dropped. */
  #life = 0;
  #boots = 0;
  #deadlineMs = 0;
  #isLeaseLost = false;
  #obeyed = 0;
  #orders: readonly Order[] = [];
  readonly #slots = new Map<string, Slot>();
  /** Highest epoch given up, on disk: survives a reboot (S6). */
  readonly #released = new Map<string, number>();
  readonly #begun = new Set<string>();
  readonly #said = new Map<string, Report>();

  constructor(at: HostSetting, script: Partial<HostScript> = {}) {
    this.name = at.name;
    this.#at = at;
    this.script = { ...DEFAULT_SCRIPT, ...script };
  }

  get principal(): string {
    return this.#at.principal;
  }

  get isUp(): boolean {
    return this.#boots > 0 && this.session !== null;
  }

  boot(): void {
    this.#endLife();
    this.#boots += 1;
    const life = this.#life;
    this.#later(this.script.bootMs, () => void this.#beginSession(life));
  }

  /** Power cut. */
  die(): void {
    this.#endLife();
    this.session = null;
  }

  /** Stops everything, says so, and is gone. */
  async shutdown(): Promise<void> {
    const session = this.session ?? '';
    this.#endLife();
    this.session = null;
    const closing = {
      order: `closed.${session}`,
      session,
      group: '',
      slot: 0,
      epoch: 0,
      outcome: 'released',
      detail: '',
    } as const;
    await this.#write(closing);
  }

  /** A service fails beyond its local restarts: the slot stops, and the next beats say so. */
  fail(slot: string, detail: string): void {
    this.#stop(slot);
    this.#show(slot, 'Failed', detail);
  }

  /** It is gone, without a word of failure. */
  stopQuietly(slot: string): void {
    this.#stop(slot);
    this.#show(slot, 'Stopped', '');
  }

  phaseOf(slot: string): string | undefined {
    return this.#slots.get(slot)?.report.phase;
  }

  // ---- the session -----------------------------------------------------------------------------------------------

  #endLife(): void {
    this.#life += 1;
    for (const slot of this.#slots.keys()) this.#stop(slot);
    this.#slots.clear();
    this.#begun.clear();
    this.#said.clear();
    this.#orders = [];
    this.#obeyed = 0;
  }

  #later(ms: number, work: () => void): void {
    const life = this.#life;
    this.#at.clock.after(ms, () => {
      if (this.#life === life) work();
    });
  }

  async #beginSession(life: number): Promise<void> {
    const { store, principal, clock, freshId } = this.#at;
    const own = store.ownHeartbeat(principal);
    const session = freshId();
    while (this.#life === life) {
      const sentAtMs = clock.boot.now();
      try {
        const found = await own.read();
        const move = registrationMove(found, {
          session,
          machine: this.#at.machine,
          bootId: `b${this.#boots}`,
          handover: [],
        });
        const answer =
          move.do === 'register'
            ? await own.register(this.#registration(session), move.expected, this.#beat(), TTL)
            : null;
        if (this.#life !== life) return;
        if (answer?.outcome === 'registered') return this.#registered(life, session, sentAtMs, answer.heartbeat);
      } catch {
        // Cut off: tried again below.
      }
      await clock.sleeper.sleep(RETRY_MS);
    }
  }

  #registration(session: string): Registration {
    const { intervalMs, holderLeaseMs, takerWaitMs, killMs, writeLifeMs, freezeMs, clockRateError } = this.#at.timing;
    return {
      session,
      cluster: this.#at.cluster,
      host: this.name,
      machine: this.#at.machine,
      bootId: `b${this.#boots}`,
      launchTime: this.#at.launchTime(),
      guardLevel: this.script.guardLevel,
      rules: this.script.rules,
      timing: { intervalMs, holderLeaseMs, takerWaitMs, killMs, writeLifeMs, freezeMs, clockRateError },
      agentVersion: 'scripted',
      incarnation: '',
      mayHold: false,
    };
  }

  #registered(life: number, session: string, sentAtMs: number, heartbeat: Heartbeat): void {
    this.session = session;
    this.#isLeaseLost = false;
    this.#obeyed = 0;
    this.#extend(sentAtMs, heartbeat);
    void this.#renewForEver(life, session);
  }

  async #renewForEver(life: number, session: string): Promise<void> {
    const { clock, store, principal, timing } = this.#at;
    const own = store.ownHeartbeat(principal);
    while (this.#life === life && this.session === session) {
      await clock.sleeper.sleep(timing.intervalMs);
      if (this.#life !== life) return;
      const sentAtMs = clock.boot.now();
      try {
        const answer = await own.renew(session, { ...this.#beat(), sentAtBootMs: sentAtMs }, TTL, timing.renewCapMs);
        if (this.#life !== life) return;
        if (answer.outcome === 'refused') return this.#refused(life);
        if (answer.outcome === 'renewed') this.#extend(sentAtMs, answer.heartbeat);
      } catch {
        // No answer, no extension.
      }
    }
  }

  #beat(): Parameters<ReturnType<MemoryStore['ownHeartbeat']>['renew']>[1] {
    const lists = this.#orders
      .filter((order) => order.verb === 'start')
      .map((order) => [slotOf(order), order.list.no] as const);
    return {
      obeyed: this.#obeyed,
      slots: [...this.#slots.values()].map(({ report }) => report),
      lists: Object.fromEntries(lists),
      sentAtWallMs: this.#at.clock.wall.now(),
    };
  }

  #extend(sentAtMs: number, heartbeat: Heartbeat): void {
    const { clock, timing } = this.#at;
    this.#deadlineMs = sentAtMs + timing.holderLeaseMs;
    if (this.#isLeaseLost) {
      this.#isLeaseLost = false;
      this.#begun.clear();
      this.#obeyed = 0;
    }
    this.#later(this.#deadlineMs - clock.boot.now(), () => this.#atDeadline());
    if (heartbeat.directive > this.#obeyed) this.#later(this.script.readMs, () => void this.#read());
  }

  #atDeadline(): void {
    if (this.#at.clock.boot.now() < this.#deadlineMs) return;
    this.#isLeaseLost = true;
    this.#later(this.#at.timing.killMs, () => {
      if (this.#isLeaseLost) this.#stopCovered();
    });
  }

  /** S3: another session stands; what is covered stops at once, then a new session begins. */
  #refused(life: number): void {
    this.#stopCovered();
    this.session = null;
    this.#orders = [];
    this.#begun.clear();
    this.#said.clear();
    this.#at.clock.after(RETRY_MS, () => {
      if (this.#life === life) void this.#beginSession(life);
    });
  }

  #stopCovered(): void {
    for (const [key, { spec, isRunning }] of this.#slots) {
      if (!isCovered(spec)) continue;
      this.#stop(key);
      if (isRunning) this.#show(key, 'Stopped', 'the lease is over');
    }
  }

  // ---- orders ----------------------------------------------------------------------------------------------------

  async #read(): Promise<void> {
    const life = this.#life;
    try {
      const stored = await this.#at.store.registry().get<Assignment>(keys.assignment(this.principal));
      if (this.#life !== life || stored === undefined || stored.body.n <= this.#obeyed) return;
      this.#obeyed = stored.body.n;
      this.#orders = stored.body.orders.filter((order) => order.session === this.session);
      const named = new Set(this.#orders.map(slotOf));
      for (const [key, { isRunning }] of this.#slots) if (!named.has(key) && !isRunning) this.#slots.delete(key);
      const ids = new Set(this.#orders.map(({ id }) => id));
      for (const id of this.#begun) if (!ids.has(id)) this.#begun.delete(id);
      for (const order of this.#orders) this.#obey(order);
    } catch {
      // The next renewal shows the same number again.
    }
  }

  #obey(order: Order): void {
    const said = this.#said.get(order.id);
    if (said !== undefined && order.verb !== 'standby') void this.#write(said);
    if (this.#begun.has(order.id)) return;
    this.#begun.add(order.id);
    if (order.verb === 'start') return this.#obeyStart(order);
    if (order.verb === 'release') return this.#obeyRelease(order);
    if (this.#slots.get(slotOf(order))?.isRunning === true) return void this.#begun.delete(order.id);
    this.#later(this.script.probeMs, () => {
      if (!this.#orders.some((one) => one.id === order.id) || this.#slots.get(slotOf(order))?.isRunning === true)
        return;
      this.#take(order, 'Standby');
      this.#say(order, 'standing-by');
    });
  }

  #obeyStart(order: Order): void {
    const key = slotOf(order);
    const epochOver = this.#released.get(key) ?? 0;
    if (order.epoch <= epochOver) return this.#say(order, 'refused', `epoch ${epochOver} was released here`);
    this.#take(order, 'Starting');
    this.#later(this.script.startMs, () => {
      const stands =
        this.#orders.some((one) => one.id === order.id) && !this.#isLeaseLost && this.session === order.session;
      const answer = stands ? this.script.onStart(order) : 'silent';
      if (answer === 'started') {
        this.#take(order, 'Active');
        this.#run(order);
        this.#say(order, 'started');
      }
      if (answer === 'failed') {
        this.#show(key, 'Failed', 'scripted to fail');
        this.#say(order, 'failed', 'scripted to fail');
      }
    });
  }

  #obeyRelease(order: Order): void {
    const key = slotOf(order);
    this.#released.set(key, Math.max(order.epoch, this.#released.get(key) ?? 0));
    this.#show(key, 'Stopping', '');
    if (this.script.onRelease(order) === 'stuck') return;
    this.#later(this.script.stopMs, () => {
      this.#stop(key);
      this.#show(key, 'Stopped', '');
      this.#say(order, 'released');
    });
  }

  #take(order: Order, phase: SlotReport['phase']): void {
    const { group, slot, epoch } = order;
    const isRunning = this.#slots.get(slotOf(order))?.isRunning ?? false;
    this.#slots.set(slotOf(order), {
      spec: order.spec,
      isRunning,
      report: { group, slot, epoch, phase, health: 'ok' },
    });
  }

  #run(order: Order): void {
    const slot = this.#slots.get(slotOf(order));
    if (slot === undefined) return;
    slot.isRunning = true;
    this.#at.truth.started(slotOf(order), { host: this.name, session: order.session, epoch: order.epoch });
  }

  #stop(key: string): void {
    const slot = this.#slots.get(key);
    if (slot?.isRunning !== true) return;
    slot.isRunning = false;
    this.#at.truth.stopped(key, this.name);
  }

  #show(key: string, phase: SlotReport['phase'], detail: string): void {
    const slot = this.#slots.get(key);
    if (slot !== undefined)
      slot.report = { ...slot.report, phase, health: phase === 'Failed' ? 'failed' : 'ok', detail };
  }

  #say(order: Order, outcome: ReportOutcome, detail = ''): void {
    const { id, session, group, slot, epoch } = order;
    const report: Report = { order: id, session, group, slot, epoch, outcome, detail };
    this.#said.set(id, report);
    void this.#write(report);
  }

  async #write(report: Report): Promise<void> {
    const life = this.#life;
    const registry = this.#at.store.registry();
    const key = keys.report(this.principal, report.order);
    for (;;) {
      try {
        const old = await registry.get<Report>(key);
        if (JSON.stringify(old?.body) === JSON.stringify(report)) return;
        if ((await registry.put(key, report, old?.version ?? null)) === 'written') return;
      } catch {
        // Tried again.
      }
      await this.#at.clock.sleeper.sleep(RETRY_MS);
      if (this.#life !== life) return;
    }
  }
}

export function slotOf({ group, slot }: Pick<Order, 'group' | 'slot'>): string {
  return `${group}/${slot}`;
}
