import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ControlStack } from '../../lib/stacks/control-stack.ts';
import { StateStack } from '../../lib/stacks/state-stack.ts';

const outdir = mkdtempSync(join(tmpdir(), 'holdfast-synth-'));
let state: Template;
let control: Template;

beforeAll(() => {
  // Bundling is what `npm run synth` shows; the facts below do not depend on it.
  const app = new App({ outdir, context: { 'aws:cdk:bundling-stacks': [] } });
  const tables = new StateStack(app, 'State');
  const { heartbeats, registry } = tables;
  const around = new ControlStack(app, 'Control', { heartbeats, registry });
  state = Template.fromStack(tables);
  control = Template.fromStack(around);
}, 60_000);

afterAll(() => rmSync(outdir, { recursive: true, force: true }));

interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
}

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: unknown;
}

const list = (actions: string | string[]) => [actions].flat();

function resourcesOf(template: Template): [string, Resource][] {
  return Object.entries((template.toJSON() as { Resources: Record<string, Resource> }).Resources);
}

/** Statements of every policy in the template, with the logical id of the policy. */
function statementsOf(template: Template): { policy: string; statement: Statement }[] {
  return resourcesOf(template)
    .filter(([, { Type }]) => Type === 'AWS::IAM::Policy')
    .flatMap(([policy, { Properties }]) => {
      const document = Properties['PolicyDocument'] as { Statement: Statement[] };
      return document.Statement.map((statement) => ({ policy, statement }));
    });
}

const tableNamed = (statement: Statement) => /Heartbeats|Registry/.exec(JSON.stringify(statement.Resource))?.[0];

/** The rights of one Lambda: `table or service: actions`. */
function rightsOf(lambda: string): Record<string, string[]> {
  const own = statementsOf(control).filter(({ policy }) => policy.startsWith(`${lambda}RoleDefaultPolicy`));
  const rights: Record<string, string[]> = {};
  for (const { statement } of own) {
    const on = tableNamed(statement) ?? 'other';
    rights[on] = [...(rights[on] ?? []), ...list(statement.Action)].sort();
  }
  return rights;
}

describe('state', () => {
  test('both tables survive the stack, a mistaken delete, and are paid by use', () => {
    state.resourceCountIs('AWS::DynamoDB::Table', 2);
    state.allResources('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { BillingMode: 'PAY_PER_REQUEST', DeletionProtectionEnabled: true },
    });
  });

  test('heartbeats are one item per host, tidied by TTL', () => {
    state.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
    });
  });

  test('the registry can be restored, and nothing in it expires (S18)', () => {
    state.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [
        { AttributeName: 'PK', KeyType: 'HASH' },
        { AttributeName: 'SK', KeyType: 'RANGE' },
      ],
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      TimeToLiveSpecification: Match.absent(),
    });
  });

  test('no replicas and no streams (S18)', () => {
    state.resourceCountIs('AWS::DynamoDB::GlobalTable', 0);
    state.allResourcesProperties('AWS::DynamoDB::Table', { StreamSpecification: Match.absent() });
  });

  test('the logical ids stay: another id is another, empty, table', () => {
    const ids = resourcesOf(state).map(([id]) => id);
    expect(ids.sort()).toEqual(['Heartbeats740CD8B8', 'Registry4DB9CCA5']);
  });
});

describe('control', () => {
  test('seven Lambdas on Node 24, arm64, that know the tables and the workflow', () => {
    control.resourceCountIs('AWS::Lambda::Function', 7);
    control.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Environment: {
        Variables: {
          HEARTBEATS_TABLE: Match.anyValue(),
          REGISTRY_TABLE: Match.anyValue(),
          HA_RUN_ARN: Match.anyValue(),
          PAGES_TOPIC_ARN: Match.anyValue(),
        },
      },
    });
  });

  test('an asynchronous call is neither repeated nor kept', () => {
    control.resourceCountIs('AWS::Lambda::EventInvokeConfig', 7);
    control.allResourcesProperties('AWS::Lambda::EventInvokeConfig', {
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
    });
  });

  test('find-behind and reconcile run every minute, at most once each', () => {
    control.resourceCountIs('AWS::Scheduler::Schedule', 2);
    control.allResourcesProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: { RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 } },
    });
    const targets = resourcesOf(control)
      .filter(([, { Type }]) => Type === 'AWS::Scheduler::Schedule')
      .map(([, { Properties }]) => JSON.stringify(Properties['Target']));
    expect(targets.map((target) => /FindBehind|Reconcile/.exec(target)?.[0]).sort()).toEqual([
      'FindBehind',
      'Reconcile',
    ]);
  });

  test('every state change of an EC2 instance calls instance-state, while it is of use', () => {
    control.resourceCountIs('AWS::Events::Rule', 1);
    control.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { source: ['aws.ec2'], 'detail-type': ['EC2 Instance State-change Notification'] },
      State: 'ENABLED',
      Targets: [
        Match.objectLike({
          Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^InstanceStateFunction'), 'Arn'] },
          RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 2 },
        }),
      ],
    });
  });

  test('a sweep outlives the minute after which the next one starts', () => {
    control.hasResourceProperties('AWS::Lambda::Function', { Timeout: 120 });
  });

  test('the workflow is standard, logged in full, traced, and gets its steps by name', () => {
    control.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      StateMachineName: 'Control-ha-run',
      StateMachineType: 'STANDARD',
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: true },
      TracingConfiguration: { Enabled: true },
      DefinitionSubstitutions: {
        HaInvestigate: { 'Fn::GetAtt': [Match.stringLikeRegexp('^HaInvestigateFunction'), 'Arn'] },
        HaFence: { 'Fn::GetAtt': [Match.stringLikeRegexp('^HaFenceFunction'), 'Arn'] },
        HaRecover: { 'Fn::GetAtt': [Match.stringLikeRegexp('^HaRecoverFunction'), 'Arn'] },
      },
    });
  });

  test('HA_RUN_ARN is the ARN of that workflow', () => {
    const [, api] = resourcesOf(control).find(([id]) => id.startsWith('ApiFunction')) ?? [];
    const environment = api?.Properties['Environment'] as {
      Variables: { HA_RUN_ARN: { 'Fn::Join': [string, unknown[]] } };
    };
    const [, parts] = environment.Variables.HA_RUN_ARN['Fn::Join'];
    expect(parts.filter((part) => typeof part === 'string').join('')).toBe('arn::states:::stateMachine:Control-ha-run');
  });

  test('pages go out encrypted in transit', () => {
    control.resourceCountIs('AWS::SNS::Topic', 1);
    control.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({
            Effect: 'Deny',
            Action: 'sns:Publish',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ],
      },
    });
  });
});

describe('rights (S16)', () => {
  const RECORD = ['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'];
  const SWEEP = ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Scan', 'dynamodb:UpdateItem'];
  const LOGS = ['logs:CreateLogStream', 'logs:PutLogEvents'];

  const READ_POWER = ['ec2:DescribeInstanceStatus', 'ec2:DescribeInstances'];
  const RUNS = ['states:DescribeExecution', 'states:StartExecution'];

  test.each([
    {
      lambda: 'FindBehind',
      rights: {
        Heartbeats: ['dynamodb:GetItem', 'dynamodb:Scan'],
        Registry: RECORD,
        other: [...LOGS, 'sns:Publish', ...RUNS],
      },
    },
    {
      lambda: 'InstanceState',
      rights: { Heartbeats: ['dynamodb:GetItem'], Registry: RECORD, other: [...READ_POWER, ...LOGS, ...RUNS] },
    },
    {
      lambda: 'HaInvestigate',
      rights: {
        Heartbeats: ['dynamodb:GetItem', 'dynamodb:Scan'],
        Registry: RECORD,
        other: [...READ_POWER, ...LOGS, 'ssm:GetCommandInvocation', 'ssm:SendCommand', 'ssm:SendCommand'],
      },
    },
    {
      lambda: 'HaFence',
      rights: {
        Heartbeats: SWEEP,
        Registry: RECORD,
        other: [...READ_POWER, 'ec2:StopInstances', ...LOGS, 'sns:Publish'],
      },
    },
    {
      lambda: 'HaRecover',
      rights: { Heartbeats: SWEEP, Registry: RECORD, other: [...LOGS, 'sns:Publish', 'states:DescribeExecution'] },
    },
    { lambda: 'Reconcile', rights: { Heartbeats: SWEEP, Registry: RECORD, other: [...LOGS, 'sns:Publish', ...RUNS] } },
    { lambda: 'Api', rights: { Heartbeats: SWEEP, Registry: RECORD, other: [...READ_POWER, ...LOGS, ...RUNS] } },
  ])('$lambda may do this and nothing else', ({ lambda, rights }) => {
    expect(rightsOf(lambda)).toEqual(rights);
  });

  test('no action is a pattern', () => {
    const statements = statementsOf(control);
    expect(statements.length).toBeGreaterThan(6);
    for (const { statement } of statements) {
      expect(statement.Effect).toBe('Allow');
      expect(list(statement.Action).filter((action) => action.includes('*'))).toEqual([]);
    }
  });

  test('rights on every resource are those whose actions know no resources: log delivery, tracing, and reading EC2 and SSM', () => {
    const wide = statementsOf(control).filter(({ statement }) => [statement.Resource].flat().includes('*'));
    const actions = wide.flatMap(({ policy, statement }) => (policy.startsWith('HaRun') ? [] : list(statement.Action)));
    expect([...new Set(actions)].sort()).toEqual([...READ_POWER, 'ssm:GetCommandInvocation']);
    const workflow = wide.filter(({ policy }) => policy.startsWith('HaRun'));
    const services = workflow.flatMap(({ statement }) => list(statement.Action).map((action) => action.split(':')[0]));
    expect([...new Set(services)].sort()).toEqual(['logs', 'xray']);
  });

  test('the workflow may call its three steps and no other Lambda', () => {
    const [call] = statementsOf(control).filter(
      ({ policy, statement }) => policy.startsWith('HaRun') && list(statement.Action).includes('lambda:InvokeFunction'),
    );
    const called = [call?.statement.Resource].flat().map((arn) => /Ha[A-Z][a-z]+/.exec(JSON.stringify(arn))?.[0]);
    expect(called.sort()).toEqual(['HaFence', 'HaInvestigate', 'HaRecover']);
  });

  test('no Lambda role carries a managed policy', () => {
    control.allResourcesProperties('AWS::IAM::Role', { ManagedPolicyArns: Match.absent() });
  });

  test('machines are stopped by the fence alone, and only those that carry the tag; nobody starts or terminates any', () => {
    const mutating = statementsOf(control).filter(({ statement }) =>
      list(statement.Action).some((action) => /^(ec2|iam|sts):(?!Describe)/.test(action)),
    );
    expect(mutating.map(({ policy, statement }) => [policy.replace(/RoleDefault.*/, ''), statement.Action])).toEqual([
      ['HaFence', 'ec2:StopInstances'],
    ]);
    expect(mutating[0]?.statement.Condition).toEqual({ StringEquals: { 'aws:ResourceTag/holdfast': 'host' } });
    expect(JSON.stringify(mutating[0]?.statement.Resource)).toContain(':instance/*');
  });

  test('commands go to instances with the tag, by one document', () => {
    const sends = statementsOf(control).filter(({ statement }) => list(statement.Action).includes('ssm:SendCommand'));
    expect(sends.map(({ policy }) => policy.replace(/RoleDefault.*/, ''))).toEqual(['HaInvestigate', 'HaInvestigate']);
    const [document, instances] = sends.map(({ statement }) => statement);
    expect(JSON.stringify(document?.Resource)).toContain(':document/AWS-RunShellScript');
    expect(instances?.Condition).toEqual({ StringEquals: { 'ssm:resourceTag/holdfast': 'host' } });
  });
});
