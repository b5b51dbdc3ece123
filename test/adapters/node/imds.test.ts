import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readInstance } from '../../../adapters/node/imds.ts';
import { DOCUMENT, type LoopbackImds, loopbackImds, PATHS, refuse, say } from './loopback-imds.ts';

const QUICK = { attempts: 2, askMs: 5_000, pauseMs: 1 };

let imds: LoopbackImds;
beforeEach(async () => {
  imds = await loopbackImds();
});
afterEach(() => imds.close());

const read = (limits = QUICK) => readInstance(imds.url, limits);
const fault = (code: string, ...words: string[]) =>
  expect.objectContaining({ code, message: expect.stringMatching(new RegExp(words.join('[^]*'))) });

describe('instance metadata', () => {
  test('is asked for with a token, and told as EC2 tells it', async () => {
    expect(await read()).toEqual({
      ...{ instanceId: 'i-0123456789abcdef0', accountId: '123456789012', region: 'eu-west-1', zone: 'eu-west-1a' },
      ...{ partition: 'aws', launchTime: '2026-11-20T09:08:07.000Z' },
    });
    expect(imds.asked).toEqual([`PUT ${PATHS.token}`, `GET ${PATHS.document}`, `GET ${PATHS.partition}`]);
  });

  test('an answer that fails once is asked for again', async () => {
    imds.instead(PATHS.document, (response) => {
      imds.instead(PATHS.document, undefined);
      refuse(response, 503);
    });
    expect((await read()).instanceId).toBe('i-0123456789abcdef0');
  });

  test.each([
    ['no document', PATHS.document, 404, 'timed_out', ['document answers 404, 2 times', 'certificate']],
    ['a token that is not taken', PATHS.partition, 401, 'timed_out', ['partition answers 401, 2 times']],
    ['a service that is switched off', PATHS.token, 403, 'forbidden', ['token answers 403', 'http-endpoint enabled']],
  ])('%s is refused with the question and the change', async (_what, path, status, code, words) => {
    imds.instead(path, (response) => refuse(response, status));
    await expect(read()).rejects.toEqual(fault(code, ...words));
  });

  test.each([
    ['no JSON', '<html>', ['no JSON', '<html>']],
    ['half of it', '{"instanceId":"i-0123456789abcdef0"}', ['accountId']],
    ['another kind of id', JSON.stringify({ ...DOCUMENT, instanceId: 'mi-0123456789abcdef0' }), ['instance id']],
    ['an instant without a zone', JSON.stringify({ ...DOCUMENT, pendingTime: '2026-11-20 09:08' }), ['pendingTime']],
    ['an account that is a number', JSON.stringify({ ...DOCUMENT, accountId: 123456789012 }), ['accountId']],
  ])('a document that is %s is refused', async (_what, text, words) => {
    imds.instead(PATHS.document, (response) => say(response, text));
    await expect(read()).rejects.toEqual(fault('protocol_mismatch', ...words));
  });

  test('a partition that is none, and an answer without end, are refused', async () => {
    imds.instead(PATHS.partition, (response) => say(response, 'not found'));
    await expect(read()).rejects.toEqual(fault('protocol_mismatch', 'partition', 'not found'));
    imds.instead(PATHS.partition, (response) => say(response, 'a'.repeat(100_000)));
    await expect(read()).rejects.toEqual(fault('timed_out', 'more than 16384 bytes'));
  });

  test('a redirect is not followed', async () => {
    imds.instead(PATHS.document, (response) => {
      response.writeHead(302, { location: `${imds.url}${PATHS.document}` }).end();
    });
    await expect(read()).rejects.toEqual(fault('timed_out', 'redirect'));
  });

  test('a service that takes the question and never answers is given up', async () => {
    imds.instead(PATHS.token, () => undefined);
    await expect(read({ attempts: 2, askMs: 50, pauseMs: 1 })).rejects.toEqual(
      fault('timed_out', 'token', '2 times', 'hop limit'),
    );
    expect(imds.asked).toEqual([`PUT ${PATHS.token}`, `PUT ${PATHS.token}`]);
  });

  test('where nothing listens, this may be no instance', async () => {
    await imds.close();
    await expect(read()).rejects.toEqual(fault('timed_out', 'ECONNREFUSED', 'is this an EC2 instance'));
    imds = await loopbackImds();
  });
});
