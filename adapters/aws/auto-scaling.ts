/** Auto Scaling groups that hosts are members of. */
import {
  AutoScalingClient,
  DescribeAutoScalingGroupsCommand,
  DescribeAutoScalingInstancesCommand,
  EnterStandbyCommand,
  ExitStandbyCommand,
} from '@aws-sdk/client-auto-scaling';
import type { AutoScaling, ScalingMembership, StandbyAnswer } from '../../core/cloud-ports.ts';
import { type AwsPlace, clientSettings } from './bounded-call.ts';
import { chunks } from './chunks.ts';
import { awsReasonOf, called, EC2_LIMITS, wordsOf } from './ec2-calls.ts';
import { tagsOf } from './ec2-reading.ts';

/** What one call takes. */
const ASKED_MAX = 50;
const STANDBY_MAX = 20;

export function autoScaling(place: AwsPlace): AutoScaling & { readonly close: () => void } {
  const client = new AutoScalingClient(clientSettings(place, EC2_LIMITS));
  return {
    async membership(machines) {
      const found = new Map<string, ScalingMembership>();
      for (const some of chunks(machines, ASKED_MAX))
        for (const [machine, membership] of await membershipOf(client, some)) found.set(machine, membership);
      return found;
    },
    async group(name) {
      try {
        const { AutoScalingGroups } = await called(`DescribeAutoScalingGroups ${name}`, (abortSignal) =>
          client.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] }), { abortSignal }),
        );
        const group = AutoScalingGroups?.find(({ AutoScalingGroupName }) => AutoScalingGroupName === name);
        if (group === undefined) return undefined;
        return {
          suspended: (group.SuspendedProcesses ?? []).flatMap(({ ProcessName }) => ProcessName ?? []),
          tags: tagsOf(group),
        };
      } catch {
        return undefined;
      }
    },
    enterStandby: (group, machines, { decrement }) =>
      standby(`put ${machines.join(', ')} of ${group} in standby`, machines, (InstanceIds, abortSignal) => {
        const input = { AutoScalingGroupName: group, InstanceIds, ShouldDecrementDesiredCapacity: decrement };
        return client.send(new EnterStandbyCommand(input), { abortSignal });
      }),
    exitStandby: (group, machines) =>
      standby(`put ${machines.join(', ')} of ${group} in service`, machines, (InstanceIds, abortSignal) =>
        client.send(new ExitStandbyCommand({ AutoScalingGroupName: group, InstanceIds }), { abortSignal }),
      ),
    close: () => client.destroy(),
  };
}

async function membershipOf(
  client: AutoScalingClient,
  machines: readonly string[],
): Promise<readonly (readonly [string, ScalingMembership])[]> {
  try {
    const { AutoScalingInstances, NextToken } = await called('DescribeAutoScalingInstances', (abortSignal) =>
      client.send(new DescribeAutoScalingInstancesCommand({ InstanceIds: [...machines] }), { abortSignal }),
    );
    return machines.map((machine) => {
      const found = AutoScalingInstances?.find(({ InstanceId }) => InstanceId === machine);
      const { AutoScalingGroupName: group, LifecycleState: lifecycle } = found ?? {};
      if (group !== undefined && lifecycle !== undefined) return [machine, { member: 'yes', group, lifecycle }];
      // Left out of a whole answer: no group has it. Left out of a part, or an answer that is none: who knows (S8).
      const isWhole = AutoScalingInstances !== undefined && NextToken === undefined && found === undefined;
      const says = 'Auto Scaling answered with a part only';
      return [machine, isWhole ? { member: 'no' } : { member: 'unknown', says }];
    });
  } catch (error) {
    return machines.map((machine) => [machine, { member: 'unknown', says: wordsOf(error) }]);
  }
}

/** `ValidationError` is a wrong state or a group that would become too small: an answer, not a fault. */
async function standby(
  what: string,
  machines: readonly string[],
  send: (machines: string[], signal: AbortSignal) => Promise<unknown>,
): Promise<StandbyAnswer> {
  for (const some of chunks(machines, STANDBY_MAX)) {
    try {
      await called(what, async (signal) => void (await send([...some], signal)));
    } catch (error) {
      const { code, text } = awsReasonOf(error);
      if (code === 'ValidationError') return { outcome: 'refused', says: text };
      throw error;
    }
  }
  return { outcome: 'accepted' };
}
