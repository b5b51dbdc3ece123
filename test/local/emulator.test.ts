import { afterEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { request as ask } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDynamo, CONTROL_LIMITS } from '../../adapters/aws/dynamodb-client.ts';
import { dynamoRegistry } from '../../adapters/aws/dynamodb-registry.ts';
import { ensureTables } from '../../adapters/aws/dynamodb-tables.ts';
import { startEmulator } from '../../local/emulator.ts';
import type { Emulator, EmulatorOptions } from '../../local/emulator.ts';
import { placeOf } from '../contract/families.ts';

const names = { heartbeats: 'heartbeats', registry: 'registry' };
const key = { pk: 'C#payments', sk: 'CLUSTER' };

describe('emulator', () => {
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function folder(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'emulator-'));
    closers.push(() => rm(path, { recursive: true }));
    return join(path, 'data', 'tables');
  }
  async function start(options: EmulatorOptions): Promise<Emulator> {
    const emulator = await startEmulator(options);
    let isOpen = true;
    const close = async () => {
      if (isOpen) await emulator.close();
      isOpen = false;
    };
    closers.push(close);
    return { ...emulator, close };
  }
  function registryAt(emulator: Emulator) {
    const dynamo = createDynamo(placeOf(emulator.url), CONTROL_LIMITS);
    closers.push(dynamo.close);
    return dynamoRegistry({ dynamo, table: names.registry });
  }

  test('data outlives the emulator in its folder', async () => {
    const path = await folder();
    const first = await start({ path });
    await ensureTables(placeOf(first.url), names);
    await registryAt(first).put(key, { rev: 1 }, null);
    await first.close();

    const second = await start({ path });
    await ensureTables(placeOf(second.url), names);
    expect(await registryAt(second).get(key)).toEqual({ key, version: 1, body: { rev: 1 } });
    expect(await registryAt(second).put(key, { rev: 2 }, 1)).toBe('written');
  });

  test('in memory nothing is kept, and two run side by side', async () => {
    const [one, two] = [await start({}), await start({})];
    await ensureTables(placeOf(one.url), names);
    await ensureTables(placeOf(two.url), names);
    await registryAt(one).put(key, 'one', null);
    expect(await registryAt(two).get(key)).toBeUndefined();
  });

  test('closes in order under requests whose clients have gone', async () => {
    const emulator = await start({ path: await folder() });
    await ensureTables(placeOf(emulator.url), names);
    const stored = registryAt(emulator);
    for (let n = 0; n < 20; n += 1) await stored.put({ pk: 'C#payments', sk: `N#${n}` }, 'x'.repeat(1_000), null);
    await Promise.all(Array.from({ length: 20 }, () => askAndLeave(emulator.url)));
    await emulator.close();
  });

  test('a folder that another runtime uses is refused with what to do', async () => {
    const path = await folder();
    const first = await start({ path });
    await ensureTables(placeOf(first.url), names);
    await expect(startEmulator({ path })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(`the data folder ${path} is in use by another runtime`),
    });
    await registryAt(first).put(key, 'undisturbed', null);
    expect((await registryAt(first).get(key))?.body).toBe('undisturbed');
  });

  test('a folder that is no database is refused with its path', async () => {
    const path = await folder();
    const first = await start({ path });
    await first.close();
    await writeFile(join(path, 'CURRENT'), 'not a manifest\n');
    await expect(startEmulator({ path })).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining(`the data folder ${path} cannot be opened`),
    });
  });

  test('a port that is taken is refused', async () => {
    const first = await start({});
    await expect(startEmulator({ port: first.port })).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  test('hosts that hang up in mid-request do not end the runtime', async () => {
    const emulator = await start({});
    await ensureTables(placeOf(emulator.url), names);
    for (let cut = 0; cut < 20; cut++) {
      await new Promise<void>((resolve) => {
        const socket = connect(emulator.port, '127.0.0.1', () => {
          socket.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n{"TableName":', () => {
            socket.resetAndDestroy();
            resolve();
          });
        });
      });
    }
    expect(await registryAt(emulator).put(key, 'alive', null)).toBe('written');
  });
});

/** A whole request whose answer nobody waits for; resolves when it is on its way. */
async function askAndLeave(url: string): Promise<void> {
  const request = ask(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.Scan',
      'x-amz-date': '20260101T000000Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
    },
  });
  request.on('error', () => undefined);
  request.end(JSON.stringify({ TableName: names.registry }));
  await once(request, 'finish');
  request.destroy();
}
