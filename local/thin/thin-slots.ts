/** What a thin host "runs": slots that take a moment to start and to stop, in memory. Orders in, reports out. */
import { isCovered } from '../../core/config/model.ts';
import type { Order, ReportOutcome, SlotPhase, SlotReport } from '../../core/protocol/records.ts';

const START_MS = 50;
const STOP_MS = 20;

export interface ThinSlotsPorts {
  readonly report: (order: Order, outcome: ReportOutcome, detail: string) => void;
  /** The lease stands: only then may something start (S6). */
  readonly mayStart: () => boolean;
  /** Highest epoch given up, by slot; on the host's disk, so that it survives a reboot (S6). */
  readonly released: Map<string, number>;
}

interface Slot {
  order: Order;
  phase: SlotPhase;
  detail: string;
  /** Of the change under way; a newer one supersedes it. */
  change: number;
}

export class ThinSlots {
  readonly #ports: ThinSlotsPorts;
  readonly #slots = new Map<string, Slot>();
  readonly #said = new Map<string, { readonly outcome: ReportOutcome; readonly detail: string }>();
  #isOver = false;

  constructor(ports: ThinSlotsPorts) {
    this.#ports = ports;
  }

  /** Idempotent: the orders that stand, again and again. */
  obey(orders: readonly Order[]): void {
    const named = new Set(orders.map(keyOf));
    for (const [key, { phase }] of this.#slots) if (!named.has(key) && !isRunning(phase)) this.#slots.delete(key);
    const ids = new Set(orders.map(({ id }) => id));
    for (const id of this.#said.keys()) if (!ids.has(id)) this.#said.delete(id);
    for (const order of orders) this.#obeyOne(order);
  }

  /** The lease is over: what is covered ends. */
  stopCovered(): void {
    for (const slot of this.#slots.values()) {
      if (isCovered(slot.order.spec) && isRunning(slot.phase)) this.#become(slot, 'Stopped', 'the lease is over');
    }
  }

  /** The session is over for good: nothing of it is ever taken up again. */
  giveUpCovered(): void {
    this.stopCovered();
    for (const [key, { order }] of this.#slots) if (isCovered(order.spec)) this.#slots.delete(key);
    this.#said.clear();
  }

  /** The lease stands again: what it ended starts again in its own epoch, unless that was given up meanwhile. */
  resume(): void {
    for (const slot of this.#slots.values()) {
      if (slot.order.verb === 'start' && slot.phase === 'Stopped' && !this.#isGivenUp(slot.order)) this.#start(slot);
    }
  }

  reports(): readonly SlotReport[] {
    return [...this.#slots.values()].map(({ order: { group, slot, epoch }, phase, detail }) => ({
      ...{ group, slot, epoch, phase, health: phase === 'Failed' ? ('failed' as const) : ('ok' as const) },
      ...(detail === '' ? {} : { detail }),
    }));
  }

  /** Power off. */
  end(): void {
    this.#isOver = true;
    this.#slots.clear();
  }

  #obeyOne(order: Order): void {
    const said = this.#said.get(order.id);
    if (said !== undefined) return this.#ports.report(order, said.outcome, said.detail);
    const slot = this.#slots.get(keyOf(order)) ?? this.#add(order);
    if (slot.order.id === order.id && slot.change > 0) {
      slot.order = order; // The same order with a newer candidate list.
      return;
    }
    switch (order.verb) {
      case 'start':
        if (this.#isGivenUp(order)) return this.#say(order, 'refused', `epoch ${order.epoch} was released here`);
        slot.order = order;
        return this.#start(slot);
      case 'release':
        return this.#release(slot, order);
      case 'standby':
        if (isRunning(slot.phase)) return;
        slot.order = order;
        this.#become(slot, 'Standby', '');
        return this.#say(order, 'standing-by', '');
    }
  }

  #add(order: Order): Slot {
    const slot: Slot = { order, phase: 'Stopped', detail: '', change: 0 };
    this.#slots.set(keyOf(order), slot);
    return slot;
  }

  #start(slot: Slot): void {
    this.#become(slot, 'Starting', '');
    this.#later(START_MS, slot, () => {
      if (!this.#ports.mayStart()) return this.#become(slot, 'Stopped', 'no lease');
      this.#become(slot, 'Active', '');
      this.#say(slot.order, 'started', '');
    });
  }

  #release(slot: Slot, order: Order): void {
    const { released } = this.#ports;
    released.set(keyOf(order), Math.max(order.epoch, released.get(keyOf(order)) ?? 0));
    slot.order = order;
    this.#become(slot, 'Stopping', '');
    this.#later(STOP_MS, slot, () => {
      this.#become(slot, 'Stopped', '');
      this.#say(order, 'released', '');
    });
  }

  #isGivenUp(order: Order): boolean {
    return order.epoch <= (this.#ports.released.get(keyOf(order)) ?? 0);
  }

  #become(slot: Slot, phase: SlotPhase, detail: string): void {
    slot.change += 1;
    slot.phase = phase;
    slot.detail = detail;
  }

  #later(ms: number, slot: Slot, work: () => void): void {
    const { change } = slot;
    setTimeout(() => {
      if (!this.#isOver && slot.change === change) work();
    }, ms);
  }

  #say(order: Order, outcome: ReportOutcome, detail: string): void {
    this.#said.set(order.id, { outcome, detail });
    this.#ports.report(order, outcome, detail);
  }
}

function isRunning(phase: SlotPhase): boolean {
  return phase === 'Starting' || phase === 'Active' || phase === 'Stopping';
}

function keyOf({ group, slot }: Pick<Order, 'group' | 'slot'>): string {
  return `${group}/${String(slot)}`;
}
