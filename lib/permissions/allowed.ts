/**
 * Every right of the deployment, with its reason. A test compares this table with the synthesised templates, both ways: what
 * is granted and not listed fails it, and what is listed and not granted. The page `docs/operating/permissions.md` is made of it.
 */
import { HOST_ATTRIBUTES, HOST_RETURN_VALUES } from '../../core/protocol/host-attributes.ts';
import { HOST_TAG } from '../host-tag.ts';
import type { Conditions, Grant } from './granted.ts';
import { arnOf, PLACE } from './template.ts';

interface Right {
  readonly may: readonly string[];
  readonly on: readonly string[];
  readonly when?: Conditions;
  readonly why: string;
  /** Why there is a `*` in it. */
  readonly star?: string;
}

export interface Allowed extends Right {
  readonly who: string;
  readonly effect: Grant['effect'];
}

const HEARTBEATS = 'dynamodb:table/Heartbeats';
const REGISTRY = 'dynamodb:table/Registry';
const MACHINE = 'states:stateMachine:HoldfastControl-ha-run';
const INSTANCES = 'ec2:instance/*';
const DEAD_LETTERS = 'sqs:DeadLettersQueue';
const PAGES = 'sns:PagesTopic';

const allow = (who: string, ...rights: readonly Right[]): Allowed[] =>
  rights.map((right) => ({ who, effect: 'Allow', ...right }));

// ---- hosts -------------------------------------------------------------------------------------------------

/** `own`: the value that AWS puts in for the caller; `also`: what else must hold of every call. */
function host(who: string, own: string, also: Conditions): Allowed[] {
  const partition = (key: string): Conditions => ({
    'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [key] },
    Null: { 'dynamodb:LeadingKeys': ['false'] },
    ...also,
  });
  const update: Conditions = {
    'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [own], 'dynamodb:Attributes': HOST_ATTRIBUTES },
    Null: { 'dynamodb:LeadingKeys': ['false'], 'dynamodb:Attributes': ['false'] },
    StringEquals: { 'dynamodb:ReturnValues': [HOST_RETURN_VALUES] },
    ...also,
  };
  const orders = partition(`H#${own}`);
  const reports = partition(`REPORTS#${own}`);
  return allow(
    who,
    {
      may: ['dynamodb:GetItem'],
      on: [HEARTBEATS],
      when: partition(own),
      why: 'reads what stands in its item when a write was refused',
    },
    {
      may: ['dynamodb:UpdateItem'],
      on: [HEARTBEATS],
      when: update,
      why: 'registers and renews; never the directive, which is the control plane’s',
    },
    { may: ['dynamodb:GetItem'], on: [REGISTRY], when: orders, why: 'reads its orders, and may write none' },
    {
      may: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem'],
      on: [REGISTRY],
      when: reports,
      why: 'says what became of its orders, and tidies up after itself',
    },
  );
}

// ---- Lambdas -----------------------------------------------------------------------------------------------

const readAll: Right = { may: ['dynamodb:Scan'], on: [HEARTBEATS], why: 'judges all hosts of a cluster by one look' };
const readOne: Right = { may: ['dynamodb:GetItem'], on: [HEARTBEATS], why: 'reads again, strongly, before it acts' };
const update = (why: string): Right => ({ may: ['dynamodb:UpdateItem'], on: [HEARTBEATS], why });
const entomb: Right = {
  may: ['dynamodb:PutItem'],
  on: [HEARTBEATS],
  why: 'writes a tombstone where the item of a session has vanished (S3)',
};
const record: Right = {
  may: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem'],
  on: [REGISTRY],
  why: 'records, each replaced as a whole under its version',
};
const remove = (why: string): Right => ({ may: ['dynamodb:DeleteItem'], on: [REGISTRY], why });
const start: Right = { may: ['states:StartExecution'], on: [MACHINE], why: 'starts a run' };
const look: Right = {
  may: ['states:DescribeExecution'],
  on: ['states:execution:HoldfastControl-ha-run:*'],
  why: 'asks whether a run still works',
  star: 'executions of this one workflow: their names are made up as they start',
};
const page: Right = { may: ['sns:Publish'], on: [PAGES], why: 'calls a person' };
const readPower: Right = {
  may: ['ec2:DescribeInstances', 'ec2:DescribeInstanceStatus'],
  on: ['*'],
  why: 'reads whether a machine is off, and how it is',
  star: 'EC2’s Describe actions know no resources',
};
const stop: Right = {
  may: ['ec2:StopInstances'],
  on: [INSTANCES],
  when: { StringEquals: { [`aws:ResourceTag/${HOST_TAG.key}`]: [HOST_TAG.value] } },
  why: 'the power fence; no other principal may stop, and none may start or terminate',
  star: 'hosts come and go: which instances may be stopped is said by their tag',
};
const ask: readonly Right[] = [
  {
    may: ['ssm:SendCommand'],
    on: ['ssm:document/AWS-RunShellScript'],
    why: 'asks a guard what it holds, by this document',
  },
  {
    may: ['ssm:SendCommand'],
    on: [INSTANCES],
    when: { StringEquals: { [`ssm:resourceTag/${HOST_TAG.key}`]: [HOST_TAG.value] } },
    why: 'asks a guard what it holds, on hosts only',
    star: 'hosts come and go: which instances may be asked is said by their tag',
  },
  {
    may: ['ssm:GetCommandInvocation'],
    on: ['*'],
    why: 'reads the guard’s answer',
    star: 'the action knows no resources',
  },
];

const around: readonly Right[] = [
  {
    may: [
      'autoscaling:DescribeAutoScalingGroups',
      'autoscaling:DescribeAutoScalingInstances',
      'ssm:DescribeInstanceInformation',
    ],
    on: ['*'],
    why: 'looks for what would defeat a fence: a group that has the machine, a guard out of reach',
    star: 'the actions know no resources',
  },
  {
    may: ['ec2:DescribeInstanceAttribute'],
    on: [INSTANCES],
    why: 'looks whether the machine is protected from being stopped',
    star: 'hosts come and go, and one that lacks the tag is a finding',
  },
  {
    may: ['autoscaling:EnterStandby'],
    on: ['autoscaling:autoScalingGroup:*:autoScalingGroupName/*'],
    when: { StringEquals: { [`aws:ResourceTag/${HOST_TAG.key}`]: [HOST_TAG.value] } },
    why: 'keeps a group from terminating what the fence stops',
    star: 'which groups may be asked is said by their tag',
  },
];

const UNTRACED = ['FindBehind', 'Reconcile'];

function lambda(id: string, ...rights: readonly Right[]): Allowed[] {
  return allow(
    `${id}Role`,
    ...rights,
    {
      may: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      on: [`logs:log-group:${id}Logs:*`],
      why: 'writes its log',
      star: 'streams of its own log group: Lambda names them',
    },
    ...(UNTRACED.includes(id)
      ? []
      : [
          {
            may: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
            on: ['*'],
            why: 'traces itself',
            star: 'X-Ray’s actions know no resources',
          },
        ]),
  );
}

const LAMBDAS: readonly Allowed[] = [
  ...lambda('FindBehind', readAll, readOne, record, start, look),
  ...lambda('InstanceState', readAll, readOne, record, start, look, page, readPower),
  ...lambda('HaInvestigate', readAll, readOne, record, readPower, ...ask),
  ...lambda(
    'HaFence',
    readAll,
    readOne,
    update('revokes a session'),
    entomb,
    record,
    remove('forgets tests of hosts that are no longer defined'),
    page,
    readPower,
    stop,
    ...around,
  ),
  ...lambda(
    'HaRecover',
    readAll,
    readOne,
    update('revokes a session, tells a host of new orders, asks it for faster beats'),
    record,
    remove('forgets that a host was late, when the run about it has ended'),
    look,
    page,
  ),
  ...lambda(
    'Reconcile',
    readAll,
    readOne,
    update('tells a host of new orders'),
    record,
    remove('forgets a trouble that is over'),
    start,
    look,
    page,
  ),
  ...lambda('Api', readAll, readOne, record, start, look, readPower),
];

// ---- services of AWS ---------------------------------------------------------------------------------------

const WORKFLOW = allow(
  'HaRunWorkflowRole',
  {
    may: ['lambda:InvokeFunction'],
    on: ['HaInvestigate', 'HaFence', 'HaRecover'].map((id) => `lambda:function:${id}Function`),
    why: 'calls its three steps',
  },
  {
    may: [
      'logs:CreateLogDelivery',
      'logs:GetLogDelivery',
      'logs:UpdateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:DescribeResourcePolicies',
      'logs:DescribeLogGroups',
    ],
    on: ['*'],
    why: 'logs each execution',
    star: 'log delivery knows no resources',
  },
  {
    may: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'xray:GetSamplingRules', 'xray:GetSamplingTargets'],
    on: ['*'],
    why: 'traces each execution',
    star: 'X-Ray’s actions know no resources',
  },
);

const SCHEDULER = allow(
  'TriggersSchedulerRole',
  {
    may: ['lambda:InvokeFunction'],
    on: ['FindBehind', 'Reconcile', 'HaFence'].map((id) => `lambda:function:${id}Function`),
    why: 'calls them by the clock: sweeps, passes, and the self-test of the fence',
  },
  { may: ['sqs:SendMessage'], on: [DEAD_LETTERS], why: 'leaves what it could not deliver' },
);

const TRIGGERS = ['StateChange', 'SpotInterruption', 'Rebalance', 'Health'];
const ruleArn = (name: string) => arnOf('events', `rule/Triggers${name}`);

const SERVICES: readonly Allowed[] = [
  ...WORKFLOW,
  ...SCHEDULER,
  ...TRIGGERS.flatMap((name) =>
    allow(
      'events.amazonaws.com',
      {
        may: ['lambda:InvokeFunction'],
        on: ['lambda:function:InstanceStateFunction'],
        when: { ArnLike: { 'aws:SourceArn': [ruleArn(name)] } },
        why: `tells of instances (${name})`,
      },
      {
        may: ['sqs:SendMessage'],
        on: [DEAD_LETTERS],
        when: { ArnEquals: { 'aws:SourceArn': [ruleArn(name)] } },
        why: `leaves what it could not deliver (${name})`,
      },
    ),
  ),
  ...['/', '/{path+}'].flatMap((path) =>
    allow('apigateway.amazonaws.com', {
      may: ['lambda:InvokeFunction'],
      on: ['lambda:function:ApiFunction'],
      when: { ArnLike: { 'aws:SourceArn': [arnOf('execute-api', `HttpApiHttp/*/*${path}`)] } },
      why: `answers requests to ${path}, once API Gateway has authorised them`,
    }),
  ),
  ...allow('cloudwatch.amazonaws.com', {
    may: ['sns:Publish'],
    on: [PAGES],
    when: { StringEquals: { 'aws:SourceAccount': [PLACE.account] } },
    why: 'alarms call a person, too',
  }),
  ...allow('sns.amazonaws.com', {
    may: ['sqs:SendMessage'],
    on: [DEAD_LETTERS],
    when: { ArnEquals: { 'aws:SourceArn': [arnOf('sns', 'PagesTopic')] } },
    why: 'leaves pages that an address did not take',
  }),
  { ...deny('sns:Publish', PAGES), why: 'nothing goes out unencrypted' },
  { ...deny('sqs:*', DEAD_LETTERS), why: 'nothing goes in or out unencrypted' },
];

function deny(action: string, on: string): Omit<Allowed, 'why'> {
  const when: Conditions = { Bool: { 'aws:SecureTransport': ['false'] } };
  return { who: 'anybody', effect: 'Deny', may: [action], on: [on], when };
}

// ---- who may take a role -----------------------------------------------------------------------------------

function taken(by: string, roles: readonly string[], why: string, when: Conditions = {}): Allowed[] {
  return allow(by, { may: ['sts:AssumeRole'], on: roles.map((role) => `iam:role/${role}`), when, why });
}

const ofAccount = { 'aws:SourceAccount': [PLACE.account] };

/** What the tests and the page are made with. */
export const TRUST_ANCHOR = arnOf('rolesanywhere', 'trust-anchor/11111111-2222-3333-4444-555555555555');

const TRUST: readonly Allowed[] = [
  ...taken('lambda.amazonaws.com', [...new Set(LAMBDAS.map(({ who }) => who))], 'runs as the role of the Lambda'),
  ...taken('states.amazonaws.com', ['HaRunWorkflowRole'], 'runs the workflow', {
    ArnLike: { 'aws:SourceArn': [arnOf('states', 'stateMachine:*')] },
    StringEquals: ofAccount,
  }),
  ...taken('scheduler.amazonaws.com', ['TriggersSchedulerRole'], 'makes the calls of the schedules', {
    StringEquals: ofAccount,
  }),
  ...allow('rolesanywhere.amazonaws.com', {
    may: ['sts:AssumeRole', 'sts:SetSourceIdentity', 'sts:TagSession'],
    on: ['iam:role/OffCloudHostsRole'],
    when: { ArnEquals: { 'aws:SourceArn': [TRUST_ANCHOR] } },
    why: 'hands the role to holders of certificates under this trust anchor; the tags carry the name',
  }),
];

const OVER_IMDS_V2: Conditions = { NumericGreaterThanEquals: { 'ec2:RoleDelivery': ['2.0'] } };
const COMMON_NAME = '${aws:PrincipalTag/x509Subject/CN}';
const NO_ARN: Conditions = { StringNotLike: { 'aws:PrincipalTag/x509Subject/CN': ['*:*'] } };

export const ALLOWED: readonly Allowed[] = [
  ...host('HostPolicy', '${ec2:SourceInstanceARN}', OVER_IMDS_V2),
  ...host('OffCloudHostsPolicy', COMMON_NAME, NO_ARN),
  ...host('OffCloudHostsRole', COMMON_NAME, NO_ARN),
  ...LAMBDAS,
  ...SERVICES,
  ...TRUST,
];

/** One grant for each action on each resource. */
export function allowedGrants(allowed: readonly Allowed[] = ALLOWED): (Grant & { readonly why: string })[] {
  return allowed.flatMap(({ effect, who, may, on, when = {}, why }) =>
    may.flatMap((action) => on.map((resource) => ({ effect, who, action, on: resource, when, why }))),
  );
}
