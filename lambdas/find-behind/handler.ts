/**
 * Finds agents behind on ping. Scheduled every minute; each invocation claims the next generation and sweeps until a
 * newer one has claimed, so that no gap is left between invocations.
 */
import * as z from 'zod';
import { SCHEDULE_MS, SWEEP_LOOP_MS } from '../../core/config/control-limits.ts';
import { messageOf } from '../../core/failures/failures.ts';
import { invariant } from '../../core/failures/invariant.ts';
import type { ObserverRecord } from '../../core/protocol/observer-records.ts';
import { keys } from '../../core/protocol/records.ts';
import { after, elapsed, type Instant, isReached, wallElapsed, type WallInstant } from '../../core/time/time.ts';
import { changeRecord } from '../shared/change.ts';
import { edge, type Handler } from '../shared/edge.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { EMPTY_SWEEP_MEMORY, type SweepMemory, sweepOnce, type SweepResult } from './sweep.ts';

const RETRY_MS = 1_000;

/**
 * An invocation that begins longer after the last sweep, whoever made it, has nobody to take over from: nobody looked
 * meanwhile. Where each call sweeps once, one call has to fail first.
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

  return edge(ports, FindBehindEvent, async (event): Promise<FindBehindResult> => {
    const { generation, lastSweepMs } = await claimGeneration(ports);
    kept = resumed(ports, kept, lastSweepMs);
    const lateMs = event.once === true ? LATE_MS.once : LATE_MS.loop;
    const isLate = wallElapsed(lastSweepMs, ports.wall.now()) > lateMs;
    const measure = measuring(ports, isLate);
    const endsAt = after(ports.boot.now(), SWEEP_LOOP_MS);
    const result = { sweeps: 0, failures: 0, behind: 0 };
    for (;;) {
      const begun = ports.boot.now();
      let pauseMs = RETRY_MS;
      try {
        const swept = await sweepOnce(ports, kept);
        kept = swept.memory;
        measure(swept, begun);
        const isNewest = await markSweep(ports, generation);
        result.sweeps += 1;
        result.failures += swept.failed.length;
        result.behind = swept.behind;
        pauseMs = Math.max(0, swept.periodMs - elapsed(begun, ports.boot.now()));
        if (event.once === true || isReached(endsAt, ports.boot.now()) || !isNewest) return result;
      } catch (error) {
        if (event.once === true || isReached(endsAt, ports.boot.now())) throw error;
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

async function claimGeneration(ports: ControlPorts): Promise<ObserverRecord> {
  const nowMs = ports.wall.now();
  const claimed = await changeRecord<ObserverRecord>(ports.registry, keys.observer(), (old) => ({
    generation: (old?.generation ?? 0) + 1,
    claimedAtMs: nowMs,
    lastSweepMs: old?.lastSweepMs ?? nowMs,
  }));
  invariant(claimed.body !== undefined, 'a claim leaves a record');
  return claimed.body;
}

/**
 * What an invocation begins with. Its own memory is good only if nobody has swept since; else every observation starts
 * anew, which reports nothing early. The moment of the last sweep, whoever made it, tells whether there was a gap (S13).
 */
function resumed(ports: ControlPorts, kept: SweepMemory, lastSweepMs: WallInstant): SweepMemory {
  const agoMs = Math.max(0, wallElapsed(lastSweepMs, ports.wall.now()));
  const lastAnswerAt = after(ports.boot.now(), -agoMs);
  const isOwn = kept.previousAnswerAt !== null && elapsed(kept.previousAnswerAt, lastAnswerAt) < SAME_SWEEP_MS;
  return isOwn ? kept : { clusters: new Map(), previousAnswerAt: lastAnswerAt };
}

/** False once a newer invocation has claimed: that one sweeps on. */
async function markSweep(ports: ControlPorts, generation: number): Promise<boolean> {
  const lastSweepMs = ports.wall.now();
  const marked = await changeRecord<ObserverRecord>(ports.registry, keys.observer(), (old) =>
    old === undefined || old.generation > generation ? null : { ...old, lastSweepMs },
  );
  return marked.isChanged;
}
