/**
 * The one address of the local system, `http://127.0.0.1:7777`: console, API, and what breaks things.
 *
 * It lives in the runtime's process and listens for as long as that lives, so that nobody can take the port while the
 * control plane's process is away; then the API answers 503 and everything else goes on.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { SECURITY_HEADERS } from '../adapters/node/console-files.ts';
import { failureCode, HaError } from '../core/failures/failures.ts';
import { type ConsoleFiles, serveConsole } from './door/console-files.ts';
import { localRoute, type LocalParts } from './door/local-routes.ts';
import { passOnTo, type PassOn } from './door/pass-on.ts';
import { listenOnLoopback } from './free-port.ts';
import { problemOf, sendJson, sendProblem } from './http.ts';

const CONNECTIONS_MAX = 256;
const HEADERS_MS = 10_000;
const REQUEST_MS = 60_000;
const HEADERS_MAX = 64;

export interface DoorParts extends LocalParts {
  readonly console: ConsoleFiles;
  /** Unix socket of the control plane's process. */
  readonly controlSocket: string;
}

export interface FrontDoor {
  readonly port: number;
  readonly url: string;
  /** Until then everything is answered by 503. */
  open(parts: DoorParts): void;
  close(): Promise<void>;
}

/** Takes the port, at once. 0: any free one. */
export async function startFrontDoor(options: {
  readonly port: number;
  readonly log: (text: string) => void;
}): Promise<FrontDoor> {
  let open: { readonly parts: DoorParts; readonly api: PassOn } | undefined;
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: HEADERS_MS }, (request, response) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    answer(open, request, response).catch((error: unknown) => {
      if (failureCode(error) === undefined) options.log(`the front door failed: ${String(error)}`);
      sendProblem(response, problemOf(error));
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.maxHeadersCount = HEADERS_MAX;
  const port = await listenOnLoopback(server, options.port);
  return {
    port,
    url: `http://127.0.0.1:${String(port)}`,
    open: (parts) => {
      open = { parts, api: passOnTo(parts.controlSocket) };
    },
    close: () => close(server),
  };
}

async function answer(
  open: { readonly parts: DoorParts; readonly api: PassOn } | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  requireLoopbackName(request);
  if (open === undefined)
    throw new HaError('store_unavailable', 'the local system is starting; come again in a moment');
  const path = pathOf(request);
  if (path.startsWith('/api/')) return open.api.pass(request, response);
  if (path.startsWith('/local/')) return sendJson(response, await localRoute(open.parts, request, path));
  serveConsole(open.parts.console, request, response, path);
}

/** A page of another site may resolve its own name to loopback; it cannot make the browser lie about that name. */
function requireLoopbackName(request: IncomingMessage): void {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  if (host === '127.0.0.1' || host === 'localhost') return;
  throw new HaError('forbidden', `this answers to 127.0.0.1 and localhost, not to ${host.slice(0, 200)}`);
}

function pathOf(request: IncomingMessage): string {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  try {
    return decodeURIComponent(path);
  } catch {
    throw new HaError('config_invalid', 'the path has a bad escape');
  }
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
