/**
 * What cannot be done for one host, slot or group stops nothing for the others (S16). It is logged each time and tried again
 * at each pass; what lasts is told to a person, once.
 */
import { messageOf } from '../../core/failures/failures.ts';
import { keys, type TroubleRecord } from '../../core/protocol/records.ts';
import { wallElapsed } from '../../core/time/time.ts';
import { changeRecord } from '../shared/change.ts';
import { RECORDS_MAX } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';

/** A throttled or unavailable store is mostly back within this, and nobody need be called. */
const TOLD_AFTER_MS = 10_000;

export interface Part {
  /** A host, `group/slot` or a group. */
  readonly subject: string;
  readonly work: () => Promise<void>;
}

/** Runs each part, whatever becomes of the others; parts of one subject share its fate. Returns how many subjects failed. */
export async function each(ports: ControlPorts, cluster: string, parts: readonly Part[]): Promise<number> {
  const failed = new Map<string, string>();
  for (const { subject, work } of parts) {
    try {
      await work();
    } catch (error) {
      failed.set(subject, messageOf(error));
      ports.log('error', `reconcile of ${subject} in ${cluster} failed`, { error: messageOf(error) });
    }
  }
  await remember(ports, cluster, failed);
  return failed.size;
}

async function remember(ports: ControlPorts, cluster: string, failed: ReadonlyMap<string, string>): Promise<void> {
  const { pk, sk: prefix } = keys.trouble(cluster, '');
  const known = await ports.registry.query<TroubleRecord>(pk, { prefix, limit: RECORDS_MAX });
  for (const trouble of known.filter(({ body }) => !failed.has(body.subject)))
    await ports.registry.remove(trouble.key, trouble.version);
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
