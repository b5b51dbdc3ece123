import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { fileStore } from '../../../adapters/node/file-store.ts';

const Value = z.strictObject({ n: z.number() });
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-store-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const storeAt = (path: string) => fileStore(path, (json) => Value.parse(json));

describe('file store', () => {
  test('absent, then the last value written, with nothing beside it', async () => {
    const store = storeAt(join(folder, 'ledger.json'));
    expect(await store.read()).toEqual({ state: 'absent' });
    await Promise.all([store.write({ n: 1 }), store.write({ n: 2 }), store.write({ n: 3 })]);
    expect(await store.read()).toEqual({ state: 'read', value: { n: 3 } });
    expect(await readdir(folder)).toEqual(['ledger.json']);
    expect(await storeAt(join(folder, 'ledger.json')).read()).toEqual({ state: 'read', value: { n: 3 } });
  });

  test.each(['', '{"n":', '{"n":"1"}', '{"n":1,"m":2}'])('%j is unreadable, never absent', async (text) => {
    const path = join(folder, 'ledger.json');
    await writeFile(path, text);
    expect(await storeAt(path).read()).toMatchObject({ state: 'unreadable' });
  });

  test('a write cut short before its end leaves the old value', async () => {
    const path = join(folder, 'ledger.json');
    const store = storeAt(path);
    await store.write({ n: 1 });
    await writeFile(`${path}.new`, '{"n":');
    expect(await store.read()).toEqual({ state: 'read', value: { n: 1 } });
    await store.write({ n: 2 });
    expect(await readFile(path, 'utf8')).toBe('{"n":2}');
  });

  test('a failed write is reported to its caller and does not stop the next', async () => {
    const path = join(folder, 'gone', 'ledger.json');
    const store = storeAt(path);
    await expect(store.write({ n: 1 })).rejects.toMatchObject({ code: 'ENOENT' });
    await writeFile(join(folder, 'file'), '');
    await expect(storeAt(join(folder, 'file', 'x')).read()).resolves.toMatchObject({ state: 'unreadable' });

    await mkdir(join(folder, 'gone'));
    await store.write({ n: 2 });
    expect(await store.read()).toEqual({ state: 'read', value: { n: 2 } });
  });
});
