import { describe, expect, test } from '@jest/globals';
import { createDynamo, hostLimits } from '../../../adapters/aws/dynamodb-client.ts';
import { dynamoOwnHeartbeat } from '../../../adapters/aws/dynamodb-own-heartbeat.ts';
import { hostCredentials, type Keys, steadyCredentials } from '../../../adapters/aws/steady-credentials.ts';
import { loopbackImds, PATHS } from '../node/loopback-imds.ts';
import { answering, reply } from './fake-endpoints.ts';

const MINUTE = 60_000;

/** A load that the test lets succeed or fail. */
function world() {
  const time = { wall: 1_000 * MINUTE, boot: 0 };
  const loads: { resolve: (keys: Keys) => void; reject: (error: Error) => void }[] = [];
  const provide = steadyCredentials({
    load: () => new Promise((resolve, reject) => loads.push({ resolve, reject })),
    wallNow: () => time.wall,
    now: () => time.boot,
  });
  const pass = (ms: number): void => {
    time.wall += ms;
    time.boot += ms;
  };
  const keys = (id: string, minutes: number): Keys => ({
    ...{ accessKeyId: id, secretAccessKey: 's', expiration: new Date(time.wall + minutes * MINUTE) },
  });
  return { provide, loads, pass, time, keys };
}

/** Lets everything that is settled be seen. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

async function held(minutes = 360) {
  const it = world();
  const first = it.provide();
  it.loads[0]?.resolve(it.keys('one', minutes));
  expect((await first).accessKeyId).toBe('one');
  await settle();
  return it;
}

describe('credentials that a beat never waits for', () => {
  test('the first are waited for, once for all who ask', async () => {
    const { provide, loads, keys } = world();
    const both = Promise.all([provide(), provide()]);
    expect(loads).toHaveLength(1);
    loads[0]?.resolve(keys('one', 360));
    expect((await both).map(({ accessKeyId }) => accessKeyId)).toEqual(['one', 'one']);
  });

  test('a first load that fails is told, and the next request asks again', async () => {
    const { provide, loads, keys } = world();
    const first = provide();
    loads[0]?.reject(new Error('no role'));
    await expect(first).rejects.toThrow('no role');
    const second = provide();
    loads[1]?.resolve(keys('one', 360));
    expect((await second).accessKeyId).toBe('one');
  });

  test('they are renewed ten minutes ahead, and nobody waits for that', async () => {
    const { provide, loads, pass, keys } = await held();
    pass(349 * MINUTE);
    await provide();
    expect(loads).toHaveLength(1);
    pass(2 * MINUTE);
    expect((await provide()).accessKeyId).toBe('one'); // The load below has not ended.
    expect(loads).toHaveLength(2);
    loads[1]?.resolve(keys('two', 360));
    await settle();
    expect((await provide()).accessKeyId).toBe('two');
  });

  test('a metadata service that hangs or fails costs no request anything, even after they have expired', async () => {
    const { provide, loads, pass, keys } = await held();
    pass(361 * MINUTE);
    expect((await provide()).accessKeyId).toBe('one');
    loads[1]?.reject(new Error('away'));
    await settle();
    expect((await provide()).accessKeyId).toBe('one');
    expect(loads).toHaveLength(2); // Not at each request.
    pass(5_000);
    await provide();
    loads[2]?.resolve(keys('two', 360));
    await settle();
    expect((await provide()).accessKeyId).toBe('two');
  });

  test('a wall clock that was set ahead expires nothing for us, and does not load without end', async () => {
    const { provide, loads, time, pass, keys } = await held();
    pass(5_000);
    time.wall += 400 * MINUTE;
    expect((await provide()).accessKeyId).toBe('one');
    const sameAgain = { ...keys('one', -40) };
    loads[1]?.resolve(sameAgain);
    await settle();
    for (let beat = 0; beat < 4; beat += 1) {
      pass(1_000);
      expect((await provide()).accessKeyId).toBe('one');
    }
    expect(loads).toHaveLength(2);
  });

  test('keys without an end are loaded once', async () => {
    const { provide, loads, pass } = world();
    const first = provide();
    loads[0]?.resolve({ accessKeyId: 'for ever', secretAccessKey: 's' });
    await first;
    pass(10_000 * MINUTE);
    await provide();
    expect(loads).toHaveLength(1);
  });

  test('a load that never ends is given up, so that the next one can begin', async () => {
    const provide = steadyCredentials({
      load: () => new Promise(() => undefined),
      wallNow: () => 0,
      now: () => 0,
      loadMs: 20,
    });
    await expect(provide()).rejects.toThrow('no credentials within 20 ms');
    await expect(provide()).rejects.toThrow('no credentials within 20 ms');
  });
});

test('S2: renewals are sent with keys of the instance profile, also while the metadata service hangs', async () => {
  const imds = await loopbackImds();
  const signers: string[] = [];
  const store = await answering((_operation, response) => {
    signers.push(/Credential=(\w+)/.exec(String(response.req.headers.authorization))?.[1] ?? 'nobody');
    reply(response, 400, { __type: 'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException', message: 'no table' });
  });
  const before = process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
  process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = imds.url;
  const dynamo = createDynamo(
    { region: 'eu-west-1', endpoint: store.url, credentials: hostCredentials({}) },
    hostLimits(10_000),
  );
  const own = dynamoOwnHeartbeat({ dynamo, table: 'heartbeats', principal: 'arn' });
  try {
    await expect(own.read()).rejects.toThrow('no table');
    imds.instead(PATHS.token, () => undefined);
    await expect(own.read()).rejects.toThrow('no table');
    expect(signers).toEqual(['ASIAEXAMPLE', 'ASIAEXAMPLE']);
    expect(imds.asked.filter((asked) => asked.startsWith('GET'))).toEqual([
      `GET ${PATHS.roles}`,
      `GET ${PATHS.roles}host-role`,
    ]);
  } finally {
    if (before === undefined) delete process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
    else process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = before;
    dynamo.close();
    await store.close();
    await imds.close();
  }
});
