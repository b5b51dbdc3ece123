import type { GuardAsk, GuardCheck } from '../../core/ports.ts';

/** Guards that answer what a test set; one that nobody set is silent (S8). */
export class MemoryGuardAsk implements GuardAsk {
  /** Machines asked, in order. */
  readonly asked: string[] = [];
  readonly #answers = new Map<string, GuardCheck | (() => GuardCheck)>();

  set(machine: string, answer: GuardCheck | (() => GuardCheck)): void {
    this.#answers.set(machine, answer);
  }

  async check(machine: string): Promise<GuardCheck> {
    this.asked.push(machine);
    const answer = this.#answers.get(machine) ?? { outcome: 'unknown', says: `${machine} is not connected` };
    return typeof answer === 'function' ? answer() : answer;
  }
}
