/**
 * I8: duplicates and late deliveries change nothing.
 *
 * What facts can show of it: an epoch of a slot has one owner for ever, whoever writes twice or late; and a run gives a
 * slot away at most once per attempt, so at most `START_ATTEMPTS_MAX` times, each time after it took it back itself, or after the
 * owner that it named was lost while it worked. Whoever delivers a step again after that gives nothing away. (That equal inputs decide equally, byte for byte, is seen by replaying
 * a seed. Whether an order is obeyed twice by a session cannot be told from a restart within its epoch, which S6 allows;
 * that it starts nothing once that epoch was released, or is over, is seen by I3 and I4.)
 */
import { START_ATTEMPTS_MAX } from '../../core/config/control-limits.ts';
import type { Owner } from '../../core/protocol/records.ts';
import type { Told } from '../contract/truth.ts';
import { hasNewOwner, type SlotWritten, slotsWritten } from './seen.ts';
import { seconds, short, Watching } from './watching.ts';

export class Duplicates extends Watching {
  readonly invariant = 'I8';
  /** By slot and epoch. */
  readonly #owners = new Map<string, Owner>();
  readonly #ended = new Set<string>();
  /** By run and slot: how often it gave the slot away, and in which epoch last. */
  readonly #placed = new Map<string, { times: number; epoch: number }>();

  protected judge(fact: Told): void {
    if (fact.type === 'run_ended') this.#ended.add(fact.run);
    if (fact.type !== 'group_written' || this.seen.isRestoring(fact.at)) return;
    for (const written of slotsWritten(fact)) {
      this.#askOwner(written, fact.at);
      if (hasNewOwner(written)) this.#askRun(written, fact.at);
    }
  }

  /** Epochs above the restored ones may be given once more: the command that raises them is ahead (S21). */
  protected override onRestored(): void {
    this.#owners.clear();
    this.#placed.clear();
  }

  #askOwner({ where, after }: SlotWritten, at: number): void {
    if (after.owner === null || after.epoch === 0) return;
    const key = `${where} ${after.epoch}`;
    const first = this.#owners.get(key);
    if (first === undefined) this.#owners.set(key, after.owner);
    else if (first.host !== after.owner.host || first.session !== after.owner.session) {
      const says = `at ${seconds(at)} epoch ${after.epoch} of ${where} belongs to ${named(after.owner)}, and belonged to ${named(first)}: an epoch has one owner for ever`;
      this.violate(at, says);
    }
  }

  /** What it gave away last was taken back by itself, or lost to others while it is still at work on the slot. */
  #mayAgain(run: string, before: SlotWritten['before'], epoch: number): boolean {
    if (before?.epoch !== epoch || before.evidence === null) return false;
    return before.evidence.run === run || !this.#ended.has(run);
  }

  #askRun({ where, before, after }: SlotWritten, at: number): void {
    const run = after.placedBy;
    if (run === undefined || after.owner === null) return;
    const key = `${run} ${where}`;
    const placed = this.#placed.get(key) ?? { times: 0, epoch: 0 };
    this.#placed.set(key, { times: placed.times + 1, epoch: after.epoch });
    const is = `at ${seconds(at)} ${run} gave ${where} to ${named(after.owner)} as epoch ${after.epoch}`;
    if (placed.times >= START_ATTEMPTS_MAX)
      this.violate(at, `${is}, its ${placed.times + 1}th change of it: ${START_ATTEMPTS_MAX} attempts are all it has`);
    else if (placed.times > 0 && !this.#mayAgain(run, before, placed.epoch))
      this.violate(at, `${is}, having given it away as epoch ${placed.epoch}, which was not lost while it worked`);
  }
}

const named = ({ host, session }: Owner): string => `${host}/${short(session)}`;
