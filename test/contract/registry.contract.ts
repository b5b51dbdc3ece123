import { randomBytes } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Registry } from '../../core/ports.ts';
import type { StoreFamily } from './fixtures.ts';

/** Any JSON that the records may hold: numbers within what DynamoDB keeps, keys that are not empty. */
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, min: -1e20, max: 1e20 }).map((n) => (Math.abs(n) < 1e-100 ? 0 : n)),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme', minLength: 1 }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
})).value;

export function registryContract(family: StoreFamily): void {
  describe(`registry: ${family.name}`, () => {
    let registry: Registry;
    beforeEach(async () => {
      registry = (await family.open()).registry();
    });
    afterAll(() => family.close());
    const key = { pk: 'C#payments', sk: 'CLUSTER' };

    test('a record that was never written is undefined', async () => {
      expect(await registry.get(key)).toBeUndefined();
    });

    test('null creates at version 1, and only where nothing is', async () => {
      expect(await registry.put(key, { rev: 1 }, null)).toBe('written');
      expect(await registry.put(key, { rev: 2 }, null)).toBe('conflict');
      expect(await registry.get(key)).toEqual({ key, version: 1, body: { rev: 1 } });
    });

    test('a write names the version it read; any other changes nothing', async () => {
      expect(await registry.put(key, { rev: 1 }, 1)).toBe('conflict');
      await registry.put(key, { rev: 1 }, null);
      expect(await registry.put(key, { rev: 2 }, 1)).toBe('written');
      expect(await registry.put(key, { rev: 3 }, 1)).toBe('conflict');
      expect(await registry.put(key, { rev: 3 }, 3)).toBe('conflict');
      expect(await registry.get(key)).toEqual({ key, version: 2, body: { rev: 2 } });
    });

    test('of fifty writers on one version exactly one wins', async () => {
      await registry.put(key, { by: 'nobody' }, null);
      const writers = Array.from({ length: 50 }, (_unused, i) => `writer-${i}`);
      const answers = await Promise.all(writers.map((by) => registry.put(key, { by }, 1)));
      const winners = writers.filter((_unused, i) => answers[i] === 'written');
      expect(winners).toHaveLength(1);
      expect(await registry.get(key)).toEqual({ key, version: 2, body: { by: winners[0] } });
    });

    test('removing names the version too', async () => {
      expect(await registry.remove(key, 1)).toBe('conflict');
      await registry.put(key, {}, null);
      await registry.put(key, {}, 1);
      expect(await registry.remove(key, 1)).toBe('conflict');
      expect(await registry.remove(key, 2)).toBe('removed');
      expect(await registry.get(key)).toBeUndefined();
      expect(await registry.put(key, {}, null)).toBe('written');
    });

    test.each([
      ['empty values', { text: '', list: [], map: {}, nothing: null, no: false, zero: 0 }],
      ['null', null],
      ['a text', ''],
      ['a list', [[], [null], 'x']],
      ['unicode', { 'clé 🗝': 'données \u0000 \u2028 𝒳' }],
      ['names that code uses', { constructor: 'x', toString: { name: 1 }, length: 3, S: 'S', N: 'N', M: { L: [] } }],
      ['numbers', [9_007_199_254_740_991, -9_007_199_254_740_991, 0.1, 1.7976931348623157e100, 5e-100, 1e21]],
    ])('%s come back as they were', async (_, body) => {
      await registry.put(key, body, null);
      expect((await registry.get(key))?.body).toEqual(body);
    });

    test('what JSON leaves out is left out, and a hole in a list is null', async () => {
      await registry.put(key, { gone: undefined, kept: 1, list: [1, undefined, 3] }, null);
      expect((await registry.get(key))?.body).toStrictEqual({ kept: 1, list: [1, null, 3] });
    });

    test('any JSON comes back as it was', async () => {
      let n = 0;
      await fc.assert(
        fc.asyncProperty(json, async (body) => {
          const fresh = { pk: 'C#any', sk: String(n++) };
          await registry.put(fresh, body, null);
          // Negative zero is zero in JSON.
          expect((await registry.get(fresh))?.body).toEqual(JSON.parse(JSON.stringify(body)));
        }),
        { numRuns: 200 },
      );
    });

    test('nothing is shared with the caller', async () => {
      const body = { hosts: ['a'] };
      await registry.put(key, body, null);
      body.hosts.push('b');
      const first = await registry.get<typeof body>(key);
      first?.body.hosts.push('c');
      expect((await registry.get(key))?.body).toEqual({ hosts: ['a'] });
    });

    test('a record near 400 KB is kept, one over it is refused by name', async () => {
      await registry.put(key, { packed: 'x'.repeat(390_000) }, null);
      expect((await registry.get<{ packed: string }>(key))?.body.packed).toHaveLength(390_000);
      // Nothing makes this one shorter: 450 KB of chance.
      const large = randomBytes(450_000).toString('base64');
      await expect(registry.put(key, { packed: large }, 1)).rejects.toMatchObject({
        code: 'limit_exceeded',
      });
      expect((await registry.get(key))?.version).toBe(1);
    });

    describe('query', () => {
      const write = (sks: readonly string[], body: unknown = {}) =>
        Promise.all(sks.map((sk) => registry.put({ pk: 'Q', sk }, body, null)));
      const ask = async (options: Parameters<Registry['query']>[1]) =>
        (await registry.query('Q', options)).map((record) => record.key.sk);

      test('takes one partition, by prefix, in key order', async () => {
        await write(['HOST#b', 'GROUP#a', 'HOST#a', 'HOSTS', 'HOST#', 'CLUSTER']);
        await registry.put({ pk: 'Q2', sk: 'HOST#z' }, {}, null);
        expect(await ask({ prefix: 'HOST#', limit: 10 })).toEqual(['HOST#', 'HOST#a', 'HOST#b']);
        expect(await ask({ limit: 10 })).toEqual(['CLUSTER', 'GROUP#a', 'HOST#', 'HOST#a', 'HOST#b', 'HOSTS']);
        expect(await ask({ prefix: 'NONE', limit: 10 })).toEqual([]);
      });

      test('newest first and page by page, each page before the last of the one before', async () => {
        await write(['01', '02', '03', '04', '05']);
        expect(await ask({ limit: 2, newestFirst: true })).toEqual(['05', '04']);
        expect(await ask({ limit: 2, newestFirst: true, before: '04' })).toEqual(['03', '02']);
        expect(await ask({ limit: 2, newestFirst: true, before: '02' })).toEqual(['01']);
        expect(await ask({ limit: 2, newestFirst: true, before: '01' })).toEqual([]);
        expect(await ask({ limit: 2, before: '04' })).toEqual(['01', '02']);
      });

      test('prefix and before together', async () => {
        await write(['a#1', 'a#2', 'a#3', 'b#1']);
        const newestFirst = true;
        expect(await ask({ prefix: 'a#', before: 'a#3', limit: 9, newestFirst })).toEqual(['a#2', 'a#1']);
        expect(await ask({ prefix: 'a#', before: 'a#3', limit: 1, newestFirst })).toEqual(['a#2']);
        expect(await ask({ prefix: 'a#', before: 'a#2x', limit: 9 })).toEqual(['a#1', 'a#2']);
        expect(await ask({ prefix: 'a#', before: 'z', limit: 9, newestFirst })).toEqual(['a#3', 'a#2', 'a#1']);
        expect(await ask({ prefix: 'b#', before: 'a#3', limit: 9 })).toEqual([]);
        expect(await ask({ prefix: 'a#', before: 'a#', limit: 9 })).toEqual([]);
        expect(await ask({ before: '', limit: 9 })).toEqual([]);
      });

      test('orders keys by their bytes, as DynamoDB does', async () => {
        // In UTF-16 the emoji sorts before U+FF5E; in UTF-8 after it.
        await write(['\u{1F5DD}', '\uFF5E', 'z', 'é']);
        expect(await ask({ limit: 9 })).toEqual(['z', 'é', '\uFF5E', '\u{1F5DD}']);
      });

      test('reads all pages up to the limit when they are over 1 MB together', async () => {
        const sks = Array.from({ length: 16 }, (_unused, i) => `S#${String(i).padStart(2, '0')}`);
        await write(sks, { packed: randomBytes(80_000).toString('base64') });
        expect(await ask({ prefix: 'S#', limit: 100 })).toEqual(sks);
        expect(await ask({ prefix: 'S#', limit: 13 })).toEqual(sks.slice(0, 13));
        expect(await ask({ prefix: 'S#', limit: 100, newestFirst: true })).toEqual([...sks].reverse());
      });

      test('a limit of nothing is a bug', async () => {
        await expect(ask({ limit: 0 })).rejects.toThrow('invariant violated');
      });
    });
  });
}
