/** How records stand in the table: as text, compressed where it is long; and what else is read there. */
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type AttributeValue, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CONTROL_LIMITS, createDynamo, type Dynamo } from '../../../adapters/aws/dynamodb-client.ts';
import { dynamoRegistry } from '../../../adapters/aws/dynamodb-registry.ts';
import { ensureTables } from '../../../adapters/aws/dynamodb-tables.ts';
import type { Registry } from '../../../core/ports.ts';
import { type Emulator, startEmulator } from '../../../local/emulator.ts';
import { placeOf } from '../../contract/families.ts';

const TABLES = { heartbeats: 'heartbeats', registry: 'registry' };

let emulator: Emulator;
let dynamo: Dynamo;
let registry: Registry;

beforeAll(async () => {
  emulator = await startEmulator();
  const place = placeOf(emulator.url);
  await ensureTables(place, TABLES);
  dynamo = createDynamo(place, { ...CONTROL_LIMITS, requestMs: 20_000, budgetMs: 20_000 });
  registry = dynamoRegistry({ dynamo, table: TABLES.registry });
});

afterAll(async () => {
  dynamo.close();
  await emulator.close();
});

function plant(sk: string, fields: Readonly<Record<string, AttributeValue>>): Promise<unknown> {
  const Item = { PK: { S: 'C#a' }, SK: { S: sk }, v: { N: '7' }, ...fields };
  return dynamo.client.send(new PutItemCommand({ TableName: TABLES.registry, Item }));
}

async function stored(sk: string): Promise<Readonly<Record<string, AttributeValue>>> {
  const Key = { PK: { S: 'C#a' }, SK: { S: sk } };
  return (await dynamo.client.send(new GetItemCommand({ TableName: TABLES.registry, Key }))).Item ?? {};
}

describe('a record in the table', () => {
  const key = (sk: string) => ({ pk: 'C#a', sk });

  test('is text that can be read in the console', async () => {
    await registry.put(key('text'), { group: 'db', slots: [{ slot: 0 }] }, null);
    expect((await stored('text'))['json']).toEqual({ S: '{"group":"db","slots":[{"slot":0}]}' });
  });

  test('is compressed where it is long, so that hundreds of orders which are much alike fit into one', async () => {
    const orders = Array.from({ length: 1_000 }, (_, n) => ({ id: `standby.g${String(n)}`, spec: 'x'.repeat(1_000) }));
    expect(await registry.put(key('long'), { orders }, null)).toBe('written');
    expect(Object.keys(await stored('long'))).not.toContain('json');
    expect((await registry.get(key('long')))?.body).toEqual({ orders });
    expect(await registry.query('C#a', { prefix: 'long', limit: 2 })).toEqual([
      { key: key('long'), version: 1, body: { orders } },
    ]);
  });

  test('becomes plain again when it is short again', async () => {
    await registry.put(key('shorter'), randomBytes(30_000).toString('hex'), null);
    await registry.put(key('shorter'), 'short', 1);
    expect(await registry.get(key('shorter'))).toEqual({ key: key('shorter'), version: 2, body: 'short' });
  });

  test('in the earlier form, of nested attributes, is read, and is text with its next change', async () => {
    await plant('old', { body: { M: { rev: { N: '3' }, hosts: { L: [{ S: 'a' }] } } } });
    expect(await registry.get(key('old'))).toEqual({ key: key('old'), version: 7, body: { rev: 3, hosts: ['a'] } });
    expect(await registry.put(key('old'), { rev: 4 }, 7)).toBe('written');
    expect(await registry.get(key('old'))).toEqual({ key: key('old'), version: 8, body: { rev: 4 } });
  });

  test.each<[string, Readonly<Record<string, AttributeValue>>]>([
    ['without a body', {}],
    ['whose text is no JSON', { json: { S: '{"rev":' } }],
    ['whose text is no text', { json: { N: '1' } }],
    ['that does not unpack', { gz: { B: Buffer.from('no gzip') } }],
    ['that unpacks to more than memory is for', { gz: { B: gzipSync(Buffer.alloc(9 * 2 ** 20, 'x')) } }],
  ])('%s is refused, and not left out', async (name, fields) => {
    await plant(`bad ${name}`, fields);
    await expect(registry.get(key(`bad ${name}`))).rejects.toMatchObject({ code: 'protocol_mismatch' });
    await expect(registry.query('C#a', { prefix: `bad ${name}`, limit: 9 })).rejects.toMatchObject({
      code: 'protocol_mismatch',
    });
  });

  test('of more text than is ever unpacked is not written', async () => {
    await expect(registry.put(key('huge'), 'x'.repeat(9 * 2 ** 20), null)).rejects.toMatchObject({
      code: 'limit_exceeded',
    });
    expect(await registry.get(key('huge'))).toBeUndefined();
  });

  test.each([[Number.NaN], [{ a: [Number.POSITIVE_INFINITY] }], [undefined], [() => 1], [{ n: 1n }]])(
    'is JSON: %p is a bug',
    async (body) => {
      await expect(registry.put(key('no json'), body, null)).rejects.toThrow();
      expect(await registry.get(key('no json'))).toBeUndefined();
    },
  );
});
