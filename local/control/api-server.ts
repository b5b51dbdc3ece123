/**
 * The control plane's end of the front door, on a Unix socket: checks the token, hands requests to the Lambda in API
 * Gateway's shape, opens streams, and takes what EventBridge would deliver.
 */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { HaError } from '../../core/failures/failures.ts';
import type { HttpAnswer } from '../../lambdas/api/handler.ts';
import type { Handler } from '../../lambdas/shared/edge.ts';
import { parseJson, problemOf, readBody, requireToken, sendJson, sendProblem } from '../http.ts';
import { serveStream, type OpenStream } from './stream-route.ts';

const REQUEST_MS = 30_000;

/** Where the runtime delivers the fleet's state changes; no way leads here from the front door. */
export const INSTANCE_STATE_PATH = '/lambda/instance-state';

export interface ApiServerOptions {
  readonly api: Handler<HttpAnswer>;
  readonly openStream: OpenStream;
  readonly instanceState: Handler<unknown>;
  readonly socket: string;
  readonly token: string;
  readonly log: (level: 'warn', text: string) => void;
}

export async function startApiServer(options: ApiServerOptions): Promise<Server> {
  const server = createServer({ requestTimeout: REQUEST_MS }, (request, response) => {
    serve(options, request, response).catch((error: unknown) => {
      const view = problemOf(error);
      if (view.status === 500) options.log('warn', `api server: ${String(error)}`);
      sendProblem(response, view);
    });
  });
  await rm(options.socket, { force: true }); // Of a control plane that was killed: there is one at a time.
  server.listen(options.socket);
  await once(server, 'listening');
  return server;
}

async function serve(options: ApiServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // Read first: who is refused in the middle of a long body sees a broken connection instead of the answer.
  const body = await readBody(request);
  requireToken(request, options.token);
  const [rawPath, rawQueryString = ''] = (request.url ?? '/').split('?', 2);
  const method = request.method ?? 'GET';
  if (rawPath === INSTANCE_STATE_PATH) {
    if (method !== 'POST') throw new HaError('not_found', `${INSTANCE_STATE_PATH} takes POST`);
    await options.instanceState(parseJson(body));
    return sendJson(response, {});
  }
  if (rawPath === '/api/v1/stream' && method === 'GET' && wantsStream(request)) {
    return serveStream(options.openStream, request, response, new URLSearchParams(rawQueryString));
  }
  const requestContext = { http: { method }, by: 'local operator' };
  const headers = passedOn(request);
  // Base64 as API Gateway sends what is no text: bytes that are not UTF-8 reach the Lambda as they are.
  const event = {
    rawPath,
    rawQueryString,
    headers,
    body: body.toString('base64'),
    isBase64Encoded: true,
    requestContext,
  };
  send(response, await options.api(event));
}

/** Who says so gets what goes on; others get what there is now, as on AWS. */
function wantsStream(request: IncomingMessage): boolean {
  return (request.headers.accept ?? '').includes('text/event-stream');
}

/** As API Gateway passes them on, so that a wrong content type is refused here as there; the token was for us alone. */
function passedOn({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  const all = Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]);
  return Object.fromEntries(all.filter(([name, value]) => name !== 'authorization' && value !== undefined)) as Record<
    string,
    string
  >;
}

function send(response: ServerResponse, answer: HttpAnswer): void {
  if (response.headersSent) return;
  const body = Buffer.from(answer.body, answer.isBase64Encoded === true ? 'base64' : 'utf8');
  response.writeHead(answer.statusCode, { ...answer.headers, 'content-length': body.length });
  response.end(body);
}
