/** `holdfast console` acts in the operator's name: for its own page, and for nobody else. */
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ConsoleProxy, startConsoleProxy } from '../../cli/console/proxy.ts';
import { type Api, type Asked, type Reply, serve } from './stage.ts';

let far: Api;
let proxy: ConsoleProxy;
let reply: (asked: Asked) => Reply = () => ({ body: {} });
const troubles: string[] = [];

beforeEach(async () => {
  troubles.length = 0;
  reply = () => ({ body: { fine: true } });
  far = await serve((asked) => reply(asked));
  const address = { url: far.url, token: 'of the operator', cluster: 'blue' };
  proxy = await startConsoleProxy({ address, port: 0, log: (text) => void troubles.push(text) });
});
afterEach(async () => {
  await proxy.close();
  await far.close();
});

const tokenOf = (): string => new URL(proxy.url).hash.replace('#token=', '');

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Not `fetch`: it lets nobody write Host, Origin or a path that climbs. */
function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
) {
  return new Promise<Answer>((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = options;
    const request = httpRequest({ host: '127.0.0.1', port: proxy.port, path, method, headers, agent: false });
    request.on('error', reject).on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on('error', reject);
    });
    request.end(body);
  });
}

const bearer = () => ({ authorization: `Bearer ${tokenOf()}` });

describe('the console proxy', () => {
  test('passes on what its page asks, in the operator’s name and for the cluster that was chosen', async () => {
    const headers = {
      ...bearer(),
      cookie: 'a=b',
      origin: `http://127.0.0.1:${proxy.port}`,
      'content-type': 'application/json',
    };
    const answer = await ask('/api/v1/switch', { method: 'POST', headers, body: '{"haEnabled":true}' });
    expect(answer).toMatchObject({ status: 200, text: '{"fine":true}' });
    expect(far.asked).toEqual([
      {
        method: 'POST',
        url: '/api/v1/switch?cluster=blue',
        authorization: 'Bearer of the operator',
        type: 'application/json',
        body: '{"haEnabled":true}',
      },
    ]);
    expect(answer.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  test('its token is new in each run, and long', async () => {
    const other = await startConsoleProxy({ address: { url: far.url }, port: 0, log: () => undefined });
    expect(tokenOf()).toMatch(/^[\w-]{43}$/);
    expect(other.url).not.toContain(tokenOf());
    await other.close();
  });

  test.each([
    ['without a token', () => ({}), 401],
    ['a guessed token', () => ({ authorization: 'Bearer guessed' }), 401],
    ["the operator's own token", () => ({ authorization: 'Bearer of the operator' }), 401],
    ['by another name (DNS rebinding)', () => ({ ...bearer(), host: 'evil.example' }), 403],
    ['by a name that begins alike', () => ({ ...bearer(), host: `127.0.0.1.evil.example:${proxy.port}` }), 403],
    ['at another port', () => ({ ...bearer(), host: '127.0.0.1:1' }), 403],
    ['by no port', () => ({ ...bearer(), host: '127.0.0.1' }), 403],
    ["from another site's page", () => ({ ...bearer(), origin: 'https://evil.example' }), 403],
    ['from a page without an origin', () => ({ ...bearer(), origin: 'null' }), 403],
    ["from another port's page", () => ({ ...bearer(), origin: 'http://127.0.0.1:1' }), 403],
    ['from a cross-site fetch', () => ({ ...bearer(), 'sec-fetch-site': 'cross-site' }), 403],
    ['from another port, as the browser says', () => ({ ...bearer(), 'sec-fetch-site': 'same-site' }), 403],
  ] as const)('refuses what comes %s', async (_, headers, status) => {
    for (const [method, path] of [
      ['GET', '/api/v1/status'],
      ['POST', '/api/v1/switch'],
    ] as const)
      expect((await ask(path, { method, headers: headers() })).status).toBe(status);
    expect(far.asked).toEqual([]);
    expect(troubles).toEqual([]);
  });

  test('without the token nothing but the page and what it names leaves this machine', async () => {
    for (const path of [
      '/%61pi/v1/status',
      '//api/v1/status',
      '/./api/v1/status',
      '/x/../api/v1/status',
      '/x/%2e%2e/api/v1/status',
      '/API/v1/status',
      '/api',
      '/index.html?x=/api/v1/status',
      '/index.html/../api/v1/status',
      '/local/session',
      '/@evil.example/',
      '/..',
      'http://evil.example/',
      '*',
    ])
      expect([path, (await ask(path)).status]).toEqual([path, 404]);
    for (const method of ['POST', 'PUT', 'DELETE']) expect((await ask('/', { method })).status).toBe(404);
    expect((await ask('/api/v1/status', { method: 'DELETE', headers: bearer() })).status).toBe(404);
    expect(far.asked).toEqual([]);
    await ask('/');
    await ask('/console-0123ABCD.js');
    expect(far.asked.map(({ url }) => url)).toEqual(['/', '/console-0123ABCD.js']);
  });

  test('refusals of the API stay what they are, but refused credentials are not the page’s', async () => {
    const refusal = (status: number, code: string) => ({
      status,
      type: 'application/problem+json',
      body: { type: `urn:holdfast:${code}`, title: code, status, detail: 'because', code },
    });
    reply = () => refusal(409, 'conflict');
    expect(await ask('/api/v1/status', { headers: bearer() })).toMatchObject({ status: 409 });
    reply = () => refusal(403, 'forbidden');
    const forbidden = await ask('/api/v1/status', { headers: bearer() });
    expect(forbidden.status).toBe(502);
    expect(JSON.parse(forbidden.text)).toMatchObject({ code: 'forbidden', detail: 'because' });
    reply = () => ({ status: 401, body: { message: 'Unauthorized' } });
    for (let times = 0; times < 3; times += 1)
      expect((await ask('/api/v1/status', { headers: bearer() })).text).toContain('does not take this token');
    expect(troubles.filter((text) => text.includes('does not take this token'))).toHaveLength(1);
  });

  test('an API that is away is said to be, and its address is never taken from the page', async () => {
    await far.close();
    const away = await ask('/api/v1/status', { headers: bearer() });
    expect(away.status).toBe(503);
    expect(away.text).toContain(far.url);
    far = await serve(() => ({ body: {} }));
  });

  test('a stream comes as it is said, and who leaves it leaves it at its source as well', async () => {
    let say = (_text: string): void => undefined;
    const source = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
      say = (text) => void response.write(text);
      left = new Promise((resolve) => response.once('close', () => resolve('left')));
    });
    let left: Promise<string> | undefined;
    source.listen(0, '127.0.0.1');
    await once(source, 'listening');
    const address = { url: `http://127.0.0.1:${(source.address() as AddressInfo).port}` };
    const streaming = await startConsoleProxy({ address, port: 0, log: (text) => void troubles.push(text) });
    const leaving = new AbortController();
    const headers = { authorization: `Bearer ${new URL(streaming.url).hash.replace('#token=', '')}` };
    const answer = await fetch(`http://127.0.0.1:${streaming.port}/api/v1/stream`, { headers, signal: leaving.signal });
    const reader = answer.body?.getReader();
    const next = async (): Promise<string> => Buffer.from((await reader?.read())?.value ?? []).toString('utf8');
    expect(await next()).toBe('data: 1\n\n');
    say('data: 2\n\n');
    expect(await next()).toBe('data: 2\n\n');
    leaving.abort();
    expect(await left).toBe('left');
    expect(troubles).toEqual([]);
    await streaming.close();
    source.close();
    await once(source, 'close');
  });

  test('a body that is too large is refused here', async () => {
    const answer = await ask('/api/v1/switch', {
      method: 'POST',
      headers: bearer(),
      body: Buffer.alloc(1024 * 1024 + 1),
    });
    expect(answer.status).toBe(413);
    expect(far.asked).toEqual([]);
  });
});
