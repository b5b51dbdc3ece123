/**
 * What is set around a host's machine that would defeat its failover: who else would stop, start or destroy it, and what
 * keeps the fence from stopping it. Judged from the last self-test of the fence, which is some hours old; each finding says
 * by what command it is mended.
 */
import type { HostDefinition } from '../config/model.ts';
import { HOST_TAG } from '../protocol/host-tag.ts';
import type { FenceTestRecord } from '../protocol/fence-test-records.ts';
import type { DoctorCheck } from '../protocol/views.ts';
import { wallElapsed } from '../time/time.ts';
import { namesOf } from './cluster-checks.ts';
import {
  counted,
  type DoctorFacts,
  fail,
  hasPowerFence,
  hostCases,
  type Judged,
  roughly,
  verdicts,
  warn,
} from './facts.ts';

/** A test that is older says nothing any more: hosts are due for one every day. */
const OLD_MS = 3 * 86_400_000;

export interface MachineCase {
  readonly defined: HostDefinition;
  readonly test: FenceTestRecord;
  readonly region: string;
  /** The Lambda that stops machines, by its name in AWS. Default: what it is called everywhere. */
  readonly fence?: string | undefined;
}

const FENCE = 'ha-fence';

type MachineCheck = (one: MachineCase) => readonly Judged[];

const TAG = `${HOST_TAG.key}=${HOST_TAG.value}`;

/** May the fence stop it at all? Only what its own Lambda was told says so. */
function rights({ defined: { name: subject }, test, region, fence = FENCE }: MachineCase): readonly Judged[] {
  const { stop, seen, machine } = test;
  const lacksTag = seen.outcome === 'seen' && !seen.hasTag;
  const tag = `aws ec2 create-tags --region ${region} --resources ${machine} --tags Key=${HOST_TAG.key},Value=${HOST_TAG.value}`;
  if (stop?.outcome === 'refused') {
    const says = `the fence may not stop ${machine}, so that no power-off would ever be shown: ${stop.says}`;
    const change = lacksTag
      ? `it lacks the tag ${TAG}, by which alone it may: ${tag}`
      : `see that no service control policy or permissions boundary denies ec2:StopInstances to the role of the Lambda ${fence}; then deploy the control plane again`;
    return [fail({ subject, says, change })];
  }
  if (stop?.outcome === 'unknown') {
    const says = `whether the fence may stop ${machine} is not known: ${stop.says}`;
    return [warn({ subject, says, change: 'look again after the next self-test, within the hour' })];
  }
  if (!lacksTag) return [];
  const says = `${machine} lacks the tag ${TAG}: its guard cannot be asked by SSM when it falls silent`;
  return [warn({ subject, says, change: tag })];
}

function stopProtection({ defined, test, region, fence = FENCE }: MachineCase): readonly Judged[] {
  if (!hasPowerFence(defined) || test.seen.outcome !== 'seen') return [];
  const { isStopProtected } = test.seen;
  const { name: subject } = defined;
  const command = `--region ${region} --instance-id ${test.machine}`;
  if (isStopProtected === true) {
    const says = `stop protection is on for ${test.machine}: EC2 refuses every stop, also the fence's, and its slots would wait for its lease or a person`;
    return [fail({ subject, says, change: `aws ec2 modify-instance-attribute ${command} --no-disable-api-stop` })];
  }
  if (isStopProtected === false) return [];
  const says = `whether stop protection is on for ${test.machine} could not be read; if it is, the fence cannot stop it`;
  const change = `let ${fence} call ec2:DescribeInstanceAttribute, or look yourself: aws ec2 describe-instance-attribute ${command} --attribute disableApiStop`;
  return [warn({ subject, says, change })];
}

const OUT_OF_REACH = ['Standby', 'EnteringStandby'];

function scalingGroup({ defined, test, region, fence = FENCE }: MachineCase): readonly Judged[] {
  const { scaling, machine } = test;
  const { name: subject } = defined;
  if (scaling.member === 'unknown') {
    const says = `whether an Auto Scaling group has ${machine} is not known: ${scaling.says}`;
    return [warn({ subject, says, change: `let ${fence} call autoscaling:DescribeAutoScalingInstances` })];
  }
  if (scaling.member === 'no' || OUT_OF_REACH.includes(scaling.lifecycle) || test.group?.isHarmless === true) return [];
  const { group } = scaling;
  const at = `--region ${region} --auto-scaling-group-name ${group}`;
  const change =
    `aws autoscaling enter-standby ${at} --instance-ids ${machine} --should-decrement-desired-capacity ` +
    `(or: aws autoscaling suspend-processes ${at} --scaling-processes ReplaceUnhealthy)`;
  const fate = `${machine} is ${scaling.lifecycle} in the Auto Scaling group ${group}, which terminates an instance that does not run, with the volumes that go with it, and launches another`;
  if (!hasPowerFence(defined)) {
    const says = `${fate}: a host that fails would not come back as itself`;
    return [warn({ subject, says, change })];
  }
  if (test.group?.hasTag === true) {
    const says = `${fate}: the fence tries to put it in standby before it stops it, which may come too late`;
    return [warn({ subject, says, change })];
  }
  const says = `${fate}: the fence would destroy it. Scale-in protection does not help; without the tag ${TAG} on the group, the fence cannot put it in standby first`;
  return [fail({ subject, says, change })];
}

/** Auto-recovery starts a machine again behind the back of a failover, where it believes its hardware to be ill. */
function autoRecovery({ defined, test, region }: MachineCase): readonly Judged[] {
  if (test.seen.outcome !== 'seen' || test.seen.autoRecovery !== 'default') return [];
  const says = `auto-recovery is on for ${test.machine}: EC2 may start it on other hardware while its slots are being failed over, so that a fence has to begin anew`;
  const command = `--region ${region} --instance-id ${test.machine} --auto-recovery disabled`;
  const change = `aws ec2 modify-instance-maintenance-options ${command}`;
  return [warn({ subject: defined.name, says, change })];
}

function slowStop({ defined, test }: MachineCase): readonly Judged[] {
  if (!hasPowerFence(defined) || test.seen.outcome !== 'seen') return [];
  const { type } = test.seen;
  if (type === null || !/\.metal(?:-|$)/.test(type)) return [];
  const says = `${test.machine} is bare metal (${type}), which takes about ten minutes to stop: a failover that needs its power-off waits as long`;
  const change = 'let its groups accept lease-over as well, so that the lease ends the wait';
  return [warn({ subject: defined.name, says, change })];
}

/** In the order of what they would cost. */
const MACHINE_CHECKS = {
  'fence-rights': [rights, 'the fence may stop every machine that it would have to'],
  'stop-protection': [stopProtection, 'no machine that the fence would stop is protected from that'],
  'scaling-group': [scalingGroup, 'no Auto Scaling group would destroy a host that does not run'],
  'auto-recovery': [autoRecovery, 'EC2 starts no host on other hardware by itself'],
  'slow-stop': [slowStop, 'every machine that the fence would stop does so quickly'],
} as const satisfies Record<string, readonly [MachineCheck, string]>;

export function machineCases(facts: DoctorFacts): readonly MachineCase[] {
  const { region } = facts.record.account;
  const fence = facts.fenceFunction ?? undefined;
  return facts.definition.hosts.flatMap((defined): MachineCase[] => {
    const test = facts.fenceTests.get(defined.name);
    return test === undefined || test.machine !== defined.instanceId || isOld(test, facts)
      ? []
      : [{ defined, test, region, fence }];
  });
}

function isOld(test: FenceTestRecord, { nowMs }: Pick<DoctorFacts, 'nowMs'>): boolean {
  return wallElapsed(test.atMs, nowMs) > OLD_MS;
}

export function machineChecks(facts: DoctorFacts): readonly DoctorCheck[] {
  const cases = machineCases(facts);
  const subject = facts.record.cluster;
  const looked = `of ${counted(cases.length, 'machine')} tested`;
  return Object.entries(MACHINE_CHECKS).flatMap(([id, [check, says]]) =>
    verdicts(
      id,
      cases.flatMap((one) => check(one)),
      { subject, says: cases.length === 0 ? 'no machine was tested' : `${looked}: ${says}` },
    ),
  );
}

/** What keeps a fence from working at all: worth a person's call, where the rest waits for the next look at the doctor. */
export function defeatsFence(one: MachineCase): readonly string[] {
  return [rights, stopProtection, scalingGroup].flatMap((check) =>
    check(one).flatMap(({ verdict, says, change }) => (verdict === 'fail' ? [`${says}. Do: ${change}`] : [])),
  );
}

/** Does anybody test the fence? Its rights and the machines' settings change without Holdfast being told. */
export function fenceTestCheck(facts: DoctorFacts): readonly DoctorCheck[] {
  const tested = new Set(machineCases(facts).map(({ defined }) => defined.name));
  const without = facts.definition.hosts.filter(
    (host) => hasPowerFence(host) && host.instanceId !== undefined && !tested.has(host.name),
  );
  const oldest = Math.max(0, ...machineCases(facts).map(({ test }) => wallElapsed(test.atMs, facts.nowMs)));
  const found = warn({
    subject: facts.record.cluster,
    says: `the fence of ${namesOf(without.map(({ name }) => name))} was not tested for ${roughly(OLD_MS)}, or never: whether it would be allowed is not known`,
    change: testAgain(facts),
  });
  return verdicts('fence-test', without.length > 0 ? [found] : [], {
    subject: facts.record.cluster,
    says:
      tested.size === 0
        ? 'no host is fenced through EC2'
        : `the fence was tested for every host that it would stop, the oldest test ${roughly(oldest)} ago`,
  });
}

function testAgain({ fenceFunction, record }: DoctorFacts): string {
  const look = `see that ${fenceFunction ?? FENCE} is scheduled with {"step":"self-test"} and what its log says`;
  if (fenceFunction === null) return look;
  const invoke = `aws lambda invoke --region ${record.account.region} --function-name ${fenceFunction}`;
  const payload = `--cli-binary-format raw-in-base64-out --payload '{"step":"self-test","all":true}' /dev/stdout`;
  return `${look}; or test now: ${invoke} ${payload}`;
}

/** A machine that runs and was never heard of: it has no agent, or the agent does not reach the tables. */
export function egressCheck(facts: DoctorFacts): readonly DoctorCheck[] {
  const items = new Map(hostCases(facts).map(({ name, item }) => [name, item]));
  const found = machineCases(facts).flatMap(({ defined, test, region }) => {
    if (items.get(defined.name) !== undefined || test.seen.outcome !== 'seen' || test.seen.state !== 'running')
      return [];
    const says = `${test.machine} runs, and nothing was ever heard of it: its agent is not installed, has no rights, or does not reach DynamoDB`;
    const change =
      `see what holdfast-agent logs there; without a way out it needs a gateway endpoint, which is free: aws ec2 ` +
      `describe-vpc-endpoints --region ${region} --filters Name=service-name,Values=com.amazonaws.${region}.dynamodb`;
    return [fail({ subject: defined.name, says, change })];
  });
  return verdicts('egress', found, {
    subject: facts.record.cluster,
    says: 'every machine that runs has been heard of',
  });
}

/** For information only: without SSM an investigation has one answer less, and a failover goes on. */
export function guardPathCheck(facts: DoctorFacts): readonly DoctorCheck[] {
  const cases = machineCases(facts);
  const not = cases
    .filter(({ test }) => test.reach !== 'online')
    .map(({ defined, test }) => `${defined.name} (${test.reach})`);
  const says =
    not.length === 0
      ? `SSM reaches ${counted(cases.length, 'machine')}: a silent host's guard can be asked`
      : `SSM does not reach ${namesOf(not)}: if they fall silent, their guards cannot be asked, and their leases decide`;
  return verdicts('guard-path', [], {
    subject: facts.record.cluster,
    says: cases.length === 0 ? 'no machine was tested' : says,
  });
}
