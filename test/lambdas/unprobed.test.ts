/** Who must still show that nothing of a slot that never ran is running on it (S20). */
import { describe, expect, test } from '@jest/globals';
import { type GroupRecord, keys, type SlotRecord } from '../../core/protocol/records.ts';
import { loadCluster } from '../../lambdas/shared/cluster.ts';
import { unprobedHosts } from '../../lambdas/shared/snapshot.ts';
import { M1, settled } from './power-stage.ts';
import type { World } from './world.ts';

const unprobed = async (world: World): Promise<readonly string[]> =>
  unprobedHosts(await loadCluster(world.ports, world.cluster), 'db', 1, ['h1', 'h2']);

async function changeOwn(world: World, change: (slot: SlotRecord) => SlotRecord): Promise<void> {
  const stored = await world.ports.registry.get<GroupRecord>(keys.group(world.cluster, 'db'));
  if (stored === undefined) throw new Error('no group');
  const slots = stored.body.slots.map(change);
  await world.ports.registry.put(stored.key, { ...stored.body, slots }, stored.version);
}

describe('a slot that never ran', () => {
  test('the owner of another slot of the group has probed; a standby has not until it shows this very slot', async () => {
    const world = await settled();
    expect(await unprobed(world)).toEqual(['h2']);
  });

  test('an owner of a life before has not probed in this one', async () => {
    const world = await settled();
    world.isControlDown = true;
    world.machines.cut(M1);
    world.machines.start(M1);
    await world.run(2_000);
    world.isControlDown = false;
    expect(world.slot('db/0').owner?.session).not.toBe(world.heartbeat('h1')?.session);
    expect(await unprobed(world)).toEqual(['h1', 'h2']);
  });

  test('an owner about whom there is evidence is none', async () => {
    const world = await settled();
    const owner = world.slot('db/0').owner;
    if (owner === null) throw new Error('db/0 has no owner');
    const { host, session } = owner;
    const evidence = { host, session, run: 'r', atMs: world.clock.wall.now(), because: '', takers: null };
    await changeOwn(world, (slot) => ({ ...slot, evidence: { kind: 'released', epoch: slot.epoch, ...evidence } }));
    expect(await unprobed(world)).toEqual(['h1', 'h2']);
  });
});
