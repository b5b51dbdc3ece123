/**
 * What cannot be done for one host, slot or group stops nothing for the others (S16). It is logged each time and tried again
 * at each pass; what lasts is told to a person, once.
 */
import { messageOf } from '../../core/failures/failures.ts';
import type { TroubleRecord } from '../../core/protocol/observer-records.ts';
import { keys } from '../../core/protocol/records.ts';
import { wallElapsed } from '../../core/time/time.ts';
import { atOnce, inLanes } from '../shared/at-once.ts';
import { changeRecord } from '../shared/change.ts';
import { RECORDS_MAX } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';

/** A throttled or unavailable store is mostly back within this, and nobody need be called. */
const TOLD_AFTER_MS = 10_000;

export interface Part {
  /** A host, `group/slot` or a group. */
  readonly subject: string;
  /** Record that it changes: the parts of one are done one after the other, in their order. */
  readonly lane: string;
  readonly work: () => Promise<void>;
}

/**
 * Runs each part, several at once, whatever becomes of the others; parts of one subject share its fate. A round begins when
 * the one before has ended. Returns how many subjects failed.
 */
export async function each(
  ports: ControlPorts,
  cluster: string,
  rounds: readonly (readonly Part[])[],
): Promise<number> {
  const failed = new Map<Part, string>();
  for (const parts of rounds) {
    await inLanes(
      parts,
      ({ lane }) => lane,
      async (part) => {
        try {
          await part.work();
        } catch (error) {
          failed.set(part, messageOf(error));
          ports.log('error', `reconcile of ${part.subject} in ${cluster} failed`, { error: messageOf(error) });
        }
      },
    );
  }
  // In the order of the parts, whichever ended first.
  const whys = rounds.flat().flatMap((part): [string, string][] => {
    const why = failed.get(part);
    return why === undefined ? [] : [[part.subject, why]];
  });
  const troubles = new Map(whys);
  await remember(ports, cluster, troubles);
  return troubles.size;
}

async function remember(ports: ControlPorts, cluster: string, failed: ReadonlyMap<string, string>): Promise<void> {
  const { pk, sk: prefix } = keys.trouble(cluster, '');
  const known = await ports.registry.query<TroubleRecord>(pk, { prefix, limit: RECORDS_MAX });
  const over = known.filter(({ body }) => !failed.has(body.subject));
  await atOnce(over, ({ key, version }) => ports.registry.remove(key, version));
  for (const [subject, why] of failed) {
    const nowMs = ports.wall.now();
    const changed = await changeRecord<TroubleRecord>(ports.registry, keys.trouble(cluster, subject), (old) => {
      if (old === undefined) return { subject, sinceMs: nowMs, why, isTold: false };
      return old.isTold || wallElapsed(old.sinceMs, nowMs) < TOLD_AFTER_MS ? null : { ...old, why, isTold: true };
    });
    if (changed.isChanged && changed.body?.isTold === true)
      await ports.alerts.page(`${subject} in ${cluster} cannot be looked after`, why);
  }
}
