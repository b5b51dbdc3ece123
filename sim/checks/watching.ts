/** What all checkers share: each sees every fact in its turn, after the common picture of the world (`Seen`) has seen it. */
import type { Millis } from '../../core/time/time.ts';
import type { Scene } from '../contract/scene.ts';
import { reconcileMs } from '../contract/schedule.ts';
import type { Checker, Told, Violation } from '../contract/truth.ts';
import type { Seen } from './seen.ts';

/** One broken promise shows itself in many facts; the first ones tell it. */
const VIOLATIONS_MAX = 20;

export abstract class Watching implements Checker {
  abstract readonly invariant: string;
  readonly violations: Violation[] = [];
  protected readonly seen: Seen;
  #restores = 0;

  constructor(seen: Seen) {
    this.seen = seen;
  }

  see(fact: Told): void {
    const judged = this.seen.see(fact);
    if (this.#restores !== this.seen.restores) {
      this.#restores = this.seen.restores;
      this.onRestored();
    }
    this.judge(judged);
  }

  end(): void {
    this.seen.settle();
    this.conclude();
  }

  protected abstract judge(fact: Told): void;

  protected conclude(): void {
    // Most have said everything by then.
  }

  /** The registry was restored from an older copy (S21): what was remembered of records is no longer on record. */
  protected onRestored(): void {
    // Most remember nothing of records.
  }

  protected violate(at: Millis, says: string): void {
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push({ invariant: this.invariant, at, says });
  }
}

/** Two passes of reconcile, and the time of one invocation: until then what a Lambda left undone is done by another. */
export function doneWithinMs(profile: Scene['profile']): Millis {
  return 2 * reconcileMs(profile) + 60_000;
}

/** For people: seconds since the run began. */
export function seconds(at: Millis): string {
  return `${(at / 1_000).toFixed(3)} s`;
}

export function short(session: string): string {
  return session.slice(0, 8);
}
