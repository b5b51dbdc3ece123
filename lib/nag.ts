/** cdk-nag's rules that are acknowledged, each with its reason: one table, so that nothing is waved through on the quiet. */
import { type App, type Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { invariant } from '../core/failures/invariant.ts';

interface Acknowledged {
  /** Paths below the stack. */
  readonly at: readonly string[];
  /** As cdk-nag reports it: `RULE` or `RULE[FINDING]`; STACK stands for the stack's name. */
  readonly rule: string;
  readonly reason: string;
}

const TRACED = ['InstanceState', 'Api', 'HaInvestigate', 'HaFence', 'HaRecover'];
const SCHEDULED = ['FindBehind', 'Reconcile'];

const INSTANCES = 'arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:instance/*';
const GROUPS =
  'arn:<AWS::Partition>:autoscaling:<AWS::Region>:<AWS::AccountId>:autoScalingGroup:*:autoScalingGroupName/*';
const EXECUTIONS = 'arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:STACK-ha-run:*';

/** By the kind of stack. */
export const ACKNOWLEDGED: Readonly<Record<'state' | 'control', readonly Acknowledged[]>> = {
  state: [
    {
      at: ['Heartbeats'],
      rule: 'AwsSolutions-DDB3',
      reason:
        'One small item per host that is written anew every few seconds: an older copy of it is of no use to anybody.',
    },
  ],
  control: [
    {
      at: ['FindBehind', 'Reconcile'],
      rule: 'Serverless-LambdaTracing',
      reason:
        'Called every minute, all month: traces would cost more than the calls. Their metrics and logs tell more.',
    },
    {
      at: TRACED,
      rule: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'X-Ray, and actions of EC2, Auto Scaling and SSM that only read: they know no resources. Each of them stands in lib/permissions.',
    },
    {
      at: ['HaRun/Workflow'],
      rule: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'Log delivery and X-Ray of Step Functions: their actions know no resources.',
    },
    {
      at: ['FindBehind', 'Reconcile', 'InstanceState', 'Api', 'HaRecover'],
      rule: `AwsSolutions-IAM5[Resource::${EXECUTIONS}]`,
      reason: 'DescribeExecution of the one workflow: the names of its executions are the names of runs.',
    },
    {
      at: ['HaInvestigate', 'HaFence'],
      rule: `AwsSolutions-IAM5[Resource::${INSTANCES}]`,
      reason:
        'Hosts come and go without a deployment. Which may be stopped or asked is said by the tag holdfast=host, a condition; one attribute is read of any.',
    },
    {
      at: ['HaFence'],
      rule: `AwsSolutions-IAM5[Resource::${GROUPS}]`,
      reason:
        'Which groups may be asked to keep what the fence stops is said by the tag holdfast=host, a condition of the statement.',
    },
    {
      at: ['DeadLetters'],
      rule: 'AwsSolutions-SQS3',
      reason: 'It is the dead-letter queue, of schedules and rules; the rule looks only for queues that point at it.',
    },
    {
      at: ['DeadLetters'],
      rule: 'Serverless-SQSRedrivePolicy',
      reason: 'It is the dead-letter queue, and nobody receives from it.',
    },
    {
      at: ['InstanceState'],
      rule: 'Serverless-LambdaDLQ',
      reason:
        'An event that it failed about is given to it twice more. Reconcile and the sweeps see what became of the machine without it; errors are alarmed, and its log says what it failed about.',
    },
    {
      at: ['InstanceState'],
      rule: 'Serverless-LambdaAsyncFailureDestination',
      reason: 'The same. What could not be delivered to it at all has a queue.',
    },
    {
      at: SCHEDULED,
      rule: 'Serverless-LambdaDLQ',
      reason:
        'A call that failed is followed by the next within a minute, which sees all that it would have seen; errors are alarmed.',
    },
    {
      at: SCHEDULED,
      rule: 'Serverless-LambdaAsyncFailureDestination',
      reason:
        'The same: a failed call has nothing left that somebody would have to read. What could not be delivered has a queue.',
    },
    {
      at: ['Api', 'HaInvestigate', 'HaFence', 'HaRecover'],
      rule: 'Serverless-LambdaDLQ',
      reason:
        'Called and waited for by the API or the workflow, which see every failure themselves. A self-test of the fence that failed comes again within the hour, and the doctor says how old the last one is.',
    },
    {
      at: ['Api', 'HaInvestigate', 'HaFence', 'HaRecover'],
      rule: 'Serverless-LambdaAsyncFailureDestination',
      reason: 'Nobody calls them without waiting; should somebody, the call is not repeated.',
    },
  ],
};

/** Runs both packs over the app at synth: after an error of theirs nothing is deployed. */
export function checkWithNag(app: App): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
}

export function acknowledge(stack: Stack, kind: keyof typeof ACKNOWLEDGED): void {
  for (const { at, rule, reason } of ACKNOWLEDGED[kind]) {
    const pack = rule.startsWith('Serverless-') ? 'Serverless' : 'AwsSolutions';
    const id = `${pack}::${rule.replaceAll('STACK', stack.stackName)}`;
    for (const path of at) Validations.of(found(stack, path)).acknowledge({ id, reason });
  }
}

/** An acknowledgement of what is no longer there would lie in wait for whatever comes to stand there. */
function found(stack: Stack, path: string): IConstruct {
  return path.split('/').reduce((at: IConstruct, id) => {
    const child = at.node.tryFindChild(id);
    invariant(child !== undefined, `a rule of cdk-nag is acknowledged at ${stack.stackName}/${path}, where nothing is`);
    return child;
  }, stack);
}
