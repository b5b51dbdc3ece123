/** What every loopback server of the runtime does alike: bounded bodies, the token, answers as problem documents (RFC 9457). */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type FailureCode, FAILURES, failureCode, HaError, messageOf } from '../core/failures/failures.ts';
import type { ProblemView } from '../core/protocol/views.ts';

export const BODY_BYTES_MAX = 1024 * 1024;

/** Reads on without keeping what is too much, so that the client gets to read the refusal. */
export async function readBody(request: IncomingMessage, bytesMax: number = BODY_BYTES_MAX): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // What is too long is read to its end and answered: a million characters may come as six bytes each.
    if (bytes > 16 * bytesMax) request.destroy();
    if (bytes <= bytesMax) chunks.push(chunk);
  }
  if (bytes > bytesMax) throw new HaError('limit_exceeded', `the body is larger than ${String(bytesMax)} bytes`);
  return Buffer.concat(chunks);
}

export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new HaError('config_invalid', `the body is not JSON: ${messageOf(error)}`);
  }
}

const TOKEN_PLACE = 'it is in api.json in the state folder';

export function requireToken(request: IncomingMessage, token: string, place: string = TOKEN_PLACE): void {
  // Digests have one length and are compared in constant time.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  if (timingSafeEqual(digest(request.headers.authorization ?? ''), digest(`Bearer ${token}`))) return;
  throw new HaError('unauthorized', `send the token as \`Authorization: Bearer …\`; ${place}`);
}

/** A bug says no more than that it is one: its text is for the log. */
export function problemOf(error: unknown): ProblemView {
  const code = failureCode(error);
  if (code !== undefined) return problem(code, messageOf(error));
  const detail = 'see the log of the local system';
  return { type: 'about:blank', title: 'internal error', status: 500, detail, code: 'store_unavailable' };
}

export function problem(code: FailureCode, detail: string): ProblemView {
  return { type: `urn:holdfast:${code}`, title: code.replaceAll('_', ' '), status: FAILURES[code].http, detail, code };
}

export function sendProblem(response: ServerResponse, view: ProblemView): void {
  sendText(response, view.status, { 'content-type': 'application/problem+json' }, JSON.stringify(view));
}

export function sendJson(response: ServerResponse, body: object): void {
  sendText(response, 200, { 'content-type': 'application/json' }, JSON.stringify(body));
}

function sendText(response: ServerResponse, status: number, headers: OutgoingHttpHeaders, text: string): void {
  if (response.headersSent) {
    response.destroy(); // An answer that began well and cannot be ended: the client must not take it for a whole one.
    return;
  }
  const length = { 'content-length': Buffer.byteLength(text) };
  response.writeHead(status, { 'cache-control': 'no-store', ...headers, ...length });
  response.end(text);
}
