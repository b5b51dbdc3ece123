/**
 * I2, by S4 and S5: no covered process lives on beyond `deadline + b` of the session that started it, whatever has become of
 * its guard and its agent. The deadline is the last one that the guard was heard to believe in.
 *
 * Both count on the machine's clock. While a machine stands still nothing of it runs, and nothing ends either, so what is
 * due comes later by as long (F is part of what a taker waits, V3). At guard level `none` nothing bounds a stopped guard.
 */
import type { Millis } from '../../core/time/time.ts';
import type { ServiceLife, Told } from '../contract/truth.ts';
import { seconds, short, Watching } from './watching.ts';

const ROUNDING_MS = 1e-3;

interface Deadline {
  readonly untilMs: Millis;
  /** How long the machine had stood still when this was told. */
  readonly stoodMs: Millis;
}

export class QuietInTime extends Watching {
  readonly invariant = 'I2';
  readonly #deadlines = new Map<string, Deadline>();
  readonly #alive = new Set<ServiceLife>();
  readonly #unbounded: ReadonlySet<string>;

  constructor(...given: ConstructorParameters<typeof Watching>) {
    super(...given);
    const { hosts } = this.seen.scene;
    this.#unbounded = new Set(hosts.filter(({ guardLevel }) => guardLevel === 'none').map(({ name }) => name));
  }

  protected judge(fact: Told): void {
    switch (fact.type) {
      case 'service_up':
        if (fact.life.covered && !this.#unbounded.has(fact.life.host)) this.#alive.add(fact.life);
        break;
      case 'service_down':
        for (const life of this.#alive) if (isSame(life, fact.life)) this.#end(life, fact.at);
        break;
      case 'belief':
        this.#onBelief(fact);
        break;
      case 'beat':
        // Of any host: often enough to see those that never end.
        for (const life of this.#alive) if (!this.seen.isFrozen(life.machine)) this.#ask(life, fact.at);
        break;
      default:
    }
  }

  protected override conclude(): void {
    for (const life of this.#alive) this.#ask(life, this.seen.truth.now());
  }

  #onBelief({ machine, belief, at }: Extract<Told, { type: 'belief' }>): void {
    const { session, untilMs } = belief;
    for (const life of this.#alive) if (life.session === session) this.#ask(life, at);
    if (untilMs === null) return;
    this.#deadlines.set(session, { untilMs, stoodMs: this.seen.standstills.allMs(machine, at) });
  }

  #end(life: ServiceLife, at: Millis): void {
    this.#alive.delete(life);
    this.#ask(life, at);
  }

  #ask(life: ServiceLife, at: Millis): void {
    const deadline = this.#deadlines.get(life.session);
    const timing = this.seen.accepted.of(life.session)?.timing;
    if (deadline === undefined || timing === undefined) return;
    const stoodMs = this.seen.standstills.allMs(life.machine, at) - deadline.stoodMs;
    const dueMs = deadline.untilMs + timing.killMs / (1 - timing.clockRateError) + stoodMs;
    if (at <= dueMs + ROUNDING_MS) return;
    this.#alive.delete(life);
    this.violate(
      at,
      `at ${seconds(at)} ${life.service} of ${life.where} on ${life.host} (pid ${life.pid}, epoch ${life.epoch}) was still alive: the deadline of its session ${short(life.session)} was ${seconds(deadline.untilMs)}, and by ${seconds(dueMs)} it must be quiet (S4)`,
    );
  }
}

const isSame = (a: ServiceLife, b: ServiceLife): boolean =>
  a.machine === b.machine && a.pid === b.pid && a.session === b.session;
