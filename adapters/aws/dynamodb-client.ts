/**
 * The DynamoDB client with limits that are enforced: the SDK itself waits for ever by default, and only warns when a
 * request time-out has passed.
 *
 * A call is bounded twice. The request handler bounds one attempt up to the answer's headers and drops its socket, so that
 * a dead connection is not used again. `budgetMs` bounds the whole call, with what no handler covers: fetching
 * credentials, waiting for a free socket, the answer's body, back-off between attempts.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { HaError } from '../../core/failures/failures.ts';
import type { Millis } from '../../core/time/time.ts';
import { attemptsOf, isConditionRefused, toFault } from './dynamodb-errors.ts';

/** Where the tables are. Without `credentials` the SDK's own chain finds them (instance profile, Lambda role). */
export interface DynamoPlace {
  readonly region: string;
  readonly endpoint?: string | undefined;
  readonly credentials?:
    { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string } | undefined;
}

export interface CallLimits {
  /** Times that the SDK sends a request before it gives up. */
  readonly attempts: number;
  /** Until a new connection stands. */
  readonly connectMs: Millis;
  /** From sending one attempt to the head of its answer. */
  readonly requestMs: Millis;
  /** All attempts of one call together. */
  readonly budgetMs: Millis;
  /** Connections kept at most. */
  readonly sockets: number;
}

/** A host sends each request once: a retry is a new renewal with its own t_send (S2). `capMs` is at least r (V1). */
export function hostLimits(capMs: Millis): CallLimits {
  return { attempts: 1, connectMs: capMs, requestMs: capMs, budgetMs: capMs, sockets: 4 };
}

/** Lambdas and operators' tools. */
export const CONTROL_LIMITS: CallLimits = {
  attempts: 3,
  connectMs: 1_000,
  requestMs: 2_000,
  budgetMs: 5_000,
  sockets: 50,
};

/** Answer to a conditional write: done, or refused after the SDK had sent it `attempts` times. */
export type Conditional<T> = { readonly done: T } | { readonly refusedAfter: number };

export interface Dynamo {
  readonly client: DynamoDBClient;
  /** Runs `send` within `capMs` (default: the budget). Throws HaError for faults; a refused condition passes through. */
  call<T>(what: string, send: (signal: AbortSignal) => Promise<T>, capMs?: Millis): Promise<T>;
  /** The same for a conditional write. */
  callIf<T>(what: string, send: (signal: AbortSignal) => Promise<T>): Promise<Conditional<T>>;
  readonly close: () => void;
}

export function createDynamo(place: DynamoPlace, limits: CallLimits): Dynamo {
  const agent = { keepAlive: true, maxSockets: limits.sockets };
  const client = new DynamoDBClient({
    region: place.region,
    maxAttempts: limits.attempts,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: limits.connectMs,
      requestTimeout: limits.requestMs,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    }),
    ...(place.endpoint === undefined ? {} : { endpoint: place.endpoint }),
    // A copy: the SDK writes into the object it is given.
    ...(place.credentials === undefined ? {} : { credentials: { ...place.credentials } }),
  });
  // It copies every answer, attribute by attribute, for a log that is thrown away: half the cost of reading a table.
  client.middlewareStack.remove('loggerMiddleware');
  const call: Dynamo['call'] = (what, send, capMs = limits.budgetMs) => bounded(what, capMs, send);
  return {
    client,
    call,
    callIf: (what, send) => orRefused(call(what, send)),
    close: () => client.destroy(),
  };
}

/** Turns a refused condition into a value. */
export async function orRefused<T>(sent: Promise<T>): Promise<Conditional<T>> {
  try {
    return { done: await sent };
  } catch (error) {
    if (isConditionRefused(error)) return { refusedAfter: attemptsOf(error) };
    throw error;
  }
}

/** Ends within `capMs` even if `send` ignores the signal, as the fetching of credentials does. */
async function bounded<T>(what: string, capMs: Millis, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
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
  } catch (error) {
    if (isConditionRefused(error)) throw error;
    throw toFault(what, error);
  } finally {
    clearTimeout(timer);
  }
}
