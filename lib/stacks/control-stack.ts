import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { HaRun, haRunArn, haRunExecutions } from '../constructs/ha-run.ts';
import { HoldfastLambda, type Right } from '../constructs/lambda.ts';

export interface ControlStackProps extends StackProps {
  readonly heartbeats: Table;
  readonly registry: Table;
}

/** A loop of find-behind ends when the next one has claimed the observer; it outlives its minute by this margin. */
const SWEEP_TIMEOUT = Duration.seconds(120);
/** Steps that wait for a host long-poll for at most 20 s a call; the rest is for slow reads. */
const STEP_TIMEOUT = Duration.seconds(60);

/**
 * The tag that an operator puts on instances which Holdfast may stop and whose guards it may ask. It only narrows what a
 * Lambda can reach in the account: which instance is which host is bound in the registry, never by tags (S16).
 */
export const HOST_TAG = { key: 'holdfast', value: 'host' } as const;

/** The AWS document that runs a command; what is sent in it is `holdfast-agent check`. */
const CHECK_DOCUMENT = 'AWS-RunShellScript';

/** Everything that may be replaced at any time: it keeps nothing that the tables do not hold. */
export class ControlStack extends Stack {
  private readonly lambdaEnvironment: Readonly<Record<string, string>>;

  constructor(scope: Construct, id: string, props: ControlStackProps) {
    super(scope, id, props);
    const pages = new Topic(this, 'Pages', { displayName: 'Holdfast pages', enforceSSL: true });
    this.lambdaEnvironment = {
      HEARTBEATS_TABLE: props.heartbeats.tableName,
      REGISTRY_TABLE: props.registry.tableName,
      HA_RUN_ARN: haRunArn(this),
      PAGES_TOPIC_ARN: pages.topicArn,
    };

    const findBehind = this.lambda('FindBehind', 'find-behind', SWEEP_TIMEOUT);
    const reconcile = this.lambda('Reconcile', 'reconcile', STEP_TIMEOUT);
    const instanceState = this.lambda('InstanceState', 'instance-state', STEP_TIMEOUT);
    const api = this.lambda('Api', 'api', Duration.seconds(30));
    const steps = {
      HaInvestigate: this.lambda('HaInvestigate', 'ha-investigate', STEP_TIMEOUT),
      HaFence: this.lambda('HaFence', 'ha-fence', STEP_TIMEOUT),
      HaRecover: this.lambda('HaRecover', 'ha-recover', STEP_TIMEOUT),
    };

    const heartbeats = props.heartbeats.tableArn;
    const registry = props.registry.tableArn;
    const readAll: Right = { actions: ['dynamodb:Scan'], on: [heartbeats] };
    // Get to re-read, Update to revoke and to direct, Put for the tombstone of an item that is not there (S3).
    const revoke: Right = {
      actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:PutItem'],
      on: [heartbeats],
    };
    // Records are replaced as a whole, under their version: no UpdateItem.
    const record: Right = {
      actions: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:DeleteItem'],
      on: [registry],
    };
    const start: Right = { actions: ['states:StartExecution'], on: [haRunArn(this)] };
    const look: Right = { actions: ['states:DescribeExecution'], on: [haRunExecutions(this)] };
    const page: Right = { actions: ['sns:Publish'], on: [pages.topicArn] };

    const readOne: Right = { actions: ['dynamodb:GetItem'], on: [heartbeats] };
    const power = this.powerRights();

    findBehind.may(readAll, readOne, record, start, look, page);
    instanceState.may(readOne, record, start, look, power.read);
    reconcile.may(readAll, revoke, record, start, look, page);
    api.may(readAll, revoke, record, start, look, power.read);
    steps.HaInvestigate.may(readAll, readOne, record, power.read, ...power.ask);
    steps.HaFence.may(readAll, revoke, record, page, power.read, power.stop);
    steps.HaRecover.may(readAll, revoke, record, look, page);

    new HaRun(this, 'HaRun', steps);
    this.everyMinute('FindBehindSchedule', findBehind);
    this.everyMinute('ReconcileSchedule', reconcile);
    this.onStateChange('InstanceStateRule', instanceState);
    new CfnOutput(this, 'PagesTopic', { value: pages.topicArn, description: 'Subscribe whoever carries the pager.' });
  }

  private lambda(id: string, name: string, timeout: Duration): HoldfastLambda {
    return new HoldfastLambda(this, id, { name, timeout, environment: this.lambdaEnvironment });
  }

  /** EC2's Describe actions know no resources. Only the fence may stop, and nobody may start or terminate. */
  private powerRights(): { readonly read: Right; readonly stop: Right; readonly ask: readonly Right[] } {
    const instances = this.formatArn({ service: 'ec2', resource: 'instance', resourceName: '*' });
    const shell = this.formatArn({ service: 'ssm', account: '', resource: 'document', resourceName: CHECK_DOCUMENT });
    const { key, value } = HOST_TAG;
    return {
      read: { actions: ['ec2:DescribeInstances', 'ec2:DescribeInstanceStatus'], on: ['*'] },
      stop: {
        actions: ['ec2:StopInstances'],
        on: [instances],
        when: { StringEquals: { [`aws:ResourceTag/${key}`]: value } },
      },
      ask: [
        { actions: ['ssm:SendCommand'], on: [shell] },
        {
          actions: ['ssm:SendCommand'],
          on: [instances],
          when: { StringEquals: { [`ssm:resourceTag/${key}`]: value } },
        },
        { actions: ['ssm:GetCommandInvocation'], on: ['*'] },
      ],
    };
  }

  /** An event that comes late is of no use: find-behind has noticed by then. */
  private onStateChange(id: string, { fn }: HoldfastLambda): void {
    new Rule(this, id, {
      description: 'EC2 instances that change their state: read at once whether a host is off',
      eventPattern: { source: ['aws.ec2'], detailType: ['EC2 Instance State-change Notification'] },
      targets: [new LambdaFunction(fn, { retryAttempts: 2, maxEventAge: Duration.seconds(60) })],
    });
  }

  /** A late call is worth nothing, the next is due within the minute: no retry, where the target's default is 185. */
  private everyMinute(id: string, { fn }: HoldfastLambda): void {
    new Schedule(this, id, {
      schedule: ScheduleExpression.rate(Duration.minutes(1)),
      target: new LambdaInvoke(fn, {
        retryAttempts: 0,
        maxEventAge: Duration.seconds(60),
        input: ScheduleTargetInput.fromObject({}),
      }),
    });
  }
}
