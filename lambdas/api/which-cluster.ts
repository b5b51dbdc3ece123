/** `?cluster=NAME`, or the only one there is. */
import { HaError } from '../../core/failures/failures.ts';
import { keys } from '../../core/protocol/records.ts';
import type { ControlPorts } from '../shared/ports.ts';

const CLUSTERS_MAX = 1_000;

export async function clusterOf(
  { registry }: Pick<ControlPorts, 'registry'>,
  asked: string | null | undefined,
): Promise<string> {
  if (asked !== null && asked !== undefined) return asked;
  const stored = await registry.query<{ cluster: string }>(keys.clusters('').pk, { limit: CLUSTERS_MAX });
  const names = stored.map(({ body }) => body.cluster);
  const [only, ...others] = names;
  if (only === undefined) throw new HaError('not_found', 'there is no cluster yet; apply a definition');
  if (others.length > 0)
    throw new HaError('config_invalid', `there are several clusters (${names.join(', ')}); name one with ?cluster=`);
  return only;
}
