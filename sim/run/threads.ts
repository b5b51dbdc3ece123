/** A crew of threads: each runs one job at a time; what breaks a job is told to whoever asked for it. */
import { parentPort, Worker } from 'node:worker_threads';
import { type Crew, type Done, type Job, work } from './crew.ts';
import type { Mutation } from '../contract/mutations.ts';
import type { RunResult } from './result.ts';

export interface Threads extends Crew {
  end(): Promise<void>;
}

type Answer = { readonly done: Done } | { readonly done: null; readonly error: string };

interface Waiting {
  readonly job: Job;
  readonly resolve: (done: Done) => void;
  readonly reject: (error: Error) => void;
}

/** `entry` calls `serve` when it is loaded in a thread. */
export function threads(entry: URL, size: number): Threads {
  const queue: Waiting[] = [];
  const idle: Worker[] = [];
  const busy = new Map<Worker, Waiting>();
  const all = new Set<Worker>();
  let isEnded = false;

  const next = (): void => {
    const waiting = queue[0];
    const worker = idle.pop();
    if (worker === undefined || waiting === undefined) {
      if (worker !== undefined) idle.push(worker);
      return;
    }
    queue.shift();
    busy.set(worker, waiting);
    worker.postMessage(waiting.job);
  };
  const hire = (): void => {
    const worker = new Worker(entry);
    all.add(worker);
    worker.on('message', (answer: Answer) => {
      const waiting = busy.get(worker);
      busy.delete(worker);
      if (answer.done !== null) waiting?.resolve(answer.done);
      else waiting?.reject(new Error(`seeds ${waiting.job.seeds.join(', ')}: ${answer.error}`));
      idle.push(worker);
      next();
    });
    worker.on('error', (error) => lose(worker, error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', () => lose(worker, new Error('a thread of the simulator ended')));
    idle.push(worker);
  };
  const lose = (worker: Worker, error: Error): void => {
    if (!all.delete(worker) || isEnded) return;
    const at = idle.indexOf(worker);
    if (at >= 0) idle.splice(at, 1);
    const seeds = busy.get(worker)?.job.seeds.join(', ') ?? '';
    busy.get(worker)?.reject(new Error(`seeds ${seeds}: ${error.message}`, { cause: error }));
    busy.delete(worker);
  };

  for (let count = 0; count < size; count += 1) hire();
  return {
    size,
    run: (job) =>
      new Promise<Done>((resolve, reject) => {
        if (all.size === 0) {
          reject(new Error('no thread is left'));
          return;
        }
        queue.push({ job, resolve, reject });
        next();
      }),
    end: async () => {
      isEnded = true;
      await Promise.all([...all].map((worker) => worker.terminate()));
    },
  };
}

/** In a thread: answers each job with what came of it. */
export function serve(runSeed: (seed: number, mutation: Mutation | null) => Promise<RunResult>): void {
  const answer = (given: Answer): void => parentPort?.postMessage(given);
  parentPort?.on('message', (job: Job) => {
    void work(job, runSeed).then(
      (done) => answer({ done }),
      (error: unknown) =>
        answer({ done: null, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
}
