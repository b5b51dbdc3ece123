/** What a run writes down: its record, its steps in plain words, and the cluster's events. Nothing decides on steps or events. */
import { type EventRecord, keys, type RunPhase, type RunRecord, type StepRecord } from '../../core/protocol/records.ts';
import type { WallInstant } from '../../core/time/time.ts';
import { changeRecord } from './change.ts';
import type { ControlPorts } from './ports.ts';

type LogPorts = Pick<ControlPorts, 'registry' | 'wall' | 'ids'>;

/** Opens the record of a run; a second opening (retry, redrive) finds the first. */
export async function openRun(ports: LogPorts, record: RunRecord): Promise<RunRecord> {
  const outcome = await ports.registry.put(keys.run(record.run), record, null);
  const stored = outcome === 'written' ? undefined : await ports.registry.get<RunRecord>(keys.run(record.run));
  const stands = stored?.body ?? record;
  // Also after a conflict: the first opening may have died between the two.
  await ports.registry.put(keys.runIndex(stands.cluster, stands.openedAtMs, stands.run), { run: stands.run }, null);
  return stands;
}

export async function readRun(ports: Pick<ControlPorts, 'registry'>, run: string): Promise<RunRecord | undefined> {
  return (await ports.registry.get<RunRecord>(keys.run(run)))?.body;
}

export async function setRunPhase(ports: LogPorts, run: string, phase: RunPhase): Promise<void> {
  await changeRecord<RunRecord>(ports.registry, keys.run(run), (old) =>
    old === undefined || old.closedAtMs !== null || old.phase === phase ? null : { ...old, phase },
  );
}

/** Closed once, however often it is asked: `isNew` is true for whoever did it. */
export async function closeRun(
  ports: LogPorts,
  run: string,
  ending: { readonly phase: RunPhase; readonly outcome: string; readonly summary: string },
): Promise<{ readonly record: RunRecord | undefined; readonly isNew: boolean }> {
  const closedAtMs = ports.wall.now();
  const changed = await changeRecord<RunRecord>(ports.registry, keys.run(run), (old) =>
    old === undefined || old.closedAtMs !== null ? null : { ...old, ...ending, closedAtMs },
  );
  return { record: changed.body, isNew: changed.isChanged };
}

/** One step as an operator reads it; `startedAt` gives its length. */
export async function recordStep(
  ports: LogPorts,
  run: string,
  step: string,
  says: string,
  facts: Readonly<Record<string, unknown>> = {},
  startedAt?: WallInstant,
): Promise<void> {
  const now = ports.wall.now();
  const atMs = startedAt ?? now;
  const record: StepRecord = { run, step, atMs, tookMs: now - atMs, says, facts };
  // The same step at the same millisecond is the same step written twice.
  await ports.registry.put(keys.step(run, atMs, step), record, null);
}

export async function recordEvent(
  ports: LogPorts,
  cluster: string,
  event: Pick<EventRecord, 'kind' | 'subject' | 'says' | 'run' | 'by'> & {
    readonly facts?: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  const atMs = ports.wall.now();
  const id = `${String(atMs).padStart(14, '0')}-${ports.ids.next().slice(0, 8)}`;
  const record: EventRecord = { facts: {}, ...event, id, atMs };
  await ports.registry.put(keys.event(cluster, dayOf(atMs), id), record, null);
}

export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}
