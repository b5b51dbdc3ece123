/** What the test asks of the emulated account, by the real SDK. */
import {
  type Change,
  CloudFormationClient,
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  type StackResource,
} from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import {
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  ScanCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetExecutionHistoryCommand, type HistoryEvent, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { setTimeout as delay } from 'node:timers/promises';
import { ACCOUNT, REGION, SECRET } from './emulator.ts';

/** One page of a history; longer ones are read on. */
const PAGE = 1_000;
const REQUEST_ATTEMPTS = 2;
const CHANGE_SET_POLL_MS = 250;
const CHANGE_SET_POLLS = 120;

export type Cloud = ReturnType<typeof cloudAt>;

/** What every client of the account is made with. */
export function placeAt(url: string) {
  const credentials = { accessKeyId: ACCOUNT, secretAccessKey: SECRET };
  return { endpoint: url, region: REGION, credentials, maxAttempts: REQUEST_ATTEMPTS };
}

export function cloudAt(url: string) {
  const place = placeAt(url);
  const clients = {
    formation: new CloudFormationClient(place),
    watch: new CloudWatchClient(place),
    dynamo: new DynamoDBClient(place),
    events: new EventBridgeClient(place),
    lambda: new LambdaClient(place),
    workflow: new SFNClient(place),
  };
  return {
    url,
    ...clients,
    resources: (stack: string) => resourcesOf(clients.formation, stack),
    stacks: () => stacksOf(clients.formation),
    changes: (stack: string, template: string) => changesOf({ client: clients.formation, url }, stack, template),
    stackEvents: (stack: string) => stackEventsOf(clients.formation, stack),
    items: (table: string) => itemsOf(clients.dynamo, table),
    async codeOf(name: string) {
      const { CodeSha256 } = await clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
      return CodeSha256 ?? '';
    },
    history: (arn: string) => historyOf(clients.workflow, arn),
    executions: (machine: string) => executionsOf(clients.workflow, machine),
    alarms: () => alarmsOf(clients.watch),
    logLines: (group: string) => logLines(url, group),
    expire: (table: string, attribute: string) => expire(clients.dynamo, table, attribute),
    async put(event: { readonly source: string; readonly 'detail-type': string; readonly detail: object }) {
      const Entries = [
        { Source: event.source, DetailType: event['detail-type'], Detail: JSON.stringify(event.detail) },
      ];
      const { Entries: answers } = await clients.events.send(new PutEventsCommand({ Entries }));
      const code = answers?.[0]?.ErrorCode;
      if (code !== undefined) throw new Error(`EventBridge refused: ${code}`);
    },
    async invoke(name: string, event: object): Promise<unknown> {
      const command = new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(event) });
      const { Payload, FunctionError } = await clients.lambda.send(command);
      const text = Payload?.transformToString() ?? 'null';
      if (FunctionError !== undefined) throw new Error(`${name} failed: ${text}`);
      return JSON.parse(text);
    },
    close() {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}

async function resourcesOf(client: CloudFormationClient, StackName: string): Promise<StackResource[]> {
  const { StackResources } = await client.send(new DescribeStackResourcesCommand({ StackName }));
  return StackResources ?? [];
}

async function stacksOf(client: CloudFormationClient) {
  const { Stacks } = await client.send(new DescribeStacksCommand({}));
  return Stacks ?? [];
}

/** What CloudFormation would change if the stack got this template; nothing is executed. */
async function changesOf(
  { client, url }: { readonly client: CloudFormationClient; readonly url: string },
  StackName: string,
  template: string,
): Promise<Change[]> {
  const set = { StackName, ChangeSetName: `look-${String(Date.now())}` };
  const TemplateURL = await upload(url, `${set.ChangeSetName}.json`, template);
  await client.send(new CreateChangeSetCommand({ ...set, TemplateURL, Capabilities: ['CAPABILITY_NAMED_IAM'] }));
  for (let left = CHANGE_SET_POLLS; left > 0; left -= 1) {
    const { Status, StatusReason, Changes } = await client.send(new DescribeChangeSetCommand(set));
    if (Status === 'CREATE_COMPLETE' || Status === 'FAILED') {
      await client.send(new DeleteChangeSetCommand(set));
      if (Status === 'CREATE_COMPLETE') return Changes ?? [];
      if (/didn't contain changes|No updates/i.test(StatusReason ?? '')) return [];
      throw new Error(`the change set of ${StackName} failed: ${StatusReason ?? 'no reason'}`);
    }
    await delay(CHANGE_SET_POLL_MS);
  }
  throw new Error(`the change set of ${StackName} did not come about`);
}

/** Into the bucket that `cdk bootstrap` made: a template of that size is not taken in the request itself. */
async function upload(url: string, key: string, body: string): Promise<string> {
  const bucket = `cdk-hnb659fds-assets-${ACCOUNT}-${REGION}`;
  const headers = { authorization: authorization('s3') };
  const answer = await fetch(`${url}/${bucket}/${key}`, { method: 'PUT', headers, body });
  if (!answer.ok) throw new Error(`S3 did not take ${key}: ${String(answer.status)} ${await answer.text()}`);
  return `https://s3.${REGION}.amazonaws.com/${bucket}/${key}`;
}

/** The emulator reads service, region and account off it, and verifies nothing. */
function authorization(service: string): string {
  const scope = `${ACCOUNT}/20260101/${REGION}/${service}/aws4_request`;
  return `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`;
}

async function stackEventsOf(client: CloudFormationClient, StackName: string) {
  const { StackEvents } = await client.send(new DescribeStackEventsCommand({ StackName }));
  return StackEvents ?? [];
}

async function itemsOf(client: DynamoDBClient, TableName: string): Promise<number> {
  const { Count } = await client.send(new ScanCommand({ TableName, Select: 'COUNT' }));
  return Count ?? 0;
}

async function historyOf(client: SFNClient, executionArn: string): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  let nextToken: string | undefined;
  do {
    const page = await client.send(new GetExecutionHistoryCommand({ executionArn, maxResults: PAGE, nextToken }));
    events.push(...(page.events ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined && nextToken !== '');
  return events;
}

async function executionsOf(client: SFNClient, stateMachineArn: string) {
  const { executions } = await client.send(new ListExecutionsCommand({ stateMachineArn, maxResults: PAGE }));
  return executions ?? [];
}

async function alarmsOf(client: CloudWatchClient) {
  const answer = await client.send(
    new DescribeAlarmsCommand({ AlarmTypes: ['MetricAlarm', 'CompositeAlarm'], MaxRecords: 100 }),
  );
  return [...(answer.MetricAlarms ?? []), ...(answer.CompositeAlarms ?? [])];
}

/** True if the template's own setting was ignored and had to be made. */
async function expire(client: DynamoDBClient, TableName: string, AttributeName: string): Promise<boolean> {
  const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
  if (TimeToLiveDescription?.TimeToLiveStatus === 'ENABLED') return false;
  const TimeToLiveSpecification = { AttributeName, Enabled: true };
  await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
  return true;
}

/** The newest messages of a log group. By hand: the project has no need of that client otherwise. */
async function logLines(url: string, logGroupName: string): Promise<string[]> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'Logs_20140328.FilterLogEvents',
      authorization: authorization('logs'),
    },
    body: JSON.stringify({ logGroupName, limit: 10_000 }),
    signal: AbortSignal.timeout(15_000),
  });
  const body: unknown = await answer.json();
  const events = typeof body === 'object' && body !== null && 'events' in body ? body.events : [];
  if (!Array.isArray(events)) return [];
  return events.flatMap((event: unknown) =>
    typeof event === 'object' && event !== null && 'message' in event ? [String(event.message)] : [],
  );
}
