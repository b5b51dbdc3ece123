/** Steps that wait for a host: they long-poll its report, at most `CALL_MS` a call, and are called again by the workflow. */
import type { ServiceDefinition } from '../../core/config/model.ts';
import { released } from '../../core/recovery/evidence.ts';
import { type Change, isOwned, slotOf, withEvidence, withFailedHost, withPhase } from '../../core/recovery/ownership.ts';
import { orderId } from '../../core/recovery/orders.ts';
import { type Evidence, type GroupRecord, keys, type Owner, type Report, type SlotPhase, type SlotRecord } from '../../core/protocol/records.ts';
import { wallElapsed } from '../../core/time/time.ts';
import { syncAssignment } from '../shared/assign.ts';
import { changeRecord } from '../shared/change.ts';
import { type ClusterFacts, loadCluster } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { recordEvent, recordStep } from '../shared/run-log.ts';
import type { SlotWork } from '../shared/work.ts';

/** Longest that one call waits; the Lambda's own time-out is above it. */
const CALL_MS = 20_000;
const POLL_MS = 100;
/** Beats, reads and process starts on top of the services' own time-outs. */
const ORDER_MARGIN_MS = 5_000;
/** After so many hosts on which it did not start, a slot is held (S15: a failed start never loops). */
export const ATTEMPTS_MAX = 3;

interface OwnedSlot {
  readonly facts: ClusterFacts;
  readonly slot: SlotRecord;
  readonly owner: Owner;
  readonly services: readonly ServiceDefinition[];
}

/** The slot as this work placed it, or null if somebody else has changed it since. */
async function stillOurs(ports: ControlPorts, work: SlotWork): Promise<OwnedSlot | null> {
  const facts = await loadCluster(ports, work.cluster);
  const group = facts.groups.find((candidate) => candidate.group === work.group);
  const slot = group === undefined ? undefined : slotOf(group, work.slot);
  const services = group === undefined ? undefined : facts.specOf(group)?.services;
  if (slot?.owner == null || services === undefined || slot.epoch !== work.epoch || !isOwned(slot)) return null;
  return { facts, slot, owner: slot.owner, services };
}

async function setPhase(ports: ControlPorts, work: SlotWork, session: string, phase: SlotPhase, why: string): Promise<boolean> {
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

export async function awaitStarted(ports: ControlPorts, run: string, work: SlotWork): Promise<SlotWork> {
  const where = `${work.group}/${work.slot}`;
  const ours = await stillOurs(ports, work);
  if (ours === null) return { ...work, next: 'Superseded', says: `${where} was taken on by somebody else` };
  const { owner, slot } = ours;
  const limitMs = ours.services.reduce((sum, { actions }) => sum + actions.start.timeoutMs * actions.start.attempts, ORDER_MARGIN_MS);
  const order = keys.report(owner.principal, orderId('start', work.group, work.slot, work.epoch, owner.session));
  const begun = ports.boot.now();
  const startedAt = ports.wall.now();
  for (;;) {
    const report = (await ports.registry.get<Report>(order))?.body;
    if (report?.outcome === 'started') {
      await setPhase(ports, work, owner.session, 'Active', report.detail || `active on ${owner.host}`);
      const says = `${where} is active on ${owner.host} (epoch ${work.epoch})`;
      await recordStep(ports, run, `Await started ${where}`, says, { report }, startedAt);
      await recordEvent(ports, work.cluster, { kind: 'slot.active', subject: where, says, run, by: owner.host });
      return { ...work, next: 'Started', says };
    }
    const waitedMs = wallElapsed(slot.sinceMs, ports.wall.now());
    if (report?.outcome === 'failed' || report?.outcome === 'refused' || waitedMs > limitMs) {
      const why = report === undefined ? `no answer within ${limitMs} ms` : report.detail;
      await change(ports, work, (group) => ({ ok: true, group: withFailedHost(group, work.slot, owner.host, ports.wall.now()) }));
      await recordStep(ports, run, `Await started ${where}`, `${where} did not start on ${owner.host}: ${why}`, { report: report ?? null }, startedAt);
      return { ...work, next: 'Failed', says: why };
    }
    const heartbeat = await ports.heartbeats.read(owner.principal);
    if (heartbeat !== undefined && heartbeat.session !== owner.session) {
      return { ...work, next: 'Superseded', says: `${owner.host} lost its session while it started ${where}` };
    }
    if (ports.boot.now() - begun > CALL_MS) return { ...work, next: 'Again', round: work.round + 1, says: `waiting for ${owner.host}` };
    await ports.sleeper.sleep(POLL_MS);
  }
}

/** Orders the owner to release the slot and waits for its word that it is stopped and proven stopped. */
export async function takeBack(ports: ControlPorts, run: string, work: SlotWork): Promise<SlotWork> {
  const where = `${work.group}/${work.slot}`;
  const ours = await stillOurs(ports, work);
  if (ours === null) return { ...work, next: 'Superseded', says: `${where} was taken on by somebody else` };
  const { owner, facts } = ours;
  await setPhase(ports, work, owner.session, 'Stopping', `to be released for ${run}`);
  const host = facts.hosts.find((candidate) => candidate.host === owner.host);
  if (host !== undefined) await syncAssignment(ports, facts, host);

  const limitMs = ours.services.reduce((sum, { actions }) => sum + actions.stop.timeoutMs * actions.stop.attempts, ORDER_MARGIN_MS);
  const begun = ports.boot.now();
  const startedAt = ports.wall.now();
  for (;;) {
    const evidence = await releasedEvidence(ports, run, work, owner);
    if (evidence !== null) {
      const isTaken = await change(ports, work, (group) => withEvidence(group, work.slot, evidence, []));
      if (!isTaken) return { ...work, next: 'Superseded', says: `${where} changed while it was released` };
      await recordStep(ports, run, `Release ${where}`, `${owner.host} released ${where}: ${evidence.because}`, { evidence }, startedAt);
      const attempt = work.attempt + (work.next === 'Failed' ? 1 : 0);
      const isSpent = attempt >= ATTEMPTS_MAX;
      const next = work.verb === 'stop' ? 'Stopped' : isSpent ? 'NoHost' : 'Place';
      return { ...work, next, attempt, round: 0, says: isSpent ? `it failed to start on ${attempt} hosts` : evidence.because };
    }
    const heartbeat = await ports.heartbeats.read(owner.principal);
    if (heartbeat !== undefined && heartbeat.session !== owner.session) {
      return { ...work, next: 'Superseded', says: `${owner.host} lost its session while it released ${where}` };
    }
    const waitedMs = ports.boot.now() - begun;
    if (waitedMs > Math.min(limitMs, CALL_MS)) {
      return work.round * CALL_MS + waitedMs < limitMs
        ? { ...work, round: work.round + 1, says: `waiting for ${owner.host} to release ${where}` }
        : giveUpRelease(ports, run, work, { owner, facts, limitMs });
    }
    await ports.sleeper.sleep(POLL_MS);
  }
}

async function releasedEvidence(ports: ControlPorts, run: string, work: SlotWork, owner: Owner): Promise<Evidence | null> {
  const order = orderId('release', work.group, work.slot, work.epoch, owner.session);
  const report = await ports.registry.get<Report>(keys.report(owner.principal, order));
  return released(owner, work.epoch, report?.body, { run, atMs: ports.wall.now() });
}

/** A slow from-side is cancelled back (S9): it owns the slot as before. What failed to start and cannot be stopped is held. */
async function giveUpRelease(
  ports: ControlPorts,
  run: string,
  work: SlotWork,
  at: { readonly owner: Owner; readonly facts: ClusterFacts; readonly limitMs: number },
): Promise<SlotWork> {
  const where = `${work.group}/${work.slot}`;
  const isMove = work.verb === 'move' && work.next !== 'Failed';
  const why = `${at.owner.host} did not release ${where} within ${at.limitMs} ms`;
  await setPhase(ports, work, at.owner.session, isMove ? 'Starting' : 'Held', isMove ? `${why}; the move was cancelled` : why);
  const host = at.facts.hosts.find((candidate) => candidate.host === at.owner.host);
  if (host !== undefined) await syncAssignment(ports, at.facts, host);
  await recordStep(ports, run, `Release ${where}`, isMove ? `${why}: cancelled, it stays where it is` : why);
  return { ...work, next: isMove ? 'Cancelled' : 'NoHost', says: why };
}
