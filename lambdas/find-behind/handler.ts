/**
 * Finds agents behind on ping. Scheduled every minute; each invocation claims the next generation and sweeps until a
 * newer one has claimed, so that no gap is left between invocations.
 */
import * as z from 'zod';
import { messageOf } from '../../core/failures/failures.ts';
import { keys, type ObserverRecord } from '../../core/protocol/records.ts';
import { after, elapsed, isReached } from '../../core/time/time.ts';
import { changeRecord } from '../shared/change.ts';
import { edge, type Handler } from '../shared/edge.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { EMPTY_SWEEP_MEMORY, type SweepMemory, sweepOnce } from './sweep.ts';

/** Above the schedule's minute and its precision, below the Lambda's time-out of 120 s. */
const LOOP_MS = 105_000;
const RETRY_MS = 1_000;

/** Scheduler sends what the target's input says; an EventBridge-shaped default is accepted too. */
const FindBehindEvent = z.looseObject({ once: z.boolean().optional() });

export interface FindBehindResult {
  readonly sweeps: number;
  readonly failures: number;
  readonly behind: number;
}

export function findBehind(ports: ControlPorts): Handler<FindBehindResult> {
  // Outlives an invocation where the environment does; a gap between two is noticed by the observer itself (S13).
  let memory: SweepMemory = EMPTY_SWEEP_MEMORY;

  return edge(FindBehindEvent, async (event): Promise<FindBehindResult> => {
    const generation = await claimGeneration(ports);
    const endsAt = after(ports.boot.now(), LOOP_MS);
    const result = { sweeps: 0, failures: 0, behind: 0 };
    for (;;) {
      const begun = ports.boot.now();
      let pauseMs = RETRY_MS;
      try {
        const swept = await sweepOnce(ports, memory);
        memory = swept.memory;
        result.sweeps += 1;
        result.behind = swept.behind;
        pauseMs = Math.max(0, swept.periodMs - elapsed(begun, ports.boot.now()));
        if (event.once === true || isReached(endsAt, ports.boot.now()) || !(await isNewest(ports, generation))) return result;
      } catch (error) {
        if (event.once === true || isReached(endsAt, ports.boot.now())) throw error;
        result.failures += 1;
        ports.log('warn', `a sweep failed: ${messageOf(error)}`);
      }
      await ports.sleeper.sleep(pauseMs);
    }
  });
}

async function claimGeneration(ports: ControlPorts): Promise<number> {
  const nowMs = ports.wall.now();
  const claimed = await changeRecord<ObserverRecord>(ports.registry, keys.observer(), (old) => ({
    generation: (old?.generation ?? 0) + 1,
    claimedAtMs: nowMs,
    lastSweepMs: old?.lastSweepMs ?? nowMs,
  }));
  return claimed.body?.generation ?? 0;
}

async function isNewest(ports: ControlPorts, generation: number): Promise<boolean> {
  const stored = await ports.registry.get<ObserverRecord>(keys.observer());
  return stored === undefined || stored.body.generation <= generation;
}
