import { HaError } from '../../core/failures/failures.ts';
import { awsPorts } from '../shared/aws.ts';
import { api } from './handler.ts';

/** The account whose instances are hosts, read off the workflow's own ARN: `arn:PARTITION:states:REGION:ACCOUNT:…`. */
function account(): { partition: string; region: string; id: string } {
  const [, partition, , region, id] = (process.env['HA_RUN_ARN'] ?? '').split(':');
  if (partition === undefined || region === undefined || id === undefined) {
    throw new HaError(
      'config_invalid',
      `environment variable HA_RUN_ARN must be an ARN, got ${process.env['HA_RUN_ARN'] ?? 'nothing'}`,
    );
  }
  return { partition, region, id };
}

export const handler = api(awsPorts(), { account: account() });
