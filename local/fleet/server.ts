/** Loopback HTTP for breaking things: `POST /break`, `GET /instances`. Every request carries the runtime's token. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { FAILURES, HaError, failureCode, messageOf } from '../../core/failures/failures.ts';
import { causeFault, parseFault } from './faults.ts';
import type { ControlSwitch } from './faults.ts';
import type { Fleet } from './fleet.ts';

const BODY_BYTES_MAX = 4_096;

export interface FleetServer {
  readonly url: string;
  close(): Promise<void>;
}

export interface FleetServerOptions {
  readonly fleet: Fleet;
  readonly control: ControlSwitch;
  readonly token: string;
}

export async function startFleetServer(options: FleetServerOptions): Promise<FleetServer> {
  const server = createServer((request, response) => {
    void answer(request, options).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(`${JSON.stringify(body)}\n`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the fleet server has no port');
  return {
    url: `http://127.0.0.1:${String(address.port)}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

async function answer(request: IncomingMessage, options: FleetServerOptions): Promise<Answer> {
  try {
    if (!holdsToken(request.headers.authorization, options.token)) {
      throw new HaError('unauthorized', 'send the token of runtime.json: "authorization: Bearer TOKEN"');
    }
    return { status: 200, body: await route(request, options) };
  } catch (error) {
    const code = failureCode(error);
    if (code === undefined) return { status: 500, body: { error: 'internal', message: messageOf(error) } };
    return { status: FAILURES[code].http, body: { error: code, message: messageOf(error) } };
  }
}

async function route(request: IncomingMessage, options: FleetServerOptions): Promise<object> {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  if (request.method === 'GET' && path === '/instances') {
    return { instances: options.fleet.instances() };
  }
  if (request.method === 'POST' && path === '/break') {
    const fault = parseFault(await readJson(request));
    return { ...fault, ...(await causeFault(fault, options.fleet, options.control)) };
  }
  throw new HaError('not_found', `no ${request.method ?? ''} ${path}; there are GET /instances and POST /break`);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  request.setEncoding('utf8');
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > BODY_BYTES_MAX)
      throw new HaError('limit_exceeded', `the body is longer than ${String(BODY_BYTES_MAX)} bytes`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HaError('config_invalid', `the body is not JSON: ${messageOf(error)}`);
  }
}

/** Digests have one length and are compared in constant time. */
function holdsToken(header: string | undefined, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`));
}
