/** An instance is replaced under the name of its host: the definition says another instance id (S7, safety's list of faults). */
import { describe, expect, jest, test } from '@jest/globals';
import { type HostRecord, keys } from '../../core/protocol/records.ts';
import { EMPTY_SWEEP_MEMORY, sweepOnce } from '../../lambdas/find-behind/sweep.ts';
import { changeRecord } from '../../lambdas/shared/change.ts';
import { DB, definitionOf } from './definitions.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(60_000);

const THREE = definitionOf({ hosts: 3, groups: [DB] });

const isUpAnew = (world: World, host: string): boolean =>
  world.hostRecord(host)?.status === 'Up' && world.hostRecord(host)?.principal.endsWith('fff') === true;

/** The definition with another instance for `host`, and that instance, not yet booted. */
async function replace(world: World, host: string): Promise<{ readonly old: World['hosts'] }> {
  const old = new Map([[host, world.host(host)]]);
  const id = world.machineOf(host);
  await world.apply(THREE.replace(id, 'i-00000000000000fff'));
  world.addHost(host);
  return { old };
}

describe('another instance for a host', () => {
  test('whose machine is gone: its slots are taken over by evidence about the old one, then the new one is the host', async () => {
    const world = await createWorld({ yaml: THREE });
    await world.whole();
    const owner = world.owner('db/0') ?? '';
    world.host(owner).die();
    await replace(world, owner);
    world.host(owner).boot();
    await world.until('another runs it', () => world.slot('db/0').epoch === 2 && world.isActive('db/0'), 60_000);
    expect(world.slot('db/0').tookOverBy).toMatchObject({ kind: 'lease-over', host: owner });
    await world.until('the new machine is the host', () => isUpAnew(world, owner));
    expect(world.hostRecord(owner)).toMatchObject({
      principal: 'arn:aws:ec2:local:000000000000:instance/i-00000000000000fff',
      seen: { machine: 'i-00000000000000fff' },
    });
    await world.whole();
    expect(world.truth.runners('db/0')).toEqual([world.owner('db/0')]);
  });

  test('whose machine is well: it gives its slots up first, and the new one waits', async () => {
    const world = await createWorld({ yaml: THREE });
    await world.whole();
    const owner = world.owner('db/0') ?? '';
    const { old } = await replace(world, owner);
    world.host(owner).boot();
    await world.until('another runs it', () => world.slot('db/0').epoch === 2 && world.isActive('db/0'));
    expect(world.slot('db/0').tookOverBy).toMatchObject({ kind: 'released', host: owner });
    await world.until('the new machine is the host', () => isUpAnew(world, owner));
    expect(world.hostRecord(owner)?.seen?.session).toBe(world.host(owner).session);
    expect(world.hostRecord(owner)?.seen?.session).not.toBe(old.get(owner)?.session);
    await world.run(5_000);
    await world.whole();
    expect(world.alerts.pages).toEqual([]);
  });

  test('whose machine alone can run them: it runs on and says so, and takes nothing new', async () => {
    const world = await createWorld({ yaml: THREE, off: ['h2', 'h3'] });
    await world.whole();
    await replace(world, 'h1');
    await world.run(20_000);
    expect(world.slot('db/0')).toMatchObject({ epoch: 1, phase: 'Active' });
    expect(world.slot('db/0').why).toContain('h1 is defined as another machine now, but nobody else can take it');
    expect(world.truth.runners('db/0')).toEqual(['h1']);
    world.host('h2').boot();
    await world.until('another runs it', () => world.owner('db/0') === 'h2' && world.isActive('db/0'), 60_000);
    await world.until('h1 is waited for', () => world.hostRecord('h1')?.status === 'Connecting');
  });

  test('comes only when no run of the definition before can give it a slot any more (S7)', async () => {
    const world = await createWorld({ yaml: THREE });
    await world.whole();
    const spare = ['h1', 'h2', 'h3'].find((host) => host !== world.owner('db/0')) ?? '';
    const revs: (readonly [unknown, unknown])[] = [];
    const before = world.hostRecord(spare)?.principal;
    world.faults = (op, phase, subject) => {
      if (op !== 'registry.put' || phase !== 'after' || !subject.endsWith(`HOST#${spare}`)) return;
      if (world.hostRecord(spare)?.principal !== before) revs.push([world.groups[0]?.rev, world.slot('db/0').claim]);
    };
    const rev = world.groups[0]?.rev ?? 0;
    await replace(world, spare);
    await world.until('it is waited for', () => world.hostRecord(spare)?.status === 'Connecting');
    expect(revs[0]).toEqual([rev + 1, null]);
  });

  test('two that change places: never two hosts of one machine, and nothing for a machine that calls itself another', async () => {
    const world = await createWorld({ yaml: THREE });
    await world.whole();
    const owner = world.owner('db/0') ?? '';
    const others = ['h1', 'h2', 'h3'].filter((host) => host !== owner);
    const [one = '', two = ''] = others;
    const [idOfOne, idOfTwo] = [world.machineOf(one), world.machineOf(two)];
    await world.apply(THREE.replace(idOfOne, 'i-x').replace(idOfTwo, idOfOne).replace('i-x', idOfTwo));
    const isSwapped = (): boolean =>
      world.hostRecord(one)?.principal.endsWith(idOfTwo) === true &&
      world.hostRecord(two)?.principal.endsWith(idOfOne) === true;
    await world.until('they have changed places', isSwapped);
    world.host(owner).die();
    await world.run(20_000);
    expect(world.slot('db/0')).toMatchObject({ epoch: 1, phase: 'Held', owner: { host: owner } });
  });

  test('whose machine is still that of another host: waits until that one has given it up', async () => {
    const world = await createWorld({ yaml: THREE });
    await world.whole();
    const owner = world.owner('db/0') ?? '';
    const [one = '', two = ''] = ['h1', 'h2', 'h3'].filter((host) => host !== owner);
    const [idOfOwner, idOfOne] = [world.machineOf(owner), world.machineOf(one)];
    const before = world.hostRecord(owner)?.principal;
    world.host(two).die();
    await world.run(10_000);
    // The spare takes the owner's machine; nobody else can take the owner's slot.
    await world.apply(THREE.replace(idOfOwner, 'i-00000000000000fff').replace(idOfOne, idOfOwner));
    await world.run(10_000);
    expect(world.slot('db/0')).toMatchObject({ epoch: 1, phase: 'Active', owner: { host: owner } });
    expect(world.hostRecord(owner)?.principal).toBe(before);
    expect(world.hostRecord(one)?.principal).not.toBe(before);
  });

  test('and back: a host becomes the machine again that still owns slots in its name, whatever made it another', async () => {
    const world = await createWorld({ yaml: THREE });
    await world.whole();
    const owner = world.owner('db/0') ?? '';
    const principal = world.hostRecord(owner)?.principal;
    await changeRecord<HostRecord>(world.ports.registry, keys.host(world.cluster, owner), (old) =>
      old === undefined ? null : { ...old, principal: `${old.principal}fff`, seen: null },
    );
    await world.until('it is the machine again', () => world.hostRecord(owner)?.principal === principal);
    world.host(owner).die();
    await world.until('another runs it', () => world.slot('db/0').epoch === 2 && world.isActive('db/0'), 60_000);
    expect(world.slot('db/0').tookOverBy).toMatchObject({ kind: 'lease-over', host: owner });
  });

  test('a sweep that met the session of the machine before does not write it down for the new one (S7)', async () => {
    const world = await createWorld({ yaml: THREE });
    await world.whole();
    const key = keys.host(world.cluster, 'h1');
    const change = (changes: Partial<HostRecord>): Promise<unknown> =>
      changeRecord<HostRecord>(world.ports.registry, key, (old) => (old === undefined ? null : { ...old, ...changes }));
    await change({ seen: null });
    const { heartbeats } = world.ports;
    const principal = world.hostRecord('h1')?.principal ?? '';
    const read = async (whose: string): ReturnType<typeof heartbeats.read> => {
      const found = await heartbeats.read(whose);
      if (whose === principal) await change({ principal: `${principal}fff`, status: 'Connecting' });
      return found;
    };
    await sweepOnce({ ...world.ports, heartbeats: { ...heartbeats, read } }, EMPTY_SWEEP_MEMORY);
    expect(world.hostRecord('h1')).toMatchObject({ principal: `${principal}fff`, seen: null, status: 'Connecting' });
  });
});
