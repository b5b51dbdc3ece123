/**
 * What is set on an instance that a fence would meet, and whether the fence itself would be allowed. Nothing is stopped: a
 * DryRun is judged by IAM alone, so what protects an instance from being stopped is read beside it.
 */
import {
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  type EC2Client,
  type InstanceAttributeName,
  ModifyInstanceMaintenanceOptionsCommand,
  StartInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2';
import type { FenceRehearsal, MachineInspection, MachineSettings, Rehearsal } from '../../core/cloud-ports.ts';
import { failureCode } from '../../core/failures/failures.ts';
import type { AwsPlace } from './bounded-call.ts';
import { awsReasonOf, called, ec2Client, wordsOf } from './ec2-calls.ts';
import { instanceReading, tagsOf } from './ec2-reading.ts';

export interface Ec2Settings extends MachineSettings {
  readonly rehearsal: FenceRehearsal;
  readonly close: () => void;
}

export function ec2Settings(place: AwsPlace): Ec2Settings {
  const client = ec2Client(place);
  return {
    async inspect(machine) {
      try {
        const [seen, isStopProtected, isTerminationProtected] = await Promise.all([
          describe(client, machine),
          attribute(client, machine, 'disableApiStop'),
          attribute(client, machine, 'disableApiTermination'),
        ]);
        return seen.outcome === 'unknown' ? seen : { ...seen, isStopProtected, isTerminationProtected };
      } catch (error) {
        return { outcome: 'unknown', says: wordsOf(error) };
      }
    },
    disableAutoRecovery: (machine) =>
      called(`disable auto-recovery of ${machine}`, async (abortSignal) => {
        const input = { InstanceId: machine, AutoRecovery: 'disabled' } as const;
        await client.send(new ModifyInstanceMaintenanceOptionsCommand(input), { abortSignal });
      }),
    rehearsal: {
      stop: (machine) =>
        rehearse(`stop ${machine} (DryRun)`, async (abortSignal) => {
          const input = { InstanceIds: [machine], SkipOsShutdown: true, Force: true, DryRun: true };
          await client.send(new StopInstancesCommand(input), { abortSignal });
        }),
      start: (machine) =>
        rehearse(`start ${machine} (DryRun)`, async (abortSignal) => {
          await client.send(new StartInstancesCommand({ InstanceIds: [machine], DryRun: true }), { abortSignal });
        }),
    },
    close: () => client.destroy(),
  };
}

async function describe(client: EC2Client, machine: string): Promise<MachineInspection> {
  const answer = await called(`DescribeInstances ${machine}`, (abortSignal) =>
    client.send(new DescribeInstancesCommand({ InstanceIds: [machine] }), { abortSignal }),
  );
  const { state, canHibernate, says } = instanceReading(answer, { machine, arnPrefix: '' });
  const instance = answer.Reservations?.[0]?.Instances?.[0];
  if (state === 'unknown' || instance === undefined) return { outcome: 'unknown', says };
  return {
    outcome: 'seen',
    state,
    type: instance.InstanceType ?? null,
    tags: tagsOf(instance),
    autoRecovery: instance.MaintenanceOptions?.AutoRecovery ?? null,
    canHibernate,
    isStopProtected: null,
    isTerminationProtected: null,
  };
}

/** null: it was not to be had. That spoils nothing else; whoever reads it says that it is not known. */
async function attribute(client: EC2Client, machine: string, name: InstanceAttributeName): Promise<boolean | null> {
  try {
    const answer = await called(`DescribeInstanceAttribute ${machine} ${name}`, (abortSignal) =>
      client.send(new DescribeInstanceAttributeCommand({ InstanceId: machine, Attribute: name }), { abortSignal }),
    );
    if (answer.InstanceId !== machine) return null;
    const asked = name === 'disableApiStop' ? answer.DisableApiStop : answer.DisableApiTermination;
    return asked?.Value ?? null;
  } catch {
    return null;
  }
}

/** EC2 answers a DryRun by an error, whether it would have done it or not. */
async function rehearse(what: string, send: (signal: AbortSignal) => Promise<void>): Promise<Rehearsal> {
  try {
    await called(what, send);
    return { outcome: 'unknown', says: 'EC2 answered a DryRun as if it were none', wasObeyed: true };
  } catch (error) {
    const { code } = awsReasonOf(error);
    if (code === 'DryRunOperation') return { outcome: 'allowed' };
    const isLater = failureCode(error) === 'power_throttled';
    return { outcome: isLater ? 'unknown' : 'refused', says: wordsOf(error) };
  }
}
