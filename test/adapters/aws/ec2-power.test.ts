import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { DescribeInstancesResult, Instance, InstanceStatus } from '@aws-sdk/client-ec2';
import fc from 'fast-check';
import { ec2Power, partitionOf } from '../../../adapters/aws/ec2-power.ts';
import { instanceReading, worstChecks } from '../../../adapters/aws/ec2-reading.ts';
import { CREDENTIALS } from '../../contract/power-fixtures.ts';
import { answering } from './fake-endpoints.ts';
import type { Endpoint } from './fake-endpoints.ts';

jest.setTimeout(30_000);

const ID = 'i-0123456789abcdef0';
const LAUNCHED = '2026-11-21T10:00:00.000Z';
const ASKED = { machine: ID, arnPrefix: 'arn:aws:ec2:eu-west-1' };
const stopped: Instance = { InstanceId: ID, State: { Name: 'stopped' }, LaunchTime: new Date(LAUNCHED) };
const answered = (...instances: Instance[]): DescribeInstancesResult => ({
  Reservations: instances.map((instance) => ({ OwnerId: '123456789012', Instances: [instance] })),
});

describe('what DescribeInstances says about one machine', () => {
  test('a clear answer, under the identity that the answer itself gives', () => {
    const more = { HibernationOptions: { Configured: true }, StateReason: { Message: 'somebody stopped it' } };
    expect(instanceReading(answered({ ...stopped, ...more }), ASKED)).toEqual({
      state: 'stopped',
      principal: `arn:aws:ec2:eu-west-1:123456789012:instance/${ID}`,
      launchTime: LAUNCHED,
      canHibernate: true,
      checks: 'unknown',
      impairedSince: null,
      says: 'somebody stopped it',
    });
  });

  test.each<[string, DescribeInstancesResult, string]>([
    ['an empty answer', {}, 'without an instance'],
    ['a reservation without instances', { Reservations: [{ OwnerId: '1' }] }, 'without an instance'],
    ['another instance', answered({ ...stopped, InstanceId: 'i-other' }), 'i-other'],
    ['no id', answered({ State: { Name: 'stopped' } }), 'no instance'],
    ['two instances', answered(stopped, stopped), '2 instances'],
    ['no state', answered({ InstanceId: ID }), '(none)'],
  ])('S8: %s is unknown', (_what, answer, says) => {
    const reading = instanceReading(answer, ASKED);
    expect(reading).toMatchObject({ state: 'unknown', principal: null, launchTime: null });
    expect(reading.says).toContain(says);
  });

  test('what the answer leaves out is null, never filled in', () => {
    const answer = { Reservations: [{ Instances: [{ InstanceId: ID, State: { Name: 'stopped' as const } }] }] };
    expect(instanceReading(answer, ASKED)).toMatchObject({ state: 'stopped', principal: null, launchTime: null });
    expect(instanceReading(answer, ASKED).canHibernate).toBeNull();
    const noDate = answered({ ...stopped, LaunchTime: new Date(Number.NaN) });
    expect(instanceReading(noDate, ASKED).launchTime).toBeNull();
  });

  test('S7: stopped or terminated is read only from one answer about this very machine', () => {
    const instance = fc.record({
      InstanceId: fc.constantFrom(ID, 'i-other'),
      State: fc.record({
        Name: fc.constantFrom<('stopped' | 'terminated' | 'running')[]>('stopped', 'terminated', 'running'),
      }),
    });
    const reservation = fc.record({ OwnerId: fc.constant('1'), Instances: fc.array(instance, { maxLength: 3 }) });
    fc.assert(
      fc.property(fc.array(reservation, { maxLength: 3 }), (Reservations) => {
        const all = Reservations.flatMap(({ Instances }) => Instances);
        const { state } = instanceReading({ Reservations }, ASKED);
        if (state === 'unknown') return;
        expect(all).toHaveLength(1);
        expect(all[0]).toEqual({ InstanceId: ID, State: { Name: state } });
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the worst of the status checks', () => {
  const since = (iso: string) => ({ Details: [{ ImpairedSince: new Date(iso) }] });
  test.each<[string, InstanceStatus, string, string | null]>([
    ['all well', { SystemStatus: { Status: 'ok' }, InstanceStatus: { Status: 'ok' } }, 'ok', null],
    ['one new', { SystemStatus: { Status: 'ok' }, InstanceStatus: { Status: 'initializing' } }, 'initializing', null],
    ['a volume', { SystemStatus: { Status: 'ok' }, AttachedEbsStatus: { Status: 'impaired' } }, 'impaired', null],
    [
      'no data',
      { SystemStatus: { Status: 'insufficient-data' }, InstanceStatus: { Status: 'ok' } },
      'insufficient-data',
      null,
    ],
    [
      'stopped',
      { SystemStatus: { Status: 'not-applicable' }, InstanceStatus: { Status: 'not-applicable' } },
      'unknown',
      null,
    ],
    [
      'two impaired',
      {
        SystemStatus: { Status: 'impaired', ...since('2026-11-21T10:05:00Z') },
        InstanceStatus: { Status: 'impaired', ...since('2026-11-21T10:03:00Z') },
      },
      'impaired',
      '2026-11-21T10:03:00.000Z',
    ],
  ])('%s', (_what, status, checks, impairedSince) => {
    expect(worstChecks([{ InstanceId: ID, ...status }], ID)).toEqual({ checks, impairedSince });
  });

  test("another machine's say nothing", () => {
    const statuses = [{ InstanceId: 'i-other', InstanceStatus: { Status: 'impaired' as const } }];
    expect(worstChecks(statuses, ID)).toEqual({ checks: 'unknown', impairedSince: null });
  });
});

describe('EC2 as the SDK meets it', () => {
  let endpoint: Endpoint | undefined;
  afterEach(() => endpoint?.close());
  const FENCE = { skipOsShutdown: true, force: false };
  const XML = `<DescribeInstancesResponse><reservationSet><item><ownerId>1</ownerId><instancesSet><item>
    <instanceId>${ID}</instanceId><instanceState><name>running</name></instanceState></item></instancesSet></item>
    </reservationSet></DescribeInstancesResponse>`;
  const failing = (code: string) =>
    `<Response><Errors><Error><Code>${code}</Code><Message>no</Message></Error></Errors></Response>`;
  const open = async (answers: readonly { status: number; body: string }[]) => {
    let n = 0;
    endpoint = await answering((_operation, response) => {
      const { status, body } = answers[Math.min(n++, answers.length - 1)] ?? { status: 500, body: '' };
      response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
    });
    return ec2Power({ region: 'us-gov-west-1', endpoint: endpoint.url, credentials: CREDENTIALS });
  };

  test('checks that cannot be had do not spoil a clear state', async () => {
    // Both questions get the answer to the first; the second cannot make anything of it.
    const power = await open([{ status: 200, body: XML }]);
    expect(await power.read(ID)).toMatchObject({
      ...{ state: 'running', principal: `arn:aws-us-gov:ec2:us-gov-west-1:1:instance/${ID}`, checks: 'unknown' },
    });
    power.close();
  });

  test.each([
    ['UnauthorizedOperation', 403, 'power_refused'],
    ['OperationNotPermitted', 400, 'power_refused'],
    ['InsufficientInstanceCapacity', 500, 'power_refused'],
    ['RequestLimitExceeded', 503, 'power_throttled'],
    ['InternalError', 500, 'power_throttled'],
  ])('%s with status %i is %s', async (awsCode, status, code) => {
    const power = await open([{ status, body: failing(awsCode) }]);
    const expected = { code, message: expect.stringContaining(awsCode) };
    await expect(power.stop(ID, FENCE)).rejects.toMatchObject(expected);
    expect(await power.read(ID)).toMatchObject({ state: 'unknown', says: expect.stringContaining(awsCode) });
    power.close();
  });

  test('S17: an order that is called off is not sent, nor sent again by the retries', async () => {
    let sent = 0;
    endpoint = await answering((_operation, response) => {
      sent += 1;
      response.writeHead(503, { 'content-type': 'text/xml' }).end(failing('RequestLimitExceeded'));
    });
    const power = ec2Power({ region: 'us-gov-west-1', endpoint: endpoint.url, credentials: CREDENTIALS });
    const calledOff = { code: 'power_throttled', message: expect.stringContaining('called off') };
    await expect(power.stop(ID, FENCE, () => false)).rejects.toMatchObject(calledOff);
    expect(sent).toBe(0);
    await expect(power.stop(ID, FENCE, () => sent === 0)).rejects.toMatchObject(calledOff);
    expect(sent).toBe(1);
    power.close();
  });

  test('S8: a page that is no answer of EC2 is unknown', async () => {
    const power = await open([{ status: 200, body: '<html><body>log in to the hotel</body></html>' }]);
    expect((await power.read(ID)).state).toBe('unknown');
    power.close();
  });

  test('S8: nobody there is unknown, and an order is to be given again', async () => {
    const power = await open([]);
    await endpoint?.close();
    endpoint = undefined;
    expect((await power.read(ID)).state).toBe('unknown');
    await expect(power.stop(ID, FENCE)).rejects.toMatchObject({ code: 'power_throttled' });
    power.close();
  });
});

test.each([
  ['eu-central-1', 'aws'],
  ['us-east-1', 'aws'],
  ['cn-northwest-1', 'aws-cn'],
  ['us-gov-west-1', 'aws-us-gov'],
  ['us-iso-east-1', 'aws-iso'],
  ['us-isob-east-1', 'aws-iso-b'],
  ['eu-isoe-west-1', 'aws-iso-e'],
  ['us-isof-south-1', 'aws-iso-f'],
  ['eusc-de-east-1', 'aws-eusc'],
])('machines of %s have ARNs of %s: of another partition no power-off would be believed', (region, partition) => {
  expect(partitionOf(region)).toBe(partition);
});
