/** What a guard believes it may run, and until when: told whenever it changes. */
import type { GuardState } from '../../core/lease/guard-state.ts';
import { slotKey } from '../../core/lease/ledger.ts';
import type { Belief } from '../contract/truth.ts';
import type { LocalClock } from '../kernel/local-clock.ts';
import type { Timeline } from '../kernel/timeline.ts';

export class Beliefs {
  readonly #timeline: Timeline;
  readonly #clock: LocalClock;
  readonly #onChange: (belief: Belief) => void;
  #seen: GuardState | null = null;
  #belief: Belief | null = null;

  constructor(timeline: Timeline, clock: LocalClock, onChange: (belief: Belief) => void) {
    this.#timeline = timeline;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get belief(): Belief | null {
    return this.#belief;
  }

  see(state: GuardState): void {
    const before = this.#seen;
    if (before === state) return;
    this.#seen = state;
    if (before !== null && isSame(before, state)) return;
    this.#say(state, before);
  }

  /** The clock stood still: the deadline is another moment in true time than it was. */
  clockMoved(): void {
    if (this.#seen !== null) this.#say(this.#seen, this.#seen);
  }

  #say(state: GuardState, before: GuardState | null): void {
    const { session, deadline, ledger } = state;
    const areSlotsSame = before !== null && before.ledger.entries === ledger.entries;
    const slots =
      areSlotsSame && this.#belief !== null
        ? this.#belief.slots
        : ledger.entries.map((entry) => ({ where: slotKey(entry), epoch: entry.epoch, covered: entry.covered }));
    const untilMs = deadline === null ? null : this.#timeline.now() + this.#clock.trueMsUntil(deadline);
    this.#belief = { session, slots, isStopping: state.stopping !== null, untilMs };
    this.#onChange(this.#belief);
  }
}

function isSame(a: GuardState, b: GuardState): boolean {
  return (
    a.session === b.session &&
    a.deadline === b.deadline &&
    a.ledger.entries === b.ledger.entries &&
    (a.stopping === null) === (b.stopping === null)
  );
}
