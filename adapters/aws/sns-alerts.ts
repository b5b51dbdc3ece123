/** Pages go to a topic; who listens is the operators' business. */
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import type { Alerts } from '../../core/ports.ts';
import { type AwsPlace, clientSettings, withinBudget } from './bounded-call.ts';

const LIMITS = { attempts: 3, connectMs: 1_000, requestMs: 3_000 };
/** One call with its retries: who pages has other things to do than to wait for a topic. */
const BUDGET_MS = 8_000;

/** SNS refuses longer subjects ("less than 100"), and line breaks and other control characters in them. */
const SUBJECT_MAX = 99;

export function snsAlerts(options: AwsPlace & { readonly topicArn: string }): Alerts {
  const client = new SNSClient(clientSettings(options, LIMITS));
  return {
    async page(subject, text) {
      const line = `Holdfast: ${subject}`
        .replaceAll(/[\s\p{Cc}]+/gu, ' ')
        .slice(0, SUBJECT_MAX)
        .toWellFormed();
      try {
        const publish = new PublishCommand({ TopicArn: options.topicArn, Subject: line, Message: text });
        await withinBudget('Publish', BUDGET_MS, (abortSignal) => client.send(publish, { abortSignal }));
      } catch (error) {
        throw new HaError('store_unavailable', `SNS, publish: ${messageOf(error)}`, { cause: error });
      }
    },
  };
}
