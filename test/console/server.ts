/**
 * The console's files and an API behind them, as the local front door serves them, with the same content policy.
 * The control plane can be taken away and brought back; then the API answers 503, as the front door does.
 */
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { buildConsole } from '../../tools/build-console.ts';

export interface Answer {
  readonly statusCode: number;
  readonly body: string;
}

/** What answers behind `/api/` and `/local/`. */
export interface Behind {
  http(method: string, path: string, body: string | undefined): Promise<Answer>;
  /** Texts of server-sent events; without it the stream is answered by 404. */
  stream?(lastEventId: string | undefined, signal: AbortSignal): AsyncIterable<string>;
  readonly local?: {
    instances(): readonly object[];
    breakIt(fault: Readonly<Record<string, unknown>>): void;
  };
}

export interface ConsoleServer {
  readonly url: string;
  readonly token: string;
  /** Ends what is open, and answers 503 from then on. */
  takeAway(): void;
  bringBack(): void;
  /** Everything that was asked of the API: method, path. */
  readonly asked: string[];
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TOKEN = 'a-token-of-the-test';

export async function serveConsole(behind: Behind): Promise<ConsoleServer> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-console-'));
  await buildConsole(folder);
  const files = new Map<string, Buffer>();
  for (const name of await readdir(folder)) files.set(`/${name}`, await readFile(join(folder, name)));
  await rm(folder, { recursive: true });

  const state = { isAway: false };
  const asked: string[] = [];
  const streams = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    answer({ behind, files, state, asked, streams }, request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    token: TOKEN,
    asked,
    takeAway: () => {
      state.isAway = true;
      for (const stream of streams) stream.destroy();
    },
    bringBack: () => void (state.isAway = false),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

interface Serving {
  readonly behind: Behind;
  readonly files: ReadonlyMap<string, Buffer>;
  readonly state: { readonly isAway: boolean };
  readonly asked: string[];
  readonly streams: Set<ServerResponse>;
}

async function answer(serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  if (path.startsWith('/local/')) return answerLocal(serving, request, response, path);
  if (!path.startsWith('/api/')) return answerFile(serving, response, path === '/' ? '/index.html' : path);
  serving.asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
  if (serving.state.isAway) return send(response, 503, problem('store_unavailable', 'the control plane is away'));
  if (request.headers.authorization !== `Bearer ${TOKEN}`)
    return send(response, 401, problem('unauthorized', 'send the token'));
  if (path === '/api/v1/stream') return answerStream(serving, request, response);
  const done = await serving.behind.http(request.method ?? '', request.url ?? '', await bodyOf(request));
  send(response, done.statusCode, done.body);
}

async function answerLocal(
  { behind }: Serving,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  if (behind.local === undefined) return send(response, 404, problem('not_found', `there is nothing at ${path}`));
  if (path === '/local/session')
    return send(response, 200, JSON.stringify({ token: TOKEN, local: true, cluster: 'demo' }));
  if (path === '/local/instances') return send(response, 200, JSON.stringify({ instances: behind.local.instances() }));
  behind.local.breakIt(JSON.parse((await bodyOf(request)) ?? '{}') as Record<string, unknown>);
  send(response, 200, '{}');
}

function answerFile({ files }: Serving, response: ServerResponse, path: string): void {
  const file = files.get(path);
  if (file === undefined) return send(response, 404, problem('not_found', path));
  response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? '', 'content-security-policy': POLICY }).end(file);
}

async function answerStream(
  { behind, streams }: Serving,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (behind.stream === undefined) return send(response, 404, problem('not_found', 'no stream here'));
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  streams.add(response);
  const lastEventId = request.headers['last-event-id'];
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  for await (const text of behind.stream(typeof lastEventId === 'string' ? lastEventId : undefined, gone.signal))
    response.write(text);
  streams.delete(response);
  response.end();
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  return chunks.length === 0 ? undefined : Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, statusCode: number, body: string): void {
  response.writeHead(statusCode, { 'content-type': 'application/json' }).end(body);
}

function problem(code: string, detail: string): string {
  return JSON.stringify({ type: `urn:holdfast:${code}`, title: code.replaceAll('_', ' '), status: 503, detail, code });
}
