import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { A, B } from './cloud-fixtures.ts';
import type { CloudFamily, CloudStage, HealersFamily, HealersStage } from './cloud-fixtures.ts';

const GENTLY = { force: false };
const held = (by: string, isLeaving = false) => ({
  state: 'held',
  holders: [expect.objectContaining({ by, isLeaving })],
});

export function cloudContract(family: CloudFamily): void {
  describe(`what machines hold: ${family.name}`, () => {
    jest.setTimeout(30_000);
    let stage: CloudStage;
    beforeEach(async () => {
      stage = await family.open();
    });
    afterEach(() => stage.close());

    test('S7: a volume is free only after the detach is complete, and is refused to others until then', async () => {
      const { volumes } = stage.resources;
      expect(await volumes.read(stage.volume)).toEqual(held(A));
      expect(await volumes.attach(stage.volume, B, '/dev/sdf')).toMatchObject({ outcome: 'in-use' });
      expect(await volumes.read(stage.volume)).toEqual(held(A));
      stage.stuck(stage.volume);
      expect(await volumes.detach(stage.volume, A, GENTLY)).toEqual({ outcome: 'accepted' });
      await stage.settle(stage.volume);
      expect(await volumes.read(stage.volume)).toEqual(held(A, true));
      expect(await volumes.attach(stage.volume, B, '/dev/sdf')).toMatchObject({ outcome: 'in-use' });
      expect(await volumes.detach(stage.volume, A, { force: true })).toEqual({ outcome: 'accepted' });
      await stage.settle(stage.volume);
      expect(await volumes.read(stage.volume)).toEqual({ state: 'free' });
      expect(await volumes.attach(stage.volume, B, '/dev/sdf')).toEqual({ outcome: 'accepted' });
      await stage.settle(stage.volume);
      expect(await volumes.read(stage.volume)).toEqual(held(B));
    });

    test('S17: orders about a volume that come twice, or late, change nothing', async () => {
      const { volumes } = stage.resources;
      expect(await volumes.detach(stage.volume, B, GENTLY)).toMatchObject({ outcome: 'not-held' });
      expect(await volumes.attach(stage.volume, A, '/dev/sdf')).toEqual({ outcome: 'accepted' });
      expect(await volumes.detach(stage.volume, A, GENTLY)).toEqual({ outcome: 'accepted' });
      expect(await volumes.detach(stage.volume, A, GENTLY)).toEqual({ outcome: 'accepted' });
      await stage.settle(stage.volume);
      expect(await volumes.detach(stage.volume, A, GENTLY)).toMatchObject({ outcome: 'not-held' });
    });

    test('an interface moves as a volume does', async () => {
      const { interfaces } = stage.resources;
      const id = stage.interface;
      expect(await interfaces.read(id)).toEqual({ state: 'free' });
      expect(await interfaces.attach(id, A, 1)).toEqual({ outcome: 'accepted' });
      await stage.settle(id);
      expect(await interfaces.attach(id, A, 1)).toEqual({ outcome: 'accepted' });
      expect(await interfaces.attach(id, B, 1)).toMatchObject({ outcome: 'in-use' });
      expect(await interfaces.detach(id, B, GENTLY)).toMatchObject({ outcome: 'not-held' });
      stage.stuck(id);
      expect(await interfaces.detach(id, A, GENTLY)).toEqual({ outcome: 'accepted' });
      await stage.settle(id);
      expect(await interfaces.read(id)).toEqual(held(A, true));
      expect(await interfaces.attach(id, B, 1)).toMatchObject({ outcome: 'in-use' });
      expect(await interfaces.detach(id, A, { force: true })).toEqual({ outcome: 'accepted' });
      await stage.settle(id);
      expect(await interfaces.attach(id, B, 1)).toEqual({ outcome: 'accepted' });
      expect(await interfaces.read(id)).toEqual(held(B));
    });

    test('a private address is taken from another only by reassignment', async () => {
      const { privateAddresses } = stage.resources;
      const [one, two] = stage.nics;
      const at = stage.address;
      expect(await privateAddresses.read(at)).toEqual({ state: 'free' });
      expect(await privateAddresses.assign(at, one, { reassign: false })).toEqual({ outcome: 'accepted' });
      expect(await privateAddresses.assign(at, one, { reassign: false })).toEqual({ outcome: 'accepted' });
      expect(await privateAddresses.assign(at, two, { reassign: false })).toMatchObject({ outcome: 'in-use' });
      expect(await privateAddresses.read(at)).toEqual(held(one));
      expect(await privateAddresses.unassign(at, two)).toMatchObject({ outcome: 'not-held' });
      expect(await privateAddresses.assign(at, two, { reassign: true })).toEqual({ outcome: 'accepted' });
      expect(await privateAddresses.read(at)).toEqual(held(two));
      expect(await privateAddresses.unassign(at, two)).toEqual({ outcome: 'accepted' });
      expect(await privateAddresses.read(at)).toEqual({ state: 'free' });
    });

    test('an Elastic IP is never taken from another', async () => {
      const { elasticAddresses } = stage.resources;
      const [one, two] = stage.nics;
      expect(await elasticAddresses.read(stage.elastic)).toEqual({ state: 'free' });
      expect(await elasticAddresses.associate(stage.elastic, one)).toEqual({ outcome: 'accepted' });
      expect(await elasticAddresses.associate(stage.elastic, one)).toEqual({ outcome: 'accepted' });
      expect(await elasticAddresses.associate(stage.elastic, two)).toMatchObject({ outcome: 'in-use' });
      expect(await elasticAddresses.disassociate(stage.elastic, two)).toMatchObject({ outcome: 'not-held' });
      expect(await elasticAddresses.read(stage.elastic)).toEqual(held(one));
      expect(await elasticAddresses.disassociate(stage.elastic, one)).toEqual({ outcome: 'accepted' });
      expect(await elasticAddresses.read(stage.elastic)).toEqual({ state: 'free' });
      expect(await elasticAddresses.associate(stage.elastic, two)).toEqual({ outcome: 'accepted' });
    });

    test('a route leads elsewhere at once; one that is not there is unknown and stays so', async () => {
      const { routes } = stage.resources;
      const [one, two] = stage.nics;
      expect(await routes.read(stage.route)).toEqual(held(one));
      await routes.replace(stage.route, two);
      expect(await routes.read(stage.route)).toEqual(held(two));
      const nowhere = { ...stage.route, destination: '203.0.113.0/24' };
      expect(await routes.read(nowhere)).toMatchObject({ state: 'unknown' });
      await expect(routes.replace(nowhere, two)).rejects.toMatchObject({ code: 'power_refused' });
    });

    test('S8: throttled is unknown, not free, and orders are to be given again', async () => {
      const { volumes, interfaces, privateAddresses, elasticAddresses, routes } = stage.resources;
      stage.throttle(true);
      const reads = await Promise.all([
        volumes.read(stage.volume),
        interfaces.read(stage.interface),
        privateAddresses.read(stage.address),
        elasticAddresses.read(stage.elastic),
        routes.read(stage.route),
      ]);
      for (const reading of reads)
        expect(reading).toEqual({ state: 'unknown', says: expect.stringContaining('RequestLimitExceeded') });
      const orders = await Promise.allSettled([
        volumes.detach(stage.volume, A, GENTLY),
        interfaces.attach(stage.interface, A, 1),
        elasticAddresses.associate(stage.elastic, stage.nics[0]),
        routes.replace(stage.route, stage.nics[1]),
      ]);
      const later = { status: 'rejected', reason: expect.objectContaining({ code: 'power_throttled' }) };
      expect(orders).toEqual([later, later, later, later]);
      stage.throttle(false);
      expect(await volumes.read(stage.volume)).toEqual(held(A));
      expect(await elasticAddresses.read(stage.elastic)).toEqual({ state: 'free' });
    });

    test('S8: what nobody knows is unknown and takes no orders', async () => {
      const { volumes, interfaces, elasticAddresses } = stage.resources;
      expect(await volumes.read('vol-00000000000000099')).toMatchObject({ state: 'unknown' });
      expect(await interfaces.read('eni-00000000000000099')).toMatchObject({ state: 'unknown' });
      expect(await elasticAddresses.read('eipalloc-00000000000000099')).toMatchObject({ state: 'unknown' });
      const refused = { code: 'power_refused' };
      await expect(volumes.attach('vol-00000000000000099', A, '/dev/sdf')).rejects.toMatchObject(refused);
      await expect(interfaces.attach('eni-00000000000000099', A, 1)).rejects.toMatchObject(refused);
    });
  });
}

export function healersContract(family: HealersFamily): void {
  describe(`who else would heal or destroy a machine: ${family.name}`, () => {
    jest.setTimeout(30_000);
    let stage: HealersStage;
    beforeEach(async () => {
      stage = await family.open();
    });
    afterEach(() => stage.close());
    const membership = async (id: string) => (await stage.scaling.membership([A, B])).get(id);

    test('membership, and what the group does and is', async () => {
      expect(await membership(A)).toEqual({ member: 'yes', group: 'web', lifecycle: 'InService' });
      expect(await membership(B)).toEqual({ member: 'no' });
      expect(await stage.scaling.group('web')).toMatchObject({
        suspended: ['AZRebalance'],
        tags: { holdfast: 'host' },
      });
      expect(await stage.scaling.group('nobody')).toBeUndefined();
    });

    test('standby: not under the least size; without that a replacement is launched; once there, not again', async () => {
      expect(await stage.scaling.enterStandby('web', [A], { decrement: true })).toMatchObject({
        ...{ outcome: 'refused', says: expect.stringContaining('min-size') },
      });
      expect(await stage.scaling.enterStandby('web', [A], { decrement: false })).toEqual({ outcome: 'accepted' });
      await stage.settle();
      expect(await membership(A)).toEqual({ member: 'yes', group: 'web', lifecycle: 'Standby' });
      expect(await stage.scaling.enterStandby('web', [A], { decrement: false })).toMatchObject({ outcome: 'refused' });
      expect(await stage.scaling.exitStandby('web', [A])).toEqual({ outcome: 'accepted' });
      expect(await membership(A)).toMatchObject({ lifecycle: 'InService' });
      expect(await stage.scaling.exitStandby('web', [A])).toMatchObject({ outcome: 'refused' });
    });

    test('S8: throttled membership is unknown, and an order is to be given again', async () => {
      stage.throttle(true);
      expect(await membership(B)).toMatchObject({
        ...{ member: 'unknown', says: expect.stringContaining('RequestLimitExceeded') },
      });
      await expect(stage.scaling.enterStandby('web', [A], { decrement: false })).rejects.toMatchObject({
        code: 'power_throttled',
      });
      expect((await stage.rehearsal.stop(A)).outcome).toBe('unknown');
      stage.throttle(false);
      expect(await membership(B)).toEqual({ member: 'no' });
    });

    test('what is set on a machine', async () => {
      expect(await stage.settings.inspect(A)).toMatchObject({
        ...{ outcome: 'seen', state: 'running', type: 't4g.small', autoRecovery: 'disabled', canHibernate: false },
        ...{ isStopProtected: false, isTerminationProtected: false, tags: { holdfast: 'host' } },
      });
      stage.change(A, { autoRecovery: 'default', isStopProtected: true });
      expect(await stage.settings.inspect(A)).toMatchObject({ autoRecovery: 'default', isStopProtected: true });
      await stage.settings.disableAutoRecovery(A);
      expect(await stage.settings.inspect(A)).toMatchObject({ autoRecovery: 'disabled' });
    });

    test('S8: a machine that nobody knows is unknown; it cannot be stopped or changed', async () => {
      const nobody = 'i-00000000000000009';
      expect(await stage.settings.inspect(nobody)).toMatchObject({ outcome: 'unknown' });
      expect(await stage.rehearsal.stop(nobody)).toMatchObject({ outcome: 'refused' });
      await expect(stage.settings.disableAutoRecovery(nobody)).rejects.toMatchObject({ code: 'power_refused' });
    });

    test('a rehearsal says what would be, and nothing is done', async () => {
      expect(await stage.rehearsal.stop(A)).toEqual({ outcome: 'allowed' });
      expect(await stage.rehearsal.start(A)).toEqual({ outcome: 'allowed' });
      stage.refuse(A);
      expect(await stage.rehearsal.stop(A)).toMatchObject({
        ...{ outcome: 'refused', says: expect.stringContaining('UnauthorizedOperation') },
      });
      expect(await stage.settings.inspect(A)).toMatchObject({ state: 'running' });
    });

    test('which machines can be asked past their agents', async () => {
      const reach = await stage.path.reach([A, B, 'i-00000000000000009']);
      expect(reach.get(A)).toBe('online');
      expect(['lost', 'absent']).toContain(reach.get(B));
      expect(reach.get('i-00000000000000009')).toBe('absent');
    });
  });
}
