/** What calls the control plane by itself: schedules, and what EC2 and AWS Health say of instances. */
import { Duration, Stack } from 'aws-cdk-lib';
import { type EventPattern, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { type IRole, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import type { DeadLetters } from './dead-letters.ts';
import type { HoldfastLambda } from './lambda.ts';

/** Neither a schedule nor an event is of use later: the next one is due, or find-behind has noticed. */
const USEFUL = Duration.seconds(60);

/** Each is a rule of its own, so that one can be switched off alone. All go to instance-state; none is evidence (S7). */
const INSTANCE_EVENTS = {
  StateChange: {
    description: 'EC2 instances that change their state: read at once whether a host is off',
    pattern: { source: ['aws.ec2'], detailType: ['EC2 Instance State-change Notification'] },
  },
  SpotInterruption: {
    description: 'Spot instances that EC2 takes back in two minutes',
    pattern: { source: ['aws.ec2'], detailType: ['EC2 Spot Instance Interruption Warning'] },
  },
  Rebalance: {
    description: 'Spot instances that EC2 may soon take back',
    pattern: { source: ['aws.ec2'], detailType: ['EC2 Instance Rebalance Recommendation'] },
  },
  // Scheduled reboots, retirements and maintenance come as these, too: EC2 itself sends no event of them.
  Health: {
    description: 'AWS Health about EC2: impaired hardware, retirements, scheduled maintenance',
    pattern: { source: ['aws.health'], detailType: ['AWS Health Event'], detail: { service: ['EC2'] } },
  },
} as const satisfies Record<string, { readonly description: string; readonly pattern: EventPattern }>;

export interface TriggersProps {
  readonly findBehind: HoldfastLambda;
  readonly reconcile: HoldfastLambda;
  readonly instanceState: HoldfastLambda;
  readonly haFence: HoldfastLambda;
  readonly deadLetters: DeadLetters;
  /** Whether find-behind sweeps once a call, instead of until the next call. */
  readonly sweepsOnce: boolean;
}

export class Triggers extends Construct {
  constructor(scope: Construct, id: string, props: TriggersProps) {
    super(scope, id);
    const { findBehind, reconcile, instanceState, haFence, deadLetters, sweepsOnce } = props;
    const role = this.schedulerRole(props);
    const every = (rate: Duration, name: string, { fn }: HoldfastLambda, input: object): void => {
      new Schedule(this, name, {
        description: `${name}, every ${rate.toHumanString()}`,
        schedule: ScheduleExpression.rate(rate),
        // No retry, where the target's default is 185 over a day: an outage would end in a burst of stale calls.
        target: new LambdaInvoke(fn, {
          role,
          retryAttempts: 0,
          maxEventAge: USEFUL,
          deadLetterQueue: deadLetters.queue,
          input: ScheduleTargetInput.fromObject(input),
        }),
      });
    };
    const minute = Duration.minutes(1);
    every(minute, 'FindBehind', findBehind, sweepsOnce ? { once: true } : {});
    every(minute, 'Reconcile', reconcile, {});
    // Asks EC2 whether a fence would be let through; the doctor says what came of it.
    every(Duration.hours(1), 'FenceTest', haFence, { step: 'self-test' });
    for (const [name, { description, pattern }] of Object.entries(INSTANCE_EVENTS)) {
      new Rule(this, name, {
        description,
        eventPattern: pattern,
        targets: [
          new LambdaFunction(instanceState.fn, {
            retryAttempts: 2,
            maxEventAge: USEFUL,
            deadLetterQueue: deadLetters.queue,
          }),
        ],
      });
    }
  }

  /** A role of our own: the target's default one may call every version and alias of the Lambdas. */
  private schedulerRole({ findBehind, reconcile, haFence, deadLetters }: TriggersProps): IRole {
    const role = new Role(this, 'SchedulerRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: 'Scheduler calls find-behind, reconcile and ha-fence',
    });
    const called = [findBehind, reconcile, haFence].map(({ fn }) => fn.functionArn);
    role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: called }));
    const { queueArn } = deadLetters.queue;
    role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queueArn] }));
    return role.withoutPolicyUpdates();
  }
}
