/** What each setting changes in the templates, and that it changes nothing else that must stay. */
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from '@jest/globals';
import { SETTINGS_VARIANTS } from '../../tools/settings-variants.ts';
import { idsOf, resourcesOf, synthesised } from './synthesised.ts';

const TABLES = ['Heartbeats740CD8B8', 'Registry4DB9CCA5'];

/** Properties of which CloudFormation replaces a table when one changes. */
const keysOf = (template: Template) =>
  resourcesOf(template)
    .filter(([, { Type }]) => Type === 'AWS::DynamoDB::Table')
    .map(([id, { Properties }]) => [id, Properties['KeySchema'], Properties['TableName']]);

describe.each(Object.entries(SETTINGS_VARIANTS))('a deployment %s', (_, settings) => {
  test('has the same two tables, kept', () => {
    const { state } = synthesised(settings);
    expect(idsOf(state, 'AWS::DynamoDB::Table')).toEqual(TABLES);
    expect(keysOf(state)).toEqual([
      ['Heartbeats740CD8B8', [{ AttributeName: 'pk', KeyType: 'HASH' }], undefined],
      [
        'Registry4DB9CCA5',
        [
          { AttributeName: 'PK', KeyType: 'HASH' },
          { AttributeName: 'SK', KeyType: 'RANGE' },
        ],
        undefined,
      ],
    ]);
    state.allResources('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { DeletionProtectionEnabled: true },
    });
  });

  test('has every path of the API behind the same authorisation, throttled and logged', () => {
    const { control } = synthesised(settings);
    const routes = resourcesOf(control).filter(([, { Type }]) => Type === 'AWS::ApiGatewayV2::Route');
    expect(routes.map(([, { Properties }]) => Properties['RouteKey']).sort()).toEqual(['ANY /', 'ANY /{path+}']);
    expect(routes.map(([, { Properties }]) => Properties['AuthorizationType'])).not.toContain('NONE');
    control.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 },
      AccessLogSettings: { DestinationArn: Match.anyValue(), Format: Match.stringLikeRegexp('identity.userArn') },
    });
    control.resourceCountIs('AWS::Lambda::Url', 0);
  });
});

describe('tables', () => {
  const scaled = { billing: 'provisioned', read: { min: 6, max: 60 }, write: { min: 30, max: 300 }, utilisation: 80 };

  test('provisioned: from the least that is there at any moment, to the most that is paid', () => {
    const { state } = synthesised({ tables: { heartbeats: scaled } });
    state.hasResourceProperties('AWS::DynamoDB::Table', {
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      ProvisionedThroughput: { ReadCapacityUnits: 6, WriteCapacityUnits: 30 },
      BillingMode: Match.absent(),
    });
    state.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      ScalableDimension: 'dynamodb:table:WriteCapacityUnits',
      MinCapacity: 30,
      MaxCapacity: 300,
    });
    state.hasResourceProperties('AWS::ApplicationAutoScaling::ScalingPolicy', {
      TargetTrackingScalingPolicyConfiguration: { TargetValue: 80 },
    });
    state.resourceCountIs('AWS::ApplicationAutoScaling::ScalableTarget', 2);
  });

  test('warm throughput', () => {
    const { state } = synthesised({ tables: { heartbeats: { warmThroughput: { writeUnits: 9000 } } } });
    state.hasResourceProperties('AWS::DynamoDB::Table', {
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      WarmThroughput: { ReadUnitsPerSecond: 12_000, WriteUnitsPerSecond: 9000 },
    });
  });
});

describe('find-behind', () => {
  test('one sweep a minute, if that is enough', () => {
    const { control } = synthesised({ findBehind: { every: 'minute', memoryMb: 192 } });
    control.hasResourceProperties('AWS::Scheduler::Schedule', { Target: { Input: '{"once":true}' } });
    control.hasResourceProperties('AWS::Lambda::Function', { MemorySize: 192 });
  });
});

describe('the API', () => {
  test('by IAM', () => {
    const { control } = synthesised();
    control.allResourcesProperties('AWS::ApiGatewayV2::Route', { AuthorizationType: 'AWS_IAM' });
    control.resourceCountIs('AWS::ApiGatewayV2::Authorizer', 0);
  });

  test('by tokens of an issuer', () => {
    const { control } = synthesised({
      api: { auth: 'jwt', issuer: 'https://issuer.example', audience: ['a', 'b'], operateScope: 'ops', burst: 7 },
    });
    control.allResourcesProperties('AWS::ApiGatewayV2::Route', { AuthorizationType: 'JWT' });
    control.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      AuthorizerType: 'JWT',
      IdentitySource: ['$request.header.Authorization'],
      JwtConfiguration: { Issuer: 'https://issuer.example', Audience: ['a', 'b'] },
    });
    control.hasResourceProperties('AWS::ApiGatewayV2::Stage', { DefaultRouteSettings: { ThrottlingBurstLimit: 7 } });
    control.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ JWT_OPERATE_SCOPE: 'ops' }) },
    });
  });
});

describe('the rest', () => {
  test('who is called, and where a call goes that could not be delivered', () => {
    const { control } = synthesised({ pages: { emails: ['a@example.com', 'b@example.com'] } });
    control.resourceCountIs('AWS::SNS::Subscription', 2);
    control.allResourcesProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['DeadLettersQueue631681B1', 'Arn'] } },
    });
  });

  test('how long logs are kept', () => {
    const { control } = synthesised({ logRetentionDays: 400 });
    control.resourceCountIs('AWS::Logs::LogGroup', 9);
    control.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 400 });
  });

  test('hosts outside of AWS', () => {
    const trustAnchorArn =
      'arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/11111111-2222-3333-4444-555555555555';
    const { control } = synthesised({ offCloud: { trustAnchorArn } });
    control.resourceCountIs('AWS::RolesAnywhere::Profile', 1);
    expect(Object.keys(control.toJSON()['Outputs'] as object)).toEqual(
      expect.arrayContaining(['OffCloudRoleArn', 'OffCloudProfileArn']),
    );
  });
});
