import { slotKey } from '../../../core/lease/ledger.ts';
import type { SlotRef } from '../../../core/protocol/guard-link.ts';
import { Violation } from './violation.ts';

export interface Running extends SlotRef {
  readonly session: string;
  /** As asked, or because the slot was covered when it was started before (S20). */
  readonly covered: boolean;
}

/** What runs on the machine, and what was reported released. */
export class ProcessModel {
  running: readonly Running[] = [];
  starts = 0;
  releases = 0;
  private readonly stuck = new Set<string>();
  private readonly releasedEpoch = new Map<string, number>();

  get covered(): readonly Running[] {
    return this.running.filter(({ covered }) => covered);
  }

  start(process: Running): void {
    if (process.epoch <= (this.releasedEpoch.get(slotKey(process)) ?? 0)) {
      throw new Violation('S6: started in a released epoch');
    }
    this.running = [...this.running, process];
    this.starts += 1;
  }

  /** True: nothing of the slot is left. */
  sweep(ref: Pick<SlotRef, 'group' | 'slot'>): boolean {
    if (this.stuck.has(slotKey(ref))) return false;
    this.running = this.running.filter((process) => slotKey(process) !== slotKey(ref));
    return true;
  }

  endAll(): void {
    this.running = this.running.filter((process) => this.stuck.has(slotKey(process)));
  }

  /** From now on no signal ends what runs in this slot; a reset of the machine does. */
  stick(key: string): void {
    this.stuck.add(key);
  }

  reportReleased(ref: SlotRef): void {
    const key = slotKey(ref);
    if (this.running.some((process) => slotKey(process) === key && process.epoch <= ref.epoch)) {
      throw new Violation('S7: reported released while it runs');
    }
    this.releases += 1;
    this.releasedEpoch.set(key, Math.max(ref.epoch, this.releasedEpoch.get(key) ?? 0));
  }
}
