import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sigV4 } from '../../../adapters/aws/sigv4.ts';
import { checkSigV4 } from '../../gateway/sigv4-check.ts';

const KEY = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const AT = new Date('2015-08-30T12:36:00Z');
const KEYS = new Map([[KEY.accessKeyId, { secret: KEY.secretAccessKey }]]);
const HERE = { keys: KEYS, region: 'us-east-1', service: 'execute-api', nowMs: AT.getTime() };

async function signed(method: string, target: string, headers: Record<string, string>, body: Buffer) {
  const url = new URL(`https://abc.execute-api.us-east-1.amazonaws.com${target}`);
  const authorize = sigV4({ region: 'us-east-1', credentials: () => Promise.resolve(KEY), now: () => AT });
  const added = await authorize({ method, url, headers, ...(body.length === 0 ? {} : { body }) });
  return {
    method,
    target: `${url.pathname}${url.search}`,
    headers: { ...headers, host: url.host, ...added } as Record<string, string>,
    body,
  };
}

describe('Signature Version 4', () => {
  test('the check of these tests accepts the published vector (get-vanilla), and it alone', () => {
    const vector = {
      method: 'GET',
      target: '/',
      headers: {
        host: 'example.amazonaws.com',
        'x-amz-date': '20150830T123600Z',
        authorization:
          'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
      },
      body: Buffer.alloc(0),
    };
    const place = { ...HERE, service: 'service' };
    expect(checkSigV4(vector, place)).toEqual({ ok: true, accessKey: 'AKIDEXAMPLE' });
    expect(checkSigV4({ ...vector, method: 'POST' }, place).ok).toBe(false);
    expect(checkSigV4({ ...vector, target: '/?a=b' }, place).ok).toBe(false);
    expect(checkSigV4(vector, { ...place, nowMs: AT.getTime() + 301_000 }).ok).toBe(false);
  });

  test('whatever is asked is signed as AWS checks it, and a changed byte is noticed', async () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => text.isWellFormed());
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'HEAD'),
        fc.array(word, { maxLength: 4 }),
        // The SDK's signer copies parameters into plain objects, and loses one of this name: it would be refused by AWS.
        fc.array(
          fc.tuple(
            word.filter((name) => name !== '__proto__'),
            word,
          ),
          { maxLength: 4 },
        ),
        fc.uint8Array({ maxLength: 40 }),
        async (method, parts, query, bytes) => {
          const path = `/${parts.map(encodeURIComponent).join('/')}`;
          const search = query
            .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
            .join('&');
          const body = method === 'POST' ? Buffer.from(bytes) : Buffer.alloc(0);
          const headers = method === 'POST' ? { 'content-type': 'application/json' } : {};
          const request = await signed(method, search === '' ? path : `${path}?${search}`, headers, body);
          expect(checkSigV4(request, HERE)).toEqual({ ok: true, accessKey: KEY.accessKeyId });
          expect(checkSigV4({ ...request, body: Buffer.concat([body, Buffer.from('x')]) }, HERE).ok).toBe(false);
          expect(checkSigV4({ ...request, target: `${request.target}x` }, HERE).ok).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('temporary credentials send their session, under the signature', async () => {
    const url = new URL('https://abc.execute-api.us-east-1.amazonaws.com/api/v1/status');
    const credentials = () => Promise.resolve({ ...KEY, sessionToken: 'a session' });
    const added = await sigV4({ region: 'us-east-1', credentials, now: () => AT })({ method: 'GET', url, headers: {} });
    expect(added).toMatchObject({ 'x-amz-security-token': 'a session', 'x-amz-date': '20150830T123600Z' });
    expect(added['authorization']).toContain('x-amz-security-token');
    const request = {
      method: 'GET',
      target: '/api/v1/status',
      headers: { host: url.host, ...added },
      body: Buffer.alloc(0),
    };
    const keys = new Map([[KEY.accessKeyId, { secret: KEY.secretAccessKey, sessionToken: 'a session' }]]);
    expect(checkSigV4(request, { ...HERE, keys }).ok).toBe(true);
    expect(checkSigV4(request, HERE).ok).toBe(false);
  });

  test('no credentials: said with what to do', async () => {
    const credentials = () => Promise.reject(new Error('Could not load credentials from any providers'));
    const url = new URL('https://abc.execute-api.us-east-1.amazonaws.com/');
    await expect(
      sigV4({ region: 'us-east-1', credentials })({ method: 'GET', url, headers: {} }),
    ).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringMatching(/no AWS credentials.*any providers.*AWS_PROFILE/s),
    });
  });
});
