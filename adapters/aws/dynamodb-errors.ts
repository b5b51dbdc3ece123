/**
 * Faults of DynamoDB and of the way to it, as codes of the failure table.
 *
 * Whatever the SDK reports about the world is a fault; only a request that DynamoDB calls invalid is our own bug and
 * passes through unchanged. A refused condition is neither: it is an answer.
 */
import { failureCode, HaError, messageOf } from '../../core/failures/failures.ts';
import type { FailureCode } from '../../core/failures/failures.ts';

const THROTTLED: readonly string[] = [
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'Throttling',
  'ThrottledException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'TooManyRequestsException',
  'LimitExceededException',
  'SlowDown',
];

const TIMED_OUT: readonly string[] = [
  'TimeoutError',
  'AbortError',
  'RequestTimeout',
  'RequestTimeoutException',
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
];

/** The SDK names a reset connection TimeoutError too, but nobody waited: the way was cut. */
const CUT: readonly string[] = ['ECONNRESET', 'EPIPE'];

const BUGS: readonly string[] = ['ValidationException', 'SerializationException', 'UnknownOperationException'];

/** What we can see of an SDK or Node error without trusting its class (Jest realms, several SDK copies). */
interface SdkError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly $fault?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number | undefined; readonly attempts?: number | undefined };
}

function sdkError(error: unknown): SdkError {
  return typeof error === 'object' && error !== null ? error : {};
}

export function isConditionRefused(error: unknown): boolean {
  return sdkError(error).name === 'ConditionalCheckFailedException';
}

/** How often the SDK sent the request; more than once means that an earlier attempt may have been committed. */
export function attemptsOf(error: unknown): number {
  return sdkError(error).$metadata?.attempts ?? 1;
}

/** The HaError to throw for `error`, or `error` itself if it is a bug or an HaError already. */
export function toFault(what: string, error: unknown): unknown {
  if (failureCode(error) !== undefined) return error;
  const code = faultCode(sdkError(error), messageOf(error));
  if (code === undefined) return error;
  const name = sdkError(error).name;
  return new HaError(code, `${what}: ${typeof name === 'string' ? `${name}: ` : ''}${messageOf(error)}`, {
    cause: error,
  });
}

function faultCode(error: SdkError, message: string): FailureCode | undefined {
  const words = [error.name, error.code].filter((word) => typeof word === 'string');
  const is = (list: readonly string[]): boolean => words.some((word) => list.includes(word));
  const status = error.$metadata?.httpStatusCode ?? 0;

  if (is(THROTTLED) || status === 429) return 'store_throttled';
  if (is(CUT)) return 'store_unavailable';
  if (is(TIMED_OUT)) return 'timed_out';
  if (status === 413 || /item size/i.test(message)) return 'limit_exceeded';
  // A field of a wrong type in the stored item: the item was damaged by hand, our request is sound.
  if (is(['ValidationException']) && /incorrect data type|type mismatch/i.test(message)) return 'store_unavailable';
  if (is(BUGS)) return undefined;
  // The rest is the way there or the service: network (`code`), 5xx, a missing table, credentials or rights that are not
  // there (yet: IAM is eventually consistent), answers that are not DynamoDB's. To a host each is an outage (S3).
  const fromTheWorld = error.$metadata !== undefined || error.$fault !== undefined || typeof error.code === 'string';
  return fromTheWorld || is(['CredentialsProviderError', 'TokenProviderError']) ? 'store_unavailable' : undefined;
}
