import { once } from 'node:events';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readConsoleFiles } from '../../local/door/console-files.ts';
import type { Fleet } from '../../local/fleet/fleet.ts';
import { type FrontDoor, startFrontDoor } from '../../local/front-door.ts';
import { until } from './fleet/until.ts';

const TOKEN = 'a token';
const BEARER = { authorization: `Bearer ${TOKEN}` };

let folder = '';
let door: FrontDoor;
let control: Server | undefined;
const done: string[] = [];

/** A fleet of which only what the front door asks for is there. */
const fleet = {
  instances: () => [],
  cut: (host: string) => void done.push(`cut ${host}`),
} as unknown as Fleet;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-door-'));
  mkdirSync(join(folder, 'console'));
  writeFileSync(join(folder, 'console', 'index.html'), '<!doctype html><title>Holdfast</title>');
  writeFileSync(join(folder, 'console', 'console-0123ABCD.js'), 'export {};');
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  done.length = 0;
  door = await startFrontDoor({ port: 0, log: (text) => void done.push(text) });
});

afterEach(async () => {
  await door.close();
  control?.closeAllConnections();
  control?.close();
  control = undefined;
  rmSync(folder, { recursive: true });
});

async function open(): Promise<void> {
  door.open({
    cluster: 'demo',
    token: TOKEN,
    fleet,
    control: { kill: () => void done.push('kill'), stop: () => Promise.resolve(), start: () => undefined },
    console: await readConsoleFiles(join(folder, 'console')),
    controlSocket: join(folder, 'api.sock'),
  });
}

async function startControl(serve: (server: Server) => void): Promise<void> {
  control = createServer();
  serve(control);
  control.listen(join(folder, 'api.sock'));
  await once(control, 'listening');
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Not `fetch`: it sends no Host header but its own. */
function ask(path: string, headers: Record<string, string> = {}, post?: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const method = post === undefined ? 'GET' : 'POST';
    const request = httpRequest({ host: '127.0.0.1', port: door.port, path, method, headers, agent: false });
    request.on('error', reject).on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on('error', reject);
    });
    request.end(post);
  });
}

function codeOf({ text }: Answer): unknown {
  return (JSON.parse(text) as { code: unknown }).code;
}

describe('front door', () => {
  test('has the port before anything else is there, and says that it is starting', async () => {
    const answer = await ask('/');
    expect(answer.status).toBe(503);
    expect(codeOf(answer)).toBe('store_unavailable');
    await expect(startFrontDoor({ port: door.port, log: () => undefined })).rejects.toMatchObject({ code: 'conflict' });
  });

  test('serves the console and nothing beside it, under strict headers', async () => {
    await open();
    const page = await ask('/');
    expect(page).toMatchObject({ status: 200, text: '<!doctype html><title>Holdfast</title>' });
    expect(page.headers['content-security-policy']).toContain("default-src 'self'");
    expect(page.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache' });
    expect(page.headers['access-control-allow-origin']).toBeUndefined();
    const script = await ask('/console-0123ABCD.js');
    expect(script.headers['cache-control']).toContain('immutable');
    expect(await ask('/', { 'if-none-match': String(page.headers['etag']) })).toMatchObject({ status: 304, text: '' });
    for (const path of ['/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/nothing', '/%ff']) {
      expect([400, 404]).toContain((await ask(path)).status);
    }
    expect((await ask('/', {}, 'x')).status).toBe(404);
  });

  test('gives its token to a page from here and to nobody else', async () => {
    await open();
    expect(JSON.parse((await ask('/local/session')).text)).toEqual({ token: TOKEN, local: true, cluster: 'demo' });
    expect((await ask('/local/session', { host: `localhost:${String(door.port)}` })).status).toBe(200);
    expect((await ask('/local/session', { 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    for (const headers of [
      { host: 'evil.example' },
      { host: '127.0.0.1.evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ] as Record<string, string>[]) {
      const refused = await ask('/local/session', headers);
      expect(refused.status).toBe(403);
      expect(refused.text).not.toContain(TOKEN);
    }
  });

  test('breaks things only for who has the token', async () => {
    await open();
    const fault = JSON.stringify({ fault: 'cut', host: 'h1' });
    expect((await ask('/local/break', {}, fault)).status).toBe(401);
    expect((await ask('/local/break', { authorization: 'Bearer guessed' }, fault)).status).toBe(401);
    expect((await ask('/local/instances')).status).toBe(401);
    expect(done).toEqual([]);
    expect(JSON.parse((await ask('/local/break', BEARER, fault)).text)).toMatchObject({ signalled: null });
    expect(done).toEqual(['cut h1']);
    expect((await ask('/local/break', BEARER, '{"fault":"meteor"}')).status).toBe(400);
    expect((await ask('/local/break', BEARER, 'x'.repeat(5_000))).status).toBe(413);
    expect(JSON.parse((await ask('/local/instances', BEARER)).text)).toEqual({ instances: [] });
  });

  test('says that the control plane is away, for requests and streams alike', async () => {
    await open();
    for (const path of ['/api/v1/status', '/api/v1/stream']) {
      const answer = await ask(path, BEARER);
      expect(answer.status).toBe(503);
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(codeOf(answer)).toBe('store_unavailable');
      expect(answer.text).toContain('the control plane is away');
    }
  });

  test('passes requests on with what is meant for the API, and answers back as they are', async () => {
    await open();
    await startControl((server) =>
      server.on('request', (request, response) => {
        let body = '';
        request.on('data', (chunk) => (body += String(chunk)));
        request.on('end', () => {
          response.writeHead(409, { 'content-type': 'application/problem+json', 'x-powered-by': 'nobody' });
          response.end(JSON.stringify({ url: request.url, method: request.method, headers: request.headers, body }));
        });
      }),
    );
    const answer = await ask('/api/v1/x?y=%20', { ...BEARER, cookie: 'a=b', 'content-type': 'text/x' }, 'the body');
    expect(answer.status).toBe(409);
    expect(answer.headers['x-powered-by']).toBeUndefined();
    const seen = JSON.parse(answer.text) as { headers: Record<string, string> };
    expect(seen).toMatchObject({ url: '/api/v1/x?y=%20', method: 'POST', body: 'the body' });
    expect(seen.headers).toMatchObject({ authorization: `Bearer ${TOKEN}`, 'content-type': 'text/x' });
    expect(seen.headers['cookie']).toBeUndefined();
    expect((await ask('/api/v1/x', BEARER, Buffer.alloc(1024 * 1024 + 1))).status).toBe(413);
  });

  test('passes a stream on as it comes, and a client that leaves on as well', async () => {
    await open();
    let isOver = false;
    let say = (_text: string): void => undefined;
    await startControl((server) =>
      server.on('request', (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('data: 1\n\n');
        say = (text) => void response.write(text);
        response.on('close', () => (isOver = true));
      }),
    );
    const leaving = new AbortController();
    const response = await fetch(`${door.url}/api/v1/stream`, { headers: BEARER, signal: leaving.signal });
    const reader = response.body?.getReader();
    const next = async (): Promise<string> => Buffer.from((await reader?.read())?.value ?? []).toString('utf8');
    expect(await next()).toBe('data: 1\n\n');
    say('data: 2\n\n');
    expect(await next()).toBe('data: 2\n\n');
    leaving.abort();
    await until('the end of the stream at its source', () => isOver);
  });

  test('an answer that the control plane could not finish is no whole answer', async () => {
    await open();
    await startControl((server) =>
      server.on('request', (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
        response.write('{"half":', () => response.destroy());
      }),
    );
    await expect(ask('/api/v1/status', BEARER)).rejects.toThrow(/aborted|hang up|reset/);
  });
});
