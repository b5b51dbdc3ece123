/**
 * What a run carries from step to step: names and counters only. Facts are read again in every step, so that a step
 * that runs twice, late, or after a redrive decides on what stands then (S17).
 *
 * A run that is under way while the control plane is upgraded or turned back has steps of both versions (S19): so what another
 * version has added is passed over, never refused; what this one adds must be optional.
 */
import * as z from 'zod';
import { name, sessionId } from './edge.ts';

const count = z.int().nonnegative();

export const SlotName = z.strictObject({ group: name, slot: count });

/** Input of an HA run: exactly this, byte for byte the same for the same failure. */
export const HostFailure = z.strictObject({ cluster: name, host: name, session: sessionId, seq: count });

export const PlannedVerb = z.enum(['place', 'move', 'restart', 'stop']);

/** Input of a planned run. */
export const PlannedWork = z.strictObject({
  cluster: name,
  verb: PlannedVerb,
  group: name,
  slot: count,
  epoch: count,
  to: z.union([name, z.null()]),
});

export const Work = z.object({
  cluster: name,
  host: z.union([name, z.null()]),
  session: z.union([sessionId, z.null()]),
  seq: count,
  verb: z.union([z.literal('ha'), PlannedVerb]),
  /** Of planned work: the epoch that it was ordered for and claimed in; it acts on no other. 0 for an HA run. */
  epoch: count,
  to: z.union([name, z.null()]),
  slots: z.array(SlotName).max(1_000),
  waves: z.array(z.array(SlotName)).max(1_000),
  round: count,
  /** The verdict's word: no guard answered that its session stands. Absent: not judged, so no power fence. */
  powerFence: z.boolean().optional(),
  next: z.string(),
  says: z.string(),
});
export type Work = z.infer<typeof Work>;

/** One slot on its way to a new host, inside the run's Map. */
export const SlotWork = z.object({
  cluster: name,
  verb: z.union([z.literal('ha'), PlannedVerb]),
  to: z.union([name, z.null()]),
  group: name,
  slot: count,
  attempt: count,
  round: count,
  /** The epoch that the run was opened for (`Work.epoch`). */
  opened: count,
  /** The epoch that the last step acted on; 0 before the first. */
  epoch: count,
  next: z.string(),
  says: z.string(),
});
export type SlotWork = z.infer<typeof SlotWork>;
