import { DescribeVolumesCommand, EC2Client, ModifyInstanceAttributeCommand } from '@aws-sdk/client-ec2';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { autoScaling } from '../../../../adapters/aws/auto-scaling.ts';
import { ec2Power } from '../../../../adapters/aws/ec2-power.ts';
import { ec2Resources } from '../../../../adapters/aws/ec2-resources.ts';
import { ec2Settings } from '../../../../adapters/aws/ec2-settings.ts';
import { interfaceOf } from '../../../../local/fleet/ec2/network.ts';
import type { Ec2Server } from '../../../../local/fleet/ec2/server.ts';
import { volumeOf } from '../../../../local/fleet/ec2/volumes.ts';
import { CREDENTIALS, Machines, openEc2, untilState } from '../../../contract/power-fixtures.ts';
import { until } from '../until.ts';

jest.setTimeout(30_000);

const A = 'i-0000000000000000a';
const B = 'i-0000000000000000b';
const FENCE = { skipOsShutdown: true, force: false };

let server: Ec2Server;
let clients: {
  readonly power: ReturnType<typeof ec2Power>;
  readonly scaling: ReturnType<typeof autoScaling>;
  readonly resources: ReturnType<typeof ec2Resources>;
  readonly settings: ReturnType<typeof ec2Settings>;
};

beforeEach(async () => {
  server = await openEc2(new Machines().add(A).add(B));
  const place = { region: 'local', endpoint: server.url, credentials: CREDENTIALS };
  clients = {
    ...{ power: ec2Power(place), scaling: autoScaling(place) },
    ...{ resources: ec2Resources(place), settings: ec2Settings(place) },
  };
});
afterEach(async () => {
  for (const client of Object.values(clients)) client.close();
  await server.close();
});

describe('Auto Scaling', () => {
  test('destroys an instance in service that is stopped; one in standby it keeps', async () => {
    const { power, scaling } = clients;
    server.cloud.scaling.create('web', [A, B]);
    expect(await scaling.enterStandby('web', [B], { decrement: true })).toEqual({ outcome: 'accepted' });
    await Promise.all([A, B].map((id) => power.stop(id, FENCE)));
    await untilState(power, A, 'terminated');
    await untilState(power, B, 'stopped');
    const members = await scaling.membership([A, B]);
    expect([members.get(A), members.get(B)]).toMatchObject([{ member: 'no' }, { lifecycle: 'Standby' }]);
  });

  test('with the replacing suspended it destroys nothing', async () => {
    server.cloud.scaling.create('web', [A], { suspended: ['ReplaceUnhealthy'] });
    await clients.power.stop(A, FENCE);
    await untilState(clients.power, A, 'stopped');
    expect((await clients.scaling.membership([A])).get(A)).toMatchObject({ lifecycle: 'InService' });
  });
});

test('a machine under stop protection: the rehearsal is allowed, and the order is refused', async () => {
  const client = new EC2Client({ region: 'local', endpoint: server.url, credentials: { ...CREDENTIALS } });
  await client.send(new ModifyInstanceAttributeCommand({ InstanceId: A, DisableApiStop: { Value: true } }));
  client.destroy();
  expect(await clients.settings.rehearsal.stop(A)).toEqual({ outcome: 'allowed' });
  await expect(clients.power.stop(A, FENCE)).rejects.toMatchObject({
    ...{ code: 'power_refused', message: expect.stringContaining('disableApiStop') },
  });
  expect(await clients.settings.inspect(A)).toMatchObject({ isStopProtected: true, state: 'running' });
});

test('a stale read of a volume shows it free, and EC2 refuses the attach all the same (S7)', async () => {
  const { volumes } = clients.resources;
  const volume = volumeOf(A);
  await volumes.detach(volume, A, { force: false });
  await until('the volume is free', async () => (await volumes.read(volume)).state === 'free');
  server.cloud.setMode('stale', volume);
  expect(await volumes.attach(volume, B, '/dev/sdf')).toEqual({ outcome: 'accepted' });
  expect(await volumes.read(volume)).toEqual({ state: 'free' });
  expect(await volumes.attach(volume, A, '/dev/sdf')).toMatchObject({ outcome: 'in-use' });
  server.cloud.clearModes(volume);
  expect(await volumes.read(volume)).toMatchObject({ state: 'held', holders: [{ by: B }] });
});

test('the first interface of a machine cannot be taken from it; a terminated machine holds nothing', async () => {
  const { interfaces, volumes } = clients.resources;
  await expect(interfaces.detach(interfaceOf(A), A, { force: true })).rejects.toMatchObject({ code: 'power_refused' });
  server.cloud.terminate(A, { skipOsShutdown: true, force: false });
  await untilState(clients.power, A, 'terminated');
  expect(await interfaces.read(interfaceOf(A))).toEqual({ state: 'free' });
  expect(await volumes.read(volumeOf(A))).toEqual({ state: 'free' });
});

test('several are started by one call; one that nobody knows spoils nothing', async () => {
  const { power } = clients;
  await Promise.all([A, B].map((id) => power.stop(id, FENCE)));
  await Promise.all([A, B].map((id) => untilState(power, id, 'stopped')));
  const nobody = 'i-00000000000000009';
  const answers = await power.startAll([A, nobody, B]);
  expect([A, B].map((id) => answers.get(id))).toEqual([{ outcome: 'accepted' }, { outcome: 'accepted' }]);
  expect(answers.get(nobody)).toMatchObject({ outcome: 'refused', says: expect.stringContaining('NotFound') });
  await Promise.all([A, B].map((id) => untilState(power, id, 'running')));
});

test('orders that are not authorised are refused, before a DryRun is answered; reads are not', async () => {
  server.cloud.setMode('unauthorized', A);
  await expect(clients.power.stop(A, FENCE)).rejects.toMatchObject({ code: 'power_refused' });
  expect(await clients.settings.rehearsal.stop(A)).toMatchObject({ outcome: 'refused' });
  expect((await clients.power.read(A)).state).toBe('running');
  const client = new EC2Client({ region: 'local', endpoint: server.url, credentials: { ...CREDENTIALS } });
  expect((await client.send(new DescribeVolumesCommand({}))).Volumes).toHaveLength(2);
  client.destroy();
});
