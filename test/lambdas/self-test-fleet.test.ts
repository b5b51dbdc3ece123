import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { DoctorView } from '../../core/protocol/views.ts';
import { doctor } from '../../lambdas/api/doctor.ts';
import { awsFenceCloud } from '../../lambdas/ha-fence/aws-fence-cloud.ts';
import { haFence } from '../../lambdas/ha-fence/handler.ts';
import type { Ec2Server } from '../../local/fleet/ec2/server.ts';
import { CREDENTIALS, Machines, openEc2 } from '../contract/power-fixtures.ts';
import { M1, PAIR } from './power-stage.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(60_000);

const M2 = 'i-00000000000000002';
const OF_MACHINES = ['fence-test', 'fence-rights', 'stop-protection', 'scaling-group', 'auto-recovery', 'egress'];

let server: Ec2Server;
let world: World;

beforeEach(async () => {
  server = await openEc2(new Machines().add(M1).add(M2));
  world = await createWorld({ yaml: PAIR });
});
afterEach(() => server.close());

/** The SDK's clients, asked by the fence's own handler; the doctor reads what it left. */
async function findings(): Promise<readonly string[]> {
  const cloud = awsFenceCloud({ region: 'local', endpoint: server.url, credentials: CREDENTIALS });
  await haFence(world.ports, cloud)({ step: 'self-test', all: true });
  const { checks }: DoctorView = await doctor(world.ports, world.cluster);
  return checks
    .filter(({ id, verdict }) => OF_MACHINES.includes(id) && verdict !== 'ok')
    .map(({ id, verdict, subject }) => `${verdict} ${id} ${subject}`);
}

test('machines enrolled well are, and stay running', async () => {
  await world.whole();
  expect(await findings()).toEqual([]);
  expect([M1, M2].map((id) => server.cloud.stateOf(id))).toEqual(['running', 'running']);
});

test('what would defeat a failover is found before it happens, and mended by the commands named', async () => {
  await world.whole();
  const { settings, scaling } = server.cloud;
  settings.set(M1, { tags: {}, autoRecovery: 'default' });
  server.cloud.setMode('unauthorized', M1);
  settings.set(M2, { isStopProtected: true });
  scaling.create('web', [M2]);
  expect(await findings()).toEqual([
    'fail fence-rights h1',
    'fail stop-protection h2',
    'fail scaling-group h2',
    'warn auto-recovery h1',
  ]);
  expect(world.alerts.pages.map(({ subject }) => subject)).toEqual(['a fence would fail in pair: h1, h2']);

  server.cloud.clearModes(M1);
  settings.set(M1, { tags: { holdfast: 'host' }, autoRecovery: 'disabled' });
  settings.set(M2, { isStopProtected: false });
  scaling.enterStandby('web', [M2], true);
  expect(await findings()).toEqual([]);
});

test('a machine that runs and was never heard of', async () => {
  world.hosts.get('h2')?.die();
  world.tables.heartbeats.clear();
  expect(await findings()).toEqual(['fail egress h1', 'fail egress h2']);
});
