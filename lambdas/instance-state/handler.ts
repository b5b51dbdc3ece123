/**
 * Takes EC2's state-change events. An event is never evidence: it may be late, repeated, or about a life that is long over.
 * It only leads to reads (S7), and they begin here at once: while the second read is waited for, the run is opened.
 */
import * as z from 'zod';
import { messageOf } from '../../core/failures/failures.ts';
import {
  type ClusterRecord,
  type Heartbeat,
  type HostRecord,
  keys,
  REVOKED_PREFIX,
} from '../../core/protocol/records.ts';
import { poweredSession, type TimedReading, whyNotOff } from '../../core/recovery/power-off.ts';
import { loadDefinition, RECORDS_MAX } from '../shared/cluster.ts';
import { edge, type Handler } from '../shared/edge.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { confirmOff, itemOf, readPower, recordOff } from '../shared/power-reads.ts';
import { recordEvent } from '../shared/run-log.ts';
import { startHaRun } from '../shared/start-run.ts';

const CLUSTERS_MAX = 1_000;

/** As EventBridge sends it; of the rest nothing is used. */
const StateChange = z.looseObject({
  detail: z.looseObject({
    'instance-id': z.string().regex(/^i-[0-9a-f]{8,17}$/),
    state: z.enum(['pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated']),
  }),
});

/** States after which a host cannot be what it was. */
const DOWNWARDS: readonly string[] = ['stopping', 'stopped', 'shutting-down', 'terminated'];

export interface InstanceStateResult {
  /** `cluster/host`, of every cluster that defines the instance. */
  readonly hosts: readonly string[];
  /** Runs that work on them because of this event. */
  readonly runs: readonly string[];
  /** Hosts whose session two reads have shown to be over. */
  readonly off: readonly string[];
}

export function instanceState(ports: ControlPorts): Handler<InstanceStateResult> {
  return edge(StateChange, async ({ detail }): Promise<InstanceStateResult> => {
    const { 'instance-id': machine, state } = detail;
    const isDown = DOWNWARDS.includes(state);
    // Asked before it is known whose the machine is: every millisecond from here on is downtime.
    const first = isDown ? readPower(ports, machine) : null;
    const found = await hostsOf(ports, machine);
    const results = await Promise.all(
      found.map(async (at) => {
        const says = `EC2 says that ${machine} is ${state}`;
        const event = {
          kind: 'host.power',
          subject: at.host.host,
          says,
          run: null,
          by: 'ec2',
          facts: { machine, state },
        };
        const [run, isOff] = await Promise.all([
          first === null ? null : follow(ports, at),
          first === null ? false : confirm(ports, at, first),
          recordEvent(ports, at.cluster, event),
        ]);
        return { name: `${at.cluster}/${at.host.host}`, run, isOff };
      }),
    );
    return {
      hosts: results.map(({ name }) => name),
      runs: results.flatMap(({ run }) => run ?? []),
      off: results.filter(({ isOff }) => isOff).map(({ name }) => name),
    };
  });
}

interface Affected {
  readonly cluster: string;
  readonly haEnabled: boolean;
  readonly host: HostRecord;
  /** Its item, read strongly. */
  readonly item: Heartbeat | undefined;
}

async function hostsOf(ports: ControlPorts, machine: string): Promise<readonly Affected[]> {
  const clusters = await ports.registry.query<{ cluster: string }>(keys.clusters('').pk, { limit: CLUSTERS_MAX });
  const found = await Promise.all(clusters.map(({ body }) => hostsIn(ports, body.cluster, machine)));
  return found.flat();
}

/** One cluster's trouble is not another's. */
async function hostsIn(ports: ControlPorts, cluster: string, machine: string): Promise<readonly Affected[]> {
  try {
    const [record, hosts] = await Promise.all([
      ports.registry.get<ClusterRecord>(keys.cluster(cluster)),
      ports.registry.query<HostRecord>(keys.cluster(cluster).pk, { prefix: 'HOST#', limit: RECORDS_MAX }),
    ]);
    if (record === undefined) return [];
    const { rev, incarnation, haEnabled } = record.body;
    const definition = await loadDefinition(ports, cluster, rev, incarnation);
    const defined = definition.hosts.filter(({ instanceId }) => instanceId === machine).map(({ name }) => name);
    const affected = hosts.filter(({ body }) => defined.includes(body.host) || body.seen?.machine === machine);
    return await Promise.all(
      affected.map(async ({ body: host }) => ({
        cluster,
        haEnabled,
        host,
        item: await ports.heartbeats.read(host.principal),
      })),
    );
  } catch (error) {
    ports.log('error', `${machine} was not looked up in ${cluster}: ${messageOf(error)}`);
    return [];
  }
}

/** The session of this cluster that stands in its item, or null. */
function liveSessionOf({ cluster, item }: Affected): string | null {
  if (item === undefined || item.cluster !== cluster) return null;
  return item.session.startsWith(REVOKED_PREFIX) ? null : item.session;
}

/** The HA run of the session that stands, under the name that find-behind gives it: whoever comes second starts nothing. */
async function follow(ports: ControlPorts, at: Affected): Promise<string | null> {
  const session = liveSessionOf(at);
  if (session === null || at.item === undefined || !at.haEnabled) return null;
  return startHaRun(ports, { cluster: at.cluster, host: at.host.host, session, seq: at.item.seq });
}

/** The second read, if the first shows the session's machine off. The run may be quicker with a pair of its own. */
async function confirm(ports: ControlPorts, at: Affected, first: Promise<TimedReading>): Promise<boolean> {
  const session = liveSessionOf(at) ?? at.host.seen?.session;
  const about = session === undefined ? undefined : poweredSession(at.host, session, itemOf(at.item, session));
  if (about === undefined) return false;
  const reading = await first;
  if (whyNotOff(reading.reading, about) !== null) return false;
  const { off } = await confirmOff(ports, about, reading);
  if (off === null) return false;
  await recordOff(ports, { cluster: at.cluster, host: at.host.host }, off);
  return true;
}
