/**
 * The DynamoDB client, with limits that are enforced (`bounded-call.ts`), and its errors as faults or as refused conditions.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Millis } from '../../core/time/time.ts';
import { type AttemptLimits, type AwsPlace, clientSettings, withinBudget } from './bounded-call.ts';
import { attemptsOf, isConditionRefused, toFault } from './dynamodb-errors.ts';

export interface CallLimits extends AttemptLimits {
  /** All attempts of one call together. */
  readonly budgetMs: Millis;
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

export function createDynamo(place: AwsPlace, limits: CallLimits): Dynamo {
  const client = new DynamoDBClient(clientSettings(place, limits));
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

async function bounded<T>(what: string, capMs: Millis, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await withinBudget(what, capMs, send);
  } catch (error) {
    if (isConditionRefused(error)) throw error;
    throw toFault(what, error);
  }
}
