import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { networkProbe } from '../../../adapters/node/probe.ts';
import { blackHole } from '../aws/fake-endpoints.ts';

let server: Server;
let port = 0;
let asked: string[] = [];

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const status = Number(request.url?.slice(1));
    response.writeHead(status, status === 302 ? { location: '/500' } : {}).end('x'.repeat(10_000));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterEach(async () => {
  server.closeAllConnections();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
});

describe('probe', () => {
  test.each([
    [200, 'answered'],
    [302, 'answered'],
    [404, 'answered'],
    [499, 'answered'],
    [500, 'silent'],
    [503, 'silent'],
  ])('status %i is %s', async (status, outcome) => {
    const url = `http://127.0.0.1:${String(port)}/${String(status)}`;
    expect(await networkProbe.ask({ kind: 'http', url }, 5_000)).toBe(outcome);
    expect(asked).toEqual([`/${String(status)}`]);
  });

  test('a port that takes connections answers, a closed one is silent', async () => {
    const target = { kind: 'tcp', address: '127.0.0.1', port } as const;
    expect(await networkProbe.ask(target, 5_000)).toBe('answered');
    await new Promise((resolve) => server.close(resolve));
    expect(await networkProbe.ask(target, 5_000)).toBe('silent');
    const url = `http://127.0.0.1:${String(port)}/200`;
    expect(await networkProbe.ask({ kind: 'http', url }, 5_000)).toBe('silent');
  });

  test('who never answers is silent', async () => {
    const hole = await blackHole();
    expect(await networkProbe.ask({ kind: 'http', url: hole.url }, 200)).toBe('silent');
    await hole.close();
  });

  test('what is no address is silent, not an error', async () => {
    expect(await networkProbe.ask({ kind: 'http', url: 'no url' }, 200)).toBe('silent');
    expect(await networkProbe.ask({ kind: 'tcp', address: 'nowhere.invalid', port: 1 }, 2_000)).toBe('silent');
  });
});
