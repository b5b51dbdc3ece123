/**
 * The observer's memory as data: where each sweep is a call of its own, whoever makes the next one reads what the last has
 * left, for nothing says that it runs in the same process.
 *
 * Boot clocks of two processes have nothing in common, and that of a process which is frozen between two calls need not
 * run. So the writer adds what both its clocks showed, and the reader moves every instant to where its own wall clock
 * says that it was: exact to ±ε, where silence is measured in seconds. What evidence counts from (S7) is a reading of
 * the wall clock already, and is kept as it was stamped.
 *
 * A clock that was far wrong at one call shall not spoil those after it: what it wrote as if later than now is not read,
 * and what it wrote as if long ago is a gap.
 */
import * as z from 'zod';
import { after, elapsed, type Instant, instant, type Millis, wallElapsed, wallInstant } from '../time/time.ts';
import type { DetectorMemory } from './detect.ts';
import type { Arrival, Watch } from './watch.ts';

export interface ObserverMemory {
  readonly clusters: ReadonlyMap<string, DetectorMemory>;
  readonly previousAnswerAt: Instant | null;
}

/** Far above ε, which two clocks of the control plane may differ by, and far below any wait that an error would stretch. */
const AHEAD_MAX_MS: Millis = 5_000;

const Clocks = z.strictObject({ at: z.number().transform(instant), wall: z.number().transform(wallInstant) });

/** `shiftMs`: how far the reader's boot clock is ahead of the writer's. */
function schemaOf(shiftMs: Millis): z.ZodType<ObserverMemory> {
  const moment = z.number().transform((ms) => after(instant(ms), shiftMs));
  const wall = z.number().transform(wallInstant);
  const byName = <T>(value: z.ZodType<T>) =>
    z.array(z.tuple([z.string(), value])).transform((entries) => new Map<string, T>(entries));
  const watch: z.ZodType<Watch> = z.strictObject({
    principal: z.string(),
    session: z.string(),
    seq: z.number(),
    intervalMs: z.number(),
    takerWaitMs: z.number(),
    since: moment,
    sinceWall: wall,
    heldAt: moment,
    movedAfter: moment.nullable(),
    replaced: z.array(z.string()),
    staleSince: moment.nullable(),
    isReported: z.boolean(),
    isDoubted: z.boolean(),
  });
  const doubt = z.strictObject({ why: z.enum(['gap', 'all-silent']), from: moment, graceMs: z.number() });
  const missing = z.strictObject({ at: moment, wall });
  const cluster = z.strictObject({ watches: byName(watch), missing: byName(missing), doubt: doubt.nullable() });
  return z.strictObject({ clusters: byName(cluster), previousAnswerAt: moment.nullable() });
}

const Written = z.strictObject({ writtenAt: Clocks, memory: z.unknown() });

/** As JSON can hold it. `now`: both clocks of the writer, read together. */
export function writeMemory({ clusters, previousAnswerAt }: ObserverMemory, now: Arrival): unknown {
  const entries = [...clusters].map(([cluster, { watches, missing, doubt }]) => [
    cluster,
    { watches: [...watches], missing: [...missing], doubt },
  ]);
  return { writtenAt: now, memory: { clusters: entries, previousAnswerAt } };
}

/** undefined: not written by this code, or by a clock that was ahead. Observations begin anew then. */
export function readMemory(written: unknown, now: Arrival): ObserverMemory | undefined {
  const outer = Written.safeParse(written);
  if (!outer.success) return undefined;
  const { writtenAt, memory } = outer.data;
  if (wallElapsed(now.wall, writtenAt.wall) > AHEAD_MAX_MS) return undefined;
  const shiftMs = elapsed(writtenAt.at, now.at) - wallElapsed(writtenAt.wall, now.wall);
  return schemaOf(shiftMs).safeParse(memory).data;
}
