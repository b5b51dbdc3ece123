/** Starts runs by names that say what they are about, so that two who see the same thing start one run (S17). */
import { haRunName, plannedRunName, type PlannedVerb, retryPauseMs } from '../../core/recovery/reconcile.ts';
import { HaError } from '../../core/failures/failures.ts';
import { poweredSession, whyNoPowerOff } from '../../core/recovery/power-off.ts';
import { type Heartbeat, type HostRecord, keys, REVOKED_PREFIX, type Tried } from '../../core/protocol/records.ts';
import { wallElapsed } from '../../core/time/time.ts';
import { changeRecord } from './change.ts';
import { loadClusterRecord, loadDefinition } from './cluster.ts';
import type { ControlPorts } from './ports.ts';
import { recordEvent } from './run-log.ts';

export interface Failure {
  readonly cluster: string;
  readonly host: string;
  readonly session: string;
  readonly seq: number;
}

/** Other failures of the same host whose attempts are remembered: several sessions of it may have left slots behind. */
const TRIED_BEFORE_MAX = 7;

/** The attempts that are remembered, newest first. */
export function triedOf({ tried, triedBefore = [] }: Pick<HostRecord, 'tried' | 'triedBefore'>): readonly Tried[] {
  return tried === undefined ? triedBefore : [tried, ...triedBefore];
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
  const { claim } = record;
  if (claim !== null && (await ports.workflow.status(claim.run)) === 'RUNNING') {
    return claim.session === session ? claim.run : null;
  }
  const id = `${session}.${seq}`;
  const tried = triedOf(record).find(({ failure: about }) => about === id);
  const attempts = tried?.attempts ?? 0;
  if (tried !== undefined) {
    const last = haRunName(failure, attempts);
    if ((await ports.workflow.status(last)) === 'RUNNING') return last;
    if (wallElapsed(tried.atMs, ports.wall.now()) < retryPauseMs(attempts)) return null;
  }
  const run = haRunName(failure, attempts + 1);
  // Byte for byte the same input for the same failure: else a second start would be an error, not a duplicate.
  const { outcome } = await ports.workflow.start(run, { cluster, host, session, seq });
  await changeRecord<HostRecord>(ports.registry, key, (old) => {
    if (old === undefined) return null;
    const others = triedOf(old).filter(({ failure: about }) => about !== id);
    const now = { failure: id, attempts: attempts + 1, atMs: ports.wall.now() };
    return { ...old, tried: now, triedBefore: others.slice(0, TRIED_BEFORE_MAX) };
  });
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

export interface FenceRequest {
  readonly cluster: string;
  readonly host: string;
  readonly by: string;
}

/**
 * Orders an operator's power fence: the order stands on the host's record, and the run of its session obeys it though the
 * host renews. A run that works on the session already takes it up. HaError where it cannot be done, before anything is
 * written.
 */
export async function startFenceRun(
  ports: ControlPorts,
  { cluster, host, by }: FenceRequest,
): Promise<{ readonly run: string; readonly isNew: boolean }> {
  const item = await fenceable(ports, cluster, host);
  const atMs = ports.wall.now();
  const order = { session: item.session, by, atMs };
  const { body } = await changeRecord<HostRecord>(ports.registry, keys.host(cluster, host), (old) =>
    old === undefined ? null : { ...old, fenceOrder: order },
  );
  const says = `${by} ordered ${host} to be powered off`;
  await recordEvent(ports, cluster, { kind: 'host.fence-ordered', subject: host, says, run: null, by });
  const run = await startHaRun(ports, { cluster, host, session: item.session, seq: item.seq });
  if (run === null) {
    const other = body?.claim?.run ?? 'another run';
    throw new HaError(
      'conflict',
      `${other} works on ${host}; the order stands for 15 minutes, ask again when it has ended`,
    );
  }
  return { run, isNew: run !== body?.claim?.run };
}

/** The item of the session to fence, or HaError with what stands in the way. */
async function fenceable(ports: ControlPorts, cluster: string, host: string): Promise<Heartbeat> {
  const record = await loadClusterRecord(ports, cluster);
  const [definition, stored] = await Promise.all([
    loadDefinition(ports, cluster, record.rev, record.incarnation),
    ports.registry.get<HostRecord>(keys.host(cluster, host)),
  ]);
  const defined = definition.hosts.find(({ name }) => name === host);
  if (defined === undefined || stored === undefined)
    throw new HaError(
      'not_found',
      `${cluster} has no host ${host}; there are ${definition.hosts.map(({ name }) => name).join(', ')}`,
    );
  if (!defined.fencing.flat().includes('ec2'))
    throw new HaError(
      'conflict',
      `${host} cannot be powered off: its fencing names no ec2. Add it to the definition, as in [[ec2], [lease]]`,
    );
  if (!record.haEnabled)
    throw new HaError(
      'conflict',
      `HA is switched off for ${cluster}: nothing would run ${host}'s slots elsewhere. Switch it on first`,
    );
  const item = await ports.heartbeats.read(stored.body.principal);
  if (item === undefined || item.session.startsWith(REVOKED_PREFIX))
    throw new HaError(
      'conflict',
      `${host} has no session to fence: ${item === undefined ? 'it never registered' : 'its last one was revoked'}`,
    );
  if (item.cluster !== cluster)
    throw new HaError('conflict', `${host} is registered with cluster ${item.cluster}: order it there`);
  const why = whyNoPowerOff(poweredSession(stored.body, item.session, item));
  if (why !== null) throw new HaError('conflict', `${host} cannot be powered off safely: ${why}`);
  return item;
}
