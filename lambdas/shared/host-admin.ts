/** Taking hosts out of service, whoever asks for it: an operator's verb, or the notice that the machine will be taken away. */
import type { GroupRecord, HostRecord, SlotRecord } from '../../core/protocol/records.ts';
import { keys } from '../../core/protocol/records.ts';
import type { SlotMove, VerbFacts, VerbPlan } from '../../core/recovery/admin.ts';
import { asIfReleased } from '../../core/recovery/ownership.ts';
import { changeRecord } from './change.ts';
import type { ClusterFacts } from './cluster.ts';
import type { ControlPorts } from './ports.ts';
import { destinationOf } from './snapshot.ts';
import { startPlannedRun } from './start-run.ts';

/** Names of runs that are tried for one move of one epoch. */
const ATTEMPTS_MAX = 50;

export function verbFacts(ports: Pick<ControlPorts, 'wall'>, facts: ClusterFacts, host: HostRecord): VerbFacts {
  const nowMs = ports.wall.now();
  const isOther = (name: string): boolean => name !== host.host;
  return {
    host,
    groups: facts.groups,
    haEnabled: facts.record.haEnabled,
    placeFor: (group: GroupRecord, slot) => {
      const place = destinationOf(facts, nowMs, asIfReleased(group, slot, nowMs), slot.slot, isOther);
      return { to: place.host, says: place.says };
    },
  };
}

/** `mayChange` sees the record as it is when it is changed: false leaves it so, and it may refuse by throwing. */
export async function becomeAdmin(
  ports: Pick<ControlPorts, 'registry' | 'wall'>,
  at: { readonly cluster: string; readonly host: string },
  becomes: NonNullable<VerbPlan['becomes']>,
  mayChange: (old: HostRecord) => boolean,
): Promise<void> {
  await changeRecord<HostRecord>(ports.registry, keys.host(at.cluster, at.host), (old) => {
    if (old === undefined || !mayChange(old)) return null;
    const adminSinceMs = old.admin === becomes.admin ? old.adminSinceMs : ports.wall.now();
    return { ...old, ...becomes, adminSinceMs };
  });
}

/** Those that could not be started are started by reconcile, for the record says what shall be. */
export async function startMoves(
  ports: ControlPorts,
  cluster: string,
  moves: readonly SlotMove[],
): Promise<readonly string[]> {
  const runs: string[] = [];
  for (const { group, slot } of moves) {
    const run = await startMove(ports, { cluster, group, record: slot, to: null });
    if (run !== null) runs.push(run);
  }
  return runs;
}

/** The run that moves the slot, started or found at work; null: every name for this epoch is used up. */
export async function startMove(
  ports: ControlPorts,
  move: { readonly cluster: string; readonly group: string; readonly record: SlotRecord; readonly to: string | null },
): Promise<string | null> {
  const { cluster, group, record, to } = move;
  const { slot, epoch } = record;
  const work = { cluster, verb: 'move' as const, group, slot, epoch, to };
  for (let attempt = record.attempt + 1; attempt <= record.attempt + ATTEMPTS_MAX; attempt += 1) {
    const started = await startPlannedRun(ports, work, attempt);
    if (started.isNew || (await ports.workflow.status(started.run)) === 'RUNNING') return started.run;
  }
  return null;
}
