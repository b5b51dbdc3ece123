import type { Volume } from '@aws-sdk/client-ec2';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { createServer } from 'node:http';
import { autoScaling } from '../../../adapters/aws/auto-scaling.ts';
import { elasticHolding, privateHolding } from '../../../adapters/aws/ec2-addresses.ts';
import { interfaceHolding } from '../../../adapters/aws/ec2-interfaces.ts';
import { ec2Power } from '../../../adapters/aws/ec2-power.ts';
import { ec2Resources } from '../../../adapters/aws/ec2-resources.ts';
import { routeHolding } from '../../../adapters/aws/ec2-routes.ts';
import { ec2Settings } from '../../../adapters/aws/ec2-settings.ts';
import { volumeHolding } from '../../../adapters/aws/ec2-volumes.ts';
import { CREDENTIALS } from '../../contract/power-fixtures.ts';
import { answering, blackHole, type Endpoint, listening } from './fake-endpoints.ts';

jest.setTimeout(30_000);

const ID = 'i-0123456789abcdef0';

describe('what is said on the wire', () => {
  let close: () => void = () => undefined;
  afterEach(() => close());

  /** Answers nothing of use, and keeps what it was asked. */
  async function recorder() {
    const asked: Record<string, string>[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => (body += part));
      request.on('end', () => {
        asked.push(Object.fromEntries(new URLSearchParams(body)));
        response.writeHead(200, { 'content-type': 'text/xml' }).end('<Response/>');
      });
    });
    const endpoint = await listening(server);
    close = () => void server.close();
    return { asked, place: { region: 'local', endpoint, credentials: CREDENTIALS } };
  }

  test('S7: a fence names one instance, skips the shutdown, and forces only when told', async () => {
    const { asked, place } = await recorder();
    const power = ec2Power(place);
    await power.stop(ID, { skipOsShutdown: true, force: false });
    await power.stop(ID, { skipOsShutdown: true, force: true });
    power.close();
    const order = { Action: 'StopInstances', 'InstanceId.1': ID, SkipOsShutdown: 'true' };
    expect(asked).toMatchObject([
      { ...order, Force: 'false' },
      { ...order, Force: 'true' },
    ]);
    expect(asked.some((one) => 'InstanceId.2' in one || 'Hibernate' in one || 'DryRun' in one)).toBe(false);
  });

  test('a rehearsal is a DryRun of the very order', async () => {
    const { asked, place } = await recorder();
    const { rehearsal, close: end } = ec2Settings(place);
    // Whoever answers a DryRun with success has done something, or is not EC2.
    expect(await rehearsal.stop(ID)).toMatchObject({ outcome: 'unknown' });
    await rehearsal.start(ID);
    end();
    expect(asked).toMatchObject([
      { Action: 'StopInstances', 'InstanceId.1': ID, SkipOsShutdown: 'true', Force: 'true', DryRun: 'true' },
      { Action: 'StartInstances', 'InstanceId.1': ID, DryRun: 'true' },
    ]);
  });

  test('what others hold is never taken by default', async () => {
    const { asked, place } = await recorder();
    const { elasticAddresses, privateAddresses, close: end } = ec2Resources(place);
    await elasticAddresses.associate('eipalloc-1', 'eni-1');
    await privateAddresses.assign({ subnet: 's', address: '10.0.0.9' }, 'eni-1', { reassign: false });
    end();
    expect(asked).toMatchObject([{ AllowReassociation: 'false' }, { AllowReassignment: 'false' }]);
  });
});

test('S8: an endpoint that takes every call and never answers: unknown within the budget, and orders may be asked again', async () => {
  const hole: Endpoint = await blackHole();
  const place = { region: 'local', endpoint: hole.url, credentials: CREDENTIALS };
  const [resources, settings, scaling] = [ec2Resources(place), ec2Settings(place), autoScaling(place)];
  const [volume, inspected, rehearsed, membership, order] = await Promise.all([
    resources.volumes.read('vol-1'),
    settings.inspect(ID),
    settings.rehearsal.stop(ID),
    scaling.membership([ID]),
    resources.volumes.attach('vol-1', ID, '/dev/sdf').catch((error: unknown) => error),
  ]);
  for (const client of [resources, settings, scaling]) client.close();
  await hole.close();
  expect(volume.state).toBe('unknown');
  expect(inspected.outcome).toBe('unknown');
  expect(rehearsed.outcome).toBe('unknown');
  expect(membership.get(ID)?.member).toBe('unknown');
  expect(order).toMatchObject({ code: 'power_throttled' });
});

describe('S8: nothing but a clear answer about this very thing is free', () => {
  const state = fc.constantFrom<(Volume['State'] | undefined)[]>('available', 'in-use', 'creating', 'error', undefined);
  const attachment = fc.record({
    InstanceId: fc.constantFrom(ID, 'i-other', undefined),
    State: fc.constantFrom<('attached' | 'attaching' | 'detaching' | 'busy' | 'detached' | undefined)[]>(
      'attached',
      'attaching',
      'detaching',
      'busy',
      'detached',
      undefined,
    ),
  });
  const volume = fc.record({
    VolumeId: fc.constantFrom('vol-1', 'vol-2', undefined),
    State: state,
    Attachments: fc.option(fc.array(attachment, { maxLength: 3 }), { nil: undefined }),
  });

  test('volumes', () => {
    fc.assert(
      fc.property(fc.array(volume, { maxLength: 2 }), (found) => {
        const volumes = found as Volume[]; // The SDK's types do not say that fields may be undefined; its answers do.
        const holding = volumeHolding(volumes, 'vol-1');
        const [only] = found;
        const isClear =
          found.length === 1 &&
          only?.VolumeId === 'vol-1' &&
          only.State === 'available' &&
          (only.Attachments ?? []).every((each) => each.State === 'detached');
        expect(holding.state === 'free').toBe(isClear);
        if (holding.state !== 'held') return;
        for (const { by, isLeaving } of holding.holders) {
          const states = (only?.Attachments ?? []).filter((each) => each.InstanceId === by).map((each) => each.State);
          expect(states.some((each) => (each === 'detaching' || each === 'busy') === isLeaving)).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['two interfaces', interfaceHolding([{ NetworkInterfaceId: 'eni-1' }, { NetworkInterfaceId: 'eni-1' }], 'eni-1')],
    ['another interface', interfaceHolding([{ NetworkInterfaceId: 'eni-2', Status: 'available' }], 'eni-1')],
    ['in use by nobody', interfaceHolding([{ NetworkInterfaceId: 'eni-1', Status: 'in-use' }], 'eni-1')],
    ['detaching from nobody', interfaceHolding([{ NetworkInterfaceId: 'eni-1', Status: 'detaching' }], 'eni-1')],
    ['no interface', interfaceHolding([], 'eni-1')],
    ['another address', elasticHolding([{ AllocationId: 'a-2' }], 'a-1')],
    ['associated with nothing', elasticHolding([{ AllocationId: 'a-1', AssociationId: 'x' }], 'a-1')],
    ['an interface without the address', privateHolding([{ NetworkInterfaceId: 'eni-1' }], '10.0.0.9')],
    ['no table', routeHolding([], { table: 'rtb-1', destination: 'd' })],
    [
      'a route to a gateway',
      routeHolding([{ RouteTableId: 'rtb-1', Routes: [{ DestinationCidrBlock: 'd', GatewayId: 'igw-1' }] }], {
        ...{ table: 'rtb-1', destination: 'd' },
      }),
    ],
  ])('%s is unknown', (_, holding) => {
    expect(holding.state).toBe('unknown');
  });

  test('an address shown at two places is held by both', () => {
    const at = (id: string) => ({ NetworkInterfaceId: id, PrivateIpAddresses: [{ PrivateIpAddress: '10.0.0.9' }] });
    const holding = privateHolding([at('eni-1'), at('eni-2')], '10.0.0.9');
    expect(holding.state === 'held' ? holding.holders.map(({ by }) => by) : holding).toEqual(['eni-1', 'eni-2']);
  });
});

describe('S8: who is in no group is known only from a whole answer', () => {
  const ANSWER = (members: string, more = '') =>
    `<DescribeAutoScalingInstancesResponse><DescribeAutoScalingInstancesResult><AutoScalingInstances>${members}` +
    `</AutoScalingInstances>${more}</DescribeAutoScalingInstancesResult></DescribeAutoScalingInstancesResponse>`;
  const OTHER =
    '<member><InstanceId>i-other</InstanceId><AutoScalingGroupName>g</AutoScalingGroupName>' +
    '<LifecycleState>InService</LifecycleState></member>';

  test.each([
    ['a whole answer without it', ANSWER(OTHER), 'no'],
    ['an empty answer', ANSWER(''), 'no'],
    ['a part of an answer', ANSWER(OTHER, '<NextToken>more</NextToken>'), 'unknown'],
    ['no answer of Auto Scaling', '<html><body>log in to the hotel</body></html>', 'unknown'],
    [
      'a member without a state',
      ANSWER(`<member><InstanceId>${ID}</InstanceId><AutoScalingGroupName>g</AutoScalingGroupName></member>`),
      'unknown',
    ],
  ])('%s: %#', async (_, body, member) => {
    const endpoint = await answering((_operation, response) => {
      response.writeHead(200, { 'content-type': 'text/xml' }).end(body);
    });
    const scaling = autoScaling({ region: 'local', endpoint: endpoint.url, credentials: CREDENTIALS });
    expect((await scaling.membership([ID])).get(ID)).toMatchObject({ member });
    scaling.close();
    await endpoint.close();
  });
});
