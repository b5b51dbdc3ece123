/** Gathers what the doctor looks at, with a bounded number of calls, and lets it judge. */
import { doctorChecks } from '../../core/doctor/doctor.ts';
import { hasPowerFence } from '../../core/doctor/facts.ts';
import type { PowerReading } from '../../core/ports.ts';
import { type FenceTestRecord, fenceTestKeys } from '../../core/protocol/fence-test-records.ts';
import type { ObserverRecord, TroubleRecord } from '../../core/protocol/observer-records.ts';
import { keys } from '../../core/protocol/records.ts';
import type { DoctorView } from '../../core/protocol/views.ts';
import { type ClusterFacts, loadCluster, RECORDS_MAX } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';

/** Reads of power per call of the doctor, and how many of them at once: EC2 limits calls per account and region. */
const POWER_READS_MAX = 40;
const POWER_READS_AT_ONCE = 5;

const OWN = /-api$/;

/** The Lambda that fences, by the name of the API's own: all of a deployment's begin alike (lib/control-names.ts). */
export function fenceFunctionBeside(own: string | undefined): string | null {
  return own !== undefined && OWN.test(own) ? own.replace(OWN, '-ha-fence') : null;
}

export async function doctor(
  ports: ControlPorts,
  cluster: string,
  fenceFunction: string | null = null,
): Promise<DoctorView> {
  const facts = await loadCluster(ports, cluster);
  const { pk, sk: prefix } = keys.trouble(cluster, '');
  const tests = fenceTestKeys.all(cluster);
  const [observer, troubles, fenceTests, power] = await Promise.all([
    ports.registry.get<ObserverRecord>(keys.observer()),
    ports.registry.query<TroubleRecord>(pk, { prefix, limit: RECORDS_MAX }),
    ports.registry.query<FenceTestRecord>(tests.pk, { prefix: tests.prefix, limit: RECORDS_MAX }),
    readPower(ports, facts),
  ]);
  const { record, definition, hosts, groups, heartbeats } = facts;
  const lastSweepMs = observer?.body.lastSweepMs ?? null;
  const nowMs = ports.wall.now();
  return {
    checks: doctorChecks({
      record,
      definition,
      hosts,
      groups,
      heartbeats,
      lastSweepMs,
      troubles: troubles.map(({ body }) => body),
      fenceTests: new Map(fenceTests.map(({ body }) => [body.host, body])),
      ...power,
      fenceFunction,
      nowMs,
    }),
  };
}

interface PowerFacts {
  readonly power: ReadonlyMap<string, PowerReading>;
  readonly powerUnasked: readonly string[];
}

async function readPower(ports: ControlPorts, { definition }: ClusterFacts): Promise<PowerFacts> {
  const fenced = definition.hosts.flatMap(({ name, instanceId, fencing }) =>
    instanceId !== undefined && hasPowerFence({ fencing }) ? [{ name, instanceId }] : [],
  );
  // Beginning elsewhere each time, so that over some calls every host has its turn.
  const start = fenced.length > POWER_READS_MAX ? ports.wall.now() % fenced.length : 0;
  const turns = [...fenced.slice(start), ...fenced.slice(0, start)];
  const asked = turns.slice(0, POWER_READS_MAX);
  const power = new Map<string, PowerReading>();
  for (let i = 0; i < asked.length; i += POWER_READS_AT_ONCE) {
    const some = asked.slice(i, i + POWER_READS_AT_ONCE);
    const readings = await Promise.all(some.map(({ instanceId }) => ports.power.read(instanceId)));
    some.forEach(({ name }, n) => {
      const reading = readings[n];
      if (reading !== undefined) power.set(name, reading);
    });
  }
  return { power, powerUnasked: turns.slice(POWER_READS_MAX).map(({ name }) => name) };
}
