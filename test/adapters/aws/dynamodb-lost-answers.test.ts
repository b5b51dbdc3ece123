import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createDynamo, CONTROL_LIMITS, hostLimits } from '../../../adapters/aws/dynamodb-client.ts';
import type { CallLimits } from '../../../adapters/aws/dynamodb-client.ts';
import { dynamoHeartbeats } from '../../../adapters/aws/dynamodb-heartbeats.ts';
import { dynamoOwnHeartbeat } from '../../../adapters/aws/dynamodb-own-heartbeat.ts';
import { dynamoRegistry } from '../../../adapters/aws/dynamodb-registry.ts';
import { ensureTables } from '../../../adapters/aws/dynamodb-tables.ts';
import { startEmulator } from '../../../local/emulator.ts';
import { placeOf } from '../../contract/families.ts';
import { beat, registration, TTL } from '../../contract/fixtures.ts';
import { lossyProxy } from './fake-endpoints.ts';
import type { LossyProxy } from './fake-endpoints.ts';

describe('an answer lost after the commit', () => {
  let proxy: LossyProxy;
  const closers: (() => unknown)[] = [];

  const dynamoAt = (url: string, limits: CallLimits) => {
    const dynamo = createDynamo(placeOf(url), limits);
    closers.push(dynamo.close);
    return dynamo;
  };
  const ports = (url: string) => ({
    own: dynamoOwnHeartbeat({ dynamo: dynamoAt(url, hostLimits(10_000)), table: 'heartbeats', principal: 'h1' }),
    heartbeats: dynamoHeartbeats({ dynamo: dynamoAt(url, CONTROL_LIMITS), table: 'heartbeats' }),
    registry: dynamoRegistry({ dynamo: dynamoAt(url, CONTROL_LIMITS), table: 'registry' }),
  });
  let lossy: ReturnType<typeof ports>;
  let direct: ReturnType<typeof ports>;
  const key = { pk: 'C#payments', sk: 'CLUSTER' };

  beforeEach(async () => {
    const emulator = await startEmulator();
    closers.push(() => emulator.close());
    await ensureTables(placeOf(emulator.url), { heartbeats: 'heartbeats', registry: 'registry' });
    proxy = await lossyProxy(emulator.url);
    closers.push(() => proxy.close());
    lossy = ports(proxy.url);
    direct = ports(emulator.url);
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  test('of a registration: reading and registering again finds it done', async () => {
    proxy.loseAnswer('UpdateItem');
    await expect(lossy.own.register(registration('s1'), null, beat(), TTL)).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    expect(await lossy.own.register(registration('s1'), null, beat(), TTL)).toMatchObject({
      outcome: 'registered',
      heartbeat: { session: 's1', seq: 1 },
    });
  });

  test('of a renewal: the host sends once, and the next renewal goes on from there', async () => {
    await lossy.own.register(registration('s1'), null, beat(), TTL);
    const before = proxy.arrived();
    proxy.loseAnswer('UpdateItem');
    await expect(lossy.own.renew('s1', beat(), TTL, 10_000)).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(proxy.arrived()).toBe(before + 1);
    expect(await lossy.own.renew('s1', beat(), TTL, 10_000)).toMatchObject({ heartbeat: { seq: 3 } });
  });

  test('of a revocation: sent again by the SDK, it is told what it revoked', async () => {
    await lossy.own.register(registration('s1'), null, beat(), TTL);
    proxy.loseAnswer('UpdateItem');
    expect(await lossy.heartbeats.revoke('h1', 's1', 1, 'run-1')).toMatchObject({
      outcome: 'revoked',
      heartbeat: { session: 's1', seq: 1, lists: { 'postgres/0': 2 } },
    });
  });

  test('of a tombstone: it stands', async () => {
    proxy.loseAnswer('PutItem');
    expect(await lossy.heartbeats.tombstone('h1', 'payments', 'db-1', 'run-1', TTL)).toBe(true);
  });

  test('of a registry write: written, once', async () => {
    proxy.loseAnswer('PutItem');
    expect(await lossy.registry.put(key, 'mine', null)).toBe('written');
    proxy.loseAnswer('PutItem', { times: 2 });
    expect(await lossy.registry.put(key, 'mine again', 1)).toBe('written');
    expect(await direct.registry.get(key)).toEqual({ key, version: 2, body: 'mine again' });
  });

  test('of a registry write that was a conflict: still a conflict', async () => {
    await direct.registry.put(key, 'theirs', null);
    proxy.loseAnswer('PutItem');
    expect(await lossy.registry.put(key, 'mine', null)).toBe('conflict');
    expect(await direct.registry.get(key)).toEqual({ key, version: 1, body: 'theirs' });
  });

  test('of a registry write that others have since overwritten: nobody can tell, so it is no conflict', async () => {
    proxy.loseAnswer('PutItem', { meanwhile: () => direct.registry.put(key, 'theirs', 1) });
    await expect(lossy.registry.put(key, 'mine', null)).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(await direct.registry.get(key)).toEqual({ key, version: 2, body: 'theirs' });
  });

  test('of a removal: nobody can tell who removed it', async () => {
    await direct.registry.put(key, 'old', null);
    proxy.loseAnswer('DeleteItem');
    await expect(lossy.registry.remove(key, 1)).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(await direct.registry.get(key)).toBeUndefined();
  });
});
