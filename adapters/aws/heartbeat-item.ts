/** How a heartbeat stands in its table, and the two ways both sides read it. */
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { HaError } from '../../core/failures/failures.ts';
import { parseHeartbeat } from '../../core/protocol/heartbeat-parse.ts';
import type { Heartbeat } from '../../core/protocol/records.ts';
import type { Dynamo } from './dynamodb-client.ts';
import { fromItem, toAttribute } from './json-attributes.ts';
import type { Item } from './json-attributes.ts';

/** Partition key: the principal that IAM compares with the caller (S16). */
export const HEARTBEAT_KEY = 'pk';

export interface HeartbeatTable {
  readonly dynamo: Dynamo;
  readonly table: string;
}

export function keyOf(principal: string): Item {
  return { [HEARTBEAT_KEY]: { S: principal } };
}

/** Strongly consistent; the raw item, for what only the control plane reads from it. */
export async function readItem(
  { dynamo, table }: HeartbeatTable,
  principal: string,
  signal: AbortSignal,
): Promise<Item | undefined> {
  const get = new GetItemCommand({ TableName: table, Key: keyOf(principal), ConsistentRead: true });
  const answer = await dynamo.client.send(get, { abortSignal: signal });
  return answer.Item;
}

/** An item that nobody can read is no news about its host: unknown, as in an outage (S8). */
export function toHeartbeat(item: Item | undefined, what: string): Heartbeat {
  const parsed = parseHeartbeat(fromItem(item ?? {}));
  if ('heartbeat' in parsed) return parsed.heartbeat;
  throw new HaError('store_unavailable', `${what}: the stored heartbeat is malformed: ${parsed.malformed}`);
}

export function toHeartbeatIfAny(item: Item | undefined, what: string): Heartbeat | undefined {
  return item === undefined ? undefined : toHeartbeat(item, what);
}

/** `SET` of every field that is not undefined, all names by placeholder: `session`, `host` and `ttl` are reserved words of DynamoDB. */
export function setAll(fields: object): {
  readonly set: string;
  readonly names: Record<string, string>;
  readonly values: Record<string, AttributeValue>;
} {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return {
    set: `SET ${entries.map(([name]) => `#${name} = :${name}`).join(', ')}`,
    names: Object.fromEntries(entries.map(([name]) => [`#${name}`, name])),
    values: Object.fromEntries(entries.map(([name, value]) => [`:${name}`, toAttribute(value)])),
  };
}
