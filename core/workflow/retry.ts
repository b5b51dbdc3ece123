/** What becomes of a failed state: another try, the way a Catch names, or a failure for good. */
import type { Failure, Frame } from './execution.ts';
import type { Json } from './json.ts';
import type { Retrier, StateDefinition } from './machine.ts';
import { place } from './data-flow.ts';
import { isTerminal, matchesError } from './error-names.ts';
import { StateFailure } from './state-failure.ts';

export type Recourse =
  | { readonly is: 'retry'; readonly attempts: readonly number[]; readonly delayMs: number }
  | { readonly is: 'catch'; readonly next: string; readonly output: Json }
  | { readonly is: 'none'; readonly failure: Failure };

const DELAY_SECONDS_MAX = 99_999_999;

function delayMs(retrier: Retrier, attempt: number): number {
  const seconds = retrier.intervalSeconds * retrier.backoffRate ** attempt;
  return Math.round(Math.min(seconds, retrier.maxDelaySeconds ?? DELAY_SECONDS_MAX) * 1000);
}

/** The first retrier that matches decides alone: once its attempts are used up, only a Catch is left. */
export function recourse(state: StateDefinition, frame: Frame, failure: Failure): Recourse {
  if (!('retry' in state) || isTerminal(failure.error)) return { is: 'none', failure };

  const index = state.retry.findIndex((entry) => matchesError(entry.errorEquals, failure.error));
  const retrier = state.retry[index];
  const attempt = frame.attempts[index] ?? 0;
  if (retrier !== undefined && attempt < retrier.maxAttempts) {
    const attempts = state.retry.map((_, at) => (frame.attempts[at] ?? 0) + (at === index ? 1 : 0));
    return { is: 'retry', attempts, delayMs: delayMs(retrier, attempt) };
  }

  const catcher = state.catch.find((entry) => matchesError(entry.errorEquals, failure.error));
  if (catcher === undefined) return { is: 'none', failure };
  try {
    const output = place(catcher.resultPath, frame.input, { Error: failure.error, Cause: failure.cause });
    return { is: 'catch', next: catcher.next, output };
  } catch (error) {
    if (!(error instanceof StateFailure)) throw error;
    return { is: 'none', failure: { error: error.error, cause: error.message } };
  }
}
