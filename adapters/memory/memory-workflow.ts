import type { ExecutionStatus, StartedExecution, Workflow } from '../../core/ports.ts';

export interface MemoryExecution {
  readonly name: string;
  /** The input as JSON text, as Step Functions keeps it. */
  readonly input: string;
  readonly status: ExecutionStatus;
}

/** Executions that are started and never run; a test says how they end. */
export class MemoryWorkflow implements Workflow {
  readonly #executions = new Map<string, MemoryExecution>();
  readonly #faults: (op: 'start' | 'status', phase: 'before' | 'after', name: string) => void;

  constructor(faults: (op: 'start' | 'status', phase: 'before' | 'after', name: string) => void = () => undefined) {
    this.#faults = faults;
  }

  /** In order of their starts. */
  get executions(): readonly MemoryExecution[] {
    return [...this.#executions.values()];
  }

  async start(name: string, input: object): Promise<StartedExecution> {
    this.#faults('start', 'before', name);
    const outcome = this.#executions.has(name) ? 'exists' : 'started';
    if (outcome === 'started') this.#executions.set(name, { name, input: JSON.stringify(input), status: 'RUNNING' });
    this.#faults('start', 'after', name);
    return { outcome };
  }

  async status(name: string): Promise<ExecutionStatus | undefined> {
    this.#faults('status', 'before', name);
    const status = this.#executions.get(name)?.status;
    this.#faults('status', 'after', name);
    return status;
  }

  /** Ends a known execution, or forgets it (`undefined`), as Step Functions does after its retention. */
  set(name: string, status: ExecutionStatus | undefined): void {
    const execution = this.#executions.get(name);
    if (status === undefined) this.#executions.delete(name);
    else if (execution !== undefined) this.#executions.set(name, { ...execution, status });
  }
}
