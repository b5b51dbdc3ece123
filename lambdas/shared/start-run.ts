/** Starts runs by names that say what they are about, so that two who see the same thing start one run (S17). */
import { haRunName, plannedRunName, type PlannedVerb, retryPauseMs } from '../../core/recovery/reconcile.ts';
import { keys, type RunRecord } from '../../core/protocol/records.ts';
import { wallElapsed } from '../../core/time/time.ts';
import type { ControlPorts } from './ports.ts';

/** Attempts at one failure that get a name of their own; by then a person has been called many times. */
const ATTEMPTS_MAX = 50;

export interface Failure {
  readonly cluster: string;
  readonly host: string;
  readonly session: string;
  readonly seq: number;
}

/** The run's name if one was started or is running; null while the pause after a failed attempt lasts. */
export async function startHaRun(ports: ControlPorts, failure: Failure): Promise<string | null> {
  const { cluster, host, session, seq } = failure;
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const run = haRunName(failure, attempt);
    // Byte for byte the same input for the same failure: else a second start would be an error, not a duplicate.
    const { outcome } = await ports.workflow.start(run, { cluster, host, session, seq });
    if (outcome === 'started' || (await ports.workflow.status(run)) === 'RUNNING') return run;
    const record = await ports.registry.get<RunRecord>(keys.run(run));
    const endedMs =
      record?.body.closedAtMs == null
        ? Number.POSITIVE_INFINITY
        : wallElapsed(record.body.closedAtMs, ports.wall.now());
    if (endedMs < retryPauseMs(attempt)) return null;
  }
  return null;
}

export interface Planned {
  readonly cluster: string;
  readonly verb: PlannedVerb;
  readonly group: string;
  readonly slot: number;
  readonly epoch: number;
  readonly to: string | null;
}

export async function startPlannedRun(
  ports: ControlPorts,
  work: Planned,
  attempt: number,
): Promise<{ readonly run: string; readonly isNew: boolean }> {
  const run = plannedRunName({ ...work, attempt });
  const { cluster, verb, group, slot, epoch, to } = work;
  const { outcome } = await ports.workflow.start(run, { cluster, verb, group, slot, epoch, to });
  return { run, isNew: outcome === 'started' };
}
