/** Step Functions in virtual time: the real ASL file through the interpreter of core/workflow, the real handlers behind it. */
import { readFileSync } from 'node:fs';
import type { MemoryClock } from '../../adapters/memory/memory-clock.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { ExecutionStatus, StartedExecution, Workflow } from '../../core/ports.ts';
import type { Event, Execution, Json, Machine, Step } from '../../core/workflow/workflow.ts';
import { asJson, begin, load, step, substitute } from '../../core/workflow/workflow.ts';

export type FunctionName = 'HaInvestigate' | 'HaFence' | 'HaRecover';
const FUNCTION_NAMES: readonly FunctionName[] = ['HaInvestigate', 'HaFence', 'HaRecover'];

export interface Invocation {
  readonly run: string;
  readonly state: string;
  readonly fn: FunctionName;
  readonly input: Json;
}

/** Answers a task; throwing fails it with the error's name. */
export type Invoke = (invocation: Invocation) => Promise<unknown>;

export const ASL: Json = asJson(
  JSON.parse(readFileSync(new URL('../../stepfunctions/ha-run.asl.json', import.meta.url), 'utf8')),
);

interface Entry {
  state: Execution;
  cancelTimer: () => void;
}

export class VirtualWorkflow implements Workflow {
  /** Names of all states entered, by any execution. */
  readonly visited = new Set<string>();
  /** Called when a state is entered, before anything is done for it. */
  onEnter: (run: string, state: string) => void = () => undefined;
  readonly #machine: Machine;
  readonly #clock: MemoryClock;
  readonly #invoke: Invoke;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: MemoryClock, invoke: Invoke) {
    this.#machine = load(substitute(ASL, Object.fromEntries(FUNCTION_NAMES.map((name) => [name, name]))));
    this.#clock = clock;
    this.#invoke = invoke;
  }

  /** Names in order of their starts. */
  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  get running(): readonly string[] {
    return this.names.filter((name) => this.#entries.get(name)?.state.status === 'RUNNING');
  }

  execution(name: string): Execution | undefined {
    return this.#entries.get(name)?.state;
  }

  async start(name: string, input: object): Promise<StartedExecution> {
    // The limit of Step Functions; DynamoDB would take the name and the service would not.
    if (!/^[A-Za-z0-9._-]{1,80}$/.test(name)) throw new HaError('config_invalid', `no name of an execution: ${name}`);
    if (this.#entries.has(name)) return { outcome: 'exists' };
    const first = begin(this.#machine, {
      name,
      input: asJson(JSON.parse(JSON.stringify(input))),
      startedAtMs: this.#clock.wall.now(),
    });
    const entry: Entry = { state: first.state, cancelTimer: () => undefined };
    this.#entries.set(name, entry);
    this.#take(name, entry, first);
    return { outcome: 'started' };
  }

  async status(name: string): Promise<ExecutionStatus | undefined> {
    return this.#entries.get(name)?.state.status;
  }

  /** As an operator stops an execution in the console: handlers under way run on. */
  stop(name: string): void {
    this.#post(name, { type: 'stop', error: 'Stopped', cause: 'by hand' });
  }

  #post(name: string, event: Event): void {
    const entry = this.#entries.get(name);
    if (entry !== undefined) this.#take(name, entry, step(this.#machine, entry.state, event, this.#clock.wall.now()));
  }

  #take(name: string, entry: Entry, taken: Step): void {
    entry.state = taken.state;
    entry.cancelTimer();
    entry.cancelTimer = () => undefined;
    for (const effect of taken.effects) {
      if (effect.do === 'wake') {
        entry.cancelTimer = this.#clock.after(effect.atMs - this.#clock.wall.now(), () =>
          this.#post(name, { type: 'tick' }),
        );
      }
      if (effect.do !== 'invoke') continue;
      const fn = FUNCTION_NAMES.find((known) => known === effect.resource);
      if (fn === undefined) throw new Error(`the workflow names ${effect.resource}`);
      const { taskId, input, stateName: state } = effect;
      void this.#call(name, taskId, { run: name, state, fn, input });
    }
    for (const event of taken.history) {
      if (event.type !== 'StateEntered') continue;
      this.visited.add(event.state);
      this.onEnter(name, event.state);
    }
  }

  async #call(name: string, taskId: string, invocation: Invocation): Promise<void> {
    try {
      const output: unknown = await this.#invoke(invocation);
      this.#post(name, { type: 'task_succeeded', taskId, output: JSON.parse(JSON.stringify(output)) as unknown });
    } catch (error) {
      const { name: code, message } = error as Error;
      this.#post(name, { type: 'task_failed', taskId, error: code, cause: message });
    }
  }
}
