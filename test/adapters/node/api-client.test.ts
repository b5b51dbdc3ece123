import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type ApiClient, apiClient } from '../../../adapters/node/api-client.ts';
import { openStream, sseText } from '../../../lambdas/api/stream.ts';
import { PAIR } from '../../lambdas/definitions.ts';
import { createWorld, type World } from '../../lambdas/world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

let world: World;
let server: Server;
let client: ApiClient;
let url = '';

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [rawPath = '', rawQueryString = ''] = (request.url ?? '').split('?');
  const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]));
  if (rawPath === '/api/v1/stream') {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const lastEventId = headers['last-event-id'];
    for await (const item of openStream(world.ports, { cluster: null, lastEventId, signal: gone.signal })) {
      response.write(`event: of-a-newer-version\ndata: {}\n\n${sseText(item)}`);
    }
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString('utf8');
  const requestContext = { http: { method: request.method ?? '' }, by: 'operator' };
  const answer = await world.api({ rawPath, rawQueryString, headers, body, requestContext });
  response.writeHead(answer.statusCode, answer.headers);
  response.end(Buffer.from(answer.body, answer.isBase64Encoded === true ? 'base64' : 'utf8'));
}

beforeAll(async () => {
  world = await createWorld({ yaml: PAIR });
  await world.whole();
  await world.run(2_000);
  server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  client = apiClient({ url, token: 't' });
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('the client of the API', () => {
  test('reads every view', async () => {
    expect((await client.status()).hosts.map(({ name, machine }) => [name, machine])).toEqual([
      ['h1', 'i-00000000000000001'],
      ['h2', 'i-00000000000000002'],
    ]);
    expect((await client.definition()).rev).toBe(1);
    const { runs } = await client.runs({ limit: 1 });
    expect((await client.run(runs[0]?.run ?? '')).steps.length).toBeGreaterThan(0);
    expect((await client.why('db', 0)).hosts.map(({ verdict }) => verdict)).toContain('owner');
    expect((await client.doctor()).checks.length).toBeGreaterThan(0);
    expect((await client.simulate({ changes: [{ change: 'host-down', host: 'h1' }] })).unchanged).toBeLessThan(2);
    expect((await client.openapi())['openapi']).toBe('3.1.1');
  });

  test('pages through events, both ways', async () => {
    const { events, next } = await client.events({ limit: 2 });
    const older = await client.events({ limit: 2, cursor: next ?? '' });
    expect(older.events.at(-1)?.id.localeCompare(events[0]?.id ?? '')).toBe(-1);
    expect((await client.events({ after: events[0]?.id ?? '' })).events[0]?.id).toBe(events[1]?.id);
  });

  test('asks for verbs, and throws the code of a refusal', async () => {
    expect((await client.hostVerb('h1', 'disable', { reason: 'x', dryRun: true })).plan).toHaveLength(2);
    expect((await client.setSwitch({ haEnabled: false, dryRun: true })).runs).toEqual([]);
    expect((await client.move('db', { slot: 0, dryRun: true })).run).toBeNull();
    await expect(client.hostVerb('h9', 'enable')).rejects.toMatchObject({ code: 'not_found' });
    await expect(client.hostVerb('h1', 'fence', { confirm: 'h2' })).rejects.toMatchObject({ code: 'config_invalid' });
    await expect(client.runs({ cursor: 'x' })).rejects.toMatchObject({ code: 'config_invalid' });
  });

  test('streams until it has had enough, and comes back without a gap', async () => {
    const enough = new AbortController();
    const types: string[] = [];
    let last: string | undefined;
    const read = async (): Promise<void> => {
      for await (const message of client.stream(undefined, enough.signal)) {
        types.push(message.type);
        if (types.length === 1) await client.setSwitch({ haEnabled: false });
        if (message.type === 'event') {
          last = message.data.id;
          enough.abort();
        }
      }
    };
    const reading = read();
    while (last === undefined) await world.run(50);
    await reading;
    expect(types).toEqual(['status', 'status', 'event']);
    await client.setSwitch({ haEnabled: true, reason: 'while nobody listened' });
    let missed = '';
    const again = async (): Promise<void> => {
      for await (const message of client.stream(last)) {
        if (message.type !== 'event') continue;
        missed = message.data.says;
        return;
      }
    };
    const readingAgain = again();
    while (missed === '') await world.run(50);
    await readingAgain;
    expect(missed).toContain('while nobody listened');
  });

  test('a stream that cannot be opened is an error with a code', async () => {
    const nobody = apiClient({ url: 'http://127.0.0.1:1' });
    const messages = nobody.stream()[Symbol.asyncIterator]();
    await expect(messages.next()).rejects.toMatchObject({ code: 'store_unavailable' });
  });
});

test('the time of a request begins when who asks has been proven: a token command may wait for a person', async () => {
  const begun = jest.spyOn(AbortSignal, 'timeout');
  let before = -1;
  const authorize = Object.assign(
    () => {
      before = begun.mock.calls.length;
      return Promise.resolve({ authorization: 'Bearer t' });
    },
    { isSigning: false },
  );
  expect((await apiClient({ url, authorize }).status()).cluster).toBe('pair');
  expect(before).toBe(0);
  expect(begun).toHaveBeenCalledTimes(1);
  begun.mockRestore();
});
