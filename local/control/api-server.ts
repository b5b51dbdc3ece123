/** The API on loopback: checks the token, hands the request to the Lambda in API Gateway's shape. */
import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { messageOf } from '../../core/failures/failures.ts';
import type { HttpAnswer } from '../../lambdas/api/handler.ts';
import type { Handler } from '../../lambdas/shared/edge.ts';

const BODY_BYTES_MAX = 1024 * 1024;
const REQUEST_MS = 30_000;

export async function startApiServer(options: {
  readonly api: Handler<HttpAnswer>;
  readonly port: number;
  readonly token: string;
}): Promise<Server> {
  const server = createServer((request, response) => {
    serve(options, request, response).catch((error: unknown) => {
      send(response, problem(500, 'internal error', messageOf(error), 'store_unavailable'));
    });
  });
  server.requestTimeout = REQUEST_MS;
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function serve(
  options: { readonly api: Handler<HttpAnswer>; readonly token: string },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // A page of another site may resolve its own name to loopback; it cannot make the browser lie about that name.
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  if (host !== '127.0.0.1' && host !== 'localhost') {
    return send(
      response,
      problem(403, 'forbidden', `this API answers to 127.0.0.1 and localhost, not to ${host}`, 'forbidden'),
    );
  }
  if (!isAuthorised(request.headers.authorization, options.token)) {
    const detail = 'send the token as `Authorization: Bearer …`; it is in api.json in the state folder';
    return send(response, problem(401, 'unauthorized', detail, 'unauthorized'));
  }
  const body = await readBody(request);
  if (body === null)
    return send(
      response,
      problem(413, 'limit exceeded', `the body is larger than ${BODY_BYTES_MAX} bytes`, 'limit_exceeded'),
    );
  const [rawPath, rawQueryString = ''] = (request.url ?? '/').split('?', 2);
  const requestContext = { http: { method: request.method ?? 'GET' }, by: 'local operator' };
  // Base64 as API Gateway sends what is no text: bytes that are not UTF-8 reach the Lambda as they are.
  const event = { rawPath, rawQueryString, body: body.toString('base64'), isBase64Encoded: true, requestContext };
  send(response, await options.api(event));
}

function isAuthorised(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
  }
  return bytes > BODY_BYTES_MAX ? null : Buffer.concat(chunks);
}

function problem(status: number, title: string, detail: string, code: string): HttpAnswer {
  const body = JSON.stringify({ type: `urn:holdfast:${code}`, title, status, detail, code });
  return { statusCode: status, headers: { 'content-type': 'application/problem+json' }, body };
}

function send(response: ServerResponse, answer: HttpAnswer): void {
  if (response.headersSent) return;
  response.writeHead(answer.statusCode, { ...answer.headers, 'content-length': Buffer.byteLength(answer.body) });
  response.end(answer.body);
}
