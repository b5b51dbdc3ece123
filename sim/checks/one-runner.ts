/**
 * I2: at no instant do services of one covered slot run on two machines, nor on one machine in two epochs or by two
 * sessions, nor does one service of it run twice.
 *
 * What runs is told by the machines. Processes of a frozen machine do not run, and do again when it thaws. An end and a
 * start in one instant do not overlap. That one service runs twice in its own epoch is not held against a host whose
 * services lie about their state: whoever starts on their word then is deceived on the one machine that may run them.
 */
import type { ServiceLife, Told } from '../contract/truth.ts';
import { seconds, short, Watching } from './watching.ts';

export class OneRunner extends Watching {
  readonly invariant = 'I2';
  readonly #lying = new Set<string>();

  protected judge(fact: Told): void {
    if (fact.type === 'service_up') this.#ask(fact.life);
    else if (fact.type === 'machine' && fact.now === 'thawed') {
      for (const life of this.seen.livesOn(fact.machine)) this.#ask(life);
    } else if (fact.type === 'fault' && fact.kind === 'lies') this.#lying.add(fact.subject);
  }

  #ask(life: ServiceLife): void {
    if (!life.covered || this.seen.isFrozen(life.machine)) return;
    const at = this.seen.truth.now();
    for (const other of this.seen.lives(life.where)) {
      const wrong = this.#whyWrong(life, other);
      if (wrong !== null) this.seen.later(() => this.#judgePair(life, other, wrong, at));
    }
  }

  #whyWrong(life: ServiceLife, other: ServiceLife): string | null {
    if (life === other || !other.covered || this.seen.isFrozen(other.machine)) return null;
    if (life.machine !== other.machine) return 'run on two machines';
    if (life.epoch !== other.epoch) return 'run on one machine in two epochs';
    if (life.session !== other.session) return 'run on one machine by two sessions';
    if (life.service !== other.service || life.pid === other.pid || this.#lying.has(life.host)) return null;
    return 'run twice';
  }

  #judgePair(one: ServiceLife, other: ServiceLife, wrong: string, at: number): void {
    const lives = [...this.seen.lives(one.where)];
    const isOver = [one, other].some((life) => !lives.includes(life) || this.seen.isFrozen(life.machine));
    if (isOver) return;
    const says = [other, one].map(
      (life) =>
        `${life.service} on ${life.host} (${life.machine}, pid ${life.pid}, epoch ${life.epoch}, session ${short(life.session)})`,
    );
    this.violate(at, `at ${seconds(at)} covered services of ${one.where} ${wrong}: ${says.join(', and ')}`);
  }
}
