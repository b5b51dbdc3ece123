/** How a kind of service is driven. Runners act and look; whether and when is decided in `core/supervision`. */
import type { AgentKind, GroupDefinition } from '../../core/config/model.ts';
import type { CleanupCommand } from '../../core/protocol/guard-link.ts';
import type { ActionResult, MonitorResult } from '../../core/supervision/state.ts';
import type { Unit } from './unit.ts';

export interface ActionOutcome {
  readonly result: ActionResult;
  readonly detail: string;
}

export interface MonitorOutcome {
  readonly result: MonitorResult;
  /** The epoch that started what runs, where that is known. */
  readonly epoch?: number | undefined;
  readonly detail: string;
}

export interface Runner {
  start(unit: Unit, timeoutMs: number): Promise<ActionOutcome>;
  /** Ends whatever else is being done for the unit first. */
  stop(unit: Unit, timeoutMs: number): Promise<ActionOutcome>;
  /** `isProbe`: a look, not one of a series. */
  monitor(unit: Unit, timeoutMs: number, isProbe: boolean): Promise<MonitorOutcome>;
  /** SIGKILLs every process of the unit. */
  kill(unit: Unit): Promise<ActionOutcome>;
  /** Calls `died` once when the unit's process is gone, at once if it is gone already; the result ends the watch. */
  watch(unit: Unit, died: (code: number | null) => void): () => void;
  /** What removes traces of it that are no processes. */
  cleanup(unit: Unit): CleanupCommand | undefined;
}

/** What was started and may run; survives a crash of the agent. Written before the start, so that nothing runs unknown. */
export interface Life {
  readonly epoch: number;
  /** Kinds with a main process. The start time tells a reused pid. */
  readonly pid?: number | undefined;
  readonly startTicks?: number | undefined;
}

export interface Lives {
  get(unit: Unit): Life | undefined;
  set(unit: Unit, life: Life | undefined): void;
}

/** Which runner drives which kind of service. A string says why this kind cannot be driven here. */
export type RunnerFor = (agent: AgentKind) => Runner | string;

/** Undefined: every service of the group can be driven. */
export function refusalOf(runnerFor: RunnerFor, spec: GroupDefinition): string | undefined {
  const refusals = spec.services.flatMap((service) => {
    const runner = runnerFor(service.agent);
    return typeof runner === 'string' ? [`${service.name}: ${runner}`] : [];
  });
  return refusals.length === 0 ? undefined : refusals.join('; ');
}
