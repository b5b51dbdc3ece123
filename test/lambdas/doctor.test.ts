import { describe, expect, jest, test } from '@jest/globals';
import type { Power, PowerReading } from '../../core/ports.ts';
import type { ObserverRecord, TroubleRecord } from '../../core/protocol/observer-records.ts';
import { keys } from '../../core/protocol/records.ts';
import type { DoctorView } from '../../core/protocol/views.ts';
import { doctor, fenceFunctionBeside } from '../../lambdas/api/doctor.ts';
import { api } from '../../lambdas/api/handler.ts';
import { controlNames } from '../../lib/control-names.ts';
import { DB, definitionOf, PAIR } from './definitions.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

async function sweepNow(world: World): Promise<void> {
  const nowMs = world.ports.wall.now();
  const observer: ObserverRecord = { generation: 1, claimedAtMs: nowMs, lastSweepMs: nowMs };
  await world.ports.registry.put(keys.observer(), observer, null);
}

const bad = ({ checks }: DoctorView) =>
  checks.filter(({ verdict }) => verdict !== 'ok').map(({ id, verdict, subject }) => `${verdict} ${id} ${subject}`);

test('a whole pair is well; without its standby host it is not, and the API says so', async () => {
  const world = await createWorld({ yaml: PAIR });
  await world.whole();
  expect(bad(await doctor(world.ports, world.cluster))).toEqual(['fail observer pair']);
  await sweepNow(world);
  expect(bad(await doctor(world.ports, world.cluster))).toEqual([]);

  const trouble: TroubleRecord = { subject: 'db/0', sinceMs: world.ports.wall.now(), why: 'it waits', isTold: true };
  await world.ports.registry.put(keys.trouble(world.cluster, 'db/0'), trouble, null);
  await world.http('POST', '/api/v1/hosts/h2/disable', JSON.stringify({ reason: 'drill' }));
  const answer = await world.http('GET', '/api/v1/doctor');
  expect(answer.statusCode).toBe(200);
  expect(bad(JSON.parse(answer.body) as DoctorView)).toEqual(
    expect.arrayContaining(['fail page db/0', 'fail sole-candidate db', 'fail capacity h1']),
  );
});

test('the API finds the Lambda that fences by its own name, and the doctor tells it', async () => {
  const names = controlNames('SiteControl');
  const fenceFunction = fenceFunctionBeside(names.lambda('Api'));
  expect(fenceFunction).toBe(names.lambda('HaFence'));
  expect(fenceFunctionBeside(undefined)).toBeNull();
  expect(fenceFunctionBeside('somebody-elses')).toBeNull();

  const world = await createWorld({ yaml: PAIR.replaceAll(', zone:', ', fencing: [[ec2]], zone:') });
  const handle = api(world.ports, { account: { partition: 'aws', region: 'r', id: '1' }, fenceFunction });
  const event = { rawPath: '/api/v1/doctor', requestContext: { http: { method: 'GET' } } };
  const { checks } = JSON.parse((await handle(event)).body) as DoctorView;
  expect(checks.find(({ id }) => id === 'fence-test')?.change).toContain('--function-name SiteControl-ha-fence ');
});

describe('power', () => {
  const many = definitionOf({ hosts: 9, groups: [DB] }).replace(
    /hosts:[\s\S]*groups:/,
    `hosts:${Array.from(
      { length: 45 },
      (_, at) => `\n  - { name: h${at}, instanceId: i-${String(at).padStart(17, '0')}, fencing: [[ec2], [lease]] }`,
    ).join('')}\ngroups:`,
  );
  const unknown: PowerReading = {
    ...{ state: 'unknown', principal: null, launchTime: null, canHibernate: null },
    ...{ checks: 'unknown', impairedSince: null, says: 'throttled' },
  };

  test('reads at most 40 machines a call, five at once, and names the others', async () => {
    const world = await createWorld({ yaml: many, off: Array.from({ length: 45 }, (_, at) => `h${at}`) });
    const asked: string[] = [];
    let now = 0;
    let most = 0;
    const power: Power = {
      ...world.ports.power,
      read: async (machine) => {
        asked.push(machine);
        now += 1;
        most = Math.max(most, now);
        await Promise.resolve();
        now -= 1;
        return unknown;
      },
    };
    const { checks } = await doctor({ ...world.ports, power }, world.cluster);
    expect([asked.length, new Set(asked).size, most]).toEqual([40, 40, 5]);
    const reach = checks.filter(({ id }) => id === 'power-reach');
    expect(reach.filter(({ verdict }) => verdict === 'fail')).toHaveLength(40);
    expect(reach.at(-1)).toMatchObject({
      verdict: 'warn',
      says: expect.stringContaining('the power of 5 hosts was not read'),
    });
  });
});
