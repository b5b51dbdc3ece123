/**
 * Step `await-proof`: waits for the first evidence that some slot accepts. Revokes when L_c + ε are over; meanwhile the
 * machine's power is watched, and cut where the policy says so (`power-watch.ts`), which never holds up the count.
 */
import { EVIDENCE_ROUNDS_MAX, STEP_CALL_MS } from '../../core/config/control-limits.ts';
import { isAccepted, revocationDueInMs, sessionWaitMs, whyNoLeaseOver } from '../../core/recovery/evidence.ts';
import { standingOrder } from '../../core/recovery/fencing.ts';
import {
  type Heartbeat,
  type HostRecord,
  keys,
  REVOKED_PREFIX,
  type RunRecord,
  TOMBSTONE_MACHINE,
} from '../../core/protocol/records.ts';
import { poweredSession, whyNoPowerOff } from '../../core/recovery/power-off.ts';
import { elapsed, type Instant, wallElapsed, type WallInstant } from '../../core/time/time.ts';
import { changeRecord } from '../shared/change.ts';
import { type ClusterFacts, loadCluster } from '../shared/cluster.ts';
import { acceptedBy, findProof, waitingSlots } from '../shared/findings.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { readRun, recordStep } from '../shared/run-log.ts';
import type { Work } from '../shared/work.ts';
import type { FenceCloud } from './fence-cloud.ts';
import { type PowerWatch, watchPower } from './power-watch.ts';

const POLL_MS = 100;
/** The same where only the power can show the end: longer than EC2 takes for a forced stop, then a person looks (V7). */
const POWER_ROUNDS_MAX = 15;
/** TTL of a tombstone; tidying only. */
const TOMBSTONE_TTL_SECONDS = 30 * 24 * 3600;

interface Waiting {
  readonly facts: ClusterFacts;
  readonly session: string;
  /** Re-read before each look. */
  host: HostRecord;
  /** The version whose silence is counted, and since when. Moves on only under an order that holds although it renews. */
  seq: number;
  observedAt: WallInstant;
  /** `lease-over` cannot be had, or was had and no slot accepts it. */
  isLeaseOfNoUse: boolean;
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

export async function awaitProof(
  ports: ControlPorts,
  run: string,
  work: Work,
  cloud?: Pick<FenceCloud, 'scaling'>,
): Promise<Work> {
  const startedAt = ports.wall.now();
  const [facts, record] = await Promise.all([loadCluster(ports, work.cluster), readRun(ports, run)]);
  const host = facts.hosts.find((candidate) => candidate.host === work.host);
  const { session } = work;
  if (host === undefined || session === null || record === undefined) {
    return { ...work, next: 'Hold', says: `${work.host ?? 'the host'} is no longer defined` };
  }
  const waiting: Waiting = {
    facts,
    host,
    session,
    seq: work.seq,
    observedAt: record.observedAtMs ?? startedAt,
    isLeaseOfNoUse: false,
    begun: readClocks(ports),
  };
  const isLeaseOfNoUse = (): boolean => waiting.isLeaseOfNoUse;
  const watch = watchPower(ports, run, work, { facts, host, session, isLeaseOfNoUse, scaling: cloud?.scaling });
  try {
    return await wait(ports, run, work, { waiting, watch, startedAt });
  } finally {
    watch.end();
  }
}

async function wait(
  ports: ControlPorts,
  run: string,
  work: Work,
  { waiting, watch, startedAt }: { waiting: Waiting; watch: PowerWatch; startedAt: WallInstant },
): Promise<Work> {
  let isRecorded = false;
  const recorded = watch.recorded.then(() => {
    isRecorded = true;
  });
  for (;;) {
    if (hasWallStepped(ports, waiting)) return countAnew(ports, run, work, waiting);
    const end = await look(ports, run, work, waiting);
    if (end !== null) {
      await recordStep(ports, run, 'Await proof', end.says, { next: end.next }, startedAt);
      return end;
    }
    if (elapsed(waiting.begun.boot, ports.boot.now()) > STEP_CALL_MS) break;
    const pause = ports.sleeper.sleep(pauseMs(waiting, ports.wall.now()));
    // The reads that showed it off are looked at as soon as they are on record.
    await (isRecorded ? pause : Promise.race([pause, recorded]));
  }
  return again(ports, run, work, waiting);
}

async function again(ports: ControlPorts, run: string, work: Work, waiting: Waiting): Promise<Work> {
  const { host, seq, observedAt, isLeaseOfNoUse } = waiting;
  if (seq !== work.seq) {
    await changeRecord<RunRecord>(ports.registry, keys.run(run), (old) =>
      old === undefined ? null : { ...old, observedAtMs: observedAt },
    );
  }
  const round = work.round + 1;
  const roundsMax = isLeaseOfNoUse || isCommitted(ports, waiting) ? POWER_ROUNDS_MAX : EVIDENCE_ROUNDS_MAX;
  if (round < roundsMax) return { ...work, seq, round, next: 'Again', says: 'no evidence yet' };
  const says = `nothing has shown within ${inSeconds(roundsMax * STEP_CALL_MS)} that ${host.host} runs nothing any more`;
  return { ...work, seq, next: 'Hold', says };
}

/** A power fence was ordered: a renewal does not call it off, the machine is on its way down. */
function isCommitted(ports: ControlPorts, { host, session }: Waiting): boolean {
  return standingOrder(host, session, ports.wall.now()) !== null || host.powerFence?.session === session;
}

const inSeconds = (ms: number): string => `${ms / 1_000} s`;

/** Until the next look: a poll, or less where the revocation falls due before. */
function pauseMs({ host, observedAt, facts }: Waiting, now: WallInstant): number {
  if (host.seen === null) return POLL_MS;
  const dueInMs = revocationDueInMs(host.seen, observedAt, now, facts.definition.timing.wallGapMs);
  return dueInMs > 0 ? Math.min(POLL_MS, dueInMs) : POLL_MS;
}

/** One look: the end of the wait, or null to go on waiting. Revokes when L_c + ε are over, and not a moment earlier (S7). */
async function look(ports: ControlPorts, run: string, work: Work, waiting: Waiting): Promise<Work | null> {
  const { session, facts } = waiting;
  const gapMs = facts.definition.timing.wallGapMs;
  waiting.host =
    (await ports.registry.get<HostRecord>(keys.host(work.cluster, waiting.host.host)))?.body ?? waiting.host;
  const { host } = waiting;
  const proof = await findProof(ports, facts, waiting, run);
  if (hasWallStepped(ports, waiting)) return null;
  if (proof?.isOfUse === true) return { ...work, next: 'Proof', says: `${proof.kind}: ${proof.because}` };
  if (proof !== null) return ofNoUse(work, waiting, `${proof.kind} stands, and no slot of it accepts that`);

  const heartbeat = await ports.heartbeats.read(host.principal);
  if (heartbeat === undefined) return vanished(ports, run, work, waiting);
  if (heartbeat.machine === TOMBSTONE_MACHINE && host.tombstoneAtMs === null)
    return countFromStone(ports, run, work, waiting);
  if (heartbeat.session !== session) return gaveWay(work, waiting, heartbeat);
  if (heartbeat.seq > waiting.seq) {
    if (isCommitted(ports, waiting)) {
      waiting.seq = heartbeat.seq;
      waiting.observedAt = ports.wall.now();
      return null;
    }
    const says = `${host.host} renewed: version ${heartbeat.seq} after ${waiting.seq}. Nothing was done to it.`;
    return { ...work, next: 'Alive', says };
  }
  const obstacle = whyNoLeaseOver(heartbeat);
  if (obstacle !== null) return ofNoUse(work, waiting, `its end cannot be proven by its lease: ${obstacle}`);
  if (revocationDueInMs(heartbeat, waiting.observedAt, ports.wall.now(), gapMs) > 0 || hasWallStepped(ports, waiting))
    return null;
  const { seq, observedAt } = waiting;
  const answer = await ports.heartbeats.revoke(host.principal, session, seq, run);
  const waitedMs = sessionWaitMs(heartbeat, gapMs);
  const says =
    answer.outcome === 'revoked'
      ? `ended session ${session.slice(0, 8)} for good: no renewal for ${inSeconds(waitedMs)} after version ${seq}, which is longer than its lease`
      : `its session was not ended: ${host.host} has renewed it or registered a new one meanwhile`;
  await recordStep(ports, run, 'Revoke', says, { seq, outcome: answer.outcome, observedAt });
  // What stands now is looked at at once.
  return answer.outcome === 'revoked' ? look(ports, run, work, waiting) : null;
}

/**
 * Of a session that nobody saw, and that owns nothing, no machine is known, and so no evidence will ever stand. None is
 * needed: the claim shall not keep the host's other sessions waiting. null: a tombstone that is not old enough yet, or a
 * state to come.
 */
function gaveWay(work: Work, waiting: Waiting, standing: Heartbeat): Work | null {
  const { facts, host, session } = waiting;
  const isStone = standing.machine === TOMBSTONE_MACHINE;
  const isSeen = host.seen?.session === session || host.replaced?.seen.session === session;
  // How long its lease is stood in the item that is gone: only its power, or a newer session, can show its end.
  if (isStone && !isSeen) waiting.isLeaseOfNoUse = true;
  const isOver = isStone ? !isSeen : !standing.session.startsWith(REVOKED_PREFIX);
  if (!isOver || waitingSlots(facts, { host, session }).length > 0) return null;
  const by = isStone ? 'its session was ended in its absence' : `${host.host} has registered another session`;
  return { ...work, next: 'Proof', says: `${by}, and this one owns nothing` };
}

/** The lease shows nothing that a slot accepts: held, unless two reads of the power may. */
function ofNoUse(work: Work, waiting: Waiting, why: string): Work | null {
  waiting.isLeaseOfNoUse = true;
  const { facts, host, session } = waiting;
  const isWanted = waitingSlots(facts, waiting).some(({ group }) => isAccepted('power-off', acceptedBy(facts, group)));
  const item = facts.heartbeats.get(host.principal);
  const whyNot = isWanted ? whyNoPowerOff(poweredSession(host, session, item)) : 'no slot of it accepts power-off';
  if (whyNot === null) return null;
  return { ...work, next: 'Hold', says: `${why}; and by its power neither: ${whyNot}` };
}

/** Every wait that this run counts on the wall clock begins again now; the next call reads it back. */
async function countAnew(ports: ControlPorts, run: string, work: Work, waiting: Waiting): Promise<Work> {
  const { host, session } = waiting;
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
  return { ...work, seq: waiting.seq, next: 'Again', round: work.round + 1, says };
}

/**
 * The item is gone: an outage or a deletion, not a refusal. A tombstone ends the session, and the wait counts from there (S3);
 * also one that no sweep has seen: its host waits for a refusal before it registers anew.
 */
async function vanished(ports: ControlPorts, run: string, work: Work, waiting: Waiting): Promise<Work | null> {
  const { host } = waiting;
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
    `the heartbeat item of ${host.host} is gone: its session was ended by writing another in its place, and the wait starts anew`,
  );
  return { ...work, next: 'Again', says: 'the wait counts from the end of its session' };
}
