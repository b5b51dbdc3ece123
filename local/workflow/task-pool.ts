/** Invokes tasks, a bounded number at a time, in the order in which they were asked for. */
import type { Json } from '../../core/workflow/workflow.ts';
import { asJson } from '../../core/workflow/workflow.ts';

/**
 * The world's side of a task. Input and output pass through JSON, as they would between Step Functions and a Lambda;
 * the `name` of what it throws is the error that Retry and Catch match on, its `message` the cause.
 */
export type Invoke = (resource: string, input: Json) => Promise<unknown>;

export type Answer =
  | { readonly type: 'task_succeeded'; readonly output: Json }
  | { readonly type: 'task_failed'; readonly error: string; readonly cause: string };

interface Job {
  readonly resource: string;
  readonly input: Json;
  readonly answered: (answer: Answer) => void;
}

export interface TaskPool {
  run(key: string, job: Job): void;
  /** The answer will be dropped and the place is free at once: a task that hangs must not stop the others for good. */
  cancel(key: string): void;
  /** Drops everything. */
  close(): void;
}

export function openTaskPool(invoke: Invoke, concurrencyMax: number): TaskPool {
  const waiting = new Map<string, Job>();
  const running = new Map<string, Job>();

  const startNext = (): void => {
    for (const [key, job] of waiting) {
      if (running.size >= concurrencyMax) return;
      waiting.delete(key);
      running.set(key, job);
      void attempt(invoke, job).then((answer) => {
        // Another job may have taken the key since: an answer counts only for the job that asked.
        if (running.get(key) !== job) return;
        running.delete(key);
        job.answered(answer);
        startNext();
      });
    }
  };

  return {
    run(key, job) {
      waiting.set(key, job);
      startNext();
    },
    cancel(key) {
      waiting.delete(key);
      running.delete(key);
      startNext();
    },
    close() {
      waiting.clear();
      running.clear();
    },
  };
}

async function attempt(invoke: Invoke, job: Job): Promise<Answer> {
  try {
    return { type: 'task_succeeded', output: asJson(await invoke(job.resource, asJson(job.input))) };
  } catch (error) {
    if (!(typeof error === 'object' && error !== null)) {
      return { type: 'task_failed', error: 'Error', cause: String(error) };
    }
    const name = 'name' in error && typeof error.name === 'string' ? error.name : 'Error';
    const cause = 'message' in error && typeof error.message === 'string' ? error.message : '';
    return { type: 'task_failed', error: name, cause };
  }
}
