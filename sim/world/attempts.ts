/** Repeats what failed for now, as the SDK does for functions: so many attempts, all of them within a budget, on the clock of the process. */
import { type FailureCode, failureCode, HaError } from '../../core/failures/failures.ts';
import type { Millis } from '../../core/time/time.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';

export interface RetryLimits {
  readonly attempts: number;
  readonly budgetMs: Millis;
  /** Of a first pause; each later one is up to twice as long. */
  readonly pauseMs: Millis;
  readonly again: readonly FailureCode[];
  /** What is thrown when the budget is spent. */
  readonly spent: FailureCode;
}

/** `send` is told the number of the attempt, from 1. */
export async function withRetries<T>(
  { process, random, says }: { readonly process: SimProcess; readonly random: Random; readonly says: string },
  limits: RetryLimits,
  send: (attempt: number) => Promise<T>,
): Promise<T> {
  let isSpent = false;
  let takeBack = (): void => undefined;
  const spent = new Promise<never>((_resolve, reject) => {
    takeBack = process.timers.after(limits.budgetMs, () => {
      isSpent = true;
      reject(new HaError(limits.spent, `${says}: no answer within ${limits.budgetMs} ms`));
    });
  });
  const repeated = async (): Promise<T> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await send(attempt);
      } catch (error) {
        const code = failureCode(error);
        if (isSpent || attempt >= limits.attempts || code === undefined || !limits.again.includes(code)) throw error;
      }
      await process.sleeper.sleep(random.fraction() * limits.pauseMs * 2 ** (attempt - 1));
    }
  };
  try {
    return await Promise.race([repeated(), spent]);
  } finally {
    takeBack();
  }
}
