/** Steps that wait for a host: they long-poll its report, at most `STEP_CALL_MS` a call, and are called again by the workflow. */
import { START_ATTEMPTS_MAX, STEP_CALL_MS } from '../../core/config/control-limits.ts';
import type { ServiceDefinition } from '../../core/config/model.ts';
import { released } from '../../core/recovery/evidence.ts';
import {
  type Change,
  isOwned,
  slotOf,
  withEvidence,
  withFailedHost,
  withPhase,
} from '../../core/recovery/ownership.ts';
import { orderId } from '../../core/recovery/orders.ts';
import { startLimitMs, stopLimitMs } from '../../core/recovery/reconcile.ts';
import {
  type Evidence,
  type GroupRecord,
  keys,
  type Owner,
  type Report,
  type SlotPhase,
  type SlotRecord,
} from '../../core/protocol/records.ts';
import { type WallInstant, wallElapsed } from '../../core/time/time.ts';
import { syncAssignment } from '../shared/assign.ts';
import { changeRecord } from '../shared/change.ts';
import { type ClusterFacts, loadCluster, loadGroup } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { readReport } from '../shared/reports.ts';
import { readRun, recordEvent, recordStep } from '../shared/run-log.ts';
import type { SlotWork } from '../shared/work.ts';
import { whyNotOurs } from './latecomer.ts';

const POLL_MS = 100;
/** A start is known a little later the longer it takes: hundreds that wait at once leave the store to those who start. */
const START_POLL_MAX_MS = 500;
const START_POLL_SHARE = 1 / 4;

interface OwnedSlot {
  readonly slot: SlotRecord;
  readonly owner: Owner;
  readonly services: readonly ServiceDefinition[];
}

interface Standing {
  /** The slot as this work placed it; null: somebody else has changed it since. */
  readonly ours: OwnedSlot | null;
  /** What this very run recorded of its release before, if its answer was lost. */
  readonly released: Evidence | null;
}

async function standing(ports: ControlPorts, run: string, work: SlotWork): Promise<Standing> {
  const found = await loadGroup(ports, work.cluster, work.group);
  const slot = found === undefined ? undefined : slotOf(found.group, work.slot);
  const services = found?.spec?.services;
  if (slot === undefined || slot.owner === null || services === undefined || slot.epoch !== work.epoch) {
    return { ours: null, released: null };
  }
  if (isOwned(slot)) return { ours: { slot, owner: slot.owner, services }, released: null };
  return {
    ours: null,
    released: slot.evidence?.kind === 'released' && slot.evidence.run === run ? slot.evidence : null,
  };
}

function superseded(work: SlotWork): SlotWork {
  return { ...work, next: 'Superseded', says: `${work.group}/${work.slot} was taken on by somebody else` };
}

async function setPhase(
  ports: ControlPorts,
  work: SlotWork,
  session: string,
  phase: SlotPhase,
  why: string,
): Promise<boolean> {
  return change(ports, work, (group) =>
    withPhase(group, { slot: work.slot, epoch: work.epoch, session }, phase, why, ports.wall.now()),
  );
}

async function change(ports: ControlPorts, work: SlotWork, decide: (group: GroupRecord) => Change): Promise<boolean> {
  let isOk = false;
  await changeRecord<GroupRecord>(ports.registry, keys.group(work.cluster, work.group), (old) => {
    if (old === undefined) return null;
    const decided = decide(old);
    isOk = decided.ok;
    return decided.ok && decided.group !== old ? decided.group : null;
  });
  return isOk;
}

/** True once another session stands in the owner's item: then its own run looks after the slot. */
async function hasLostSession(ports: ControlPorts, owner: Owner): Promise<boolean> {
  const heartbeat = await ports.heartbeats.read(owner.principal);
  return heartbeat !== undefined && heartbeat.session !== owner.session;
}

export async function awaitStarted(ports: ControlPorts, run: string, work: SlotWork): Promise<SlotWork> {
  const { ours } = await standing(ports, run, work);
  if (ours === null) return superseded(work);
  const { owner, slot } = ours;
  const limitMs = startLimitMs(ours.services);
  const order = orderId('start', work.group, work.slot, work.epoch, owner.session);
  const begun = ports.boot.now();
  const startedAt = ports.wall.now();
  for (;;) {
    const report = await readReport(ports, owner.principal, order);
    if (report?.outcome === 'started') return started(ports, run, work, { owner, report, startedAt });
    const isLate = wallElapsed(slot.sinceMs, ports.wall.now()) > limitMs;
    if (report?.outcome === 'failed' || report?.outcome === 'refused' || isLate) {
      const why = report === undefined ? `no answer within ${limitMs} ms` : report.detail;
      return notStarted(ports, run, work, { owner, report, startedAt, why });
    }
    if (await hasLostSession(ports, owner)) {
      return {
        ...work,
        next: 'Superseded',
        says: `${owner.host} lost its session while it started ${work.group}/${work.slot}`,
      };
    }
    if (ports.boot.now() - begun > STEP_CALL_MS) {
      return { ...work, next: 'Again', round: work.round + 1, says: `waiting for ${owner.host}` };
    }
    const waitedMs = ports.boot.now() - begun;
    await ports.sleeper.sleep(Math.min(START_POLL_MAX_MS, Math.max(POLL_MS, waitedMs * START_POLL_SHARE)));
  }
}

interface Answered {
  readonly owner: Owner;
  readonly report: Report | undefined;
  readonly startedAt: WallInstant;
}

async function started(
  ports: ControlPorts,
  run: string,
  work: SlotWork,
  { owner, report, startedAt }: Answered,
): Promise<SlotWork> {
  const where = `${work.group}/${work.slot}`;
  await setPhase(ports, work, owner.session, 'Active', report?.detail || `active on ${owner.host}`);
  const says = `${where} is active on ${owner.host} (epoch ${work.epoch})`;
  await recordStep(ports, run, `Await started ${where}`, says, { report }, startedAt);
  await recordEvent(ports, work.cluster, { kind: 'slot.active', subject: where, says, run, by: owner.host });
  return { ...work, next: 'Started', says };
}

async function notStarted(
  ports: ControlPorts,
  run: string,
  work: SlotWork,
  { owner, report, startedAt, why }: Answered & { readonly why: string },
): Promise<SlotWork> {
  const where = `${work.group}/${work.slot}`;
  await change(ports, work, (group) => ({
    ok: true,
    group: withFailedHost(group, work.slot, owner.host, ports.wall.now()),
  }));
  const says = `${where} did not start on ${owner.host}: ${why}`;
  await recordStep(ports, run, `Await started ${where}`, says, { report: report ?? null }, startedAt);
  // The rounds of a release are counted from nought, however long the start took.
  return { ...work, next: 'Failed', round: 0, says: why };
}

/** Orders the owner to release the slot and waits for its word that it is stopped and proven stopped. */
export async function takeBack(ports: ControlPorts, run: string, work: SlotWork): Promise<SlotWork> {
  const where = `${work.group}/${work.slot}`;
  const before = await standing(ports, run, work);
  if (before.released !== null) return takenBack(work, before.released);
  if (before.ours === null) return superseded(work);
  const { owner, slot } = before.ours;
  if ((await readRun(ports, run))?.closedAtMs !== null || whyNotOurs(run, work, slot) !== null) return superseded(work);
  await setPhase(ports, work, owner.session, 'Stopping', `to be released for ${run}`);
  const facts = await loadCluster(ports, work.cluster);
  const host = facts.hosts.find((candidate) => candidate.host === owner.host);
  if (host !== undefined) await syncAssignment(ports, facts, host);

  const limitMs = stopLimitMs(before.ours.services);
  const begun = ports.boot.now();
  const startedAt = ports.wall.now();
  for (;;) {
    const evidence = await releasedEvidence(ports, run, work, owner);
    if (evidence !== null) {
      if (!(await recordRelease(ports, work, owner, evidence))) {
        const since = await standing(ports, run, work);
        return since.released === null ? superseded(work) : takenBack(work, since.released);
      }
      const says = `${owner.host} released ${where}: ${evidence.because}`;
      await recordStep(ports, run, `Release ${where}`, says, { evidence }, startedAt);
      return takenBack(work, evidence);
    }
    if (await hasLostSession(ports, owner)) {
      return { ...work, next: 'Superseded', says: `${owner.host} lost its session while it released ${where}` };
    }
    const waitedMs = ports.boot.now() - begun;
    if (waitedMs > Math.min(limitMs, STEP_CALL_MS)) {
      return work.round * STEP_CALL_MS + waitedMs < limitMs
        ? { ...work, round: work.round + 1, says: `waiting for ${owner.host} to release ${where}` }
        : giveUpRelease(ports, run, work, { owner, facts, limitMs });
    }
    await ports.sleeper.sleep(POLL_MS);
  }
}

/** What failed on its host beyond local restarts is not to come back to it at once. */
function recordRelease(ports: ControlPorts, work: SlotWork, owner: Owner, evidence: Evidence): Promise<boolean> {
  return change(ports, work, (group) => {
    const marked = work.verb === 'restart' ? withFailedHost(group, work.slot, owner.host, ports.wall.now()) : group;
    return withEvidence(marked, work.slot, evidence, []);
  });
}

function takenBack(work: SlotWork, evidence: Evidence): SlotWork {
  const attempt = work.attempt + (work.next === 'Failed' ? 1 : 0);
  if (work.verb === 'stop') return { ...work, next: 'Stopped', attempt, round: 0, says: evidence.because };
  if (attempt < START_ATTEMPTS_MAX) return { ...work, next: 'Place', attempt, round: 0, says: evidence.because };
  return { ...work, next: 'NoHost', attempt, round: 0, says: `it failed to start on ${attempt} hosts` };
}

async function releasedEvidence(
  ports: ControlPorts,
  run: string,
  work: SlotWork,
  owner: Owner,
): Promise<Evidence | null> {
  const order = orderId('release', work.group, work.slot, work.epoch, owner.session);
  const report = await readReport(ports, owner.principal, order);
  return released(owner, work.epoch, report, { run, atMs: ports.wall.now() });
}

/**
 * A slow from-side is cancelled back (S9): it owns the slot as before. If it obeys the release late after all, its beats
 * show the slot stopped and reconcile restarts it in a new epoch. What failed to start and cannot be stopped is held.
 */
async function giveUpRelease(
  ports: ControlPorts,
  run: string,
  work: SlotWork,
  at: { readonly owner: Owner; readonly facts: ClusterFacts; readonly limitMs: number },
): Promise<SlotWork> {
  const where = `${work.group}/${work.slot}`;
  const isMove = work.verb === 'move' && work.next !== 'Failed';
  const why = `${at.owner.host} did not release ${where} within ${at.limitMs} ms`;
  await setPhase(
    ports,
    work,
    at.owner.session,
    isMove ? 'Starting' : 'Held',
    isMove ? `${why}; the move was cancelled` : why,
  );
  const host = at.facts.hosts.find((candidate) => candidate.host === at.owner.host);
  if (host !== undefined) await syncAssignment(ports, at.facts, host);
  await recordStep(ports, run, `Release ${where}`, isMove ? `${why}: cancelled, it stays where it is` : why);
  return { ...work, next: isMove ? 'Cancelled' : 'NoHost', says: why };
}
