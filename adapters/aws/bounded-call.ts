/**
 * Settings of AWS clients whose calls end: the SDK waits for ever by default, and only warns when a time-out has passed.
 * The handler bounds one attempt up to the head of its answer; `withinBudget` bounds the whole call with its retries,
 * the fetching of credentials and the answer's body.
 */
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { HaError } from '../../core/failures/failures.ts';
import type { Millis } from '../../core/time/time.ts';
import type { CredentialsProvider } from './steady-credentials.ts';

/** Where AWS is. Without `credentials` the SDK's own chain finds them (instance profile, Lambda role); `endpoint` is for local mode. */
export interface AwsPlace {
  readonly region: string;
  readonly endpoint?: string | undefined;
  readonly credentials?:
    | { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
    | CredentialsProvider
    | undefined;
}

export interface AttemptLimits {
  /** Times that the SDK sends a request before it gives up. */
  readonly attempts: number;
  /** Until a new connection stands. */
  readonly connectMs: Millis;
  /** From sending one attempt to the head of its answer. */
  readonly requestMs: Millis;
  /** Connections kept at most; absent: as many as the SDK's handler allows. */
  readonly sockets?: number | undefined;
}

export function clientSettings(place: AwsPlace, limits: AttemptLimits) {
  const agent = limits.sockets === undefined ? undefined : { keepAlive: true, maxSockets: limits.sockets };
  return {
    region: place.region,
    maxAttempts: limits.attempts,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: limits.connectMs,
      requestTimeout: limits.requestMs,
      throwOnRequestTimeout: true,
      ...(agent === undefined ? {} : { httpAgent: agent, httpsAgent: agent }),
    }),
    ...(place.endpoint === undefined ? {} : { endpoint: place.endpoint }),
    ...credentialsOf(place),
  };
}

function credentialsOf({ credentials }: AwsPlace) {
  if (credentials === undefined) return {};
  // A copy of an object: the SDK writes into what it is given.
  return { credentials: typeof credentials === 'function' ? credentials : { ...credentials } };
}

/** Ends within `capMs` even if `send` ignores the signal; then throws `timed_out`. Other errors pass through. */
export async function withinBudget<T>(
  what: string,
  capMs: Millis,
  send: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new HaError('timed_out', `${what}: no answer within ${capMs} ms`));
      abort.abort();
    }, capMs);
  });
  try {
    return await Promise.race([send(abort.signal), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** The words by which AWS tells us its reason: the error's code, then its message. */
export function reasonOf(error: unknown): { readonly code: string; readonly text: string } {
  if (typeof error !== 'object' || error === null) return { code: 'Unknown', text: String(error) };
  const name = 'name' in error && typeof error.name === 'string' && error.name !== '' ? error.name : 'Unknown';
  const text = 'message' in error && typeof error.message === 'string' ? error.message : '';
  return { code: name, text };
}

export function httpStatusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return 0;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return 0;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : 0;
}
