import { describe, expect, jest, test } from '@jest/globals';
import { MemoryAutoScaling } from '../../adapters/memory/memory-auto-scaling.ts';
import { MemoryMachineSettings } from '../../adapters/memory/memory-machine-settings.ts';
import { HaError } from '../../core/failures/failures.ts';
import { haFence } from '../../lambdas/ha-fence/handler.ts';
import { SPARE_WITHIN_MS } from '../../lambdas/ha-fence/spare.ts';
import { evidence, M1, movedAway, POWER_ONLY, says, settled } from './power-stage.ts';
import type { World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

interface Story {
  readonly world: World;
  readonly tookMs: number;
}

/** h1 falls silent; its slot can only be had by its power. */
async function fenceOf(scaling: MemoryAutoScaling): Promise<Story> {
  const world = await settled({ yaml: POWER_ONLY });
  const settings = new MemoryMachineSettings();
  const cloud = { scaling, settings, rehearsal: settings.rehearsal, path: settings.path };
  Object.assign(world.handlers, { HaFence: haFence(world.ports, cloud) });
  world.host('h1').isCut = true;
  const tookMs = await world.until('db/0 has moved', () => movedAway(world), 60_000);
  return { world, tookMs };
}

describe('a host in an Auto Scaling group is put in standby before it is stopped', () => {
  test('first standby, then the stop; what was done and how to undo it is in the record', async () => {
    const scaling = new MemoryAutoScaling();
    scaling.add('web', M1);
    const atStop: string[] = [];
    const world = await settled({ yaml: POWER_ONLY });
    const settings = new MemoryMachineSettings();
    const cloud = { scaling, settings, rehearsal: settings.rehearsal, path: settings.path };
    Object.assign(world.handlers, { HaFence: haFence(world.ports, cloud) });
    const stop = world.ports.power.stop.bind(world.ports.power);
    Object.assign(world.ports.power, {
      stop: (...order: Parameters<typeof stop>) => {
        atStop.push(...scaling.orders);
        return stop(...order);
      },
    });
    world.host('h1').isCut = true;
    await world.until('db/0 has moved', () => movedAway(world), 60_000);
    expect(atStop).toEqual([`enter ${M1}`]);
    expect(scaling.orders).toEqual([`enter ${M1}`]);
    expect(evidence(world)).toEqual(['power-off']);
    expect(says(world)).toContain('web put it in standby, so that it is kept');
    expect(says(world)).toContain('aws autoscaling exit-standby');
  });

  test('one that renews while the brake looks is left in service: it will not be stopped', async () => {
    const scaling = new MemoryAutoScaling();
    scaling.add('web', M1);
    const world = await settled();
    const settings = new MemoryMachineSettings();
    const cloud = { scaling, settings, rehearsal: settings.rehearsal, path: settings.path };
    Object.assign(world.handlers, { HaFence: haFence(world.ports, cloud) });
    let looks = 0;
    world.faults = (op, phase, subject) => {
      if (op !== 'registry.put' || phase !== 'before' || !subject.endsWith('/BRAKE')) return;
      looks += 1;
      const item = world.heartbeat('h1');
      if (item === undefined || item.session.startsWith('revoked:')) throw new Error('it could not renew');
      world.tables.heartbeats.set(world.host('h1').principal, JSON.stringify({ ...item, seq: item.seq + 1 }));
    };
    world.host('h1').isCut = true;
    await world.until('the brake has looked', () => looks > 0, 30_000);
    await world.run(500);
    expect(scaling.orders).toEqual([]);
    expect(world.machines.stops).toEqual([]);
  });

  test('a group at its least size launches another instead', async () => {
    const scaling = new MemoryAutoScaling();
    scaling.add('web', M1);
    scaling.change('web', { least: 1 });
    const { world } = await fenceOf(scaling);
    expect(scaling.orders).toEqual([`enter ${M1}`]);
    expect(says(world)).toContain('launches another in its place');
  });

  test('in no group: nothing is said', async () => {
    const { world } = await fenceOf(new MemoryAutoScaling());
    expect(says(world)).not.toContain('Auto Scaling');
    expect(world.machines.stops).toHaveLength(1);
  });

  test('in standby already: left as it is', async () => {
    const scaling = new MemoryAutoScaling();
    scaling.add('web', M1, 'Standby');
    const { world } = await fenceOf(scaling);
    expect(scaling.orders).toEqual([]);
    expect(says(world)).toContain('has it as Standby');
  });
});

describe('the fence goes on whatever Auto Scaling does', () => {
  const plain = async (): Promise<number> => (await fenceOf(new MemoryAutoScaling())).tookMs;

  test.each<[string, 'membership' | 'enter', HaError]>([
    ['membership is refused', 'membership', new HaError('power_refused', 'AccessDenied: not you')],
    ['standby is refused', 'enter', new HaError('power_refused', 'AccessDenied: not you')],
    ['throttled', 'enter', new HaError('power_throttled', 'Throttling: later')],
  ])('%s: the stop is not delayed', async (_, at, error) => {
    const scaling = new MemoryAutoScaling();
    scaling.add('web', M1);
    scaling.faults = (op) => {
      if (op === at) throw error;
    };
    const { world, tookMs } = await fenceOf(scaling);
    expect(world.machines.stops).toHaveLength(1);
    expect(says(world)).toContain(error.message);
    expect(tookMs).toBeLessThanOrEqual((await plain()) + 100);
  });

  test.each<['membership' | 'enter']>([['membership'], ['enter']])('%s never answers: bounded', async (at) => {
    const scaling = new MemoryAutoScaling();
    scaling.add('web', M1);
    scaling.faults = (op) => (op === at ? new Promise<never>(() => undefined) : undefined);
    const { world, tookMs } = await fenceOf(scaling);
    expect(world.machines.stops).toHaveLength(1);
    expect(says(world)).toContain('did not answer');
    expect(tookMs).toBeLessThanOrEqual((await plain()) + SPARE_WITHIN_MS + 200);
  });

  test('an answer that comes too late changes no group', async () => {
    const scaling = new MemoryAutoScaling();
    scaling.add('web', M1);
    let answer: () => void = () => undefined;
    scaling.faults = (op) => (op === 'membership' ? new Promise<void>((resolve) => (answer = resolve)) : undefined);
    const { world } = await fenceOf(scaling);
    answer();
    await world.run(1_000);
    expect(scaling.orders).toEqual([]);
  });
});
