/**
 * Damping (S15): a slot makes at most so many automatic moves per window. Beyond that it is held and a person called, for
 * whatever moves it so often is nothing that another move mends. It goes on by itself as the window slides; an operator's
 * own move neither counts nor waits.
 */
import type { SlotRecord } from '../protocol/records.ts';
import { type Millis, wallAfter, wallElapsed, type WallInstant } from '../time/time.ts';

export interface MoveLimits {
  readonly movesPerWindow: number;
  readonly movesWindowMs: Millis;
}

export interface Damped {
  /** The first moment at which one more move is allowed. */
  readonly untilMs: WallInstant;
  /** The same words from pass to pass. */
  readonly says: string;
}

/** Automatic moves within the window that ends now. */
export function movesWithin(slot: Pick<SlotRecord, 'movesMs'>, windowMs: Millis, nowMs: WallInstant): number {
  return movesIn(slot, windowMs, nowMs).length;
}

function movesIn(slot: Pick<SlotRecord, 'movesMs'>, windowMs: Millis, nowMs: WallInstant): readonly WallInstant[] {
  return slot.movesMs.filter((atMs) => wallElapsed(atMs, nowMs) < windowMs);
}

/** null: the slot has moves left. */
export function damped(slot: Pick<SlotRecord, 'movesMs'>, limits: MoveLimits, nowMs: WallInstant): Damped | null {
  const { movesPerWindow, movesWindowMs } = limits;
  const moves = movesIn(slot, movesWindowMs, nowMs);
  // So many of the oldest must leave the window that fewer than the limit stay in it.
  const lastToLeave = moves[moves.length - movesPerWindow];
  if (lastToLeave === undefined) return null;
  const often = movesPerWindow === 1 ? 'once' : `${movesPerWindow} times`;
  return {
    untilMs: wallAfter(lastToLeave, movesWindowMs),
    says: `it was moved ${often} within ${movesWindowMs / 60_000} min and is left alone until that window slides`,
  };
}
