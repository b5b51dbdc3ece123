import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { LAUNCHED, MACHINE, NOBODY, PRINCIPAL } from './power-fixtures.ts';
import type { PowerFamily, PowerStage } from './power-fixtures.ts';

const FENCE = { skipOsShutdown: true, force: false };

export function powerContract(family: PowerFamily): void {
  describe(`power: ${family.name}`, () => {
    jest.setTimeout(30_000);
    let stage: PowerStage;
    beforeEach(async () => {
      stage = await family.open();
    });
    afterEach(() => stage.close());

    test('a reading names the machine and its launch as the platform itself knows them (S7)', async () => {
      expect(await stage.power.read(MACHINE)).toMatchObject({
        ...{ state: 'running', principal: PRINCIPAL, launchTime: LAUNCHED, canHibernate: false },
      });
    });

    test('an accepted stop is not a stop: stopping first, stopped only when it has arrived', async () => {
      await stage.power.stop(MACHINE, FENCE);
      expect((await stage.power.read(MACHINE)).state).toBe('stopping');
      await stage.power.stop(MACHINE, { skipOsShutdown: true, force: true });
      await stage.arrive('stopped');
      expect(await stage.power.read(MACHINE)).toMatchObject({
        ...{ state: 'stopped', principal: PRINCIPAL, launchTime: LAUNCHED },
      });
      await stage.power.stop(MACHINE, FENCE);
      expect((await stage.power.read(MACHINE)).state).toBe('stopped');
    });

    test('a start is a later launch', async () => {
      await stage.power.stop(MACHINE, FENCE);
      await stage.arrive('stopped');
      await stage.power.start(MACHINE);
      await stage.arrive('running');
      const { launchTime, principal } = await stage.power.read(MACHINE);
      expect(Date.parse(launchTime ?? '')).toBeGreaterThan(Date.parse(LAUNCHED));
      expect(principal).toBe(PRINCIPAL);
      await stage.power.start(MACHINE);
      expect((await stage.power.read(MACHINE)).launchTime).toBe(launchTime);
    });

    test('what is stopping cannot be started', async () => {
      await stage.power.stop(MACHINE, FENCE);
      await expect(stage.power.start(MACHINE)).rejects.toMatchObject({
        code: 'power_refused',
        message: expect.stringContaining('IncorrectInstanceState'),
      });
    });

    test('S8: a machine that nobody knows is unknown, with the reason, and takes no orders', async () => {
      const reading = await stage.power.read(NOBODY);
      expect(reading).toMatchObject({ state: 'unknown', principal: null, launchTime: null, checks: 'unknown' });
      expect(reading.says).toContain('InvalidInstanceID.NotFound');
      await expect(stage.power.stop(NOBODY, FENCE)).rejects.toMatchObject({ code: 'power_refused' });
      await expect(stage.power.start(NOBODY)).rejects.toMatchObject({ code: 'power_refused' });
    });

    test('S8: throttled is unknown, and orders are to be given again', async () => {
      stage.throttle(true);
      const reading = await stage.power.read(MACHINE);
      expect(reading).toMatchObject({ state: 'unknown', principal: null, launchTime: null });
      expect(reading.says).toContain('RequestLimitExceeded');
      await expect(stage.power.stop(MACHINE, FENCE)).rejects.toMatchObject({ code: 'power_throttled' });
      await expect(stage.power.start(MACHINE)).rejects.toMatchObject({ code: 'power_throttled' });
      stage.throttle(false);
      expect((await stage.power.read(MACHINE)).state).toBe('running');
    });

    test('several are started by one order, each with an answer of its own', async () => {
      await stage.power.stop(MACHINE, FENCE);
      await stage.arrive('stopped');
      const answers = await stage.power.startAll([NOBODY, MACHINE]);
      expect(answers.get(MACHINE)).toEqual({ outcome: 'accepted' });
      expect(answers.get(NOBODY)).toMatchObject({ outcome: 'refused' });
      await stage.arrive('running');
      stage.throttle(true);
      expect((await stage.power.startAll([MACHINE])).get(MACHINE)).toMatchObject({ outcome: 'later' });
      stage.throttle(false);
    });

    test('a terminated machine is named as such and takes no orders', async () => {
      await stage.terminate();
      expect(await stage.power.read(MACHINE)).toMatchObject({ state: 'terminated', principal: PRINCIPAL });
      await expect(stage.power.stop(MACHINE, FENCE)).rejects.toMatchObject({ code: 'power_refused' });
      await expect(stage.power.start(MACHINE)).rejects.toMatchObject({ code: 'power_refused' });
    });
  });
}
