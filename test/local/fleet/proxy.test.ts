import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startProxy } from '../../../local/fleet/proxy.ts';
import type { HostProxy } from '../../../local/fleet/proxy.ts';
import { until } from './until.ts';

let endpoint: Server;
let served: Socket[] = [];
let received = '';
let proxy: HostProxy;
let clients: Client[] = [];

interface Client {
  readonly socket: Socket;
  text: string;
  isClosed: boolean;
}

async function connect(): Promise<Client> {
  const socket = createConnection(proxy.port, '127.0.0.1');
  const client: Client = { socket, text: '', isClosed: false };
  socket.on('data', (chunk) => (client.text += chunk.toString()));
  socket.on('error', () => undefined);
  socket.on('close', () => (client.isClosed = true));
  clients.push(client);
  await once(socket, 'connect');
  return client;
}

beforeEach(async () => {
  served = [];
  received = '';
  clients = [];
  endpoint = createServer((socket) => {
    served.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      received += chunk.toString();
      socket.write(chunk);
    });
  });
  endpoint.listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  proxy = await startProxy({ port: (endpoint.address() as AddressInfo).port });
});
afterEach(async () => {
  for (const { socket } of clients) socket.destroy();
  await proxy.close();
  for (const socket of served) socket.destroy();
  endpoint.close();
});

const echoes = (client: Client, text: string) => {
  client.socket.write(text);
  return until(`the echo of ${text}`, () => client.text.endsWith(text));
};

describe("a host's proxy", () => {
  test('passes data both ways and ends with the endpoint', async () => {
    const client = await connect();
    await echoes(client, 'one');
    served[0]?.end();
    await until('the end', () => client.isClosed);
  });

  test('a cut swallows what both sides send, accepts, answers nothing, closes nothing', async () => {
    const old = await connect();
    const silent = await connect();
    const dropped = await connect();
    await echoes(old, 'one');
    await echoes(silent, 'quiet');
    await echoes(dropped, 'three');
    proxy.cut();
    expect(proxy.isCut).toBe(true);
    const fresh = await connect();
    old.socket.write('lost');
    fresh.socket.write('lost');
    served[0]?.write('lost too');
    served[2]?.destroy();
    // A second proxy to the same endpoint shows that it is the cut that swallows: its echo comes after all of the above.
    const other = await startProxy({ port: (endpoint.address() as AddressInfo).port });
    const witness = createConnection(other.port, '127.0.0.1');
    witness.write('two');
    await once(witness, 'data');
    witness.destroy();
    await other.close();
    expect(received).toBe('onequietthreetwo');
    expect([old, fresh, dropped, silent].map(({ text, isClosed }) => [text, isClosed])).toEqual([
      ['one', false],
      ['', false],
      ['three', false],
      ['quiet', false],
    ]);

    proxy.heal();
    await until('broken connections to close', () => old.isClosed && fresh.isClosed && dropped.isClosed);
    await echoes(silent, 'still here');
    await echoes(await connect(), 'anew');
    expect(received).toBe('onequietthreetwostill hereanew');
  });

  test('an endpoint that is away closes the connection', async () => {
    for (const socket of served) socket.destroy();
    endpoint.close();
    await once(endpoint, 'close');
    const client = await connect();
    await until('the end', () => client.isClosed);
  });
});
