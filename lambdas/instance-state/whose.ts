/** Whose machines an event is about: every host of every cluster that is one of them, by its definition or by its session. */
import { failureCode, FAILURES, messageOf } from '../../core/failures/failures.ts';
import {
  type ClusterRecord,
  type Heartbeat,
  type HostRecord,
  keys,
  REVOKED_PREFIX,
} from '../../core/protocol/records.ts';
import { loadDefinition, RECORDS_MAX } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';

const CLUSTERS_MAX = 1_000;

export interface Affected {
  readonly cluster: string;
  readonly haEnabled: boolean;
  readonly host: HostRecord;
  readonly machine: string;
  /** The definition names this machine for the host; else only the session on record is its. */
  readonly isDefined: boolean;
  /** Its item, read strongly. */
  readonly item: Heartbeat | undefined;
}

/** `cluster/host`. */
export const nameOf = ({ cluster, host }: Affected): string => `${cluster}/${host.host}`;

/**
 * Does `work` for each host that is one of the machines. Each host's trouble, and each cluster's, is its own, and is thrown
 * once all the others have had theirs: the call has failed then, and Lambda delivers the same event again (`lib/stacks/control-stack.ts`).
 */
export async function forEachOf<T>(
  ports: ControlPorts,
  machines: ReadonlySet<string>,
  work: (at: Affected) => Promise<T>,
): Promise<readonly T[]> {
  if (machines.size === 0) return [];
  const clusters = await ports.registry.query<{ cluster: string }>(keys.clusters('').pk, { limit: CLUSTERS_MAX });
  const lookups = await Promise.allSettled(clusters.map(({ body }) => hostsIn(ports, body.cluster, machines)));
  const found = lookups.flatMap((end) => (end.status === 'fulfilled' ? end.value : []));
  const ends = await Promise.allSettled(found.map(work));
  const failed = [...ends, ...lookups].find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
}

/** Throws what may have passed when the event comes again; what will not have is logged. */
async function hostsIn(
  ports: ControlPorts,
  cluster: string,
  machines: ReadonlySet<string>,
): Promise<readonly Affected[]> {
  try {
    const [record, hosts] = await Promise.all([
      ports.registry.get<ClusterRecord>(keys.cluster(cluster)),
      ports.registry.query<HostRecord>(keys.cluster(cluster).pk, { prefix: 'HOST#', limit: RECORDS_MAX }),
    ]);
    if (record === undefined) return [];
    const { rev, incarnation, haEnabled } = record.body;
    const definition = await loadDefinition(ports, cluster, rev, incarnation);
    const defined = new Map(definition.hosts.map(({ name, instanceId }) => [name, instanceId]));
    const affected = hosts.flatMap(({ body: host }) => {
      const own = defined.get(host.host);
      const isDefined = own !== undefined && machines.has(own);
      const machine = isDefined ? own : seenMachine(host);
      return machine !== undefined && machines.has(machine) ? [{ host, machine, isDefined }] : [];
    });
    return await Promise.all(
      affected.map(async (one) => ({
        ...one,
        cluster,
        haEnabled,
        item: await ports.heartbeats.read(one.host.principal),
      })),
    );
  } catch (error) {
    ports.log('error', `${[...machines].join(', ')} not looked up in ${cluster}: ${messageOf(error)}`);
    const code = failureCode(error);
    if (code !== undefined && FAILURES[code].retry === 'backoff') throw error;
    return [];
  }
}

/** What a session says of its machine counts only if IAM has said the same (S16): else any host could be in all events of another's. */
function seenMachine({ principal, seen }: HostRecord): string | undefined {
  const machine = seen?.machine;
  return machine !== undefined && principal.endsWith(`:instance/${machine}`) ? machine : undefined;
}

/** The session of this cluster that stands in its item, or null. */
export function liveSessionOf({ cluster, item }: Pick<Affected, 'cluster' | 'item'>): string | null {
  if (item === undefined || item.cluster !== cluster) return null;
  return item.session.startsWith(REVOKED_PREFIX) ? null : item.session;
}
