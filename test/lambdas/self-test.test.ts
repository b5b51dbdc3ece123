import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { MemoryAutoScaling } from '../../adapters/memory/memory-auto-scaling.ts';
import { MemoryMachineSettings } from '../../adapters/memory/memory-machine-settings.ts';
import { HaError } from '../../core/failures/failures.ts';
import { type FenceTestRecord, fenceTestKeys } from '../../core/protocol/fence-test-records.ts';
import type { DoctorView } from '../../core/protocol/views.ts';
import { doctor } from '../../lambdas/api/doctor.ts';
import type { FenceCloud } from '../../lambdas/ha-fence/fence-cloud.ts';
import { haFence } from '../../lambdas/ha-fence/handler.ts';
import type { SelfTested } from '../../lambdas/ha-fence/self-test.ts';
import { DB, definitionOf } from './definitions.ts';
import { fenced, M1, PAIR } from './power-stage.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(60_000);

const M2 = 'i-00000000000000002';
const HOUR = 3_600_000;
const REFUSED = { outcome: 'refused', says: 'UnauthorizedOperation: not you' } as const;

let world: World;
let settings: MemoryMachineSettings;
let scaling: MemoryAutoScaling;

beforeEach(async () => {
  settings = new MemoryMachineSettings();
  scaling = new MemoryAutoScaling();
  world = await createWorld({ yaml: PAIR });
  for (const id of [M1, M2]) settings.set(id);
});

const cloud = (): FenceCloud => ({ scaling, settings, rehearsal: settings.rehearsal, path: settings.path });
const call = async (event: object = {}): Promise<SelfTested> =>
  (await haFence(world.ports, cloud())({ step: 'self-test', ...event })) as SelfTested;
const pass = (ms: number): void => {
  const now = world.ports.wall.now.bind(world.ports.wall);
  Object.assign(world.ports, { wall: { now: () => now() + ms } });
};
const recordOf = (host: string): FenceTestRecord | undefined =>
  world.record<FenceTestRecord>(fenceTestKeys.of(world.cluster, host));
const pages = (): readonly string[] => world.alerts.pages.map(({ subject }) => subject);
const found = ({ checks }: DoctorView) =>
  checks.filter(({ verdict }) => verdict !== 'ok').map(({ id, verdict, subject }) => `${verdict} ${id} ${subject}`);

describe('the self-test of the fence', () => {
  test('hosts enrolled well: recorded, nobody is called, and the doctor is content', async () => {
    await world.whole();
    expect(await call()).toEqual({ step: 'self-test', tested: 2, defeated: 0, left: 0 });
    expect(recordOf('h1')).toMatchObject({ machine: M1, stop: { outcome: 'allowed' }, scaling: { member: 'no' } });
    expect(recordOf('h1')?.seen).toMatchObject({ outcome: 'seen', hasTag: true, isStopProtected: false });
    expect(pages()).toEqual([]);
    expect(world.machines.stops).toEqual([]);
    const { checks } = await doctor(world.ports, world.cluster);
    expect(checks.filter(({ id }) => id.startsWith('fence-')).map(({ verdict }) => verdict)).toEqual(['ok', 'ok']);
  });

  test('what would defeat a fence is told once, found by the doctor, and forgotten when it is mended', async () => {
    settings.answer(M1, REFUSED);
    settings.set(M2, { isStopProtected: true });
    expect(await call()).toMatchObject({ tested: 2, defeated: 2 });
    expect(pages()).toEqual(['a fence would fail in pair: h1, h2']);
    expect(world.alerts.pages[0]?.text).toContain('--no-disable-api-stop');
    expect(found(await doctor(world.ports, world.cluster))).toEqual(
      expect.arrayContaining(['fail fence-rights h1', 'fail stop-protection h2']),
    );
    await call({ all: true });
    expect(pages()).toHaveLength(1);
    // EC2 says nothing: that mends nothing, and tells nothing anew afterwards.
    settings.answer(M1, { outcome: 'unknown', says: 'throttled' });
    await call({ all: true });
    settings.answer(M1, REFUSED);
    await call({ all: true });
    expect(pages()).toHaveLength(1);
    settings.answer(M1, { outcome: 'allowed' });
    settings.set(M2, { isStopProtected: false });
    expect(await call({ all: true })).toMatchObject({ defeated: 0 });
    expect(recordOf('h1')?.isTold).toBe(false);
    settings.answer(M1, REFUSED);
    await call({ all: true });
    expect(pages()).toEqual(['a fence would fail in pair: h1, h2', 'a fence would fail in pair: h1']);
  });

  test('a page that does not get out leaves no record, so that the next call tells', async () => {
    settings.answer(M1, REFUSED);
    const { alerts } = world.ports;
    Object.assign(world.ports, {
      alerts: { page: () => Promise.reject(new HaError('store_unavailable', 'the topic is away')) },
    });
    await expect(call()).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(recordOf('h1')).toBeUndefined();
    Object.assign(world.ports, { alerts });
    await call();
    expect(pages()).toHaveLength(1);
  });

  test('who is well has its turn once a day, who is not, every hour', async () => {
    settings.answer(M1, REFUSED);
    await call();
    expect(await call()).toMatchObject({ tested: 0 });
    pass(HOUR);
    expect(await call()).toMatchObject({ tested: 1 });
    pass(23 * HOUR);
    expect(await call()).toMatchObject({ tested: 2 });
    settings.forget(M2);
    pass(24 * HOUR);
    await call();
    expect(recordOf('h2')?.seen.outcome).toBe('unknown');
    pass(HOUR);
    expect(await call()).toMatchObject({ tested: 2 });
  });

  test('a hundred machines a call, the others first in the next; what is no longer defined is forgotten', async () => {
    const hosts = (n: number): string =>
      definitionOf({ hosts: 9, groups: [DB] }).replace(
        /hosts:[\s\S]*groups:/,
        `hosts:${Array.from(
          { length: n },
          (_, at) => `\n  - { name: h${at}, instanceId: i-${String(at).padStart(17, '0')}, fencing: [[ec2], [lease]] }`,
        ).join('')}\ngroups:`,
      );
    world = await createWorld({ yaml: hosts(130), off: Array.from({ length: 130 }, (_, at) => `h${at}`) });
    expect(await call()).toMatchObject({ tested: 100, left: 30 });
    expect(await call()).toMatchObject({ tested: 30, left: 0 });
    expect(new Set(settings.rehearsed).size).toBe(130);
    await world.apply(hosts(129));
    await call();
    expect(recordOf('h129')).toBeUndefined();
    expect(recordOf('h128')).toBeDefined();
  });

  test('a host that no policy stops: its stop is not rehearsed', async () => {
    world = await createWorld({ yaml: fenced(definitionOf({ hosts: 2, groups: [DB] }), '[[lease]]') });
    await call();
    expect(settings.rehearsed).toEqual([]);
    expect(recordOf('h1')?.stop).toBeNull();
  });

  test('a DryRun that is taken for an order: nobody else is asked, and a person is called', async () => {
    settings.answer(M1, { outcome: 'unknown', says: 'as if it were none', wasObeyed: true });
    expect(await call()).toMatchObject({ tested: 1, left: 1 });
    expect(pages()).toEqual(['a self-test of the fence was taken for an order: h1']);
    expect(recordOf('h2')).toBeUndefined();
  });

  test('groups that the fence may change, and groups that destroy nothing', async () => {
    scaling.add('web', M1);
    scaling.add('db', M2);
    scaling.change('web', { tags: { holdfast: 'host' } });
    scaling.change('db', { suspended: ['ReplaceUnhealthy'] });
    await call();
    expect(recordOf('h1')).toMatchObject({ scaling: { group: 'web' }, group: { hasTag: true, isHarmless: false } });
    expect(recordOf('h2')).toMatchObject({ scaling: { group: 'db' }, group: { hasTag: false, isHarmless: true } });
    expect(pages()).toEqual([]);
  });

  test('without a cloud there is nothing to test, and the event says nothing else', async () => {
    await expect(haFence(world.ports)({ step: 'self-test' })).rejects.toMatchObject({ code: 'config_invalid' });
    await expect(haFence(world.ports, cloud())({ step: 'self-test', run: 'r' })).rejects.toMatchObject({
      code: 'config_invalid',
    });
  });
});
