/**
 * What was done about a notice, by the name that all its deliveries share. What a person was told is forgotten when its host
 * is well (`shared/tell.ts`); this is not, for a host that is about to be taken away is well until then.
 */
import { type Key, keys } from '../../core/protocol/records.ts';
import type { WallInstant } from '../../core/time/time.ts';
import { changeRecord } from '../shared/change.ts';
import type { ControlPorts } from '../shared/ports.ts';

/** Of one host, newest last. No delivery is a day late, and so many notices of one host in a day are none of EC2's. */
const NOTICES_MAX = 50;

interface NoticesRecord {
  readonly host: string;
  readonly known: readonly { readonly id: string; readonly atMs: WallInstant }[];
}

/** False: it was done before. The work goes first: a process that dies in between does it twice rather than never. */
export async function once(
  ports: Pick<ControlPorts, 'registry' | 'wall'>,
  at: { readonly cluster: string; readonly host: string; readonly id: string },
  work: () => Promise<unknown>,
): Promise<boolean> {
  const { host, id } = at;
  const key: Key = { pk: keys.late(at.cluster, '').pk, sk: `NOTICES#${host}` };
  const before = await ports.registry.get<NoticesRecord>(key);
  if (before?.body.known.some((notice) => notice.id === id) === true) return false;
  await work();
  await changeRecord<NoticesRecord>(ports.registry, key, (old) => {
    const known = old?.known ?? [];
    if (known.some((notice) => notice.id === id)) return null;
    return { host, known: [...known, { id, atMs: ports.wall.now() }].slice(-NOTICES_MAX) };
  });
  return true;
}
