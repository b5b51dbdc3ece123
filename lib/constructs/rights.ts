/** What each Lambda may do, in words that the control stack puts together (S16). */
import { ArnFormat, type Stack } from 'aws-cdk-lib';
import { HOST_TAG } from '../host-tag.ts';
import { haRunArn, haRunExecutions } from './ha-run.ts';
import type { Right } from './lambda.ts';

/** The AWS document that runs a command; what is sent in it is `holdfast-agent check`. */
const CHECK_DOCUMENT = 'AWS-RunShellScript';

/** A table of the state stack. */
export interface TableRef {
  readonly tableName: string;
  readonly tableArn: string;
}

export function tableRights({ heartbeats, registry }: { readonly heartbeats: TableRef; readonly registry: TableRef }) {
  return {
    readAll: { actions: ['dynamodb:Scan'], on: [heartbeats.tableArn] },
    readOne: { actions: ['dynamodb:GetItem'], on: [heartbeats.tableArn] },
    // Get to re-read, Update to revoke and to direct.
    direct: { actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], on: [heartbeats.tableArn] },
    // The tombstone of an item that is not there (S3).
    tombstone: { actions: ['dynamodb:PutItem'], on: [heartbeats.tableArn] },
    // Records are replaced as a whole, under their version: no UpdateItem.
    record: { actions: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem'], on: [registry.tableArn] },
    forget: { actions: ['dynamodb:DeleteItem'], on: [registry.tableArn] },
  } as const satisfies Record<string, Right>;
}

export function runRights(stack: Stack) {
  return {
    start: { actions: ['states:StartExecution'], on: [haRunArn(stack)] },
    look: { actions: ['states:DescribeExecution'], on: [haRunExecutions(stack)] },
  } as const satisfies Record<string, Right>;
}

/** EC2's Describe actions know no resources. Only the fence may stop, and nobody may start or terminate. */
export function powerRights(stack: Stack) {
  const instances = stack.formatArn({ service: 'ec2', resource: 'instance', resourceName: '*' });
  const shell = stack.formatArn({ service: 'ssm', account: '', resource: 'document', resourceName: CHECK_DOCUMENT });
  const { key, value } = HOST_TAG;
  return {
    read: { actions: ['ec2:DescribeInstances', 'ec2:DescribeInstanceStatus'], on: ['*'] },
    stop: {
      actions: ['ec2:StopInstances'],
      on: [instances],
      when: { StringEquals: { [`aws:ResourceTag/${key}`]: value } },
    },
    sendToShell: { actions: ['ssm:SendCommand'], on: [shell] },
    sendToHosts: {
      actions: ['ssm:SendCommand'],
      on: [instances],
      when: { StringEquals: { [`ssm:resourceTag/${key}`]: value } },
    },
    readAnswers: { actions: ['ssm:GetCommandInvocation'], on: ['*'] },
  } as const satisfies Record<string, Right>;
}

/** What a fence meets beside power: groups that would destroy what it stops, settings that would refuse it, guards out of reach. */
export function aroundRights(stack: Stack) {
  const instances = stack.formatArn({ service: 'ec2', resource: 'instance', resourceName: '*' });
  const groups = stack.formatArn({
    service: 'autoscaling',
    resource: 'autoScalingGroup',
    resourceName: '*:autoScalingGroupName/*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  const { key, value } = HOST_TAG;
  return {
    look: {
      actions: [
        'autoscaling:DescribeAutoScalingGroups',
        'autoscaling:DescribeAutoScalingInstances',
        'ssm:DescribeInstanceInformation',
      ],
      on: ['*'],
    },
    // Without the tag as a condition: that an instance lacks it is one of the findings.
    protection: { actions: ['ec2:DescribeInstanceAttribute'], on: [instances] },
    standby: {
      actions: ['autoscaling:EnterStandby'],
      on: [groups],
      when: { StringEquals: { [`aws:ResourceTag/${key}`]: value } },
    },
  } as const satisfies Record<string, Right>;
}
