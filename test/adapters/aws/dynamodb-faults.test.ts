import { afterEach, describe, expect, test } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { createDynamo, CONTROL_LIMITS, hostLimits } from '../../../adapters/aws/dynamodb-client.ts';
import type { CallLimits, Dynamo } from '../../../adapters/aws/dynamodb-client.ts';
import { dynamoHeartbeats } from '../../../adapters/aws/dynamodb-heartbeats.ts';
import { dynamoOwnHeartbeat } from '../../../adapters/aws/dynamodb-own-heartbeat.ts';
import { dynamoRegistry } from '../../../adapters/aws/dynamodb-registry.ts';
import { ensureTables } from '../../../adapters/aws/dynamodb-tables.ts';
import { toItem } from '../../../adapters/aws/json-attributes.ts';
import { startEmulator } from '../../../local/emulator.ts';
import { placeOf } from '../../contract/families.ts';
import { beat, registration, TTL } from '../../contract/fixtures.ts';
import { answering, blackHole, reply } from './fake-endpoints.ts';
import type { Endpoint } from './fake-endpoints.ts';

const NEVER_MS = 60_000;
/** Nothing but the cap under test can end a call. */
const PATIENT: CallLimits = { attempts: 1, connectMs: NEVER_MS, requestMs: NEVER_MS, budgetMs: NEVER_MS, sockets: 4 };

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function dynamoAt(url: string, limits: CallLimits): Dynamo {
  const dynamo = createDynamo(placeOf(url), limits);
  closers.push(dynamo.close);
  return dynamo;
}

async function open<T extends { close(): Promise<void> }>(opening: Promise<T>): Promise<T> {
  const opened = await opening;
  closers.push(() => opened.close());
  return opened;
}

function ownAt(endpoint: Endpoint, limits: CallLimits) {
  return dynamoOwnHeartbeat({ dynamo: dynamoAt(endpoint.url, limits), table: 'heartbeats', principal: 'h1' });
}

describe('a black hole', () => {
  test('a renewal ends at its cap, whatever the client would wait', async () => {
    const own = ownAt(await open(blackHole()), PATIENT);
    await expect(own.renew('s1', beat(), TTL, 100)).rejects.toMatchObject({ code: 'timed_out' });
  });

  test("the host's client gives up by itself and sends only once", async () => {
    const hole = await open(blackHole());
    await expect(ownAt(hole, hostLimits(200)).read()).rejects.toMatchObject({ code: 'timed_out' });
    expect(hole.arrived()).toBe(1);
  });

  test('the request time-out is enforced, and each attempt takes a new connection', async () => {
    const hole = await open(blackHole());
    const dynamo = dynamoAt(hole.url, { ...CONTROL_LIMITS, requestMs: 100, budgetMs: NEVER_MS });
    const registry = dynamoRegistry({ dynamo, table: 'registry' });
    await expect(registry.get({ pk: 'a', sk: 'b' })).rejects.toMatchObject({ code: 'timed_out' });
    expect(hole.arrived()).toBe(3);
  });

  test('the budget ends a call between attempts', async () => {
    const dynamo = dynamoAt((await open(blackHole())).url, { ...CONTROL_LIMITS, requestMs: NEVER_MS, budgetMs: 100 });
    await expect(dynamoHeartbeats({ dynamo, table: 'heartbeats' }).scan()).rejects.toMatchObject({ code: 'timed_out' });
  });

  test('an answer that stops in its body ends as well', async () => {
    const stalled = await open(
      answering((_operation, response) => {
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': '100' });
        response.write('{"Item":');
      }),
    );
    await expect(ownAt(stalled, hostLimits(200)).read()).rejects.toMatchObject({ code: 'timed_out' });
  });

  test('a call ends at its cap even where nothing can be aborted, as in fetching credentials', async () => {
    const dynamo = dynamoAt('http://127.0.0.1:1', PATIENT);
    const never = dynamo.call('wait for credentials', () => new Promise<void>(() => undefined), 50);
    await expect(never).rejects.toMatchObject({ code: 'timed_out' });
  });
});

describe('the emulator', () => {
  const names = { heartbeats: 'heartbeats', registry: 'registry' };

  test('stopped under a client that was connected: unavailable', async () => {
    const emulator = await startEmulator();
    await ensureTables(placeOf(emulator.url), names);
    const own = ownAt({ ...emulator, arrived: () => 0 }, hostLimits(5_000));
    const registry = dynamoRegistry({ dynamo: dynamoAt(emulator.url, CONTROL_LIMITS), table: 'registry' });
    expect(await own.read()).toBeUndefined();
    expect(await registry.get({ pk: 'a', sk: 'b' })).toBeUndefined();
    await emulator.close();
    await expect(own.renew('s1', beat(), TTL, 5_000)).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(own.register(registration('s1'), null, beat(), TTL)).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    await expect(registry.put({ pk: 'a', sk: 'b' }, {}, null)).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  test('S3: a missing table is an outage', async () => {
    const emulator = await open(startEmulator());
    const own = ownAt({ ...emulator, arrived: () => 0 }, hostLimits(5_000));
    await expect(own.renew('s1', beat(), TTL, 5_000)).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(own.read()).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  test('creating tables that exist changes nothing', async () => {
    const emulator = await open(startEmulator());
    await ensureTables(placeOf(emulator.url), names);
    const registry = dynamoRegistry({ dynamo: dynamoAt(emulator.url, CONTROL_LIMITS), table: 'registry' });
    await registry.put({ pk: 'a', sk: 'b' }, 'kept', null);
    await Promise.all([ensureTables(placeOf(emulator.url), names), ensureTables(placeOf(emulator.url), names)]);
    expect((await registry.get({ pk: 'a', sk: 'b' }))?.body).toBe('kept');
  });
});

describe('what DynamoDB answers', () => {
  const failing = (name: string, message: string, status: number) => (_operation: string, response: ServerResponse) =>
    reply(response, status, { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message });

  test.each([
    ['ProvisionedThroughputExceededException', 'slow down', 400, 'store_throttled'],
    ['ThrottlingException', 'slow down', 400, 'store_throttled'],
    ['RequestLimitExceeded', 'slow down', 400, 'store_throttled'],
    ['InternalServerError', 'oops', 500, 'store_unavailable'],
    ['ServiceUnavailable', 'oops', 503, 'store_unavailable'],
    ['ResourceNotFoundException', 'no such table', 400, 'store_unavailable'],
    ['AccessDeniedException', 'not authorized', 400, 'store_unavailable'],
    ['ExpiredTokenException', 'expired', 400, 'store_unavailable'],
    ['ValidationException', 'Item size has exceeded the maximum allowed size', 400, 'limit_exceeded'],
    ['ValidationException', 'An operand in the update expression has an incorrect data type', 400, 'store_unavailable'],
  ])('%s (%s) is %s → %s', async (name, message, status, code) => {
    const own = ownAt(await open(answering(failing(name, message, status))), hostLimits(5_000));
    await expect(own.renew('s1', beat(), TTL, 5_000)).rejects.toMatchObject({ code });
  });

  test('an answer that is not DynamoDB at all is unavailable', async () => {
    const portal = answering((_operation, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<html>Please log in</html>');
    });
    await expect(ownAt(await open(portal), hostLimits(5_000)).read()).rejects.toMatchObject({
      code: 'store_unavailable',
    });
  });

  test('a request that DynamoDB calls invalid is our bug, and keeps its name', async () => {
    const own = ownAt(await open(answering(failing('ValidationException', 'bad expression', 400))), hostLimits(5_000));
    await expect(own.read()).rejects.toMatchObject({ name: 'ValidationException' });
  });

  test.each([
    ['', beat()],
    [' and an earlier moment', beat({ sentAtBootMs: 999 })],
  ])('S8: refused while the item still shows the same session%s is a contradiction, not its end', async (_, stands) => {
    const item = toItem({ pk: 'h1', ...registration('s1'), ...stands, ttl: TTL, seq: 4 });
    const odd = await open(
      answering((operation, response) =>
        operation === 'GetItem'
          ? reply(response, 200, { Item: item })
          : failing('ConditionalCheckFailedException', 'The conditional request failed', 400)(operation, response),
      ),
    );
    const sent = beat({ sentAtBootMs: 1_000 });
    await expect(ownAt(odd, hostLimits(5_000)).renew('s1', sent, TTL, 5_000)).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('contradiction'),
    });
  });
});
