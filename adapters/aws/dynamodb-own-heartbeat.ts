/** A host's side of its heartbeat. Imports nothing of the control plane: this is what an agent loads. */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { HaError } from '../../core/failures/failures.ts';
import type { OwnHeartbeat, RegisterAnswer, RenewAnswer } from '../../core/ports.ts';
import { isOvertaken, sentIn } from '../../core/protocol/overtaken.ts';
import type { Beat, Registration } from '../../core/protocol/records.ts';
import { orRefused } from './dynamodb-client.ts';
import { HEARTBEAT_KEY, keyOf, readItem, setAll, toHeartbeat, toHeartbeatIfAny } from './heartbeat-item.ts';
import type { HeartbeatTable } from './heartbeat-item.ts';

export interface OwnHeartbeatTable extends HeartbeatTable {
  readonly principal: string;
}

export function dynamoOwnHeartbeat(own: OwnHeartbeatTable): OwnHeartbeat {
  return {
    read: () =>
      own.dynamo.call('read own heartbeat', async (signal) =>
        toHeartbeatIfAny(await readItem(own, own.principal, signal), 'read own heartbeat'),
      ),
    register: (registration, expected, beat, ttl) =>
      own.dynamo.call('register', (signal) => register(own, { registration, expected, beat, ttl }, signal)),
    renew: (session, beat, ttl, capMs) =>
      own.dynamo.call('renew', (signal) => renew(own, { session, beat, ttl }, signal), capMs),
  };
}

interface RegisterRequest {
  readonly registration: Registration;
  readonly expected: string | null;
  readonly beat: Beat;
  readonly ttl: number;
}

async function register(
  own: OwnHeartbeatTable,
  request: RegisterRequest,
  signal: AbortSignal,
): Promise<RegisterAnswer> {
  const { registration, expected } = request;
  // A caller whose answer was lost reads its own session and tries again with it. Writing then would set seq back to 1
  // within a session (S2).
  if (expected !== registration.session) {
    const answer = await orRefused(own.dynamo.client.send(registerCommand(own, request), { abortSignal: signal }));
    if ('done' in answer) {
      return { outcome: 'registered', heartbeat: toHeartbeat(answer.done.Attributes, 'register') };
    }
  }
  const found = toHeartbeatIfAny(await readItem(own, own.principal, signal), 'register');
  if (found?.session === registration.session) return { outcome: 'registered', heartbeat: found };
  return { outcome: 'refused', found };
}

function registerCommand(own: OwnHeartbeatTable, request: RegisterRequest): UpdateItemCommand {
  const { registration, expected, beat, ttl } = request;
  // An update, not a put: `directive` and `hurry` belong to the control plane and outlive sessions.
  const { set, names, values } = setAll({
    ...registration,
    ...beat,
    ...sentIn(registration.session, beat),
    ttl,
    seq: 1,
  });
  // What the session before left there is of another clock.
  const forget = beat.sentAtBootMs === undefined ? ' REMOVE #sentAtBootMs' : '';
  return new UpdateItemCommand({
    TableName: own.table,
    Key: keyOf(own.principal),
    ConditionExpression: expected === null ? `attribute_not_exists(${HEARTBEAT_KEY})` : '#session = :expected',
    UpdateExpression: set + forget,
    ExpressionAttributeNames: { ...names, '#sentAtBootMs': 'sentAtBootMs' },
    ExpressionAttributeValues: expected === null ? values : { ...values, ':expected': { S: expected } },
    ReturnValues: 'ALL_NEW',
  });
}

interface RenewRequest {
  readonly session: string;
  readonly beat: Beat;
  readonly ttl: number;
}

async function renew(own: OwnHeartbeatTable, request: RenewRequest, signal: AbortSignal): Promise<RenewAnswer> {
  const { set, names, values } = setAll({
    ...request.beat,
    ...sentIn(request.session, request.beat),
    ttl: request.ttl,
  });
  const ifLater =
    request.beat.sentAtBootMs === undefined
      ? ''
      : ' AND (attribute_not_exists(#sentAtBootMs) OR attribute_not_exists(#sentIn) OR #sentIn <> :mine OR #sentAtBootMs < :sentAtBootMs)';
  const update = new UpdateItemCommand({
    TableName: own.table,
    Key: keyOf(own.principal),
    // False for a missing item as well, so that renewing never re-creates one (S3).
    ConditionExpression: `#session = :mine${ifLater}`,
    UpdateExpression: `${set} ADD #seq :one`,
    ExpressionAttributeNames: { ...names, '#session': 'session', '#seq': 'seq' },
    ExpressionAttributeValues: { ...values, ':mine': { S: request.session }, ':one': { N: '1' } },
    ReturnValues: 'ALL_NEW',
  });
  const answer = await orRefused(own.dynamo.client.send(update, { abortSignal: signal }));
  if ('done' in answer) return { outcome: 'renewed', heartbeat: toHeartbeat(answer.done.Attributes, 'renew') };

  const found = toHeartbeatIfAny(await readItem(own, own.principal, signal), 'renew');
  if (found === undefined) return { outcome: 'missing' };
  // Only the sight of another session ends this one (S3).
  if (found.session !== request.session) return { outcome: 'refused', found };
  if (isOvertaken(found, request.beat)) return { outcome: 'overtaken' };
  // Refused, and yet still mine and with nothing later in it: a contradiction, which is no answer (S8).
  throw new HaError('store_unavailable', `renew: contradiction: refused, but the item still shows ${found.session}`);
}
