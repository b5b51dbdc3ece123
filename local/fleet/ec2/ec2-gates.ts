/** What EC2 refuses before it looks at an order itself: too many calls, no permission, and a DryRun. */
import type { Ec2Cloud } from './cloud.ts';
import { Ec2Error } from './ec2-error.ts';
import type { Parameters } from './ec2-parameters.ts';
import type { Ec2Mode } from './modes.ts';

/** `ids`: what the call is about; of a call about everything, every instance. */
export function isAny(cloud: Ec2Cloud, mode: Ec2Mode, ids: readonly string[]): boolean {
  const about = ids.length === 0 ? cloud.source.list().map(({ id }) => id) : ids;
  return about.some((id) => cloud.modes.has(mode, id));
}

export function refuseThrottled(cloud: Ec2Cloud, ids: readonly string[]): void {
  if (!isAny(cloud, 'throttled', ids)) return;
  throw new Ec2Error('RequestLimitExceeded', 'Request limit exceeded.', 503);
}

/** In this order, so that a DryRun says what IAM would. */
export function refuseOrder(cloud: Ec2Cloud, parameters: Parameters, ids: readonly string[]): void {
  refuseThrottled(cloud, ids);
  if (isAny(cloud, 'unauthorized', ids)) {
    throw new Ec2Error('UnauthorizedOperation', 'You are not authorized to perform this operation.', 403);
  }
  if (!parameters.flag('DryRun')) return;
  throw new Ec2Error('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412);
}
