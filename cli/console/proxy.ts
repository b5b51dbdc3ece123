/**
 * `holdfast console`: the console on loopback, each of its requests signed, or given its token, on the way to the API.
 *
 * It acts in the operator's name, so it must act for the operator's page alone: it listens on 127.0.0.1, answers to its own
 * name only, refuses other pages, and wants a token for the API that is new in each run. Other users of this machine reach
 * the port as well: the token is therefore printed to the operator and nowhere handed out. The console's files need none;
 * they are the same for everybody and no other path leads out without it.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ApiAddress } from '../../adapters/node/api-request.ts';
import { SECURITY_HEADERS } from '../../adapters/node/console-files.ts';
import { failureCode, HaError, messageOf } from '../../core/failures/failures.ts';
import { listenOnLoopback } from '../../local/free-port.ts';
import { problemOf, requireToken, sendProblem } from '../../local/http.ts';
import { NotLetIn, passOn, problemOfFar } from './far-side.ts';
import { requireOwnName, requireOwnPage } from './own-page.ts';

const CONNECTIONS_MAX = 64;
const UNDER_WAY_MAX = 32;
const HEADERS_MS = 10_000;
const REQUEST_MS = 60_000;
/** The page and what it names: one plain name, nothing that another server might read as another path. */
const FILE = /^\/(?:[A-Za-z0-9_-]+\.[A-Za-z0-9]+)?$/;
const TOKEN_PLACE = 'it is in the address that `holdfast console` printed';

export interface ConsoleProxy {
  readonly port: number;
  /** With the token of this run. */
  readonly url: string;
  close(): Promise<void>;
}

export interface ProxyOptions {
  readonly address: ApiAddress;
  /** 0: any free one. */
  readonly port: number;
  /** Why the API was not reached, once per reason. */
  readonly log: (text: string) => void;
}

export async function startConsoleProxy({ address, port: wanted, log }: ProxyOptions): Promise<ConsoleProxy> {
  const token = randomBytes(32).toString('base64url');
  const state = { port: 0, underWay: 0 };
  const tellOnce = onChange(log);
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: HEADERS_MS }, (request, response) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    answer({ address, token, state }, request, response).then(
      () => tellOnce(null),
      (error: unknown) => {
        if (isFar(error)) tellOnce(messageOf(error));
        sendProblem(response, error instanceof NotLetIn ? problemOfFar(error) : problemOf(error));
      },
    );
  });
  server.maxConnections = CONNECTIONS_MAX;
  state.port = await listenOnLoopback(server, wanted);
  return {
    port: state.port,
    url: `http://127.0.0.1:${String(state.port)}/#token=${token}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Serving {
  readonly address: ApiAddress;
  readonly token: string;
  readonly state: { readonly port: number; underWay: number };
}

async function answer(
  { address, token, state }: Serving,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  requireOwnName(request, state.port);
  requireMeant(request, state.port, token);
  if (state.underWay >= UNDER_WAY_MAX)
    throw new HaError('store_throttled', `${String(UNDER_WAY_MAX)} requests are under way; come again later`);
  state.underWay += 1;
  try {
    await passOn(address, request, response);
  } finally {
    state.underWay -= 1;
  }
}

function requireMeant(request: IncomingMessage, port: number, token: string): void {
  const { method = '', url = '' } = request;
  if (url.startsWith('/api/')) {
    requireOwnPage(request, port);
    requireToken(request, token, TOKEN_PLACE);
    if (['GET', 'HEAD', 'OPTIONS', 'POST'].includes(method)) return;
  } else if (FILE.test(url) && (method === 'GET' || method === 'HEAD')) return;
  throw new HaError('not_found', `there is nothing for ${method.slice(0, 20)} at ${url.slice(0, 200)}`);
}

function isFar(error: unknown): boolean {
  const code = failureCode(error);
  return error instanceof NotLetIn || code === 'store_unavailable' || code === 'timed_out';
}

/** A page asks every other second: the same trouble is told once, and told again after it was over. */
function onChange(log: (text: string) => void): (trouble: string | null) => void {
  let told: string | null = null;
  return (trouble) => {
    if (trouble !== null && trouble !== told) log(trouble);
    told = trouble;
  };
}
