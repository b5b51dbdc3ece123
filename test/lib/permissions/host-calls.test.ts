/**
 * What agents really send, against what their policy lets through: code that names a new attribute, or makes another kind of
 * call, fails here before it fails on every host at once.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createDynamo, hostLimits } from '../../../adapters/aws/dynamodb-client.ts';
import { dynamoOwnHeartbeat } from '../../../adapters/aws/dynamodb-own-heartbeat.ts';
import { dynamoRegistry } from '../../../adapters/aws/dynamodb-registry.ts';
import { ensureTables } from '../../../adapters/aws/dynamodb-tables.ts';
import { nodeTimers } from '../../../adapters/node/clocks.ts';
import { createAssignments } from '../../../agent/assignments.ts';
import { createReports } from '../../../agent/reports.ts';
import { HOST_ATTRIBUTES } from '../../../core/protocol/host-attributes.ts';
import { keys } from '../../../core/protocol/records.ts';
import { type Emulator, startEmulator } from '../../../local/emulator.ts';
import { placeOf } from '../../contract/families.ts';
import { beat, CAP_MS, registration, TTL } from '../../contract/fixtures.ts';
import { evaluate } from './evaluate.ts';
import { hostPolicy } from './host-policies.ts';
import { type DynamoCall, dynamoCall, HEARTBEATS, instanceSession, NEIGHBOUR, OWN, REGISTRY } from './host-session.ts';
import { catchCalls } from './sent-calls.ts';

let emulator: Emulator;
let sent: readonly DynamoCall[] = [];
const closers: (() => void)[] = [];

beforeAll(async () => {
  emulator = await startEmulator();
  const tables = { heartbeats: 'heartbeats', registry: 'registry' };
  const place = placeOf(emulator.url);
  await ensureTables(place, tables);
  const dynamo = createDynamo(place, hostLimits(CAP_MS));
  closers.push(dynamo.close);
  sent = catchCalls(
    dynamo,
    new Map([
      ['heartbeats', HEARTBEATS],
      ['registry', REGISTRY],
    ]),
  );
  await beatInEveryWay(dynamoOwnHeartbeat({ dynamo, table: tables.heartbeats, principal: OWN }));
  const registry = dynamoRegistry({ dynamo, table: tables.registry });
  await report(registry);
  await readAssignment(registry);
});

afterAll(async () => {
  for (const close of closers) close();
  await emulator.close();
});

/** Every command of the adapter, with and without what is optional, done and refused. */
async function beatInEveryWay(own: ReturnType<typeof dynamoOwnHeartbeat>): Promise<void> {
  const timed = beat({ sentAtBootMs: 5_000 });
  expect(await own.read()).toBeUndefined();
  expect(await own.renew('s1', timed, TTL, CAP_MS)).toEqual({ outcome: 'missing' });
  expect(await own.register(registration('s1'), null, beat(), TTL)).toMatchObject({ outcome: 'registered' });
  expect(await own.register(registration('s2'), null, timed, TTL)).toMatchObject({ outcome: 'refused' });
  expect(await own.register(registration('s2'), 's1', timed, TTL)).toMatchObject({ outcome: 'registered' });
  expect(await own.register(registration('s2'), 's2', timed, TTL)).toMatchObject({ outcome: 'registered' });
  expect(await own.renew('s2', beat(), TTL, CAP_MS)).toMatchObject({ outcome: 'renewed' });
  expect(await own.renew('s2', beat({ sentAtBootMs: 6_000 }), TTL, CAP_MS)).toMatchObject({ outcome: 'renewed' });
  expect(await own.renew('s2', timed, TTL, CAP_MS)).toEqual({ outcome: 'overtaken' });
  expect(await own.renew('s1', timed, TTL, CAP_MS)).toMatchObject({ outcome: 'refused' });
}

/** By the agent's own code: written, written anew, removed. */
async function report(registry: ReturnType<typeof dynamoRegistry>): Promise<void> {
  const reports = createReports({ registry, timers: nodeTimers, principal: OWN, log: () => undefined });
  const started = {
    order: 'o1',
    session: 's2',
    group: 'db',
    slot: 0,
    epoch: 1,
    outcome: 'started',
    detail: '',
  } as const;
  reports.put(started);
  expect(await reports.flushed(CAP_MS)).toBe(true);
  reports.put({ ...started, detail: 'again' });
  expect(await reports.flushed(CAP_MS)).toBe(true);
  reports.keepOnly(new Set());
  expect(await reports.flushed(CAP_MS)).toBe(true);
  expect(await registry.get(keys.report(OWN, 'o1'))).toBeUndefined();
}

async function readAssignment(registry: ReturnType<typeof dynamoRegistry>): Promise<void> {
  let isRead = () => undefined as void;
  const read = new Promise<void>((resolve) => (isRead = resolve));
  const assignments = createAssignments({
    registry: {
      get: async (key) => {
        const found = await registry.get(key);
        isRead();
        return found as never;
      },
    },
    // One read is enough; it would ask again until there is one.
    timers: { ...nodeTimers, after: () => () => undefined },
    principal: OWN,
    self: { cluster: 'payments', host: 'db-1' },
    incarnation: { read: async () => ({ state: 'absent' }), write: async () => undefined },
    onAssignment: () => undefined,
    log: () => undefined,
  });
  assignments.reread();
  await read;
}

/** DynamoDB tells IAM the attributes of a read only if it asks for certain ones, which agents do not. */
const asAsked = (call: DynamoCall): DynamoCall => {
  const { attributes: _all, ...read } = call;
  return call.operation === 'GetItem' ? read : call;
};

test('agents make these calls and no others', () => {
  const kinds = sent.map(({ operation, table, key }) => `${operation} ${table === REGISTRY ? key : 'heartbeat'}`);
  expect([...new Set(kinds)].sort()).toEqual([
    `DeleteItem REPORTS#${OWN}`,
    `GetItem H#${OWN}`,
    `GetItem REPORTS#${OWN}`,
    'GetItem heartbeat',
    `PutItem REPORTS#${OWN}`,
    'UpdateItem heartbeat',
  ]);
});

test('their policy lets each of them through, and none of them from a neighbour', async () => {
  const policy = hostPolicy('instance');
  expect(sent.length).toBeGreaterThan(15);
  for (const call of sent.map(asAsked)) {
    expect({ call, verdict: await evaluate(policy, dynamoCall(call, instanceSession(OWN))) }).toEqual({
      call,
      verdict: 'yes',
    });
    expect(await evaluate(policy, dynamoCall(call, instanceSession(NEIGHBOUR)))).toBe('no');
  }
});

test('every attribute of the list is named by some heartbeat, and no other is', () => {
  const named = sent
    .filter(({ operation }) => operation === 'UpdateItem')
    .flatMap(({ attributes }) => attributes ?? []);
  expect([...new Set(named)].sort()).toEqual([...HOST_ATTRIBUTES].sort());
});
