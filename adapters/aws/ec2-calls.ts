/** One way to call EC2 and Auto Scaling: bounded, with retries counted in, and refusals in the words of the failure table. */
import { EC2Client } from '@aws-sdk/client-ec2';
import { HaError } from '../../core/failures/failures.ts';
import { type AwsPlace, clientSettings, httpStatusOf, reasonOf, withinBudget } from './bounded-call.ts';

/** EC2's throttle refills within a second; more attempts are the workflow's affair, which knows its budget. */
const ATTEMPTS = 3;
const CONNECT_MS = 1_000;
const REQUEST_MS = 4_000;
/** One read or one order with its retries. */
export const EC2_BUDGET_MS = 9_000;

/** Every code by which EC2 says "later" (user guide, "request throttling"), and what our own side of the way says. */
const LATER: readonly string[] = [
  ...['RequestLimitExceeded', 'Throttling', 'ThrottlingException', 'RequestThrottled', 'RequestThrottledException'],
  ...['TooManyRequestsException', 'BandwidthLimitExceeded', 'RequestResourceCountExceeded', 'SlowDown'],
  ...['InternalError', 'InternalFailure', 'ServiceUnavailable', 'Unavailable', 'timed_out', 'TimeoutError'],
  ...['AbortError', 'RequestTimeout', 'RequestTimeoutException', 'RequestExpired'],
  // Of Auto Scaling: another change of the group is under way.
  ...['ResourceContention', 'ResourceContentionFault', 'ScalingActivityInProgress', 'ScalingActivityInProgressFault'],
];

/** Codes that EC2 sends with status 500 or 503 although asking again at once is of no use. */
const REFUSED: readonly string[] = ['InsufficientInstanceCapacity', 'InsufficientHostCapacity'];

export const EC2_LIMITS = { attempts: ATTEMPTS, connectMs: CONNECT_MS, requestMs: REQUEST_MS };

export function ec2Client(place: AwsPlace): EC2Client {
  return new EC2Client(clientSettings(place, EC2_LIMITS));
}

export type Send<T> = (signal: AbortSignal) => Promise<T>;

/** A call whose faults are HaErrors; what AWS itself said is their cause (`awsReasonOf`). */
export async function called<T>(what: string, send: Send<T>): Promise<T> {
  try {
    return await withinBudget(what, EC2_BUDGET_MS, send);
  } catch (error) {
    throw toPowerFault(what, error);
  }
}

/** What AWS said, of an error of `called` as of one of the SDK. */
export function awsReasonOf(error: unknown): { readonly code: string; readonly text: string } {
  return reasonOf(error instanceof HaError && error.cause !== undefined ? error.cause : error);
}

export const wordsOf = (error: unknown): string => {
  const { code, text } = awsReasonOf(error);
  return `${code}: ${text}`;
};

function toPowerFault(what: string, error: unknown): HaError {
  if (error instanceof HaError && error.code === 'power_throttled') return error;
  const { code, text } = reasonOf(error);
  const status = httpStatusOf(error);
  // Without a status nobody answered: the order may have arrived or not, which asking again settles.
  const isLater = !REFUSED.includes(code) && (LATER.includes(code) || status === 0 || status === 429 || status >= 500);
  return isLater
    ? new HaError('power_throttled', `EC2 did not take the order, ${what}: ${code}: ${text}`, { cause: error })
    : new HaError('power_refused', `EC2 refused, ${what}: ${code}: ${text}`, { cause: error });
}
