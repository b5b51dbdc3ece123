import { Stack } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { DeadLetters } from './dead-letters.ts';

export interface PagesProps {
  readonly topicName: string;
  readonly emails: readonly string[];
  /** Takes the calls that could not be delivered to one of them. */
  readonly deadLetters: DeadLetters;
}

/** Where a person is called: by the control plane itself, and by alarms about it. */
export class Pages extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { topicName, emails, deadLetters }: PagesProps) {
    super(scope, id);
    this.topic = new Topic(this, 'Topic', { topicName, displayName: 'Holdfast pages', enforceSSL: true });
    const undelivered = { deadLetterQueue: deadLetters.queue };
    for (const email of emails) this.topic.addSubscription(new EmailSubscription(email, undelivered));
    // A topic with a policy of its own has no longer the default one, under which alarms may publish.
    this.topic.grantPublish(
      new ServicePrincipal('cloudwatch.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
  }
}
