/** Small things that probes make in an emulated account. */
import { CreateStackCommand, DescribeStacksCommand, UpdateStackCommand } from '@aws-sdk/client-cloudformation';
import { EC2Client } from '@aws-sdk/client-ec2';
import { CreateFunctionCommand, InvokeCommand } from '@aws-sdk/client-lambda';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Cloud, cloudAt, placeAt } from './cloud.ts';
import { ACCOUNT, REGION } from './emulator.ts';
import { zipped } from './zip.ts';

const POLL_MS = 200;
const LIMIT_MS = 30_000;
/** Nobody made it: an emulator that checks IAM refuses it. */
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/nobody-made-this`;

export type ProbeAccount = ReturnType<typeof probeAccount>;

export function probeAccount(url: string) {
  const cloud = cloudAt(url);
  const ec2 = new EC2Client(placeAt(url));
  const ssm = new SSMClient(placeAt(url));
  return {
    ...cloud,
    ec2,
    ssm,
    /** A Lambda of the given lines; answers its name. */
    lambdaOf: (code: string) => createLambda(cloud, code),
    errorOf: (name: string) => errorOf(cloud, name),
    /** Runs a workflow to its end. */
    run: (definition: object, limitMs = LIMIT_MS) => run(cloud, definition, limitMs),
    /** Status of the stack, and why. */
    stack: (name: string, resources: object) => deploy(cloud, name, resources),
    close() {
      cloud.close();
      ec2.destroy();
      ssm.destroy();
    },
  };
}

async function createLambda({ lambda }: Cloud, code: string): Promise<string> {
  const FunctionName = `probe-${randomUUID().slice(0, 8)}`;
  const Code = { ZipFile: zipped('index.mjs', code) };
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Code,
      Role: ROLE,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Timeout: 30,
    }),
  );
  return FunctionName;
}

async function errorOf({ lambda }: Cloud, FunctionName: string): Promise<string> {
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName, Payload: '{}' }));
  const answer: unknown = JSON.parse(Payload?.transformToString() ?? 'null');
  if (typeof answer !== 'object' || answer === null || !('errorType' in answer)) return 'none';
  return String(answer.errorType);
}

async function run({ workflow }: Cloud, definition: object, limitMs: number): Promise<DescribeExecutionCommandOutput> {
  const name = `probe-${randomUUID().slice(0, 8)}`;
  const made = await workflow.send(
    new CreateStateMachineCommand({ name, roleArn: ROLE, definition: JSON.stringify(definition) }),
  );
  const started = await workflow.send(
    new StartExecutionCommand({ stateMachineArn: made.stateMachineArn, input: '{}' }),
  );
  for (let left = limitMs; ; left -= POLL_MS) {
    const described = await workflow.send(new DescribeExecutionCommand({ executionArn: started.executionArn }));
    if (described.status !== 'RUNNING' || left <= 0) return described;
    await delay(POLL_MS);
  }
}

async function deploy({ formation }: Cloud, StackName: string, resources: object): Promise<string> {
  const TemplateBody = JSON.stringify({ Resources: resources });
  const isThere = await formation.send(new DescribeStacksCommand({ StackName })).then(
    () => true,
    () => false,
  );
  try {
    await formation.send(
      isThere
        ? new UpdateStackCommand({ StackName, TemplateBody })
        : new CreateStackCommand({ StackName, TemplateBody }),
    );
  } catch (error) {
    return `refused: ${error instanceof Error ? error.message : String(error)}`;
  }
  for (let left = LIMIT_MS; left > 0; left -= POLL_MS) {
    const { Stacks } = await formation.send(new DescribeStacksCommand({ StackName }));
    const status = Stacks?.[0]?.StackStatus ?? '';
    if (!status.endsWith('_IN_PROGRESS')) return status;
    await delay(POLL_MS);
  }
  throw new Error(`${StackName} in ${REGION} does not come to an end`);
}
