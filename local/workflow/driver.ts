/**
 * Step Functions Standard on this machine: starts executions once per name, keeps each on disk after every step, and
 * goes on with all of them after a crash.
 */
import type { ExecutionStatus, StartedExecution, Workflow } from '../../core/ports.ts';
import type { Execution, Failure, HistoryEvent, Json, Machine, Step } from '../../core/workflow/workflow.ts';
import type { ExecutionFiles, Kept } from './execution-files.ts';
import type { RunnerPorts } from './runner.ts';
import type { Invoke, TaskPool } from './task-pool.ts';
import type { Timers } from './timers.ts';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import {
  activeStates,
  asJson,
  begin,
  HISTORY_EVENTS_MAX,
  jsonBytes,
  load,
  PAYLOAD_BYTES_MAX,
  redrive,
} from '../../core/workflow/workflow.ts';
import { openExecutionFiles } from './execution-files.ts';
import { checkExecutionName } from './execution-name.ts';
import { Runner } from './runner.ts';
import { openTaskPool } from './task-pool.ts';

export interface WorkflowDriverOptions {
  /** Owned by this driver alone; made if missing. */
  readonly folder: string;
  /** The parsed definition, with its substitutions made. Executions already running keep the one they began with. */
  readonly asl: Json;
  readonly invoke: Invoke;
  readonly timers: Timers;
  readonly log: (text: string) => void;
  /** Task invocations at once, over all executions; further ones wait their turn, and their time-out runs. Default 64. */
  readonly concurrencyMax?: number;
  /** Ended executions that are kept; beyond, those that ended first are forgotten and their names are free. Default 1000. */
  readonly endedMax?: number;
}

export interface ExecutionSummary {
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
}

export interface ExecutionDescription extends ExecutionSummary {
  readonly input: Json;
  readonly output: Json;
  readonly failure: Failure | null;
  readonly redrives: number;
  /** What it is doing now; empty once it has ended. */
  readonly active: ReturnType<typeof activeStates>;
}

interface Entry {
  summary: ExecutionSummary;
  /** null: ended, and on disk only. */
  runner: Runner | null;
  /** Its present run is on disk. */
  ready: Promise<void>;
  readonly whenEnded: ((status: ExecutionStatus) => void)[];
}

/** Opens the folder and goes on with every execution that was running: tasks in flight are invoked again, waits keep their end. */
export async function openWorkflowDriver(options: WorkflowDriverOptions): Promise<WorkflowDriver> {
  const machine = load(options.asl);
  const files = await openExecutionFiles(options.folder, options.log);
  const driver = new WorkflowDriver(options, files, { machine, digest: await files.writeDefinition(options.asl) });
  await driver.resume();
  return driver;
}

export class WorkflowDriver implements Workflow {
  readonly #files: ExecutionFiles;
  readonly #timers: Timers;
  readonly #log: (text: string) => void;
  readonly #pool: TaskPool;
  readonly #endedMax: number;
  readonly #current: { readonly machine: Machine; readonly digest: string };
  readonly #machines = new Map<string, Machine>();
  readonly #entries = new Map<string, Entry>();
  readonly #runnerPorts: RunnerPorts;
  #pruning: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** Use openWorkflowDriver. */
  constructor(options: WorkflowDriverOptions, files: ExecutionFiles, current: { machine: Machine; digest: string }) {
    this.#files = files;
    this.#timers = options.timers;
    this.#log = options.log;
    this.#pool = openTaskPool(options.invoke, options.concurrencyMax ?? 64);
    this.#endedMax = options.endedMax ?? 1000;
    this.#current = current;
    this.#machines.set(current.digest, current.machine);
    this.#runnerPorts = {
      files,
      pool: this.#pool,
      timers: options.timers,
      log: options.log,
      ended: (kept) => this.#ended(kept),
      broken: (name, why) => void this.#setAside(name, why),
    };
  }

  /** Idempotent by name: a known name, running or ended, with whatever input, is not started again. */
  async start(name: string, input: object): Promise<StartedExecution> {
    checkExecutionName(name);
    this.#checkOpen();
    const known = this.#entries.get(name);
    if (known !== undefined) {
      await known.ready;
      return { outcome: 'exists' };
    }
    const bytes = jsonBytes(asJson(input));
    if (bytes > PAYLOAD_BYTES_MAX) {
      throw new HaError('limit_exceeded', `the input of ${name} has ${bytes} bytes, at most ${PAYLOAD_BYTES_MAX}`);
    }
    const first = begin(this.#current.machine, { name, input, startedAtMs: this.#timers.now() });
    const entry: Entry = { summary: running(first.state), runner: null, ready: Promise.resolve(), whenEnded: [] };
    this.#entries.set(name, entry);
    const kept = { definition: this.#current.digest, state: first.state, history: first.history };
    entry.ready = this.#launch(entry, this.#current.machine, kept, first);
    try {
      await entry.ready;
    } catch (error) {
      this.#entries.delete(name);
      throw error;
    }
    return { outcome: 'started' };
  }

  status(name: string): Promise<ExecutionStatus | undefined> {
    return Promise.resolve(this.#entries.get(name)?.summary.status);
  }

  /** Newest first. */
  list(query: { readonly status?: ExecutionStatus; readonly limit: number }): readonly ExecutionSummary[] {
    return [...this.#entries.values()]
      .map((entry) => entry.summary)
      .filter(({ status }) => query.status === undefined || status === query.status)
      .sort((a, b) => b.startedAtMs - a.startedAtMs || (a.name < b.name ? -1 : 1))
      .slice(0, query.limit);
  }

  /** undefined: unknown name. */
  async describe(name: string): Promise<ExecutionDescription | undefined> {
    const state = (await this.#kept(name))?.state;
    if (state === undefined) return undefined;
    const { input, output, failure, redrives } = state;
    return { ...summaryOf(state), input, output, failure, redrives, active: activeStates(state) };
  }

  /** undefined: unknown name. */
  async history(name: string): Promise<readonly HistoryEvent[] | undefined> {
    return (await this.#kept(name))?.history;
  }

  /** Aborts a running execution; one that has ended stays as it is. */
  async stop(name: string, cause: string): Promise<void> {
    const entry = this.#entryOf(name);
    await entry.ready;
    await entry.runner?.post({ type: 'stop', error: 'Stopped', cause });
  }

  /** Goes on from the state that failed, with the definition and input of the first start. */
  async redrive(name: string): Promise<void> {
    this.#checkOpen();
    const entry = this.#entryOf(name);
    const { summary } = entry;
    if (summary.status === 'RUNNING' || summary.status === 'SUCCEEDED') {
      throw new HaError('conflict', `${name} is ${summary.status}: only an unsuccessful execution can be redriven`);
    }
    // Taken before anything is awaited, so that a second redrive finds it running.
    entry.summary = { ...summary, status: 'RUNNING', endedAtMs: null };
    entry.ready = this.#redrive(name, entry);
    try {
      await entry.ready;
    } catch (error) {
      entry.summary = summary;
      entry.ready = Promise.resolve();
      throw error;
    }
  }

  async #redrive(name: string, entry: Entry): Promise<void> {
    const kept = await this.#files.read(name);
    if (kept === undefined) throw new HaError('not_found', `the file of ${name} cannot be read`);
    if (kept.state.events >= HISTORY_EVENTS_MAX - 1) {
      throw new HaError('limit_exceeded', `${name} has ${kept.state.events} history events and cannot be redriven`);
    }
    const machine = await this.#machineOf(kept.definition);
    const again = redrive(machine, kept.state, this.#timers.now());
    const history = [...kept.history, ...again.history];
    await this.#launch(entry, machine, { definition: kept.definition, state: again.state, history }, again);
  }

  /** Resolves with the status that a known execution ends in. */
  async whenEnded(name: string): Promise<ExecutionStatus> {
    const entry = this.#entryOf(name);
    if (entry.summary.status !== 'RUNNING') return entry.summary.status;
    return new Promise((resolve) => entry.whenEnded.push(resolve));
  }

  /** Lets go of the folder as it stands; answers that come later are dropped. The next driver goes on from here. */
  close(): void {
    this.#isClosed = true;
    for (const entry of this.#entries.values()) entry.runner?.close();
    this.#pool.close();
  }

  async resume(): Promise<void> {
    const used = new Set([this.#current.digest]);
    const unfinished: Kept[] = [];
    for await (const kept of this.#files.readAll()) {
      used.add(kept.definition);
      if (kept.state.status === 'RUNNING') unfinished.push(kept);
      else this.#entries.set(kept.state.name, endedEntry(kept.state));
    }
    for (const kept of unfinished) await this.#resumeOne(kept);
    await this.#prune();
    await this.#files.forgetDefinitions(used);
  }

  async #resumeOne(kept: Kept): Promise<void> {
    const { state } = kept;
    try {
      const machine = await this.#machineOf(kept.definition);
      const runner = new Runner(machine, kept, this.#runnerPorts);
      const ready = Promise.resolve();
      this.#entries.set(state.name, { summary: running(state), runner, ready, whenEnded: [] });
      await runner.post({ type: 'resume' });
    } catch (error) {
      await this.#setAside(state.name, messageOf(error));
    }
  }

  /** Keeps the first step of a run, then lets it have effects. */
  async #launch(entry: Entry, machine: Machine, kept: Kept, first: Step): Promise<void> {
    try {
      await this.#files.write(kept);
    } catch (error) {
      throw new HaError('store_unavailable', `${kept.state.name} cannot be written: ${messageOf(error)}`, {
        cause: error,
      });
    }
    if (this.#isClosed) return;
    entry.runner = new Runner(machine, kept, this.#runnerPorts);
    entry.runner.perform(first.effects);
  }

  #ended(kept: Kept): void {
    const entry = this.#entries.get(kept.state.name);
    if (entry === undefined) return;
    entry.summary = summaryOf(kept.state);
    entry.runner = null;
    for (const tell of entry.whenEnded.splice(0)) tell(kept.state.status);
    this.#prune().catch((error: unknown) => this.#log(`workflow: old executions remain: ${messageOf(error)}`));
  }

  /** One after the other: a removal under way must not meet a new execution of the same name. */
  #prune(): Promise<void> {
    this.#pruning = this.#pruning.then(
      () => this.#pruneOnce(),
      () => this.#pruneOnce(),
    );
    return this.#pruning;
  }

  async #pruneOnce(): Promise<void> {
    const ended = [...this.#entries.values()].filter((entry) => entry.summary.status !== 'RUNNING');
    ended.sort((a, b) => (a.summary.endedAtMs ?? 0) - (b.summary.endedAtMs ?? 0));
    for (const entry of ended.slice(0, Math.max(ended.length - this.#endedMax, 0))) {
      const { name, status } = entry.summary;
      // Redriven since.
      if (status === 'RUNNING') continue;
      await this.#files.remove(name);
      this.#entries.delete(name);
    }
  }

  async #setAside(name: string, why: string): Promise<void> {
    this.#entries.delete(name);
    try {
      await this.#files.setAside(name, why);
    } catch (error) {
      this.#log(`workflow: ${name} cannot go on (${why}) and its file could not be moved: ${messageOf(error)}`);
    }
  }

  async #machineOf(digest: string): Promise<Machine> {
    const known = this.#machines.get(digest);
    if (known !== undefined) return known;
    const machine = load(await this.#files.readDefinition(digest));
    this.#machines.set(digest, machine);
    return machine;
  }

  async #kept(name: string): Promise<Kept | undefined> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    await entry.ready;
    return entry.runner?.kept ?? (await this.#files.read(name));
  }

  #entryOf(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new HaError('not_found', `there is no execution ${name}`);
    return entry;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new HaError('store_unavailable', 'the workflow driver is closed');
  }
}

function summaryOf(state: Execution): ExecutionSummary {
  const { name, status, startedAtMs, endedAtMs } = state;
  return { name, status, startedAtMs, endedAtMs };
}

/** Counts as running until its end is on disk. */
function running(state: Execution): ExecutionSummary {
  return { name: state.name, status: 'RUNNING', startedAtMs: state.startedAtMs, endedAtMs: null };
}

function endedEntry(state: Execution): Entry {
  return { summary: summaryOf(state), runner: null, ready: Promise.resolve(), whenEnded: [] };
}
