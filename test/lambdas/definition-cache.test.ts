import { expect, test } from '@jest/globals';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { pack } from '../../adapters/node/packing.ts';
import { keys } from '../../core/protocol/records.ts';
import { loadDefinition } from '../../lambdas/shared/cluster.ts';

/** A store with a definition of its own under the same cluster, revision and incarnation. */
async function deployment(name: string) {
  let reads = 0;
  const store = new MemoryStore(undefined, {
    faults: (op, phase) => {
      if (op === 'registry.get' && phase === 'before') reads += 1;
    },
  });
  const ports = { registry: store.registry() };
  await ports.registry.put(keys.definition('same', 1), { packed: pack({ cluster: name }) }, null);
  return { load: () => loadDefinition(ports, 'same', 1, 'same'), reads: () => reads };
}

test('a definition is read once per store, and never taken for that of another', async () => {
  const [one, other] = [await deployment('one'), await deployment('other')];
  for (const deployed of [one, other, one, other]) await deployed.load();
  expect(await one.load()).toEqual({ cluster: 'one' });
  expect(await other.load()).toEqual({ cluster: 'other' });
  expect([one.reads(), other.reads()]).toEqual([1, 1]);
});
