/** Counts and hashes the facts of one run as they are told. */
import { createHash } from 'node:crypto';
import type { EvidenceKind } from '../../core/config/model.ts';
import type { GroupRecord } from '../../core/protocol/records.ts';
import type { FaultKind } from '../contract/faults.ts';
import type { Told } from '../contract/truth.ts';

export class Tally {
  readonly failovers: Partial<Record<EvidenceKind, number>> = {};
  /** Of each host, while faults are drawn. */
  readonly beats: Record<string, number> = {};
  isCountingBeats = false;
  readonly faults: Partial<Record<FaultKind, number>> = {};
  readonly states: Record<string, number> = {};
  invocations = 0;
  readonly #held = new Set<string>();
  readonly #hash = createHash('sha256');

  get runsHeld(): number {
    return this.#held.size;
  }

  see(fact: Told): void {
    this.#hash.update(JSON.stringify(fact)).update('\n');
    switch (fact.type) {
      case 'beat':
        if (this.isCountingBeats) this.beats[fact.host] = (this.beats[fact.host] ?? 0) + 1;
        break;
      case 'fault':
        if (fact.now === 'begins') this.faults[fact.kind] = (this.faults[fact.kind] ?? 0) + 1;
        break;
      case 'state_entered':
        this.states[fact.state] = (this.states[fact.state] ?? 0) + 1;
        if (fact.state === 'Hold') this.#held.add(fact.run);
        break;
      case 'group_written':
        for (const { by } of ownerChanges(fact.before, fact.after)) {
          if (by !== null && by !== 'released') this.failovers[by] = (this.failovers[by] ?? 0) + 1;
        }
        break;
      case 'invocation':
        if (fact.now === 'begun') this.invocations += 1;
        break;
      default:
    }
  }

  /** Once: nothing can be told afterwards. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}

export interface OwnerChange {
  /** As `group/slot`. */
  readonly where: string;
  readonly epoch: number;
  readonly from: string | null;
  readonly to: string;
  /** Evidence about the owner before; null: there was none, or none was named. */
  readonly by: EvidenceKind | null;
}

/** Slots that one write gave to another owner, or to the same one in a new epoch. */
export function ownerChanges(before: GroupRecord | null, after: GroupRecord): readonly OwnerChange[] {
  return after.slots.flatMap((slot) => {
    const old = before?.slots.find((other) => other.slot === slot.slot);
    if (slot.owner === null || slot.epoch === (old?.epoch ?? 0)) return [];
    return [
      {
        where: `${after.group}/${slot.slot}`,
        epoch: slot.epoch,
        from: old?.owner?.host ?? null,
        to: slot.owner.host,
        by: slot.tookOverBy?.kind ?? null,
      },
    ];
  });
}
