import { Match, Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { StateStack } from '../../lib/stacks/state-stack.ts';
import { idsOf, inApp, resourcesOf, synthesised } from './synthesised.ts';

let state: Template;
let control: Template;

beforeAll(() => {
  ({ state, control } = synthesised());
}, 60_000);

const DEAD_LETTERS = 'DeadLettersQueue631681B1';
const WORKFLOW = 'HaRunWorkflow91A27E80';
const VERSION = 'HaRunVersion1DDD2261';
const ALIAS = 'HaRunAlias7BD638F8';

const functionNamed = (template: Template, id: string) =>
  resourcesOf(template).find(([logicalId]) => logicalId.startsWith(`${id}Function`))?.[1].Properties;

const timeoutOf = (id: string) => functionNamed(control, id)?.['Timeout'];

/** HA_RUN_ARN, without what only a deployment knows. */
function startArn(template: Template): string {
  const environment = functionNamed(template, 'Api')?.['Environment'] as {
    Variables: { HA_RUN_ARN: { 'Fn::Join': [string, unknown[]] } };
  };
  const [, parts] = environment.Variables.HA_RUN_ARN['Fn::Join'];
  return parts.filter((part) => typeof part === 'string').join('');
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
    expect(idsOf(state)).toEqual(['Heartbeats740CD8B8', 'Registry4DB9CCA5']);
  });

  test('it says the same whether or not another stack is there: no deployment of the others touches it', () => {
    const alone = inApp((app) => Template.fromStack(new StateStack(app, 'HoldfastState')));
    const { Description: _, ...beside } = state.toJSON() as Record<string, unknown>;
    expect(alone.toJSON()).toEqual(beside);
  });

  test('its outputs name the tables', () => {
    const outputs = state.toJSON()['Outputs'] as Record<string, { Value: unknown }>;
    expect(outputs['HeartbeatsTable']).toEqual({ Value: { Ref: 'Heartbeats740CD8B8' } });
    expect(outputs['RegistryTable']).toEqual({ Value: { Ref: 'Registry4DB9CCA5' } });
  });
});

describe('control', () => {
  test('stacks are read with source maps where there is memory for them, and nowhere else: they need 33 MB', () => {
    const options = resourcesOf(control)
      .filter(([, { Type }]) => Type === 'AWS::Lambda::Function')
      .map(([id, { Properties }]) => {
        const { MemorySize, Environment } = z
          .looseObject({ MemorySize: z.int(), Environment: z.looseObject({ Variables: z.looseObject({}) }) })
          .parse(Properties);
        return [id.replace(/Function.*$/, ''), MemorySize, Environment.Variables['NODE_OPTIONS']];
      });
    expect(options).toContainEqual(['FindBehind', 128, undefined]);
    expect(options).toContainEqual(['HaRecover', 512, '--enable-source-maps']);
    expect(options.filter(([, memory, mapped]) => Number(memory) >= 256 === (mapped === undefined))).toEqual([]);
  });

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
          METRICS_NAMESPACE: 'Holdfast',
        },
      },
    });
  });

  test('an asynchronous call is neither repeated nor kept, but that about a notice of EC2 or of AWS Health', () => {
    const calls = resourcesOf(control)
      .filter(([, { Type }]) => Type === 'AWS::Lambda::EventInvokeConfig')
      .map(([id, { Properties }]) => [
        id.replace(/Function.*/, ''),
        [Properties['MaximumRetryAttempts'], Properties['MaximumEventAgeInSeconds']],
      ]);
    const never = [0, 60];
    expect(Object.fromEntries(calls)).toEqual({
      ...{ FindBehind: never, Reconcile: never, Api: never, HaInvestigate: never, HaFence: never, HaRecover: never },
      InstanceState: [2, 600],
    });
  });

  test('find-behind has 128 MB, the others have what a cold start needs', () => {
    const memory = resourcesOf(control)
      .filter(([, { Type }]) => Type === 'AWS::Lambda::Function')
      .map(([id, { Properties }]) => [id.replace(/Function.*/, ''), Properties['MemorySize']]);
    expect(Object.fromEntries(memory)).toEqual({
      FindBehind: 128,
      ...{ Reconcile: 512, InstanceState: 512, Api: 512, HaInvestigate: 512, HaFence: 512, HaRecover: 512 },
    });
  });

  test('find-behind and reconcile run every minute, the self-test of the fence every hour, at most once each, and what was not delivered is kept', () => {
    control.resourceCountIs('AWS::Scheduler::Schedule', 3);
    control.allResourcesProperties('AWS::Scheduler::Schedule', {
      State: 'ENABLED',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': [DEAD_LETTERS, 'Arn'] } },
        RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
      },
    });
    const schedules = resourcesOf(control)
      .filter(([, { Type }]) => Type === 'AWS::Scheduler::Schedule')
      .map(([, { Properties }]) => {
        const target = Properties['Target'] as { readonly Arn: unknown; readonly Input: string };
        const called = /FindBehind|Reconcile|HaFence/.exec(JSON.stringify(target.Arn))?.[0];
        return [called, Properties['ScheduleExpression'], target.Input];
      });
    expect(schedules.sort()).toEqual([
      ['FindBehind', 'rate(1 minute)', '{}'],
      ['HaFence', 'rate(1 hour)', '{"step":"self-test"}'],
      ['Reconcile', 'rate(1 minute)', '{}'],
    ]);
  });

  test.each([
    { source: ['aws.ec2'], 'detail-type': ['EC2 Instance State-change Notification'] },
    { source: ['aws.ec2'], 'detail-type': ['EC2 Spot Instance Interruption Warning'] },
    { source: ['aws.ec2'], 'detail-type': ['EC2 Instance Rebalance Recommendation'] },
    { source: ['aws.health'], 'detail-type': ['AWS Health Event'], detail: { service: ['EC2'] } },
  ])('instance-state is called with $detail-type, while it is of use', (pattern) => {
    control.resourceCountIs('AWS::Events::Rule', 4);
    control.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: Match.exact(pattern),
      State: 'ENABLED',
      Targets: [
        Match.objectLike({
          Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^InstanceStateFunction'), 'Arn'] },
          DeadLetterConfig: { Arn: { 'Fn::GetAtt': [DEAD_LETTERS, 'Arn'] } },
          RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 2 },
        }),
      ],
    });
  });

  test('nothing calls the control plane before there is a workflow to start', () => {
    const callers = resourcesOf(control).filter(([, { Type }]) =>
      ['AWS::Scheduler::Schedule', 'AWS::Events::Rule', 'AWS::ApiGatewayV2::Route'].includes(Type),
    );
    expect(callers).toHaveLength(9);
    for (const [, { DependsOn }] of callers) {
      expect(DependsOn).toEqual(expect.arrayContaining([ALIAS, WORKFLOW]));
    }
  });

  test('a sweep outlives the minute after which the next one starts', () => {
    expect(timeoutOf('FindBehind')).toBe(120);
  });

  test('the workflow is standard, logged in full, traced, and gets its steps by name', () => {
    control.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      StateMachineName: 'HoldfastControl-ha-run',
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

  test('a step is ended by the workflow before its Lambda is: the workflow knows the name of that error', () => {
    for (const step of ['HaInvestigate', 'HaFence', 'HaRecover']) expect(timeoutOf(step)).toBe(65);
  });

  test('runs start through the alias of the newest version', () => {
    expect(startArn(control)).toBe('arn::states:::stateMachine:HoldfastControl-ha-run:live');
    control.hasResourceProperties('AWS::StepFunctions::StateMachineAlias', {
      Name: 'live',
      RoutingConfiguration: [{ StateMachineVersionArn: { 'Fn::GetAtt': [VERSION, 'Arn'] }, Weight: 100 }],
    });
    control.hasResource('AWS::StepFunctions::StateMachineVersion', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        StateMachineArn: { Ref: WORKFLOW },
        StateMachineRevisionId: { 'Fn::GetAtt': [WORKFLOW, 'StateMachineRevisionId'] },
      },
    });
  });

  test('or the machine itself, where there is to be no alias', () => {
    const without = synthesised({ workflow: { alias: false } }).control;
    expect(startArn(without)).toBe('arn::states:::stateMachine:HoldfastControl-ha-run');
    without.resourceCountIs('AWS::StepFunctions::StateMachineAlias', 0);
    without.resourceCountIs('AWS::StepFunctions::StateMachineVersion', 0);
  });

  test('its outputs', () => {
    const outputs = control.toJSON()['Outputs'] as Record<string, unknown>;
    const own = Object.keys(outputs).filter((id) => !id.startsWith('Exports'));
    expect(own.sort()).toEqual(['AgentPackage', 'ApiUrl', 'HaRunArn', 'HostPolicyArn', 'PagesTopic']);
  });

  test('pages go out encrypted in transit, and alarms of this account may call, too', () => {
    control.resourceCountIs('AWS::SNS::Topic', 1);
    control.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Action: 'sns:Publish',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
          Match.objectLike({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          }),
        ]),
      },
    });
  });
});

/**
 * Whatever is replaced when its logical id changes, and missed: its address, its history, its messages, or what others have
 * written down elsewhere (subscriptions, policies of operators and hosts).
 */
describe('logical ids that stay', () => {
  test.each([
    ['AWS::ApiGatewayV2::Api', ['HttpApiHttp028A86A0']],
    ['AWS::SNS::Topic', ['PagesTopic7E8CFB07']],
    ['AWS::SQS::Queue', [DEAD_LETTERS]],
    ['AWS::StepFunctions::StateMachine', [WORKFLOW]],
    ['AWS::StepFunctions::StateMachineVersion', [VERSION]],
    ['AWS::StepFunctions::StateMachineAlias', [ALIAS]],
    ['AWS::IAM::ManagedPolicy', ['HostPolicy991BC2D9']],
    [
      'AWS::Scheduler::Schedule',
      ['TriggersFenceTest6CBCD012', 'TriggersFindBehindD42A1D25', 'TriggersReconcile49B91BDA'],
    ],
    [
      'AWS::Lambda::Function',
      [
        'ApiFunction6BF808ED',
        'FindBehindFunction1DF0828D',
        'HaFenceFunctionD10BE0A8',
        'HaInvestigateFunction4E6AFA9E',
        'HaRecoverFunction470A0734',
        'InstanceStateFunctionC19BF858',
        'ReconcileFunction585E26B3',
      ],
    ],
    [
      'AWS::Logs::LogGroup',
      [
        'ApiLogsCD139AD4',
        'FindBehindLogs4B9FD6EC',
        'HaFenceLogs47298AC1',
        'HaInvestigateLogsC5911953',
        'HaRecoverLogs39C42599',
        'HaRunLogs84FF0DE6',
        'HttpApiAccessLogsDED8C7A4',
        'InstanceStateLogs96EAEDCF',
        'ReconcileLogsDE13217A',
      ],
    ],
  ])('%s', (type, ids) => {
    expect(idsOf(control, type)).toEqual(ids);
  });

  test('nothing of the control stack is imported by another: CloudFormation would refuse to change it', () => {
    const outputs = control.toJSON()['Outputs'] as Record<string, { Export?: unknown }>;
    expect(Object.values(outputs).filter((output) => output.Export !== undefined)).toEqual([]);
  });
});
