import { expect, test } from '@jest/globals';
import { setImmediate as settle } from 'node:timers/promises';
import { HaError } from '../../core/failures/failures.ts';
import type { Registry } from '../../core/ports.ts';
import type { HostRecord } from '../../core/protocol/records.ts';
import { syncWhereStale } from '../../lambdas/shared/assign.ts';
import type { ClusterFacts } from '../../lambdas/shared/cluster.ts';
import { World } from './world.ts';
import { PAIR } from './definitions.ts';

test('groups that cannot be read, while the assignment is still waited for, fail that host and nothing else', async () => {
  const world = new World();
  await world.apply(PAIR);
  await world.reconcile();
  const host = world.records<HostRecord>('C#pair', 'HOST#')[0];
  if (host === undefined) throw new Error('no host');
  let answer = (): void => undefined;
  const waited = new Promise<void>((resolve) => (answer = resolve));
  const registry: Registry = {
    ...world.ports.registry,
    get: async (key) => {
      await waited;
      return world.ports.registry.get(key);
    },
    query: () => Promise.reject(new HaError('timed_out', 'no answer within 5000 ms')),
  };
  const facts: ClusterFacts = {
    record: { cluster: 'pair', rev: 1, incarnation: '' } as ClusterFacts['record'], // What is used of it.
    definition: world.definition,
    hosts: [host],
    groups: [],
    heartbeats: new Map(),
    specOf: () => undefined,
  };
  const strays: unknown[] = [];
  const note = (error: unknown): void => void strays.push(error);
  process.on('unhandledRejection', note);
  const synced = syncWhereStale({ ...world.ports, registry }, facts)(host).catch((error: unknown) => error);
  await settle();
  await settle();
  answer();
  expect(await synced).toMatchObject({ code: 'timed_out' });
  process.off('unhandledRejection', note);
  expect(strays).toEqual([]);
});
