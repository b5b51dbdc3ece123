/**
 * One environment of a function, as AWS runs it: a process with its own memory that takes one invocation after the other.
 *
 * Between invocations it stands still, so that what an invocation left going (a watch, an unanswered call) goes on in the
 * middle of a later one. After a time-out as well, unless it is thrown away.
 */
import type { Millis } from '../../core/time/time.ts';
import type { Handler } from '../../lambdas/shared/edge.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Timeline } from '../kernel/timeline.ts';

/** What the invoker learns. The name of an error is what Retry and Catch of the workflow match on. */
export type Outcome =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly error: string; readonly cause: string; readonly thrown?: unknown };

export interface Killing {
  readonly call: number;
  readonly phase: 'before' | 'after';
  /** Until the invoker learns of it. */
  readonly noticedAfterMs: Millis;
}

export interface Freezing {
  readonly call: number;
  readonly phase: 'before' | 'after';
  readonly forMs: Millis;
}

export interface Invocation {
  /** The event as JSON. */
  readonly text: string;
  readonly timeoutMs: Millis;
  readonly killing: Killing | null;
  readonly freezing: Freezing | null;
  /** Whether a time-out suspends this environment, to go on with the next invocation, or ends it. */
  readonly isKeptAfterTimeout: boolean;
  /** Faults may have been called off since this one was drawn. */
  readonly mayStrike: (kind: 'lambda_killed' | 'lambda_frozen') => boolean;
  readonly onFault: (kind: 'lambda_killed' | 'lambda_frozen', says: string) => void;
  readonly ended: (outcome: Outcome, how: 'ended' | 'failed' | 'killed') => void;
}

const IDLE = 'no invocation';
const TIMED_OUT = 'timed out';
const FROZEN = 'frozen';

export class Environment {
  readonly process: SimProcess;
  /** True time from which on it takes no invocation any more. */
  readonly recycledAt: Millis;
  readonly #timeline: Timeline;
  readonly #handler: Handler<unknown>;
  #underWay: Invocation | null = null;
  #cancelTimeout: () => void = () => undefined;

  constructor(timeline: Timeline, process: SimProcess, handler: Handler<unknown>, recycledAt: Millis) {
    this.#timeline = timeline;
    this.process = process;
    this.#handler = handler;
    this.recycledAt = recycledAt;
    process.stop(IDLE);
  }

  get isBusy(): boolean {
    return this.#underWay !== null;
  }

  begin(invocation: Invocation): void {
    const { process } = this;
    this.#underWay = invocation;
    this.#cancelTimeout = this.#timeline.after(invocation.timeoutMs, () => this.#timedOut(invocation));
    process.onCall = callCounter(invocation, {
      kill: (killing) => this.#killed(invocation, killing),
      freeze: (freezing) => this.#frozen(invocation, freezing),
    });
    for (const why of [FROZEN, TIMED_OUT, IDLE]) process.continue(why);
    process.post(() => void this.#handle(invocation));
  }

  /** Goes on at once, if it was suspended by a fault. */
  thaw(): void {
    this.process.continue(FROZEN);
  }

  /** Taken away for good, between invocations or in one. */
  discard(): void {
    this.process.kill();
  }

  /** What the process threw outside of any promise ends it, and the invocation. */
  crashed(error: unknown): void {
    const invocation = this.#underWay;
    this.discard();
    if (invocation !== null) this.#end(invocation, broken(`the runtime exited: ${String(error)}`, error), 'failed');
  }

  async #handle(invocation: Invocation): Promise<void> {
    let outcome: Outcome;
    try {
      const output = await this.#handler(JSON.parse(invocation.text));
      outcome = { ok: true, text: JSON.stringify(output) ?? 'null' };
    } catch (error) {
      outcome = failureOf(error);
    }
    // A process that was suspended meanwhile answers when it goes on.
    this.process.post(() => this.#end(invocation, outcome, outcome.ok ? 'ended' : 'failed'));
  }

  #end(invocation: Invocation, outcome: Outcome, how: 'ended' | 'failed' | 'killed'): void {
    // One that timed out and went on later has nobody to answer to.
    if (this.#underWay !== invocation) return;
    this.#underWay = null;
    this.#cancelTimeout();
    this.process.onCall = null;
    this.process.stop(IDLE);
    invocation.ended(outcome, how);
  }

  #timedOut(invocation: Invocation): void {
    if (this.#underWay !== invocation) return;
    this.process.stop(TIMED_OUT);
    if (!invocation.isKeptAfterTimeout) this.discard();
    this.#end(invocation, broken(`Task timed out after ${(invocation.timeoutMs / 1000).toFixed(2)} seconds`), 'failed');
  }

  #killed(invocation: Invocation, { call, phase, noticedAfterMs }: Killing): void {
    invocation.onFault('lambda_killed', `killed ${phase} its call ${call}`);
    this.discard();
    this.#timeline.after(noticedAfterMs, () =>
      this.#end(invocation, broken('RequestId: Error: Runtime exited with error: signal: killed'), 'killed'),
    );
  }

  #frozen(invocation: Invocation, { call, phase, forMs }: Freezing): void {
    invocation.onFault('lambda_frozen', `suspended for ${Math.round(forMs)} ms ${phase} its call ${call}`);
    this.process.stop(FROZEN);
    this.#timeline.after(forMs, () => this.thaw());
  }
}

/** Calls are counted as they are made, answers as they come: each fault strikes once, at its number. */
function callCounter(
  { killing, freezing, mayStrike }: Invocation,
  strike: { readonly kill: (at: Killing) => void; readonly freeze: (at: Freezing) => void },
): ((phase: 'before' | 'after') => void) | null {
  if (killing === null && freezing === null) return null;
  const count = { before: 0, after: 0 };
  return (phase) => {
    count[phase] += 1;
    const isDue = (at: Freezing | Killing | null): boolean => at?.phase === phase && at.call === count[phase];
    if (freezing !== null && isDue(freezing) && mayStrike('lambda_frozen')) strike.freeze(freezing);
    if (killing !== null && isDue(killing) && mayStrike('lambda_killed')) strike.kill(killing);
  };
}

/** How Step Functions names what the runtime itself reports: time-outs, lack of memory, a process that is gone. */
function broken(cause: string, thrown?: unknown): Outcome {
  return { ok: false, error: 'Lambda.Unknown', cause, ...(thrown === undefined ? {} : { thrown }) };
}

function failureOf(error: unknown): Outcome {
  if (typeof error !== 'object' || error === null)
    return { ok: false, error: 'Error', cause: String(error), thrown: error };
  const name = 'name' in error && typeof error.name === 'string' ? error.name : 'Error';
  const cause = 'message' in error && typeof error.message === 'string' ? error.message : '';
  return { ok: false, error: name, cause, thrown: error };
}
