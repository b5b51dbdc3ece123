/** Step `close`: says how the run ended, gives back its claims, calls a person where something is held. */
import { type GroupDefinition, slotCount } from '../../core/config/model.ts';
import { isOwned, slotOf, withoutClaim, withSlot } from '../../core/recovery/ownership.ts';
import { briefly } from '../../core/recovery/told.ts';
import { isWaiting, mayWait, WAITS } from '../../core/recovery/waiting.ts';
import type { LateRecord } from '../../core/protocol/observer-records.ts';
import {
  type GroupRecord,
  type HostRecord,
  keys,
  type RunPhase,
  type SlotRecord,
} from '../../core/protocol/records.ts';
import { wallElapsed, type WallInstant } from '../../core/time/time.ts';
import { changeRecord } from '../shared/change.ts';
import { loadCluster } from '../shared/cluster.ts';
import { setHostStatus } from '../shared/host-status.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { closeRun, readRun, recordEvent, recordStep } from '../shared/run-log.ts';
import { tellOnce } from '../shared/tell.ts';
import type { Work } from '../shared/work.ts';

export type Outcome = 'Alive' | 'Duplicate' | 'Gone' | 'Disconnected' | 'Recovered' | 'Held';

type Ended = Outcome | 'Cancelled';

const PHASES: Record<Ended, RunPhase> = {
  Cancelled: 'Cancelled',
  Alive: 'Cancelled',
  Duplicate: 'Cancelled',
  Gone: 'Cancelled',
  Disconnected: 'Held',
  Recovered: 'Done',
  Held: 'Held',
};

/** What "done" is called for each kind of work. */
const DONE_WORDS: Record<Work['verb'], string> = {
  ha: 'Recovered',
  place: 'Placed',
  move: 'Moved',
  restart: 'Restarted',
  stop: 'Stopped',
};

/**
 * The claims go last: while one stands, a run that is stopped half-way through here is found and closed by reconcile. What
 * may happen twice (a step, an event, a page) happens before.
 */
export async function close(ports: ControlPorts, run: string, work: Work, outcome: Outcome): Promise<Work> {
  // A duplicate has no record and no claim of its own: another run does the work.
  if (outcome === 'Duplicate' || (outcome === 'Gone' && work.verb === 'ha')) return { ...work, next: 'Closed' };
  const ending = await endingOf(ports, run, work, outcome);
  if (work.verb === 'ha' && work.host !== null) {
    await forgetLate(ports, work);
    if (outcome === 'Alive') await setHostStatus(ports, work.cluster, work.host, { type: 'renewed' }, work.says);
    // Without evidence about the host a person must look at it; without a place for its slots, at those.
    if (outcome === 'Held') await setHostStatus(ports, work.cluster, work.host, { type: 'alert' }, ending.says);
  }
  const word = ending.outcome === 'Recovered' ? DONE_WORDS[work.verb] : ending.outcome;
  await recordStep(ports, run, 'Close', `${word}: ${ending.says}`);
  const subject = work.host ?? work.slots.map(({ group, slot }) => `${group}/${slot}`).join(', ');
  await recordEvent(ports, work.cluster, {
    kind: 'run.closed',
    subject,
    says: `${word}: ${ending.says}`,
    run,
    by: run,
  });
  if (ending.outcome === 'Held' && !ending.isTold) {
    // Attempts at the same failure follow each other for as long as it lasts; a person is called about the first (I11).
    const about = `${work.session ?? `e${work.epoch}`}: ${briefly(ending.says)}`;
    await tellOnce(ports, work.cluster, subject, about, { title: `${run} is held`, text: ending.says });
  }
  const closed = await closeRun(ports, run, { phase: PHASES[ending.outcome], outcome: word, summary: ending.says });
  if (closed.isNew) measure(ports, work, ending, closed.record?.observedAtMs ?? null);
  await releaseClaims(ports, run, work);
  return { ...work, next: 'Closed', says: ending.says };
}

interface Ending {
  readonly outcome: Ended;
  readonly says: string;
  /** A person was called about it when it was held. */
  readonly isTold?: boolean;
  /** When each slot that this run gave to another host was reported active there. */
  readonly placedMs?: readonly WallInstant[];
}

/** Once for each run, by whoever closed it: a step that runs again counts nothing twice. */
function measure(
  { metrics }: ControlPorts,
  { cluster, verb }: Work,
  { outcome, placedMs = [] }: Ending,
  observedAtMs: WallInstant | null,
): void {
  if (PHASES[outcome] === 'Held') metrics.record('RunsHeld', 1, cluster);
  if (verb !== 'ha' || outcome !== 'Recovered' || placedMs.length === 0) return;
  metrics.record('Failovers', 1, cluster);
  if (observedAtMs === null) return;
  const downMs = placedMs.map((atMs) => wallElapsed(observedAtMs, atMs));
  metrics.record('DowntimeMs', Math.max(0, ...downMs), cluster);
}

/** Judged by the slots as they stand, not by what the execution remembers. */
async function endingOf(ports: ControlPorts, run: string, work: Work, outcome: Outcome): Promise<Ending> {
  if (outcome !== 'Recovered' && outcome !== 'Held') return { outcome, says: work.says };
  const facts = await loadCluster(ports, work.cluster);
  const openedAtMs = (await readRun(ports, run))?.openedAtMs ?? ports.wall.now();
  const ends = work.slots.flatMap(({ group, slot: no }) => {
    const record = facts.groups.find((candidate) => candidate.group === group);
    const slot = record === undefined ? undefined : slotOf(record, no);
    const spec = facts.definition.groups.find((candidate) => candidate.name === group);
    const isDefined = spec !== undefined && no < slotCount(spec);
    if (record === undefined || slot === undefined) return [];
    const about: About = { run, openedAtMs, verb: work.verb, where: `${group}/${no}` };
    return [isOwned(slot) ? ownedEnding(about, slot) : freeEnding(about, slot, { isDefined, record, spec })];
  });
  const says = ends.map((end) => end.says).join('; ');
  if (outcome === 'Held') return { outcome, says: [work.says, says].filter((text) => text !== '').join('; ') };
  const worst = (['Held', 'Cancelled'] as const).find((kind) => ends.some((end) => end.outcome === kind));
  const isTold = ends.every((end) => end.outcome !== 'Held' || end.isTold === true);
  const placedMs = ends.flatMap((end) => end.placedMs ?? []);
  return { outcome: worst ?? 'Recovered', isTold, placedMs, says: says || `${work.host ?? 'it'} owned nothing` };
}

interface About {
  readonly run: string;
  readonly openedAtMs: WallInstant;
  readonly verb: Work['verb'];
  readonly where: string;
}

function freeEnding(
  { verb, where }: About,
  slot: SlotRecord,
  { isDefined, record, spec }: { isDefined: boolean; record: GroupRecord; spec: GroupDefinition | undefined },
): Ending {
  if (verb === 'stop' || !isDefined) return { outcome: 'Recovered', says: `${where} is stopped` };
  // The group runs on without it: less capacity, and no outage.
  if (isWaiting(slot) && mayWait(spec, record, slot.slot)) return { outcome: 'Recovered', says: `${where} ${WAITS}` };
  return { outcome: 'Held', says: `${where} is held: ${slot.why}`, isTold: slot.phase === 'Held' };
}

function ownedEnding({ run, openedAtMs, verb, where }: About, slot: SlotRecord): Ending {
  const { owner, phase, why } = slot;
  const on = `${where} is ${phase} on ${owner?.host ?? ''}`;
  const explained = phase === 'Active' ? on : `${on} (${why})`;
  if (phase === 'Held' || phase === 'Failed') return { outcome: 'Held', says: explained };
  const isActiveHere = slot.placedBy === run && phase === 'Active';
  if (verb === 'ha' || verb === 'place' || slot.placedBy === run)
    return { outcome: 'Recovered', says: explained, placedMs: isActiveHere ? [slot.sinceMs] : [] };
  // Planned work that made no new owner has changed nothing, whatever was tried. What failed and still stands where it was
  // is in nobody's hands (I11), unless another run has taken it over meanwhile.
  const isTakenOver = slot.tookOverBy !== null && wallElapsed(openedAtMs, slot.tookOverBy.atMs) >= 0;
  return { outcome: verb === 'restart' && !isTakenOver ? 'Held' : 'Cancelled', says: explained };
}

export async function releaseClaims(
  ports: ControlPorts,
  run: string,
  work: Pick<Work, 'cluster' | 'verb' | 'host' | 'slots'>,
): Promise<void> {
  if (work.host !== null) {
    await changeRecord<HostRecord>(ports.registry, keys.host(work.cluster, work.host), (old) =>
      old?.claim?.run === run ? { ...old, claim: null } : null,
    );
  }
  if (work.verb === 'ha') return;
  for (const { group, slot: no } of work.slots) {
    await changeRecord<GroupRecord>(ports.registry, keys.group(work.cluster, group), (old) => {
      const slot = old === undefined ? undefined : slotOf(old, no);
      return old !== undefined && slot?.claim === run ? withSlot(old, withoutClaim(slot, ports.wall.now())) : null;
    });
  }
}

async function forgetLate(ports: ControlPorts, work: Work): Promise<void> {
  if (work.host === null) return;
  const key = keys.late(work.cluster, work.host);
  const late = await ports.registry.get<LateRecord>(key);
  if (late?.body.session === work.session && late.body.seq === work.seq) await ports.registry.remove(key, late.version);
}
