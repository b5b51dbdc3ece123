/**
 * EC2 as the Power port. What a stop's answer says is never evidence, only two later reads are (S7); so a call that may
 * or may not have arrived is simply asked again.
 */
import {
  DescribeInstancesCommand,
  DescribeInstanceStatusCommand,
  StartInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2';
import type { BatchStart } from '../../core/cloud-ports.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { Power, PowerReading } from '../../core/ports.ts';
import { type AwsPlace, withinBudget } from './bounded-call.ts';
import { batchStart } from './ec2-batch-start.ts';
import { called, EC2_BUDGET_MS, ec2Client, wordsOf } from './ec2-calls.ts';
import { instanceReading, UNKNOWN_CHECKS, unknownReading, worstChecks } from './ec2-reading.ts';
import type { Checks } from './ec2-reading.ts';

export interface Ec2Options extends AwsPlace {
  /** Of the ARNs that key heartbeats; by default that of the region. */
  readonly partition?: string;
}

export function ec2Power(options: Ec2Options): Power & BatchStart & { readonly close: () => void } {
  const client = ec2Client(options);
  const arnPrefix = `arn:${options.partition ?? partitionOf(options.region)}:ec2:${options.region}`;

  const describe = async (machine: string): Promise<PowerReading> => {
    try {
      const answer = await withinBudget(`DescribeInstances ${machine}`, EC2_BUDGET_MS, (abortSignal) =>
        client.send(new DescribeInstancesCommand({ InstanceIds: [machine] }), { abortSignal }),
      );
      return instanceReading(answer, { machine, arnPrefix });
    } catch (error) {
      return unknownReading(wordsOf(error));
    }
  };
  /** Checks failing must not spoil a clear state: they only help to word a suspicion. */
  const checks = async (machine: string): Promise<Checks> => {
    try {
      const input = { InstanceIds: [machine], IncludeAllInstances: true };
      const answer = await withinBudget(`DescribeInstanceStatus ${machine}`, EC2_BUDGET_MS, (abortSignal) =>
        client.send(new DescribeInstanceStatusCommand(input), { abortSignal }),
      );
      return worstChecks(answer.InstanceStatuses ?? [], machine);
    } catch {
      return UNKNOWN_CHECKS;
    }
  };

  const start = (machines: readonly string[]): Promise<void> =>
    called(`start ${machines.join(', ')}`, async (abortSignal) => {
      await client.send(new StartInstancesCommand({ InstanceIds: [...machines] }), { abortSignal });
    });

  return {
    async read(machine) {
      const [reading, health] = await Promise.all([describe(machine), checks(machine)]);
      return reading.state === 'unknown' ? reading : { ...reading, ...health };
    },
    // One instance per call: a call with several ids fails whole if one of them is wrong. Never hibernated.
    stop: (machine, { skipOsShutdown, force }, isStillWanted) => {
      const what = `stop ${machine}`;
      const command = new StopInstancesCommand({
        InstanceIds: [machine],
        SkipOsShutdown: skipOsShutdown,
        Force: force,
      });
      // The last step before each attempt is sent, after the pauses of the retries.
      command.middlewareStack.add(
        (next) => (args) => {
          if (isStillWanted?.() === false)
            throw new HaError('power_throttled', `${what} was called off before it was sent`);
          return next(args);
        },
        { step: 'deserialize', priority: 'low', name: 'isStillWanted' },
      );
      return called(what, async (abortSignal) => void (await client.send(command, { abortSignal })));
    },
    start: (machine) => start([machine]),
    startAll: (machines) => batchStart(machines, start),
    close: () => client.destroy(),
  };
}

/** AWS's partitions are told apart by the region's first words. */
const PARTITIONS: readonly (readonly [regions: string, partition: string])[] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['eusc-', 'aws-eusc'],
  ['us-iso-', 'aws-iso'],
  ['us-isob-', 'aws-iso-b'],
  ['eu-isoe-', 'aws-iso-e'],
  ['us-isof-', 'aws-iso-f'],
];

export function partitionOf(region: string): string {
  return PARTITIONS.find(([regions]) => region.startsWith(regions))?.[1] ?? 'aws';
}
