/** Checks one after the other; each passes or fails by itself, and all are counted. */
import { messageOf } from '../../core/failures/failures.ts';

export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly tookMs: number;
  readonly says: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface Passed {
  readonly says: string;
  /** For `--json`. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** What is wrong, in one line each; thrown by a check, it is a failure as any other error is. */
export class Wrong extends Error {
  constructor(failures: readonly string[]) {
    super(failures.join('; '));
  }
}

export class Checks {
  readonly results: CheckResult[] = [];
  readonly #say: (line: string) => void;
  #isStopped = false;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** Nothing is checked any more: what it would be about is being ended. */
  stop(): void {
    this.#isStopped = true;
  }

  /** True if it passed; what needs it is then worth trying. */
  async check(name: string, work: () => Promise<Passed>): Promise<boolean> {
    if (this.#isStopped) return false;
    const begun = performance.now();
    this.#say(`… ${name}`);
    const result = await work().then(
      ({ says, facts = {} }) => ({ ok: true, says, facts }),
      (error: unknown) => ({ ok: false, says: messageOf(error), facts: {} }),
    );
    if (this.#isStopped) return false;
    const tookMs = Math.round(performance.now() - begun);
    this.results.push({ name, tookMs, ...result });
    this.#say(`${result.ok ? 'ok    ' : 'FAILED'} ${name} (${(tookMs / 1_000).toFixed(1)} s): ${result.says}`);
    return result.ok;
  }

  summary(): string {
    const passed = this.results.filter(({ ok }) => ok).length;
    return `test:aws: ${String(passed)} passed, ${String(this.results.length - passed)} failed`;
  }

  hasFailed(): boolean {
    return this.results.some(({ ok }) => !ok);
  }
}
