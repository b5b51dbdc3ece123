/** Reads of whole ranges that many share: nobody is given what was read before they asked. */
import { describe, expect, test } from '@jest/globals';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { memoryTables } from '../../adapters/memory/memory-tables.ts';
import { withSharedQueries, withSharedScans } from '../../lambdas/shared/shared-reads.ts';

const GROUPS = { prefix: 'GROUP#', limit: 10 };

/** A store whose reads end when the test says so, and see what stands when they begin. */
function slowStore() {
  const store = new MemoryStore(memoryTables());
  const registry = store.registry();
  const begun: (() => void)[] = [];
  const shared = withSharedQueries({
    ...registry,
    query: async <T>(pk: string, options: Parameters<typeof registry.query>[1]) => {
      const seen = await registry.query<T>(pk, options);
      await new Promise<void>((resolve) => begun.push(resolve));
      return seen;
    },
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { shared, begun, turn };
}

describe('shared queries', () => {
  test('many who ask during one read share the next, which shows what was written before they asked', async () => {
    const { shared, begun, turn } = slowStore();
    const first = shared.query('C#x', GROUPS);
    await turn();
    await shared.put({ pk: 'C#x', sk: 'GROUP#a' }, { n: 1 }, null);
    const later = Array.from({ length: 50 }, () => shared.query('C#x', GROUPS));
    await turn();
    expect(begun).toHaveLength(1);
    begun[0]?.();
    expect(await first).toEqual([]);
    await turn();
    expect(begun).toHaveLength(2);
    begun[1]?.();
    for (const answer of await Promise.all(later)) expect(answer.map(({ body }) => body)).toEqual([{ n: 1 }]);
  });

  test('other ranges are read apart', async () => {
    const { shared, begun, turn } = slowStore();
    const ranges = [
      shared.query('C#x', GROUPS),
      shared.query('C#x', { ...GROUPS, prefix: 'HOST#' }),
      shared.query('C#y', GROUPS),
      shared.query('C#x', { ...GROUPS, limit: 11 }),
      shared.query('C#x', { ...GROUPS, newestFirst: true }),
      shared.query('C#x', { ...GROUPS, before: 'GROUP#m' }),
    ];
    await turn();
    expect(begun).toHaveLength(ranges.length);
    for (const end of begun) end();
    await Promise.all(ranges);
  });
});

test('a read that fails fails for those who share it, and the next one is made anew', async () => {
  let calls = 0;
  const heartbeats = withSharedScans({
    ...new MemoryStore(memoryTables()).heartbeats(),
    scan: async () => {
      calls += 1;
      await new Promise((resolve) => setImmediate(resolve));
      if (calls === 2) throw new Error('away');
      return [];
    },
  });
  const answers = await Promise.allSettled([heartbeats.scan(), heartbeats.scan(), heartbeats.scan()]);
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  expect(await heartbeats.scan()).toEqual([]);
  expect(calls).toBe(3);
});
