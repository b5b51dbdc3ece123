/**
 * Calls a person once per reason (I11): what is held is tried again and again, by many passes and runs, and each would call.
 * A reason is forgotten when its subject is well again (`forgetTold`), so that the next time is told anew.
 */
import type { ToldRecord } from '../../core/protocol/brake-records.ts';
import { keys } from '../../core/protocol/records.ts';
import { reasonOf, toldOf } from '../../core/recovery/told.ts';
import { changeRecord } from './change.ts';
import { RECORDS_MAX } from './cluster.ts';
import type { ControlPorts } from './ports.ts';

/** Of what is told about a storm; no host and no slot has this name. */
export const STORM_SUBJECT = '*';

/** The page goes first: a process that dies in between calls twice rather than never. */
export async function tellOnce(
  ports: Pick<ControlPorts, 'registry' | 'wall' | 'alerts'>,
  cluster: string,
  subject: string,
  reason: string,
  page: { readonly title: string; readonly text: string },
): Promise<void> {
  const key = keys.told(cluster, subject);
  const known = await ports.registry.get<ToldRecord>(key);
  if (known?.body.reasons.includes(reasonOf(reason)) === true) return;
  await ports.alerts.page(page.title, page.text);
  await changeRecord<ToldRecord>(ports.registry, key, (old) => toldOf(old, subject, reason, ports.wall.now()));
}

/** Forgets what was told of every subject that is well. */
export async function forgetTold(
  ports: Pick<ControlPorts, 'registry'>,
  cluster: string,
  isWell: (subject: string) => boolean,
): Promise<void> {
  const { pk, sk: prefix } = keys.told(cluster, '');
  const all = await ports.registry.query<ToldRecord>(pk, { prefix, limit: RECORDS_MAX });
  for (const told of all.filter(({ body }) => isWell(body.subject)))
    await ports.registry.remove(told.key, told.version);
}
