/** The control plane's side of the heartbeats table. */
import { PutItemCommand, ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { HaError } from '../../core/failures/failures.ts';
import type { Heartbeats, RevokeAnswer } from '../../core/ports.ts';
import { parseHeartbeat } from '../../core/protocol/heartbeat-parse.ts';
import { REVOKED_PREFIX } from '../../core/protocol/records.ts';
import type { Heartbeat } from '../../core/protocol/records.ts';
import { tombstoneOf } from '../../core/protocol/tombstone.ts';
import { HEARTBEAT_KEY, keyOf, readItem, toHeartbeat, toHeartbeatIfAny } from './heartbeat-item.ts';
import type { HeartbeatTable } from './heartbeat-item.ts';
import { fromAttribute, fromItem, toItem } from './json-attributes.ts';
import type { Item } from './json-attributes.ts';

/** 1 MB each: some 100,000 hosts. */
const SCAN_PAGES_MAX = 100;

export interface HeartbeatsOptions extends HeartbeatTable {
  /** Told of each item that a scan could not read and left out. */
  readonly onMalformed?: ((principal: string, why: string) => void) | undefined;
}

export function dynamoHeartbeats(store: HeartbeatsOptions): Heartbeats {
  return {
    scan: () => scan(store),
    read: (principal) => read(store, principal),
    revoke: (principal, session, seq, run) => revoke(store, { principal, session, seq, run }),
    tombstone: (principal, cluster, host, run, ttl) =>
      tombstone(store, tombstoneOf({ principal, cluster, host, run, ttl })),
    direct: (principal, n) => direct(store, principal, n),
    hurry: (principal, mark) => hurry(store, principal, mark),
  };
}

async function scan(store: HeartbeatsOptions): Promise<readonly Heartbeat[]> {
  const found: Heartbeat[] = [];
  let from: Item | undefined;
  for (let page = 0; page < SCAN_PAGES_MAX; page++) {
    const command = new ScanCommand({ TableName: store.table, ...(from && { ExclusiveStartKey: from }) });
    const answer = await store.dynamo.call('scan heartbeats', (signal) =>
      store.dynamo.client.send(command, { abortSignal: signal }),
    );
    for (const item of answer.Items ?? []) {
      const parsed = parseHeartbeat(fromItem(item));
      if ('heartbeat' in parsed) found.push(parsed.heartbeat);
      else store.onMalformed?.(item[HEARTBEAT_KEY]?.S ?? '', parsed.malformed);
    }
    from = answer.LastEvaluatedKey;
    if (from === undefined) return found;
  }
  throw new HaError('limit_exceeded', `the heartbeats table has more than ${SCAN_PAGES_MAX} pages of 1 MB`);
}

function read(store: HeartbeatTable, principal: string): Promise<Heartbeat | undefined> {
  return store.dynamo.call('read heartbeat', async (signal) =>
    toHeartbeatIfAny(await readItem(store, principal, signal), 'read heartbeat'),
  );
}

interface RevokeRequest {
  readonly principal: string;
  readonly session: string;
  readonly seq: number;
  readonly run: string;
}

async function revoke(store: HeartbeatTable, request: RevokeRequest): Promise<RevokeAnswer> {
  const { principal, session, seq, run } = request;
  const command = new UpdateItemCommand({
    TableName: store.table,
    Key: keyOf(principal),
    ConditionExpression: '#session = :session AND #seq = :seq',
    // What was ended is kept, so that a run whose answer was lost can be told it again.
    UpdateExpression: 'SET #session = :revoked, #revokedSession = :session, #revokedSeq = :seq',
    ExpressionAttributeNames: {
      '#session': 'session',
      '#seq': 'seq',
      '#revokedSession': 'revokedSession',
      '#revokedSeq': 'revokedSeq',
    },
    ExpressionAttributeValues: {
      ':session': { S: session },
      ':seq': { N: String(seq) },
      ':revoked': { S: REVOKED_PREFIX + run },
    },
    ReturnValues: 'ALL_OLD',
  });
  const answer = await store.dynamo.callIf('revoke', (signal) =>
    store.dynamo.client.send(command, { abortSignal: signal }),
  );
  if ('done' in answer) return { outcome: 'revoked', heartbeat: toHeartbeat(answer.done.Attributes, 'revoke') };

  const item = await store.dynamo.call('revoke', (signal) => readItem(store, principal, signal));
  const found = toHeartbeatIfAny(item, 'revoke');
  if (found === undefined || !wasRevokedBy(item ?? {}, request)) return { outcome: 'refused', found };
  // A revoked session cannot renew, so lists and slots still are those that the revocation found.
  return { outcome: 'revoked', heartbeat: { ...found, session, seq } };
}

function wasRevokedBy(item: Item, { session, seq, run }: RevokeRequest): boolean {
  const field = (name: string): unknown => (item[name] === undefined ? undefined : fromAttribute(item[name]));
  return (
    field('session') === REVOKED_PREFIX + run && field('revokedSession') === session && field('revokedSeq') === seq
  );
}

async function tombstone(store: HeartbeatTable, stone: Heartbeat): Promise<boolean> {
  const { principal, ...fields } = stone;
  const command = new PutItemCommand({
    TableName: store.table,
    Item: { ...keyOf(principal), ...toItem(fields) },
    ConditionExpression: `attribute_not_exists(${HEARTBEAT_KEY})`,
  });
  const answer = await store.dynamo.callIf('tombstone', (signal) =>
    store.dynamo.client.send(command, { abortSignal: signal }),
  );
  if ('done' in answer) return true;
  // The SDK may have sent it twice, the first time with success.
  const found = await read(store, principal);
  return found?.session === stone.session && found.machine === stone.machine;
}

async function direct(store: HeartbeatTable, principal: string, n: number): Promise<void> {
  const command = new UpdateItemCommand({
    TableName: store.table,
    Key: keyOf(principal),
    ConditionExpression: `attribute_exists(${HEARTBEAT_KEY}) AND (attribute_not_exists(#directive) OR #directive < :n)`,
    UpdateExpression: 'SET #directive = :n',
    ExpressionAttributeNames: { '#directive': 'directive' },
    ExpressionAttributeValues: { ':n': { N: String(n) } },
  });
  // Refused: a higher number stands there, or no item, and then there is nobody to obey.
  await store.dynamo.callIf('direct', (signal) => store.dynamo.client.send(command, { abortSignal: signal }));
}

async function hurry(store: HeartbeatTable, principal: string, mark: number): Promise<void> {
  const command = new UpdateItemCommand({
    TableName: store.table,
    Key: keyOf(principal),
    ConditionExpression: `attribute_exists(${HEARTBEAT_KEY})`,
    UpdateExpression: 'SET #hurry = :mark',
    ExpressionAttributeNames: { '#hurry': 'hurry' },
    ExpressionAttributeValues: { ':mark': { N: String(mark) } },
  });
  await store.dynamo.callIf('hurry', (signal) => store.dynamo.client.send(command, { abortSignal: signal }));
}
