/**
 * Runs one execution: takes one event at a time, keeps what came of it, and only then lets it have effects.
 *
 * A crash between the two repeats effects after the restart (tasks are invoked at least once, as handlers expect);
 * the other order would lose them.
 */
import type { Effect, Event, Machine, Step } from '../../core/workflow/workflow.ts';
import type { ExecutionFiles, Kept } from './execution-files.ts';
import type { TaskPool } from './task-pool.ts';
import type { Timers } from './timers.ts';
import { messageOf } from '../../core/failures/failures.ts';
import { step } from '../../core/workflow/workflow.ts';

/** Pause before a state that could not be written is written again. */
const WRITE_RETRY_MS = 1000;
/** Longest timer set at once: Node's own overflow after 24.8 days, and a stepped wall clock is noticed sooner. */
const TIMER_MS_MAX = 3_600_000;

export interface RunnerPorts {
  readonly files: ExecutionFiles;
  readonly pool: TaskPool;
  readonly timers: Timers;
  readonly log: (text: string) => void;
  /** Its last state is on disk. */
  readonly ended: (kept: Kept) => void;
  /** The interpreter could not go on with what is kept. */
  readonly broken: (name: string, why: string) => void;
}

export class Runner {
  readonly #machine: Machine;
  readonly #ports: RunnerPorts;
  #kept: Kept;
  #queue: Promise<void> = Promise.resolve();
  #isClosed = false;
  #cancelTimer: () => void = () => undefined;
  readonly #closed: Promise<void>;
  #resolveClosed: () => void = () => undefined;

  /** `kept` is on disk already. */
  constructor(machine: Machine, kept: Kept, ports: RunnerPorts) {
    this.#machine = machine;
    this.#kept = kept;
    this.#ports = ports;
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  get kept(): Kept {
    return this.#kept;
  }

  /** Resolves when the event, and what was before it, has been taken and kept. */
  post(event: Event): Promise<void> {
    this.#queue = this.#queue.then(() => this.#take(event));
    return this.#queue;
  }

  /** Nothing is written, invoked or answered from here on. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
    this.#resolveClosed();
  }

  perform(effects: readonly Effect[]): void {
    this.#cancelTimer();
    const { name } = this.#kept.state;
    for (const effect of effects) {
      if (this.#isClosed) return;
      switch (effect.do) {
        case 'invoke': {
          const { taskId, resource, input } = effect;
          this.#ports.pool.run(keyOf(name, taskId), {
            resource,
            input,
            answered: (answer) => void this.post({ ...answer, taskId }),
          });
          break;
        }
        case 'cancel':
          this.#ports.pool.cancel(keyOf(name, effect.taskId));
          break;
        case 'wake':
          this.#wakeAt(effect.atMs);
          break;
        case 'ended':
          this.#ports.ended(this.#kept);
          break;
      }
    }
  }

  async #take(event: Event): Promise<void> {
    if (this.#isClosed) return;
    let result: Step;
    try {
      result = step(this.#machine, this.#kept.state, event, this.#ports.timers.now());
    } catch (error) {
      // One execution that cannot go on must not stop the others.
      this.close();
      this.#ports.broken(this.#kept.state.name, messageOf(error));
      return;
    }
    const next = { ...this.#kept, state: result.state, history: [...this.#kept.history, ...result.history] };
    // Without history nothing has happened that a restart would not bring about again.
    if (result.history.length > 0) await this.#write(next);
    this.#kept = next;
    this.perform(result.effects);
  }

  /** Tries until it succeeds: an execution whose state cannot be kept may not go on, and may not be given up either. */
  async #write(kept: Kept): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#ports.files.write(kept);
        return;
      } catch (error) {
        this.#ports.log(`workflow: ${kept.state.name} waits, its state cannot be written: ${messageOf(error)}`);
        const paused = new Promise<void>((resolve) => this.#ports.timers.after(WRITE_RETRY_MS, resolve));
        await Promise.race([paused, this.#closed]);
      }
    }
  }

  #wakeAt(atMs: number): void {
    const ms = Math.min(Math.max(atMs - this.#ports.timers.now(), 0), TIMER_MS_MAX);
    this.#cancelTimer = this.#ports.timers.after(ms, () => void this.post({ type: 'tick' }));
  }
}

function keyOf(name: string, taskId: string): string {
  return `${name}/${taskId}`;
}
