/**
 * Step `self-test`: would a fence be allowed, and what around the machines would defeat it? Asked here and nowhere else,
 * since a DryRun tells of the rights of who asks: no other Lambda may stop a machine, and none need be given that right, or
 * the right to call this one. Nothing is stopped. A schedule calls it every hour; each host has its turn about once a day,
 * those with something wrong in every hour. What it finds, the doctor reads.
 */
import type { MachineInspection, Reach, ScalingMembership } from '../../core/cloud-ports.ts';
import type { HostDefinition } from '../../core/config/model.ts';
import { hasPowerFence } from '../../core/doctor/facts.ts';
import { defeatsFence } from '../../core/doctor/machine-checks.ts';
import { type FenceTestRecord, fenceTestKeys, type SeenSettings } from '../../core/protocol/fence-test-records.ts';
import { hasHostTag } from '../../core/protocol/host-tag.ts';
import { type ClusterRecord, keys, type Stored } from '../../core/protocol/records.ts';
import { messageOf } from '../../core/failures/failures.ts';
import { elapsed, wallElapsed } from '../../core/time/time.ts';
import { atOnce } from '../shared/at-once.ts';
import { loadClusterRecord, loadDefinition, RECORDS_MAX } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';
import type { FenceCloud } from './fence-cloud.ts';

/** No machine is begun after this; the Lambda has a minute. */
const CALL_MS = 35_000;
/** Of one invocation, over all clusters: EC2 limits calls per account and region, and a failover needs some. */
const HOSTS_MAX = 100;
/** Machines at once, a few calls each. */
const AT_ONCE = 5;
/** Of one page. */
const LINES_MAX = 20;
/** A little under a day, so that a host keeps its hour. */
const WELL_DUE_MS = 23 * 3_600_000;
/** A little under an hour. */
const ILL_DUE_MS = 50 * 60_000;

export interface SelfTested {
  readonly step: 'self-test';
  readonly tested: number;
  /** Of these, machines on which a fence would fail. */
  readonly defeated: number;
  /** Hosts that are due and had to wait for the next call. */
  readonly left: number;
}

interface Asked {
  /** Every host, whether it is due or not: somebody wants to see what has been mended. */
  readonly isAll: boolean;
}

interface Due {
  readonly record: ClusterRecord;
  readonly defined: HostDefinition;
  readonly machine: string;
  readonly old: Stored<FenceTestRecord> | undefined;
}

interface Tested {
  readonly due: Due;
  readonly test: FenceTestRecord;
  /** What would defeat a fence of it. */
  readonly problems: readonly string[];
}

export async function selfTest(ports: ControlPorts, cloud: FenceCloud, { isAll }: Asked): Promise<SelfTested> {
  const begun = ports.boot.now();
  const clusters = await ports.registry.query(keys.clusters('').pk, { limit: RECORDS_MAX });
  const all: Due[] = [];
  for (const { key } of clusters) {
    try {
      all.push(...(await dueOf(ports, key.sk, isAll)));
    } catch (error) {
      // One cluster's trouble is not another's.
      ports.log('error', `the hosts of ${key.sk} were not tested: ${messageOf(error)}`);
    }
  }
  // Who has waited longest, and who never had a turn, before the others.
  const due = all.toSorted((a, b) => (a.old?.body.atMs ?? 0) - (b.old?.body.atMs ?? 0));
  const tested: Tested[] = [];
  while (tested.length < Math.min(due.length, HOSTS_MAX) && elapsed(begun, ports.boot.now()) < CALL_MS) {
    // The first alone: whoever takes a DryRun for an order shall have stopped one machine, and not five.
    const atOnceNow = tested.length === 0 ? 1 : AT_ONCE;
    const some = await testSome(ports, cloud, due.slice(tested.length, Math.min(tested.length + atOnceNow, HOSTS_MAX)));
    tested.push(...some);
    if (some.some(({ test }) => test.stop?.outcome === 'unknown' && test.stop.wasObeyed === true)) {
      const text =
        'EC2, or what stands in for it, answered a DryRun as if it were none: a machine may have been stopped';
      await ports.alerts.page(`a self-test of the fence was taken for an order: ${hostsOf(some)}`, text);
      break;
    }
  }
  await tell(ports, tested);
  // Of somebody who has tested it meanwhile the record is as good.
  await atOnce(tested, ({ due: { record, defined, old }, test }) =>
    ports.registry.put(fenceTestKeys.of(record.cluster, defined.name), test, old?.version ?? null),
  );
  const defeated = tested.filter(({ problems }) => problems.length > 0).length;
  const done: SelfTested = { step: 'self-test', tested: tested.length, defeated, left: due.length - tested.length };
  ports.log('info', 'the fence was tested', { ...done });
  return done;
}

const hostsOf = (some: readonly Tested[]): string => some.map(({ test }) => test.host).join(', ');

/** One page for a cluster, before anything is recorded: a process that dies in between calls twice rather than never. */
async function tell(ports: Pick<ControlPorts, 'alerts'>, tested: readonly Tested[]): Promise<void> {
  const untold = tested.filter(({ due: { old }, problems, test }) => {
    const isKnown = old?.body.isTold === true && old.body.machine === test.machine;
    return problems.length > 0 && !isKnown;
  });
  for (const [cluster, some] of Map.groupBy(untold, ({ due }) => due.record.cluster)) {
    const lines = some.flatMap(({ test, problems }) => problems.map((problem) => `${test.host}: ${problem}`));
    const more = lines.length - LINES_MAX;
    const text = [...lines.slice(0, LINES_MAX), ...(more > 0 ? [`and ${more} more: holdfast doctor`] : [])].join('\n');
    await ports.alerts.page(`a fence would fail in ${cluster}: ${hostsOf(some)}`, text);
  }
}

/** Also tidies: what is no longer defined leaves no record. */
async function dueOf(ports: ControlPorts, cluster: string, isAll: boolean): Promise<readonly Due[]> {
  const record = await loadClusterRecord(ports, cluster);
  const definition = await loadDefinition(ports, cluster, record.rev, record.incarnation);
  const { pk, prefix } = fenceTestKeys.all(cluster);
  const stored = await ports.registry.query<FenceTestRecord>(pk, { prefix, limit: RECORDS_MAX });
  const tests = new Map(stored.map((test) => [test.body.host, test]));
  const names = new Set(definition.hosts.flatMap(({ name, instanceId }) => (instanceId === undefined ? [] : [name])));
  for (const test of stored) if (!names.has(test.body.host)) await ports.registry.remove(test.key, test.version);
  return definition.hosts.flatMap((defined): Due[] => {
    const machine = defined.instanceId;
    const old = tests.get(defined.name);
    if (machine === undefined || !(isAll || isDue(ports, record, defined, old?.body))) return [];
    return [{ record, defined, machine, old }];
  });
}

function isDue(
  ports: Pick<ControlPorts, 'wall'>,
  { account: { region } }: ClusterRecord,
  defined: HostDefinition,
  old: FenceTestRecord | undefined,
): boolean {
  if (old === undefined || old.machine !== defined.instanceId || hasPowerFence(defined) !== (old.stop !== null))
    return true;
  const isIll = isUnclear(old) || defeatsFence({ defined, test: old, region }).length > 0;
  return wallElapsed(old.atMs, ports.wall.now()) >= (isIll ? ILL_DUE_MS : WELL_DUE_MS);
}

function isUnclear({ stop, seen, scaling }: FenceTestRecord): boolean {
  return stop?.outcome === 'unknown' || seen.outcome === 'unknown' || scaling.member === 'unknown';
}

async function testSome(
  ports: Pick<ControlPorts, 'wall'>,
  cloud: FenceCloud,
  some: readonly Due[],
): Promise<readonly Tested[]> {
  const machines = some.map(({ machine }) => machine);
  const [memberships, reach] = await Promise.all([cloud.scaling.membership(machines), cloud.path.reach(machines)]);
  return Promise.all(
    some.map((due) => {
      const scaling = memberships.get(due.machine) ?? { member: 'unknown', says: 'Auto Scaling left it out' };
      return testOne(ports, cloud, due, { scaling, reach: reach.get(due.machine) ?? 'unknown' });
    }),
  );
}

async function testOne(
  ports: Pick<ControlPorts, 'wall'>,
  cloud: FenceCloud,
  due: Due,
  around: { readonly scaling: ScalingMembership; readonly reach: Reach },
): Promise<Tested> {
  const { record, defined, machine, old } = due;
  const { scaling } = around;
  const [inspected, stop, group] = await Promise.all([
    cloud.settings.inspect(machine),
    hasPowerFence(defined) ? cloud.rehearsal.stop(machine) : null,
    scaling.member === 'yes' ? groupOf(cloud, scaling.group) : null,
  ]);
  const found = {
    host: defined.name,
    machine,
    atMs: ports.wall.now(),
    stop,
    seen: seenOf(inspected),
    group,
    ...around,
  };
  const test: FenceTestRecord = { ...found, isTold: false };
  const problems = defeatsFence({ defined, test, region: record.account.region });
  // What EC2 does not say this time was not mended by that.
  const isStillTold = isUnclear(test) && old?.body.isTold === true && old.body.machine === machine;
  return { due, test: { ...test, isTold: problems.length > 0 || isStillTold }, problems };
}

function seenOf(inspected: MachineInspection): SeenSettings {
  if (inspected.outcome === 'unknown') return inspected;
  const { state, type, tags, autoRecovery, canHibernate, isStopProtected } = inspected;
  return { outcome: 'seen', state, type, autoRecovery, canHibernate, isStopProtected, hasTag: hasHostTag(tags) };
}

/** Any of them keeps a group from terminating what does not run. */
const PROTECTING: readonly string[] = ['ReplaceUnhealthy', 'HealthCheck', 'Terminate'];

async function groupOf({ scaling }: FenceCloud, name: string): Promise<FenceTestRecord['group']> {
  const group = await scaling.group(name);
  if (group === undefined) return null;
  const isHarmless = group.suspended.some((process) => PROTECTING.includes(process));
  return { isHarmless, hasTag: hasHostTag(group.tags) };
}
