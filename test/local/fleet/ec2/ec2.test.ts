import {
  AttachVolumeCommand,
  DescribeInstancesCommand,
  DescribeInstanceStatusCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  EC2Client,
  RebootInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ec2Power } from '../../../../adapters/aws/ec2-power.ts';
import { STOP_MS } from '../../../../local/fleet/ec2/delays.ts';
import type { Ec2Server } from '../../../../local/fleet/ec2/server.ts';
import type { StateChangeEvent } from '../../../../local/fleet/ec2/state-events.ts';
import { CREDENTIALS, LAUNCHED, Machines, openEc2, untilState } from '../../../contract/power-fixtures.ts';
import { until } from '../until.ts';

jest.setTimeout(30_000);

const A = 'i-0000000000000000a';
const B = 'i-0000000000000000b';
const InstanceIds = [A];

let machines: Machines;
let server: Ec2Server;
let client: EC2Client;
let power: ReturnType<typeof ec2Power>;
let events: StateChangeEvent[];

beforeEach(async () => {
  machines = new Machines().add(A).add(B, { canHibernate: true });
  events = [];
  server = await openEc2(machines, { onStateChange: (event) => void events.push(event) });
  const place = { region: 'local', endpoint: server.url, credentials: { ...CREDENTIALS } };
  client = new EC2Client({ ...place, maxAttempts: 1 });
  power = ec2Power(place);
});
afterEach(async () => {
  client.destroy();
  power.close();
  await server.close();
});

const states = (id: string) =>
  events.filter(({ detail }) => detail['instance-id'] === id).map(({ detail }) => detail.state);
const stop = (more: object = {}) => client.send(new StopInstancesCommand({ InstanceIds, ...more }));
const state = async (id: string) => (await power.read(id)).state;

describe('instances', () => {
  test('are described as EC2 does', async () => {
    const { Reservations } = await client.send(new DescribeInstancesCommand({}));
    expect(Reservations).toMatchObject([
      {
        OwnerId: '000000000000',
        Instances: [
          {
            InstanceId: A,
            State: { Code: 16, Name: 'running' },
            LaunchTime: new Date(LAUNCHED),
            HibernationOptions: { Configured: false },
            Tags: [
              { Key: 'Name', Value: 'h1' },
              { Key: 'holdfast', Value: 'host' },
            ],
          },
        ],
      },
      { Instances: [{ InstanceId: B, HibernationOptions: { Configured: true } }] },
    ]);
  });

  test('a stop and a start: states, reasons, events', async () => {
    expect((await stop()).StoppingInstances).toEqual([
      { InstanceId: A, CurrentState: { Code: 64, Name: 'stopping' }, PreviousState: { Code: 16, Name: 'running' } },
    ]);
    await untilState(power, A, 'stopped');
    const [reservation] = (await client.send(new DescribeInstancesCommand({ InstanceIds }))).Reservations ?? [];
    expect(reservation?.Instances).toMatchObject([
      {
        State: { Code: 80, Name: 'stopped' },
        LaunchTime: new Date(LAUNCHED),
        StateReason: { Code: 'Client.UserInitiatedShutdown' },
        StateTransitionReason: expect.stringMatching(/^User initiated \(2\d{3}-.* GMT\)$/),
      },
    ]);
    expect(machines.stops).toEqual([{ id: A, orderly: true }]);
    await client.send(new StartInstancesCommand({ InstanceIds }));
    await untilState(power, A, 'running');
    expect((await power.read(A)).launchTime).toBe('2026-11-21T10:01:00.000Z');
    expect(states(A)).toEqual(['stopping', 'stopped', 'pending', 'running']);
    expect(events[0]).toMatchObject({
      'detail-type': 'EC2 Instance State-change Notification',
      source: 'aws.ec2',
      account: '000000000000',
      region: 'local',
      detail: { 'instance-id': A, state: 'stopping' },
    });
  });

  test('without SkipOsShutdown the machine may end in good order, with it not', async () => {
    await stop({ SkipOsShutdown: true });
    await untilState(power, A, 'stopped');
    expect(machines.stops).toEqual([{ id: A, orderly: false }]);
  });

  test('SkipOsShutdown cuts a stop under way short', async () => {
    await stop();
    await stop({ SkipOsShutdown: true });
    expect(machines.stops).toEqual([
      { id: A, orderly: true },
      { id: A, orderly: false },
    ]);
  });

  test('a stop is never quicker than its delay', () => {
    expect(STOP_MS).toBeGreaterThanOrEqual(400);
  });

  test('checks: only what runs, unless all are asked for', async () => {
    await stop({ SkipOsShutdown: true });
    await untilState(power, A, 'stopped');
    const running = await client.send(new DescribeInstanceStatusCommand({}));
    expect(running.InstanceStatuses?.map(({ InstanceId }) => InstanceId)).toEqual([B]);
    const all = await client.send(new DescribeInstanceStatusCommand({ InstanceIds, IncludeAllInstances: true }));
    expect(all.InstanceStatuses).toMatchObject([
      {
        InstanceState: { Name: 'stopped' },
        SystemStatus: { Status: 'not-applicable' },
        InstanceStatus: { Status: 'not-applicable' },
        AttachedEbsStatus: { Status: 'not-applicable' },
      },
    ]);
  });

  test.each<[string, () => Promise<unknown>, string]>([
    [
      'a malformed id',
      () => client.send(new StopInstancesCommand({ InstanceIds: ['h1'] })),
      'InvalidInstanceID.Malformed',
    ],
    [
      'an unknown id beside a known one',
      () => stop({ InstanceIds: [A, 'i-00000000000000009'] }),
      'InvalidInstanceID.NotFound',
    ],
    ['a dry run', () => stop({ DryRun: true }), 'DryRunOperation'],
    ['hibernation that is not configured', () => stop({ Hibernate: true }), 'UnsupportedOperation'],
    ['hibernation that is', () => stop({ InstanceIds: [B], Hibernate: true }), 'UnsupportedOperation'],
    [
      'a filter',
      () => client.send(new DescribeInstancesCommand({ Filters: [{ Name: 'x', Values: ['y'] }] })),
      'InvalidParameterValue',
    ],
  ])('%s is refused and changes nothing', async (_what, send, name) => {
    await expect(send()).rejects.toMatchObject({ name });
    expect([machines.stops, await state(A), await state(B)]).toEqual([[], 'running', 'running']);
  });

  test('a terminated instance is gone for good, and lets go of its volume', async () => {
    await client.send(new TerminateInstancesCommand({ InstanceIds }));
    await untilState(power, A, 'terminated');
    await client.send(new TerminateInstancesCommand({ InstanceIds }));
    await expect(client.send(new StartInstancesCommand({ InstanceIds }))).rejects.toMatchObject({
      name: 'IncorrectInstanceState',
    });
    expect(states(A)).toEqual(['shutting-down', 'terminated']);
    const { Volumes } = await client.send(new DescribeVolumesCommand({}));
    expect(Volumes?.map(({ State }) => State)).toEqual(['available', 'in-use']);
  });
});

describe('volumes', () => {
  test('are attached to one instance at a time, and free only when the detach is complete', async () => {
    const volumes = async () => (await client.send(new DescribeVolumesCommand({}))).Volumes ?? [];
    const [first] = await volumes();
    const VolumeId = first?.VolumeId ?? '';
    expect(first?.Attachments).toMatchObject([{ InstanceId: A, State: 'attached' }]);
    const attach = () => client.send(new AttachVolumeCommand({ VolumeId, InstanceId: B, Device: '/dev/sdf' }));
    await expect(attach()).rejects.toMatchObject({ name: 'VolumeInUse' });
    await expect(client.send(new DetachVolumeCommand({ VolumeId, InstanceId: B }))).rejects.toMatchObject({
      name: 'InvalidAttachment.NotFound',
    });
    expect((await client.send(new DetachVolumeCommand({ VolumeId }))).State).toBe('detaching');
    await expect(attach()).rejects.toMatchObject({ name: 'VolumeInUse' });
    await until('the detach', async () => (await volumes())[0]?.State === 'available');
    await attach();
    await until('the attach', async () => (await volumes())[0]?.Attachments?.[0]?.State === 'attached');
    expect((await volumes())[0]?.Attachments?.[0]?.InstanceId).toBe(B);
  });
});

describe('what goes wrong', () => {
  test('power that is lost is known at once', async () => {
    machines.losePower(A);
    expect(await power.read(A)).toMatchObject({ state: 'stopped', launchTime: LAUNCHED, checks: 'unknown' });
    expect(states(A)).toEqual(['stopped']);
  });

  test('a crash goes on as running until the checks notice, and can be stopped', async () => {
    await server.cloud.crash(A);
    expect([machines.view(A)?.isOn, await state(A)]).toEqual([false, 'running']);
    await until('the checks to notice', async () => (await power.read(A)).checks === 'impaired');
    const { impairedSince } = await power.read(A);
    expect(Date.parse(impairedSince ?? '')).toBeLessThanOrEqual(Date.now());
    await stop({ SkipOsShutdown: true });
    await untilState(power, A, 'stopped');
    expect(states(A)).toEqual(['stopping', 'stopped']);
  });

  test('a reboot brings a crashed machine back within its launch', async () => {
    await server.cloud.crash(A);
    await client.send(new RebootInstancesCommand({ InstanceIds }));
    await until('it to boot', () => machines.view(A)?.isOn === true);
    expect(await power.read(A)).toMatchObject({ state: 'running', launchTime: LAUNCHED });
  });

  test('stolen: another launch of the same instance', async () => {
    await server.cloud.steal(A);
    await untilState(power, A, 'running');
    expect((await power.read(A)).launchTime).toBe('2026-11-21T10:01:00.000Z');
    expect(states(A)).toEqual(['stopping', 'stopped', 'pending', 'running']);
  });

  test('stuck in stopping: the machine runs on, force or not, until it is over', async () => {
    server.cloud.setMode('stuck-stopping', A);
    await stop({ SkipOsShutdown: true });
    await stop({ SkipOsShutdown: true, Force: true });
    await client.send(new StopInstancesCommand({ InstanceIds: [B], SkipOsShutdown: true }));
    await untilState(power, B, 'stopped');
    expect([await state(A), machines.view(A)?.isOn, machines.stops]).toEqual([
      'stopping',
      true,
      [{ id: B, orderly: false }],
    ]);
    server.cloud.clearModes(A);
    await untilState(power, A, 'stopped');
    expect(machines.view(A)?.isOn).toBe(false);
  });

  test('stale: answers as things were, launch time and all', async () => {
    server.cloud.setMode('stale', A);
    await stop({ SkipOsShutdown: true });
    await until('it to be off', () => states(A).includes('stopped'));
    expect(await power.read(A)).toMatchObject({ state: 'running', launchTime: LAUNCHED });
    server.cloud.clearModes(A);
    expect(await state(A)).toBe('stopped');
  });

  test('empty: no reservations, and the port says unknown', async () => {
    server.cloud.setMode('empty', A);
    expect((await client.send(new DescribeInstancesCommand({ InstanceIds }))).Reservations ?? []).toEqual([]);
    expect([await state(A), await state(B)]).toEqual(['unknown', 'running']);
  });

  test('no capacity: a start is refused, and the machine stays off', async () => {
    await stop({ SkipOsShutdown: true });
    await untilState(power, A, 'stopped');
    server.cloud.setMode('no-capacity');
    await expect(power.start(A)).rejects.toMatchObject({
      code: 'power_refused',
      message: expect.stringContaining('InsufficientInstanceCapacity'),
    });
    expect([await state(A), machines.view(A)?.isOn]).toEqual(['stopped', false]);
  });

  test('events that come twice are the same event', async () => {
    server.cloud.setMode('repeat-events', A);
    await stop({ SkipOsShutdown: true });
    await until('both twice', () => events.length === 4);
    expect(states(A).toSorted()).toEqual(['stopped', 'stopped', 'stopping', 'stopping']);
    expect(new Set(events.map(({ id }) => id)).size).toBe(2);
  });

  test('late events come after the state they tell of', async () => {
    server.cloud.setMode('late-events', A);
    await stop({ SkipOsShutdown: true });
    await untilState(power, A, 'stopped');
    expect(events).toEqual([]);
    await until('the events', () => events.length === 2);
    expect(states(A)).toEqual(['stopping', 'stopped']);
  });
});

describe('who may ask', () => {
  test('nobody without a signature by the access key', async () => {
    const body = `Action=StopInstances&InstanceId.1=${A}`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const stranger = await fetch(server.url, { method: 'POST', headers, body });
    expect(stranger.status).toBe(401);
    const other = new EC2Client({
      ...{ region: 'local', endpoint: server.url, maxAttempts: 1 },
      credentials: { accessKeyId: 'other', secretAccessKey: 'other' },
    });
    await expect(other.send(new StopInstancesCommand({ InstanceIds }))).rejects.toMatchObject({ name: 'AuthFailure' });
    other.destroy();
    expect(machines.stops).toEqual([]);
  });
});
