/** The API behind API Gateway: what payload 2.0 brings, who is recorded, what a JWT may do, the console's files, sizes. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { readConsoleFiles } from '../../adapters/node/console-files.ts';
import { sized } from '../../lambdas/api/answer-size.ts';
import { api, API_ROUTES, type HttpAnswer } from '../../lambdas/api/handler.ts';
import type { Handler } from '../../lambdas/shared/edge.ts';
import { PAIR } from './definitions.ts';
import { ACCOUNT, createWorld, type World } from './world.ts';

jest.setTimeout(60_000);

const ARN = 'arn:aws:sts::111122223333:assumed-role/Operators/alice';
const IAM = { iam: { accessKey: 'ASIA', accountId: '111122223333', callerId: 'AROA:alice', userArn: ARN } };
const jwt = (claims: Record<string, unknown>) => ({ jwt: { claims, scopes: null } });

let world: World;
let handler: Handler<HttpAnswer>;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-api-aws-'));
  mkdirSync(join(folder, 'console'));
  writeFileSync(join(folder, 'console', 'index.html'), '<!doctype html><title>Holdfast</title>');
  writeFileSync(join(folder, 'console', 'console-0123ABCD.js'), `export const text = '${'é'.repeat(40_000)}';`);
  writeFileSync(join(folder, 'console', 'dot.png'), Buffer.from([0x89, 0x50, 0xff, 0x00]));
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  world = await createWorld({ yaml: PAIR });
  await world.whole();
  const options = { account: ACCOUNT, refusesUnnamed: true, console: () => readConsoleFiles(join(folder, 'console')) };
  handler = api(world.ports, options);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
  readonly authorizer?: object | null;
  readonly context?: object;
}

async function ask(method: string, path: string, asked: Asked = {}): Promise<HttpAnswer> {
  const [rawPath = '', rawQueryString = ''] = path.split('?');
  const { authorizer = IAM, context, ...rest } = asked;
  return handler({
    version: '2.0',
    routeKey: 'ANY /{path+}',
    rawPath,
    rawQueryString,
    cookies: ['a=b'],
    requestContext: { http: { method, path: rawPath }, stage: '$default', authorizer, ...context },
    ...rest,
  });
}

async function byOfNewest(): Promise<unknown> {
  const { events } = JSON.parse((await ask('GET', '/api/v1/events')).body) as { events: { by?: unknown }[] };
  return events.at(-1)?.by;
}

const disable = (asked: Asked): Promise<HttpAnswer> =>
  ask('POST', '/api/v1/hosts/h1/disable', { ...asked, body: '{"reason":"a test"}' });

async function enabled(): Promise<void> {
  const answer = await ask('POST', '/api/v1/hosts/h1/enable', { authorizer: IAM });
  expect(answer.statusCode).toBe(200);
}

describe('who is recorded', () => {
  test.each([
    ['an IAM principal', IAM, ARN],
    ['a principal without an ARN', { iam: { userArn: null, callerId: 'AROA:bob' } }, 'AROA:bob'],
    [
      'a verified address',
      jwt({ sub: 's-1', email: 'ann@example.com', email_verified: 'true', scope: 'openid holdfast/operate' }),
      'ann@example.com (s-1)',
    ],
    [
      'the subject alone, where anybody may have typed the address',
      jwt({ sub: 's-2', email: 'boss@example.com', scope: 'holdfast/operate' }),
      's-2',
    ],
    ['a machine', jwt({ client_id: 'pipeline', scp: '[holdfast/operate other]' }), 'pipeline'],
    [
      'one line, whatever a claim holds',
      jwt({ sub: 'x\n2026 fake entry', scope: 'holdfast/operate' }),
      'x 2026 fake entry',
    ],
  ])('%s', async (_, authorizer, by) => {
    expect((await disable({ authorizer })).statusCode).toBe(200);
    expect(await byOfNewest()).toBe(by);
    await enabled();
  });

  test('never by a header, and nobody is nobody', async () => {
    const headers = { 'x-forwarded-user': 'root', by: 'root', 'x-amzn-iam-user-arn': 'root' };
    await disable({ headers });
    expect(await byOfNewest()).toBe(ARN);
    await enabled();
    const before = world.dump();
    for (const authorizer of [null, {}, { iam: null }, { iam: {} }, { lambda: { by: 'root' } }])
      for (const [method, path] of [
        ['GET', '/api/v1/status'],
        ['GET', '/'],
        ['POST', '/api/v1/switch'],
      ] as const) {
        const answer = await ask(method, path, { authorizer, headers });
        expect(answer.statusCode).toBe(401);
        expect(answer.body).not.toContain('root');
      }
    expect(world.dump()).toBe(before);
  });
});

describe('what a token may do', () => {
  test('without the scope it looks and asks; every verb is refused and changes nothing', async () => {
    const authorizer = jwt({ sub: 's-3', scope: 'openid holdfast/operators holdfast/operate2' });
    expect((await ask('GET', '/api/v1/status', { authorizer })).statusCode).toBe(200);
    const question = { authorizer, body: '{"changes":[{"change":"host-down","host":"h1"}]}' };
    expect((await ask('POST', '/api/v1/simulate', question)).statusCode).toBe(200);
    const before = world.dump();
    const changing = API_ROUTES.filter((route) => route.method === 'POST' && route.isQuestion !== true);
    expect(changing.length).toBeGreaterThan(9);
    for (const { path } of changing) {
      const answer = await ask('POST', path.replace('{host}', 'h1').replace('{group}', 'db'), {
        authorizer,
        body: '{}',
      });
      expect([path, answer.statusCode]).toEqual([path, 403]);
      expect(answer.body).toContain('holdfast/operate');
    }
    expect(world.dump()).toBe(before);
  });

  test('nothing but POST changes anything: a policy that allows GET, HEAD and OPTIONS is read-only', async () => {
    const before = world.dump();
    for (const { path } of API_ROUTES)
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH']) {
        const real = path.replace('{host}', 'h1').replace('{group}', 'db').replace('{slot}', '0').replace('{run}', 'x');
        await ask(method, real, { body: '{"haEnabled":false,"reason":"x","slot":0,"confirm":"h1"}' });
      }
    expect(world.dump()).toBe(before);
  });
});

describe('payload 2.0', () => {
  test('a stage in the path, names in capitals, nulls, and Base64 all mean the same', async () => {
    const plain = await ask('POST', '/api/v1/hosts/h1/disable', { body: '{"reason":"r","dryRun":true}' });
    expect(plain.statusCode).toBe(200);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(undefined, '$default', 'prod', 'api', 'a-b'),
        fc.constantFrom('content-type', 'Content-Type', 'CONTENT-TYPE'),
        fc.constantFrom('application/json', 'application/json; charset=utf-8', 'Application/JSON'),
        fc.boolean(),
        fc.constantFrom({}, { headers: null }, { queryStringParameters: null }, { pathParameters: { path: 'x' } }),
        async (stage, name, type, isBase64Encoded, more) => {
          const prefix = stage === undefined || stage === '$default' ? '' : `/${stage}`;
          const body = '{"reason":"r","dryRun":true}';
          const answer = await handler({
            rawPath: `${prefix}/api/v1/hosts/h1/disable`,
            headers: { [name]: type },
            body: isBase64Encoded ? Buffer.from(body).toString('base64') : body,
            isBase64Encoded,
            requestContext: { http: { method: 'POST' }, ...(stage === undefined ? {} : { stage }), authorizer: IAM },
            ...more,
          });
          expect(answer).toEqual(plain);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a parameter given twice is refused, and so is a wrong content type, whatever its case', async () => {
    expect((await ask('GET', '/api/v1/runs?limit=1&limit=2')).body).toContain('must be given once');
    const headers = { 'CONTENT-TYPE': 'application/x-www-form-urlencoded' };
    const answer = await ask('POST', '/api/v1/hosts/h1/disable', { headers, body: '{"reason":"r","dryRun":true}' });
    expect(answer.statusCode).toBe(400);
    expect(answer.body).toContain('application/x-www-form-urlencoded');
  });

  test('a path that only looks like a stage is none', async () => {
    const context = { stage: 'api' };
    expect((await ask('GET', '/apix/v1/status', { context })).statusCode).toBe(404);
    expect((await ask('GET', '/api', { context })).body).toContain('<title>Holdfast');
  });

  test('the stream in one answer: state, missed events, and the stories of runs that they speak of', async () => {
    const { events } = JSON.parse((await ask('GET', '/api/v1/events')).body) as {
      events: { id: string; run: string | null }[];
    };
    const [first] = events;
    const told = events.slice(1).flatMap(({ run }) => (run === null ? [] : [run]));
    const answer = await ask('GET', '/api/v1/stream', { headers: { 'Last-Event-ID': first?.id ?? '' } });
    expect(answer.body.startsWith('retry: 2000\n\nevent: status\n')).toBe(true);
    expect(told.length).toBeGreaterThan(0);
    for (const run of told) expect(answer.body).toContain(`event: run\ndata: {"run":{"run":"${run}"`);
    for (const { id } of events.slice(1)) expect(answer.body).toContain(`id: ${id}\n`);
  });
});

describe("the console's files", () => {
  test('are served under strict headers, kept where their name says what they are', async () => {
    const page = await ask('GET', '/');
    expect(page).toMatchObject({ statusCode: 200, body: '<!doctype html><title>Holdfast</title>' });
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    });
    expect(page.headers['content-security-policy']).toMatch(/default-src 'self'.*frame-ancestors 'none'/);
    const script = await ask('GET', '/console-0123ABCD.js');
    expect(script.headers['cache-control']).toContain('immutable');
    expect(script.body).toContain('é');
    const image = await ask('GET', '/dot.png');
    expect(image).toMatchObject({
      isBase64Encoded: true,
      body: Buffer.from([0x89, 0x50, 0xff, 0x00]).toString('base64'),
    });
  });

  test('HEAD, an entity tag, compression, and what is no file', async () => {
    const page = await ask('GET', '/');
    expect(await ask('HEAD', '/')).toEqual({ ...page, body: '' });
    const again = await ask('GET', '/', { headers: { 'If-None-Match': page.headers['etag'] ?? '' } });
    expect(again).toMatchObject({ statusCode: 304, body: '' });
    const packed = await ask('GET', '/console-0123ABCD.js', { headers: { 'accept-encoding': 'gzip, deflate' } });
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
    expect(gunzipSync(Buffer.from(packed.body, 'base64')).toString('utf8')).toContain('ééé');
    for (const path of [
      '/../secret.txt',
      '/..%2fsecret.txt',
      '/console/../../secret.txt',
      '/secret.txt',
      '/nothing.js',
      '//index.html',
      '/constructor',
      '/\0',
    ])
      expect([path, (await ask('GET', path)).statusCode]).toEqual([path, 404]);
    const posted = await ask('POST', '/');
    expect(posted).toMatchObject({ statusCode: 405, headers: { allow: 'GET, HEAD, OPTIONS' } });
    expect((await ask('OPTIONS', '/')).headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('the size of an answer', () => {
  const answer = (body: string): HttpAnswer => ({ statusCode: 200, headers: {}, body });

  test('is refused in words before Lambda refuses it, quotes and all', () => {
    const quotes = answer('"'.repeat(3_100_000)); // Each takes two bytes in JSON.
    expect(() => sized(quotes, undefined)).toThrow(/larger than 6000000 bytes: ask for less/);
    expect(() => sized(quotes, 'gzip;q=0, br')).toThrow(/larger/);
    expect(sized(quotes, 'br, gzip;q=0.5').isBase64Encoded).toBe(true);
    expect(sized(answer('x'.repeat(5_900_000)), undefined).body).toHaveLength(5_900_000);
    expect(sized(answer('{}'), 'gzip')).toEqual(answer('{}'));
  });
});
