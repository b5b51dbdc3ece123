/** Fencing: orders what the policy's levels name, then waits for the first evidence that the slots accept. */
import * as z from 'zod';
import { unreachable } from '../../core/failures/invariant.ts';
import { revocationDueInMs, sessionWaitMs, whyNoLeaseOver } from '../../core/recovery/evidence.ts';
import { type HostRecord, keys, type RunRecord, TOMBSTONE_MACHINE } from '../../core/protocol/records.ts';
import { elapsed, type Instant, wallElapsed, type WallInstant } from '../../core/time/time.ts';
import { changeRecord } from '../shared/change.ts';
import { type ClusterFacts, loadCluster } from '../shared/cluster.ts';
import { edge, type Handler, runName } from '../shared/edge.ts';
import { findProof } from '../shared/findings.ts';
import { isNewest, setHostStatus } from '../shared/host-status.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { readRun, recordStep, setRunPhase } from '../shared/run-log.ts';
import { Work } from '../shared/work.ts';

const FenceEvent = z.discriminatedUnion('step', [
  z.strictObject({ step: z.literal('fence'), run: runName, work: Work }),
  z.strictObject({ step: z.literal('await-proof'), run: runName, work: Work }),
]);

/** Longest that one call waits; the workflow calls again. */
const CALL_MS = 20_000;
const POLL_MS = 100;
/** Rounds of `CALL_MS` before a run that gets no evidence is held: over any sane lease, far under a day. */
const ROUNDS_MAX = 60;
/** TTL of a tombstone; tidying only. */
const TOMBSTONE_TTL_SECONDS = 30 * 24 * 3600;

export function haFence(ports: ControlPorts): Handler<Work> {
  return edge(FenceEvent, (event) => {
    switch (event.step) {
      case 'fence':
        return fence(ports, event.run, event.work);
      case 'await-proof':
        return awaitProof(ports, event.run, event.work);
      default:
        return unreachable(event);
    }
  });
}

/** Levels order actions. `lease` needs none: the guard on the host fences itself; its end is awaited in the next step. */
async function fence(ports: ControlPorts, run: string, work: Work): Promise<Work> {
  await setRunPhase(ports, run, 'Fencing');
  const facts = await loadCluster(ports, work.cluster);
  const levels = facts.definition.hosts.find((host) => host.name === work.host)?.fencing ?? [['lease']];
  const methods = [...new Set(levels.flat())];
  const notHere = methods.filter((method) => method !== 'lease');
  const host = facts.hosts.find((candidate) => candidate.host === work.host);
  if (host !== undefined && isNewest(host, work.session)) {
    await setHostStatus(ports, work.cluster, host.host, { type: 'fence_ordered' }, `fencing by ${methods.join(', ')}`);
  }
  const says =
    notHere.length === 0
      ? 'the host fences itself when its lease runs out; nothing is ordered'
      : `${notHere.join(', ')} is not available in this version; the host fences itself when its lease runs out`;
  await recordStep(ports, run, 'Fence', says, { levels });
  return { ...work, round: 0, next: 'Await', says };
}

interface Waiting {
  readonly facts: ClusterFacts;
  readonly host: HostRecord;
  readonly session: string;
  readonly observedAt: WallInstant;
  /** When this call began. */
  readonly begun: Reading;
}

/** One moment on both clocks. */
interface Reading {
  readonly wall: WallInstant;
  readonly boot: Instant;
}

/** The boot clock's grain, and a little. */
const READING_MS = 15;
const READINGS_MAX = 100;

/** Both clocks read as one: if this process was not running between the two, they are read again. */
function readClocks(ports: ControlPorts): Reading {
  for (let n = 1; ; n += 1) {
    const boot = ports.boot.now();
    const wall = ports.wall.now();
    if (n === READINGS_MAX || elapsed(boot, ports.boot.now()) <= READING_MS) return { wall, boot };
  }
}

/** The wall clock that the wait is counted on was set since this call began: it says nothing about how long it was. */
function hasWallStepped(ports: ControlPorts, { facts, begun }: Waiting): boolean {
  const now = readClocks(ports);
  const partedMs = wallElapsed(begun.wall, now.wall) - elapsed(begun.boot, now.boot);
  return Math.abs(partedMs) > facts.definition.timing.wallGapMs;
}

async function awaitProof(ports: ControlPorts, run: string, work: Work): Promise<Work> {
  const startedAt = ports.wall.now();
  const facts = await loadCluster(ports, work.cluster);
  const host = facts.hosts.find((candidate) => candidate.host === work.host);
  const record = await readRun(ports, run);
  if (host === undefined || work.session === null || record === undefined) {
    return { ...work, next: 'Hold', says: `${work.host ?? 'the host'} is no longer defined` };
  }
  const begun = readClocks(ports);
  const waiting: Waiting = {
    facts,
    host,
    session: work.session,
    observedAt: record.observedAtMs ?? startedAt,
    begun,
  };
  for (;;) {
    if (hasWallStepped(ports, waiting)) return countAnew(ports, run, work, waiting);
    const end = await look(ports, run, work, waiting);
    if (end !== null) {
      await recordStep(ports, run, 'Await proof', end.says, { next: end.next }, startedAt);
      return end;
    }
    if (elapsed(begun.boot, ports.boot.now()) > CALL_MS) break;
    await ports.sleeper.sleep(pauseMs(waiting, ports.wall.now()));
  }
  const round = work.round + 1;
  if (round < ROUNDS_MAX) return { ...work, round, next: 'Again', says: 'no evidence yet' };
  return {
    ...work,
    next: 'Hold',
    says: `no evidence that ${host.host} is over within ${ROUNDS_MAX} rounds of ${CALL_MS} ms`,
  };
}

/** Until the next look: a poll, or less where the revocation falls due before. */
function pauseMs({ host, observedAt, facts }: Waiting, now: WallInstant): number {
  if (host.seen === null) return POLL_MS;
  const dueInMs = revocationDueInMs(host.seen, observedAt, now, facts.definition.timing.wallGapMs);
  return dueInMs > 0 ? Math.min(POLL_MS, dueInMs) : POLL_MS;
}

/** One look: the end of the wait, or null to go on waiting. Revokes when L_c + ε are over, and not a moment earlier (S7). */
async function look(ports: ControlPorts, run: string, work: Work, waiting: Waiting): Promise<Work | null> {
  const { host, session, facts, observedAt } = waiting;
  const gapMs = facts.definition.timing.wallGapMs;
  const proof = await findProof(ports, facts, waiting, run);
  if (hasWallStepped(ports, waiting)) return null;
  if (proof !== null) return { ...work, next: 'Proof', says: `${proof.kind}: ${proof.because}` };

  const heartbeat = await ports.heartbeats.read(host.principal);
  if (heartbeat === undefined) return vanished(ports, run, work, waiting);
  if (heartbeat.machine === TOMBSTONE_MACHINE && host.tombstoneAtMs === null)
    return countFromStone(ports, run, work, waiting);
  if (heartbeat.session !== session) return null; // A tombstone that is not old enough yet, or a state to come.
  if (heartbeat.seq > work.seq) {
    return {
      ...work,
      next: 'Alive',
      says: `${host.host} renewed: version ${heartbeat.seq} after ${work.seq}. Nothing was done to it.`,
    };
  }
  const obstacle = whyNoLeaseOver(heartbeat);
  if (obstacle !== null) return { ...work, next: 'Hold', says: `its end cannot be proven by its lease: ${obstacle}` };
  if (revocationDueInMs(heartbeat, observedAt, ports.wall.now(), gapMs) > 0 || hasWallStepped(ports, waiting))
    return null;
  const answer = await ports.heartbeats.revoke(host.principal, session, work.seq, run);
  const waitedMs = sessionWaitMs(heartbeat, gapMs);
  const says =
    answer.outcome === 'revoked'
      ? `revoked session ${session.slice(0, 8)} on version ${work.seq} after ${waitedMs} ms of silence`
      : `the revocation was refused: ${host.host} has renewed or registered meanwhile`;
  await recordStep(ports, run, 'Revoke', says, { seq: work.seq, outcome: answer.outcome, observedAt });
  return null; // The next look finds what stands.
}

/** Every wait that this run counts on the wall clock begins again now; the next call reads it back. */
async function countAnew(ports: ControlPorts, run: string, work: Work, { host, session }: Waiting): Promise<Work> {
  const nowMs = ports.wall.now();
  await changeRecord<RunRecord>(ports.registry, keys.run(run), (old) =>
    old === undefined ? null : { ...old, observedAtMs: nowMs },
  );
  await changeRecord<HostRecord>(ports.registry, keys.host(work.cluster, host.host), (old) => {
    if (old === undefined) return null;
    const isReplaced = old.replaced?.seen.session === session;
    if (old.tombstoneAtMs === null && !isReplaced) return null;
    return {
      ...old,
      tombstoneAtMs: old.tombstoneAtMs === null ? null : nowMs,
      replaced: isReplaced && old.replaced !== undefined ? { ...old.replaced, atMs: nowMs } : old.replaced,
    };
  });
  const says = 'the wall clock was set while this was counted on it: the wait starts anew';
  await recordStep(ports, run, 'Await proof', says);
  return { ...work, next: 'Again', round: work.round + 1, says };
}

/** The item is gone: an outage or a deletion, not a refusal. A tombstone ends the session, and the wait counts from there (S3). */
async function vanished(ports: ControlPorts, run: string, work: Work, waiting: Waiting): Promise<Work | null> {
  const { host, session } = waiting;
  if (host.seen?.session !== session) {
    return { ...work, next: 'Hold', says: `the heartbeat of ${host.host} is gone and its timing was never seen` };
  }
  const ttl = Math.floor(ports.wall.now() / 1000) + TOMBSTONE_TTL_SECONDS;
  if (!(await ports.heartbeats.tombstone(host.principal, work.cluster, host.host, run, ttl))) return null;
  return countFromStone(ports, run, work, waiting);
}

/** Also for a tombstone whose writer died before it could say when: the wait counts from when it was read back, which is later. */
async function countFromStone(ports: ControlPorts, run: string, work: Work, { host }: Waiting): Promise<Work> {
  const tombstoneAtMs = ports.wall.now();
  await changeRecord<HostRecord>(ports.registry, keys.host(work.cluster, host.host), (old) =>
    old === undefined || old.tombstoneAtMs !== null ? null : { ...old, tombstoneAtMs },
  );
  await recordStep(
    ports,
    run,
    'Revoke',
    `the heartbeat of ${host.host} was gone: a tombstone was written, the wait starts anew`,
  );
  return { ...work, next: 'Again', says: 'waiting from the tombstone on' };
}
