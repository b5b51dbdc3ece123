/**
 * Registry records: items {PK, SK, v, w} with `json` or `gz`, each changed by one conditional write on its version `v`.
 *
 * `json` is the body as text, which an operator can read and search (`contains`) in the DynamoDB console. Nested attributes
 * would cost several times as much to read, and a large cluster reads hundreds of records at once. Long text is compressed, in
 * `gz`: an assignment repeats what its groups have in common, and with hundreds of groups would outgrow an item. Records that
 * were written as nested attributes, in `body`, are read as well, and become text with their next change.
 *
 * `w` names the write. The SDK sends a write again when the answer is lost, and the second sending is refused by the success
 * of the first; without `w` the caller would be told `conflict` about a write that stands.
 */
import { randomUUID } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { DeleteItemCommand, GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { HaError } from '../../core/failures/failures.ts';
import { invariant } from '../../core/failures/invariant.ts';
import type { Registry } from '../../core/ports.ts';
import type { Key, Stored } from '../../core/protocol/records.ts';
import type { Dynamo } from './dynamodb-client.ts';
import { fromAttribute, jsonText } from './json-attributes.ts';
import type { Item } from './json-attributes.ts';

const PAGES_MAX = 1_000;
/** Characters from which on text is compressed. */
const LONG = 16_384;
/** Of text that is unpacked. Hosts write records too: a small item shall not become memory without bounds. */
const TEXT_BYTES_MAX = 8 * 2 ** 20;

export interface RegistryTable {
  readonly dynamo: Dynamo;
  readonly table: string;
}

export function dynamoRegistry(store: RegistryTable): Registry {
  return {
    get: async <T>(key: Key) => {
      const item = await readItem(store, key);
      return item === undefined ? undefined : toStored<T>(item);
    },
    put: (key, body, expected) => put(store, { key, body, expected }),
    remove: (key, expected) => remove(store, key, expected),
    query: <T>(pk: string, options: QueryOptions) => query<T>(store, pk, options),
  };
}

function itemKey({ pk, sk }: Key): Item {
  return { PK: { S: pk }, SK: { S: sk } };
}

async function readItem({ dynamo, table }: RegistryTable, key: Key): Promise<Item | undefined> {
  const command = new GetItemCommand({ TableName: table, Key: itemKey(key), ConsistentRead: true });
  const answer = await dynamo.call(`get ${nameOf(key)}`, (signal) =>
    dynamo.client.send(command, { abortSignal: signal }),
  );
  return answer.Item;
}

/** A record without key, version or body was damaged by hand: leaving it out would make a group or a host vanish. */
function toStored<T>(item: Item): Stored<T> {
  const { PK, SK, v } = item;
  const version = Number(v?.N);
  const body = bodyOf(item);
  if (PK?.S === undefined || SK?.S === undefined || !Number.isSafeInteger(version) || body === undefined) {
    throw new HaError(
      'protocol_mismatch',
      `registry record ${PK?.S} / ${SK?.S} is malformed: it needs v and a body, in json or gz`,
    );
  }
  // The caller names the type of what it stored under this key.
  return { key: { pk: PK.S, sk: SK.S }, version, body: body as T };
}

/** undefined: none, or one that is no JSON. */
function bodyOf({ json, gz, body }: Item): unknown {
  if (json === undefined && gz === undefined) return body === undefined ? undefined : fromAttribute(body);
  try {
    const text = json?.S ?? gunzipSync(gz?.B ?? '', { maxOutputLength: TEXT_BYTES_MAX }).toString();
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textOf(body: unknown): Item {
  const text = jsonText(body);
  if (text.length < LONG) return { json: { S: text } };
  const bytes = Buffer.from(text);
  if (bytes.length > TEXT_BYTES_MAX) {
    throw new HaError('limit_exceeded', `a record has ${bytes.length} bytes of text, over ${TEXT_BYTES_MAX}`);
  }
  return { gz: { B: gzipSync(bytes) } };
}

interface PutRequest {
  readonly key: Key;
  readonly body: unknown;
  readonly expected: number | null;
}

async function put(store: RegistryTable, request: PutRequest): Promise<'written' | 'conflict'> {
  const { key, body, expected } = request;
  const version = (expected ?? 0) + 1;
  const write = randomUUID();
  const command = new PutItemCommand({
    TableName: store.table,
    Item: { ...itemKey(key), v: { N: String(version) }, w: { S: write }, ...textOf(body) },
    ...(expected === null ? { ConditionExpression: 'attribute_not_exists(PK)' } : ifVersion(expected)),
  });
  const answer = await store.dynamo.callIf(`put ${nameOf(key)}`, (signal) =>
    store.dynamo.client.send(command, { abortSignal: signal }),
  );
  if ('done' in answer) return 'written';
  if (answer.refusedAfter === 1) return 'conflict';

  const found = await readItem(store, key);
  if (found?.w?.S === write) return 'written';
  if (found !== undefined && Number(found.v?.N) === version) return 'conflict';
  throw unknowable(`put ${nameOf(key)}`);
}

async function remove(store: RegistryTable, key: Key, expected: number): Promise<'removed' | 'conflict'> {
  const command = new DeleteItemCommand({ TableName: store.table, Key: itemKey(key), ...ifVersion(expected) });
  const answer = await store.dynamo.callIf(`remove ${nameOf(key)}`, (signal) =>
    store.dynamo.client.send(command, { abortSignal: signal }),
  );
  if ('done' in answer) return 'removed';
  if (answer.refusedAfter === 1) return 'conflict';
  throw unknowable(`remove ${nameOf(key)}`);
}

/** Our first sending may have been committed and changed again by others since. The caller reads and decides anew. */
function unknowable(what: string): HaError {
  return new HaError(
    'store_unavailable',
    `${what}: an answer was lost, and what stands now does not say whether it was done`,
  );
}

function ifVersion(expected: number) {
  return { ConditionExpression: 'v = :expected', ExpressionAttributeValues: { ':expected': { N: String(expected) } } };
}

interface QueryOptions {
  readonly prefix?: string;
  readonly limit: number;
  readonly newestFirst?: boolean;
  /** Only sort keys below this one: the last one of the page before, when newest come first. */
  readonly before?: string;
}

async function query<T>(store: RegistryTable, pk: string, options: QueryOptions): Promise<readonly Stored<T>[]> {
  const { prefix = '', limit, newestFirst = false, before } = options;
  invariant(Number.isSafeInteger(limit) && limit > 0, `a query needs a limit of 1 or more, got ${limit}`);
  const range = sortRange(prefix, before);
  if (range === 'empty') return [];
  const records: Stored<T>[] = [];
  let from: Item | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const command = new QueryCommand({
      TableName: store.table,
      KeyConditionExpression: `PK = :pk${range.condition}`,
      ExpressionAttributeValues: { ':pk': { S: pk }, ...range.values },
      ConsistentRead: true,
      ScanIndexForward: !newestFirst,
      // One more, because a range may end in `before` itself.
      Limit: limit - records.length + 1,
      ...(from && { ExclusiveStartKey: from }),
    });
    const answer = await store.dynamo.call(`query ${pk}`, (signal) =>
      store.dynamo.client.send(command, { abortSignal: signal }),
    );
    records.push(...(answer.Items ?? []).filter((item) => item['SK']?.S !== before).map((item) => toStored<T>(item)));
    from = answer.LastEvaluatedKey;
    if (records.length >= limit || from === undefined) return records.slice(0, limit);
  }
  throw new HaError('limit_exceeded', `query ${pk}: more than ${PAGES_MAX} pages`);
}

type SortRange = 'empty' | { readonly condition: string; readonly values: Item };

/** A key condition takes one comparison of the sort key, so prefix and `before` become one range. */
function sortRange(prefix: string, before: string | undefined): SortRange {
  if (before === undefined) {
    if (prefix === '') return { condition: '', values: {} };
    return { condition: ' AND begins_with(SK, :prefix)', values: { ':prefix': { S: prefix } } };
  }
  if (prefix === '') {
    return before === '' ? 'empty' : { condition: ' AND SK < :before', values: { ':before': { S: before } } };
  }
  // DynamoDB orders by UTF-8 bytes, and refuses a range whose ends are the wrong way round.
  if (Buffer.compare(Buffer.from(before), Buffer.from(prefix)) <= 0) return 'empty';
  if (!before.startsWith(prefix)) return sortRange(prefix, undefined);
  return {
    condition: ' AND SK BETWEEN :prefix AND :before',
    values: { ':prefix': { S: prefix }, ':before': { S: before } },
  };
}

function nameOf({ pk, sk }: Key): string {
  return `${pk} / ${sk}`;
}
