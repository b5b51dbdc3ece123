/** Lambda, Step Functions and events. */
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetFunctionConfigurationCommand, InvokeCommand, UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda';
import { CreateStateMachineCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import { setTimeout as delay } from 'node:timers/promises';
import { ACCOUNT, REGION } from './emulator.ts';
import { historyLines, visitsOf } from './history.ts';
import { type ProbeAccount, ROLE } from './probe-account.ts';
import type { Probe } from './probe.ts';
import { zipped } from './zip.ts';

const FAILS = `export const handler = async () => { const error = new Error('no'); error.name = 'conflict'; throw error; };`;
const SLOW = `export const handler = () => new Promise((done) => setTimeout(done, 4000, { ok: true }));`;
const MEASURES = `export const handler = async () => {
  const metrics = { _aws: { Timestamp: Date.now(), CloudWatchMetrics: [{ Namespace: 'Probe', Dimensions: [[]], Metrics: [{ Name: 'Probes', Unit: 'Count' }] }] }, Probes: 1 };
  console.log(JSON.stringify(metrics));
  return {};
};`;
/** The worker of the first call is up by then, and busy. */
const UNDER_WAY_MS = 2_000;
const METRICS_MS = 2_000;

const lambdaState = (name: string, more: object = {}) => ({
  Type: 'Task',
  Resource: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`,
  End: true,
  ...more,
});

async function catchByName(account: ProbeAccount): Promise<string> {
  const failing = await account.lambdaOf(FAILS);
  const Catch = [{ ErrorEquals: ['conflict'], Next: 'Caught' }];
  const States = { Try: lambdaState(failing, { Catch }), Caught: { Type: 'Succeed' } };
  return (await account.run({ StartAt: 'Try', States })).status ?? '';
}

async function innerStates(account: ProbeAccount): Promise<string> {
  const ItemProcessor = { StartAt: 'Inner', States: { Inner: { Type: 'Pass', End: true } } };
  const States = {
    Outer: { Type: 'Map', ItemsPath: '$.items', ItemProcessor, End: true },
    First: { Type: 'Pass', Result: { items: [1, 2] }, Next: 'Outer' },
  };
  const { executionArn } = await account.run({ StartAt: 'First', States });
  const events = await account.history(executionArn ?? '');
  if (historyLines(events).length === 0) return 'no history';
  return visitsOf(events).some(({ state }) => state === 'Inner') ? 'told' : 'not told';
}

async function invocationUnderUpdate(account: ProbeAccount): Promise<string> {
  const FunctionName = await account.lambdaOf(SLOW);
  const under = account.lambda.send(new InvokeCommand({ FunctionName, Payload: '{}' }));
  await delay(UNDER_WAY_MS);
  const ZipFile = zipped('index.mjs', `${SLOW}\n// changed`);
  await account.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
  const { FunctionError } = await under;
  return FunctionError === undefined ? 'ends' : 'is killed';
}

async function sameStart(account: ProbeAccount): Promise<string> {
  const definition = JSON.stringify({ StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 20, End: true } } });
  const { stateMachineArn } = await account.workflow.send(
    new CreateStateMachineCommand({ name: 'probe-same-start', roleArn: ROLE, definition }),
  );
  const start = () => account.workflow.send(new StartExecutionCommand({ stateMachineArn, name: 'same', input: '{}' }));
  await start();
  return start().then(
    () => 'the first execution',
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  );
}

async function machineTimeout(account: ProbeAccount): Promise<string> {
  const States = { Wait: { Type: 'Wait', Seconds: 3, End: true } };
  return (await account.run({ StartAt: 'Wait', TimeoutSeconds: 1, States })).status ?? '';
}

async function eventsOfAws(account: ProbeAccount): Promise<string> {
  const Entries = [{ Source: 'aws.ec2', DetailType: 'EC2 Instance State-change Notification', Detail: '{}' }];
  const { Entries: answers } = await account.events.send(new PutEventsCommand({ Entries }));
  return answers?.[0]?.ErrorCode ?? 'taken';
}

async function emf(account: ProbeAccount): Promise<string> {
  const FunctionName = await account.lambdaOf(MEASURES);
  await account.lambda.send(new InvokeCommand({ FunctionName, Payload: '{}' }));
  await delay(METRICS_MS);
  const { Metrics } = await account.watch.send(new ListMetricsCommand({ Namespace: 'Probe' }));
  return (Metrics ?? []).length === 0 ? 'no metric' : 'a metric';
}

async function roleOfNobody(account: ProbeAccount): Promise<string> {
  const FunctionName = await account.lambdaOf('export const handler = async () => ({ ok: true });');
  const { FunctionError } = await account.lambda.send(new InvokeCommand({ FunctionName, Payload: '{}' }));
  const { Role } = await account.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  return FunctionError === undefined && Role === ROLE ? 'runs' : 'refused';
}

export const STEP_PROBES: readonly Probe[] = [
  {
    name: 'Lambda: the name of a thrown error',
    aws: 'errorType is the name of the error',
    found: 'Runtime.HandlerError',
    so: 'the launcher keeps the name',
    probe: async (account) => account.errorOf(await account.lambdaOf(FAILS)),
  },
  {
    name: 'Step Functions: Catch by the name of a thrown error',
    aws: 'SUCCEEDED',
    found: 'FAILED',
    so: 'the launcher keeps the name',
    probe: catchByName,
  },
  {
    name: 'Step Functions: states inside Map and Parallel in the history',
    aws: 'told',
    found: 'not told',
    so: 'the launcher tells them',
    probe: innerStates,
  },
  {
    name: 'Lambda: an invocation under way when new code is deployed',
    aws: 'ends',
    found: 'is killed',
    so: 'the launcher lets it end',
    probe: invocationUnderUpdate,
  },
  {
    name: 'Step Functions: StartExecution again, same name and input, while it runs',
    aws: 'the first execution',
    found: 'ExecutionAlreadyExists',
    so: 'the adapter takes either; only this one is exercised',
    probe: sameStart,
  },
  {
    name: 'Step Functions: TimeoutSeconds of the whole workflow',
    aws: 'TIMED_OUT',
    found: 'SUCCEEDED',
    so: 'the day that a run may take is not exercised',
    probe: machineTimeout,
  },
  {
    name: 'EventBridge: PutEvents of source aws.ec2',
    aws: 'NotAuthorizedForSourceException',
    found: 'NotAuthorizedForSourceException',
    so: 'as AWS; the launcher takes them, because the fleet is EC2 here',
    probe: eventsOfAws,
  },
  {
    name: 'CloudWatch: a log line in embedded metric format',
    aws: 'a metric',
    found: 'no metric',
    so: 'the lines are read from the logs; no alarm can go off',
    probe: emf,
  },
  {
    name: 'IAM: a Lambda with a role that nobody made',
    aws: 'refused',
    found: 'runs',
    so: 'permissions are proven by a policy evaluator (test/lib/permissions), not here',
    probe: roleOfNobody,
  },
];
