/**
 * Finds agents behind on ping. Scheduled every minute; each invocation claims the next generation and sweeps until a
 * newer one has claimed, so that no gap is left between invocations. Or it sweeps once (`once`): then the schedule alone
 * says what a gap is, whatever definitions ask for, and what was observed goes from call to call by the registry.
 */
import * as z from 'zod';
import { SCHEDULE_MS, SWEEP_LOOP_MS } from '../../core/config/control-limits.ts';
import { messageOf } from '../../core/failures/failures.ts';
import { invariant } from '../../core/failures/invariant.ts';
import { keys } from '../../core/protocol/records.ts';
import { after, elapsed, type Instant, isReached, wallElapsed, type WallInstant } from '../../core/time/time.ts';
import { changeRecord } from '../shared/change.ts';
import { edge, type Handler } from '../shared/edge.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { type MinuteRecord, packMemory, unpackMemory } from './minute-memory.ts';
import { EMPTY_SWEEP_MEMORY, type SweepMemory, sweepOnce, type SweepResult } from './sweep.ts';

const RETRY_MS = 1_000;

/**
 * An invocation that begins longer after the last sweep, whoever made it, has nobody to take over from: nobody looked
 * meanwhile. Where each call sweeps once, two in a row have to fail first: the schedule is exact to a minute, and one
 * call may come at the end of its own and the next at the start of its.
 */
const LATE_MS = { loop: SCHEDULE_MS / 2, once: 2.5 * SCHEDULE_MS } as const;
/** A loop that no other relieves says meanwhile what it has measured; else its end says it, about once a minute. */
const FLUSH_MS = 75_000;

/** Two marks of the same sweep, on a clock that may be set between them, differ by less. */
const SAME_SWEEP_MS = 1_000;

/** Scheduler sends what the target's input says; an EventBridge-shaped default is accepted too. */
const FindBehindEvent = z.looseObject({ once: z.boolean().optional() });

export interface FindBehindResult {
  readonly sweeps: number;
  readonly failures: number;
  readonly behind: number;
}

export function findBehind(ports: ControlPorts): Handler<FindBehindResult> {
  // Outlives an invocation where the environment does.
  let kept: SweepMemory = EMPTY_SWEEP_MEMORY;

  return edge(ports, FindBehindEvent, async ({ once: isOnce = false }): Promise<FindBehindResult> => {
    const claimed = await claimGeneration(ports, isOnce);
    const { generation, lastSweepMs } = claimed;
    kept = isOnce ? remembered(ports, claimed) : resumed(ports, kept, lastSweepMs);
    const lateMs = isOnce ? LATE_MS.once : LATE_MS.loop;
    const isLate = wallElapsed(lastSweepMs, ports.wall.now()) > lateMs;
    const measure = measuring(ports, isLate);
    const endsAt = after(ports.boot.now(), SWEEP_LOOP_MS);
    const result = { sweeps: 0, failures: 0, behind: 0 };
    for (;;) {
      const begun = ports.boot.now();
      let pauseMs = RETRY_MS;
      try {
        const swept = await sweepOnce(ports, kept, isOnce ? { gapMs: lateMs } : {});
        kept = swept.memory;
        measure(swept, begun);
        const isNewest = await markSweep(ports, generation, isOnce ? { memory: packMemory(ports, kept) } : {});
        result.sweeps += 1;
        result.failures += swept.failed.length;
        result.behind = swept.behind;
        pauseMs = Math.max(0, swept.periodMs - elapsed(begun, ports.boot.now()));
        if (isOnce || isReached(endsAt, ports.boot.now()) || !isNewest) return result;
      } catch (error) {
        if (isOnce || isReached(endsAt, ports.boot.now())) throw error;
        result.failures += 1;
        ports.log('warn', `a sweep failed: ${messageOf(error)}`);
      }
      await ports.sleeper.sleep(pauseMs);
    }
  });
}

/**
 * Each gap counts once: one that the invocation begins with is known before the first sweep, and counts even if no sweep
 * succeeds; the first that does finds it again.
 */
function measuring(ports: ControlPorts, isLate: boolean): (swept: SweepResult, begun: Instant) => void {
  ports.metrics.record('SweepLate', isLate ? 1 : 0);
  let isCounted = isLate;
  let flushedAt = ports.boot.now();
  return ({ isAfterGap }, begun) => {
    const now = ports.boot.now();
    ports.metrics.record('SweepMs', elapsed(begun, now));
    ports.metrics.record('SweepLate', isAfterGap && !isCounted ? 1 : 0);
    isCounted = false;
    if (elapsed(flushedAt, now) < FLUSH_MS) return;
    ports.metrics.flush();
    flushedAt = now;
  };
}

/** Where each call sweeps once, what was observed stays on record even if this call fails. */
async function claimGeneration(ports: ControlPorts, isOnce: boolean): Promise<MinuteRecord> {
  const nowMs = ports.wall.now();
  const claimed = await changeRecord<MinuteRecord>(ports.registry, keys.observer(), (old) => ({
    generation: (old?.generation ?? 0) + 1,
    claimedAtMs: nowMs,
    lastSweepMs: old?.lastSweepMs ?? nowMs,
    ...(isOnce && old?.memory !== undefined ? { memory: old.memory } : {}),
  }));
  invariant(claimed.body !== undefined, 'a claim leaves a record');
  return claimed.body;
}

/**
 * What an invocation begins with. Its own memory is good only if nobody has swept since; else every observation starts
 * anew, which reports nothing early. The moment of the last sweep, whoever made it, tells whether there was a gap (S13).
 */
function resumed(ports: ControlPorts, kept: SweepMemory, lastSweepMs: WallInstant): SweepMemory {
  const lastAnswerAt = instantOf(ports, lastSweepMs);
  const isOwn = kept.previousAnswerAt !== null && elapsed(kept.previousAnswerAt, lastAnswerAt) < SAME_SWEEP_MS;
  return isOwn ? kept : { clusters: new Map(), previousAnswerAt: lastAnswerAt };
}

/**
 * What a call that sweeps once begins with, in any environment. One's own memory would do in a warm one alone, and if
 * two took turns, each would find that the other has swept: nobody would be observed twice, ever.
 */
function remembered(ports: ControlPorts, claimed: MinuteRecord): SweepMemory {
  const written = unpackMemory(ports, claimed);
  return written ?? { clusters: new Map(), previousAnswerAt: instantOf(ports, claimed.lastSweepMs) };
}

/** Of a moment that has passed, by whichever clock. */
function instantOf(ports: ControlPorts, pastMs: WallInstant): Instant {
  return after(ports.boot.now(), -Math.max(0, wallElapsed(pastMs, ports.wall.now())));
}

/** False once a newer invocation has claimed: that one sweeps on. */
async function markSweep(
  ports: ControlPorts,
  generation: number,
  observed: Pick<MinuteRecord, 'memory'>,
): Promise<boolean> {
  const lastSweepMs = ports.wall.now();
  const marked = await changeRecord<MinuteRecord>(ports.registry, keys.observer(), (old) =>
    old === undefined || old.generation > generation ? null : { ...old, lastSweepMs, ...observed },
  );
  return marked.isChanged;
}
