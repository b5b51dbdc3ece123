/** Starts runs by names that say what they are about, so that two who see the same thing start one run (S17). */
import { haRunName, plannedRunName, type PlannedVerb, retryPauseMs } from '../../core/recovery/reconcile.ts';
import { type HostRecord, keys } from '../../core/protocol/records.ts';
import { wallElapsed } from '../../core/time/time.ts';
import { changeRecord } from './change.ts';
import type { ControlPorts } from './ports.ts';

export interface Failure {
  readonly cluster: string;
  readonly host: string;
  readonly session: string;
  readonly seq: number;
}

/**
 * The run's name if one was started or is running; null while the pause after an attempt lasts, or while another run has
 * the host: its end frees the claim, and whoever asked asks again. Without that, each ask would use up a name and close
 * as a duplicate. There is no last attempt: a failure that nobody ends is asked about for as long as it lasts.
 */
export async function startHaRun(ports: ControlPorts, failure: Failure): Promise<string | null> {
  const { cluster, host, session, seq } = failure;
  const key = keys.host(cluster, host);
  const record = (await ports.registry.get<HostRecord>(key))?.body;
  if (record === undefined) return null;
  const { claim, tried } = record;
  if (claim !== null && (await ports.workflow.status(claim.run)) === 'RUNNING') {
    return claim.session === session ? claim.run : null;
  }
  const id = `${session}.${seq}`;
  const attempts = tried?.failure === id ? tried.attempts : 0;
  if (tried?.failure === id) {
    const last = haRunName(failure, attempts);
    if ((await ports.workflow.status(last)) === 'RUNNING') return last;
    if (wallElapsed(tried.atMs, ports.wall.now()) < retryPauseMs(attempts)) return null;
  }
  const run = haRunName(failure, attempts + 1);
  // Byte for byte the same input for the same failure: else a second start would be an error, not a duplicate.
  const { outcome } = await ports.workflow.start(run, { cluster, host, session, seq });
  await changeRecord<HostRecord>(ports.registry, key, (old) =>
    old === undefined ? null : { ...old, tried: { failure: id, attempts: attempts + 1, atMs: ports.wall.now() } },
  );
  return outcome === 'started' || (await ports.workflow.status(run)) === 'RUNNING' ? run : null;
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
