/** Tables, templates, instances. */
import {
  DeleteTableCommand,
  DescribeTimeToLiveCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  AttachVolumeCommand,
  CreateVolumeCommand,
  DescribeInstancesCommand,
  RunInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2';
import { SendCommandCommand } from '@aws-sdk/client-ssm';
import { ACCOUNT, REGION } from './emulator.ts';
import type { ProbeAccount } from './probe-account.ts';
import type { Probe } from './probe.ts';

const KEY = { AttributeName: 'pk', AttributeType: 'S' };

const table = (name: string, more: object = {}) => ({
  Table: {
    Type: 'AWS::DynamoDB::Table',
    Properties: {
      TableName: name,
      AttributeDefinitions: [KEY],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
      ...more,
    },
  },
});

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : String(error));

async function ttl(account: ProbeAccount): Promise<string> {
  await account.stack(
    'probe-ttl',
    table('probe-ttl', { TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true } }),
  );
  const answer = await account.dynamo.send(new DescribeTimeToLiveCommand({ TableName: 'probe-ttl' }));
  return answer.TimeToLiveDescription?.TimeToLiveStatus ?? '';
}

async function indexAdded(account: ProbeAccount): Promise<string> {
  const TableName = 'probe-index';
  await account.stack(TableName, table(TableName));
  await account.dynamo.send(new PutItemCommand({ TableName, Item: { pk: { S: 'a' } } }));
  const GlobalSecondaryIndexes = [
    { IndexName: 'by', KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }], Projection: { ProjectionType: 'ALL' } },
  ];
  await account.stack(TableName, table(TableName, { GlobalSecondaryIndexes }));
  const { Item } = await account.dynamo.send(new GetItemCommand({ TableName, Key: { pk: { S: 'a' } } }));
  return Item === undefined ? 'its items are lost' : 'its items stay';
}

async function capacity(account: ProbeAccount): Promise<string> {
  const TableName = 'probe-capacity';
  await account.stack(TableName, table(TableName));
  const Item = { pk: { S: 'a' }, text: { S: 'x'.repeat(3_000) } };
  const put = new PutItemCommand({ TableName, Item, ReturnConsumedCapacity: 'TOTAL' });
  return `${String((await account.dynamo.send(put)).ConsumedCapacity?.CapacityUnits)} units`;
}

async function tableProtected(account: ProbeAccount): Promise<string> {
  await account.stack('probe-kept', table('probe-kept', { DeletionProtectionEnabled: true }));
  return account.dynamo.send(new DeleteTableCommand({ TableName: 'probe-kept' })).then(() => 'deleted', nameOf);
}

async function refusedCondition(account: ProbeAccount): Promise<string> {
  await account.stack('probe-condition', table('probe-condition'));
  await account.dynamo.send(
    new PutItemCommand({ TableName: 'probe-condition', Item: { pk: { S: 'a' }, n: { N: '1' } } }),
  );
  const update = new UpdateItemCommand({
    TableName: 'probe-condition',
    Key: { pk: { S: 'a' } },
    UpdateExpression: 'SET n = :two',
    ConditionExpression: 'n = :two',
    ExpressionAttributeValues: { ':two': { N: '2' } },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  return account.dynamo.send(update).then(
    () => 'written',
    (error: unknown) => {
      const item = typeof error === 'object' && error !== null && 'Item' in error ? ', with the item' : '';
      return `${nameOf(error)}${item}`;
    },
  );
}

const outcomeOf = (status: string): string => (status === 'CREATE_COMPLETE' ? 'deployed' : 'not deployed');

async function alarmOverExpression(account: ProbeAccount): Promise<string> {
  const Metric = { Namespace: 'Probe', MetricName: 'Probes' };
  const Properties = {
    ComparisonOperator: 'GreaterThanThreshold',
    EvaluationPeriods: 1,
    Threshold: 1,
    Metrics: [
      { Id: 'a', MetricStat: { Metric, Period: 60, Stat: 'Sum' }, ReturnData: false },
      { Id: 'b', Expression: 'a * 2' },
    ],
  };
  return outcomeOf(await account.stack('probe-alarm', { Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties } }));
}

async function workflowVersion(account: ProbeAccount): Promise<string> {
  const DefinitionString = JSON.stringify({ StartAt: 'A', States: { A: { Type: 'Pass', End: true } } });
  const RoleArn = `arn:aws:iam::${ACCOUNT}:role/probe`;
  const Machine = { Type: 'AWS::StepFunctions::StateMachine', Properties: { RoleArn, DefinitionString } };
  const Version = {
    Type: 'AWS::StepFunctions::StateMachineVersion',
    Properties: { StateMachineArn: { Ref: 'Machine' } },
  };
  return outcomeOf(await account.stack('probe-version', { Machine, Version }));
}

async function instance(account: ProbeAccount): Promise<string> {
  const { Instances } = await account.ec2.send(
    new RunInstancesCommand({ ImageId: 'ami-12345678', InstanceType: 't3.micro', MinCount: 1, MaxCount: 1 }),
  );
  return Instances?.[0]?.InstanceId ?? '';
}

async function dryRun(account: ProbeAccount): Promise<string> {
  const id = await instance(account);
  await account.ec2.send(new StopInstancesCommand({ InstanceIds: [id], DryRun: true })).catch(() => undefined);
  const { Reservations } = await account.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  return Reservations?.[0]?.Instances?.[0]?.State?.Name ?? '';
}

async function volumeInUse(account: ProbeAccount): Promise<string> {
  const { VolumeId } = await account.ec2.send(new CreateVolumeCommand({ AvailabilityZone: `${REGION}a`, Size: 1 }));
  const attach = async () => {
    const InstanceId = await instance(account);
    return account.ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId, Device: '/dev/sdf' }));
  };
  await attach();
  return attach().then(() => 'attached to both', nameOf);
}

async function runCommand(account: ProbeAccount): Promise<string> {
  const InstanceIds = [await instance(account)];
  const command = new SendCommandCommand({
    InstanceIds,
    DocumentName: 'AWS-RunShellScript',
    Parameters: { commands: ['true'] },
  });
  return account.ssm.send(command).then(() => 'sent', nameOf);
}

/** A forged signature: nobody has that secret. */
async function signature(account: ProbeAccount): Promise<string> {
  const scope = `${ACCOUNT}/20260101/${REGION}/dynamodb/aws4_request`;
  const answer = await fetch(account.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.ListTables',
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=forged`,
    },
    body: '{}',
  });
  return answer.ok ? 'taken' : 'refused';
}

export const RESOURCE_PROBES: readonly Probe[] = [
  {
    name: 'DynamoDB: TimeToLiveSpecification of a template',
    aws: 'ENABLED',
    found: 'DISABLED',
    so: 'set by hand after the deploy; nothing depends on it (S18)',
    probe: ttl,
  },
  {
    name: 'DynamoDB: an index is added to a table',
    aws: 'its items stay',
    found: 'its items stay',
    so: 'as AWS (1.4.21 made the table anew)',
    probe: indexAdded,
  },
  {
    name: 'DynamoDB: ConsumedCapacity of a write of 3 KB',
    aws: '3 units',
    found: '3 units',
    so: 'as AWS; units may be measured here',
    probe: capacity,
  },
  {
    name: 'DynamoDB: DeleteTable with deletion protection',
    aws: 'ValidationException',
    found: 'ValidationException',
    so: 'as AWS',
    probe: tableProtected,
  },
  {
    name: 'DynamoDB: a refused condition hands over the item',
    aws: 'ConditionalCheckFailedException, with the item',
    found: 'ConditionalCheckFailedException, with the item',
    so: 'as AWS; directives and refusals depend on it',
    probe: refusedCondition,
  },
  {
    name: 'CloudFormation: an alarm over an expression',
    aws: 'deployed',
    found: 'not deployed',
    so: 'the launcher keeps it under its first metric; it never acts',
    probe: alarmOverExpression,
  },
  {
    name: 'CloudFormation: StateMachineVersion and StateMachineAlias',
    aws: 'deployed',
    found: 'not deployed',
    so: 'the test deploys with `workflow: { alias: false }`; turning back is not exercised',
    probe: workflowVersion,
  },
  {
    name: 'EC2: StopInstances with DryRun',
    aws: 'running',
    found: 'stopped',
    so: 'EC2 is the fleet of local/fleet, not MiniStack',
    probe: dryRun,
  },
  {
    name: 'EC2: AttachVolume of a volume in use',
    aws: 'VolumeInUse',
    found: 'attached to both',
    so: 'EC2 is the fleet of local/fleet, not MiniStack',
    probe: volumeInUse,
  },
  {
    name: 'SSM: SendCommand',
    aws: 'sent',
    found: 'InvalidInstanceId',
    so: 'SSM is the fleet of local/fleet, not MiniStack',
    probe: runCommand,
  },
  {
    name: 'Signatures: a forged one',
    aws: 'refused',
    found: 'taken',
    so: 'who may call is not exercised, but that the API asks for a signature is',
    probe: signature,
  },
];
