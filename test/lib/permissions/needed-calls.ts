/** What each method of a port asks of AWS, as its adapter in adapters/aws does; the types know every method there is. */
import type { FenceCloud } from '../../../lambdas/ha-fence/fence-cloud.ts';
import type { ControlPorts } from '../../../lambdas/shared/ports.ts';
import { arnOf } from '../../../lib/permissions/template.ts';
import type { Call } from './evaluate.ts';
import { HEARTBEATS, instanceOf, REGISTRY } from './host-session.ts';

export const MACHINE = arnOf('states', 'stateMachine:HoldfastControl-ha-run');
export const EXECUTION = arnOf('states', 'execution:HoldfastControl-ha-run:ha.payments.db-1.s1.7.1');
export const PAGES = arnOf('sns', 'PagesTopic');
export const HOST = instanceOf('i-0aaaaaaaaaaaaaaaa');
export const GROUP = arnOf(
  'autoscaling',
  'autoScalingGroup:11111111-2222-3333-4444-555555555555:autoScalingGroupName/db',
);
export const DOCUMENT = 'arn:aws:ssm:eu-west-1::document/AWS-RunShellScript';

export const TAGGED = { 'aws:ResourceTag/holdfast': 'host' };
export const SSM_TAGGED = { 'ssm:resourceTag/holdfast': 'host' };

const heartbeats = (operation: string): Call => ({ action: `dynamodb:${operation}`, on: HEARTBEATS });
const registry = (operation: string): Call => ({ action: `dynamodb:${operation}`, on: REGISTRY });

/** Ports that end in no call to AWS. Metrics are lines of the log. */
type Local = 'wall' | 'boot' | 'sleeper' | 'ids' | 'probe' | 'metrics' | 'log' | 'invocations';

type Ports = Omit<ControlPorts, Local> & FenceCloud;
type Calls = { readonly [P in keyof Ports]-?: Readonly<Record<keyof Ports[P], Call[]>> };

export const CALLS: Calls = {
  heartbeats: {
    scan: [heartbeats('Scan')],
    read: [heartbeats('GetItem')],
    revoke: [heartbeats('UpdateItem'), heartbeats('GetItem')],
    tombstone: [heartbeats('PutItem'), heartbeats('GetItem')],
    direct: [heartbeats('UpdateItem')],
    hurry: [heartbeats('UpdateItem')],
  },
  registry: {
    get: [registry('GetItem')],
    put: [registry('PutItem'), registry('GetItem')],
    remove: [registry('DeleteItem')],
    query: [registry('Query')],
  },
  workflow: {
    start: [{ action: 'states:StartExecution', on: MACHINE }],
    status: [{ action: 'states:DescribeExecution', on: EXECUTION }],
  },
  power: {
    read: [
      { action: 'ec2:DescribeInstances', on: '*' },
      { action: 'ec2:DescribeInstanceStatus', on: '*' },
    ],
    stop: [{ action: 'ec2:StopInstances', on: HOST, keys: TAGGED }],
    start: [{ action: 'ec2:StartInstances', on: HOST, keys: TAGGED }],
  },
  guardAsk: {
    check: [
      { action: 'ssm:SendCommand', on: DOCUMENT },
      { action: 'ssm:SendCommand', on: HOST, keys: SSM_TAGGED },
      { action: 'ssm:GetCommandInvocation', on: '*' },
    ],
  },
  scaling: {
    membership: [{ action: 'autoscaling:DescribeAutoScalingInstances', on: '*' }],
    group: [{ action: 'autoscaling:DescribeAutoScalingGroups', on: '*' }],
    enterStandby: [{ action: 'autoscaling:EnterStandby', on: GROUP, keys: TAGGED }],
    exitStandby: [{ action: 'autoscaling:ExitStandby', on: GROUP, keys: TAGGED }],
  },
  settings: {
    inspect: [
      { action: 'ec2:DescribeInstances', on: '*' },
      { action: 'ec2:DescribeInstanceAttribute', on: HOST },
    ],
    disableAutoRecovery: [{ action: 'ec2:ModifyInstanceMaintenanceOptions', on: HOST, keys: TAGGED }],
  },
  rehearsal: {
    stop: [{ action: 'ec2:StopInstances', on: HOST, keys: TAGGED }],
    start: [{ action: 'ec2:StartInstances', on: HOST, keys: TAGGED }],
  },
  path: { reach: [{ action: 'ssm:DescribeInstanceInformation', on: '*' }] },
  alerts: { page: [{ action: 'sns:Publish', on: PAGES }] },
};

/** By `port.method`. */
export const CALLS_OF: ReadonlyMap<string, readonly Call[]> = new Map(
  Object.entries(CALLS).flatMap(([port, methods]) =>
    Object.entries(methods).map(([method, calls]): [string, readonly Call[]] => [`${port}.${method}`, calls]),
  ),
);
