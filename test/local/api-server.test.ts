/** The local API server hands over what API Gateway would: a request that is refused on AWS is refused here. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { startApiServer } from '../../local/control/api-server.ts';
import { api } from '../../lambdas/api/handler.ts';
import { openStream, sseText } from '../../lambdas/api/stream.ts';
import { PAIR } from '../lambdas/definitions.ts';
import { ACCOUNT, createWorld, type World } from '../lambdas/world.ts';

jest.setTimeout(60_000);

let folder: string;
let socket: string;
let server: Server;
let world: World;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-api-server-'));
  socket = join(folder, 'api.sock');
  world = await createWorld({ yaml: PAIR });
  await world.whole();
  server = await startApiServer({
    api: api(world.ports, { account: ACCOUNT }),
    async *openStream(request) {
      for await (const item of openStream(world.ports, request)) yield sseText(item);
    },
    instanceState: () => Promise.resolve({}),
    socket,
    token: 'a token',
    log: () => undefined,
  });
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
  rmSync(folder, { recursive: true });
});

function ask(method: string, path: string, headers: Record<string, string>, body = '') {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const authorization = 'Bearer a token';
    const request = httpRequest({ socketPath: socket, method, path, headers: { authorization, ...headers } });
    request.on('error', reject).on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.end(body);
  });
}

describe('the local API server', () => {
  test('a wrong content type is refused, a right one and none are taken', async () => {
    const path = '/api/v1/hosts/h1/disable';
    const body = '{"reason":"r","dryRun":true}';
    const wrong = await ask('POST', path, { 'content-type': 'application/x-www-form-urlencoded' }, body);
    expect(wrong.status).toBe(400);
    expect(wrong.text).toContain('must be application/json');
    expect((await ask('POST', path, { 'content-type': 'application/json' }, body)).status).toBe(200);
    expect((await ask('POST', path, {}, body)).status).toBe(200);
  });

  test('the stream ends after what there is now, unless it is asked for as a stream', async () => {
    const { status, text } = await ask('GET', '/api/v1/stream', { accept: 'application/json' });
    expect(status).toBe(200);
    expect(text).toMatch(/^retry: 2000\n\nevent: status\n/);
  });

  test('the caller is the local operator, whatever headers say', async () => {
    const headers = { 'content-type': 'application/json', by: 'root', 'x-amz-user': 'root' };
    await ask('POST', '/api/v1/hosts/h1/disable', headers, '{"reason":"r"}');
    const { events } = JSON.parse((await ask('GET', '/api/v1/events', {})).text) as { events: { by?: string }[] };
    expect(events.at(-1)?.by).toBe('local operator');
  });
});
