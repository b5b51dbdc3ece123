/** A new session was put on record, and whoever did it was killed before the host's status said so (seed 200291 of its time). */
import { expect, jest, test } from '@jest/globals';
import { HaError } from '../../core/failures/failures.ts';
import type { HostStatus } from '../../core/protocol/records.ts';
import { PAIR } from './definitions.ts';
import { createWorld } from './world.ts';

jest.setTimeout(60_000);

test('a fenced host that has registered anew and renews is not left fenced', async () => {
  const world = await createWorld({ yaml: PAIR, scripts: { h1: { bootMs: 100 }, h2: { bootMs: 100 } } });
  await world.whole();
  const owner = world.owner('db/0') ?? '';
  const status = (): HostStatus | undefined => world.hostRecord(owner)?.status;
  world.host(owner).die();
  await world.until('it was fenced by its lease', () => status() === 'Fenced' && world.slot('db/0').epoch === 2);
  await world.until('nobody works', () => world.workflow.running.length === 0);
  const fenced = world.hostRecord(owner)?.seen?.session;
  let wasCut = false;
  world.faults = (op, phase, subject) => {
    const isMet = world.hostRecord(owner)?.seen?.session !== fenced;
    if (wasCut || !isMet || op !== 'registry.put' || phase !== 'before' || !subject.endsWith(`HOST#${owner}`)) return;
    wasCut = true;
    throw new HaError('store_unavailable', 'killed between the two writes');
  };
  world.host(owner).boot();
  await world.until('the status was not said', () => wasCut);
  expect(status()).toBe('Fenced');
  await world.until('it is up', () => status() === 'Up');
});

test('a fenced host whose machine was shown off in that very session stays fenced: something lied', async () => {
  const world = await createWorld({ yaml: PAIR, scripts: { h1: { bootMs: 100 }, h2: { bootMs: 100 } } });
  await world.whole();
  const session = world.host('h1').session ?? '';
  const key = { pk: 'C#pair', sk: 'HOST#h1' };
  const stored = await world.ports.registry.get<object>(key);
  const off = { session };
  await world.ports.registry.put(key, { ...stored?.body, status: 'Fenced', off }, stored?.version ?? null);
  await world.run(3_000);
  expect(world.hostRecord('h1')?.status).toBe('Fenced');
});
