/**
 * I7, by S15: a slot is moved no more often than its group allows within a window, counted by the checker itself.
 *
 * A move is a change from one owner to another that nobody has planned. Allowed is what any definition allowed that somebody
 * may still act on. Windows are counted on wall clocks of the control plane, whole to a while: `GRAIN_MS`.
 */
import type { Millis } from '../../core/time/time.ts';
import type { Told } from '../contract/truth.ts';
import { hasNewOwner, type SlotWritten, slotsWritten } from './seen.ts';
import { seconds, Watching } from './watching.ts';

/** How far two wall clocks of the control plane, and the time between a decision and its write, make a window shorter. */
const GRAIN_MS: Millis = 1_500;

export class Moves extends Watching {
  readonly invariant = 'I7';
  readonly #moves = new Map<string, readonly Millis[]>();

  /** What the registry does not know of any more, the system cannot count. */
  protected override onRestored(): void {
    this.#moves.clear();
  }

  protected judge(fact: Told): void {
    if (fact.type !== 'group_written' || this.seen.isRestoring(fact.at)) return;
    for (const written of slotsWritten(fact)) if (isMove(written)) this.#onMove(written, fact.after.group, fact.at);
  }

  #onMove({ where }: SlotWritten, group: string, at: Millis): void {
    const moves = [...(this.#moves.get(where) ?? []), at];
    this.#moves.set(where, moves);
    const limits = this.seen.definitions
      .recent()
      .flatMap(({ groups }) => groups.filter(({ name }) => name === group).map((spec) => spec.limits));
    const isOver = ({ movesPerWindow, movesWindowMs }: (typeof limits)[number]): boolean =>
      moves.filter((one) => at - one < movesWindowMs - GRAIN_MS).length > movesPerWindow;
    if (limits.length === 0 || !limits.every(isOver)) return;
    this.violate(at, `at ${seconds(at)} ${where} was moved again, more often than its window allows (S15)`);
  }
}

function isMove(written: SlotWritten): boolean {
  const { before, after } = written;
  if (!hasNewOwner(written) || !before?.owner || after.owner === null) return false;
  return after.placedBy?.startsWith('move.') !== true;
}
