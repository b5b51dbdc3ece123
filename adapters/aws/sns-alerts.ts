/** Pages go to a topic; who listens is the operators' business. */
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import type { Alerts } from '../../core/ports.ts';

/** SNS refuses longer subjects, and line breaks in them. */
const SUBJECT_MAX = 100;

export function snsAlerts(options: {
  readonly region: string;
  readonly topicArn: string;
  readonly endpoint?: string;
}): Alerts {
  const client = new SNSClient({
    region: options.region,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
  });
  return {
    async page(subject, text) {
      const line = `Holdfast: ${subject}`.replaceAll(/\s+/g, ' ').slice(0, SUBJECT_MAX);
      try {
        await client.send(new PublishCommand({ TopicArn: options.topicArn, Subject: line, Message: text }));
      } catch (error) {
        throw new HaError('store_unavailable', `SNS, publish: ${messageOf(error)}`, { cause: error });
      }
    },
  };
}
