/** The console's files, read once: what is served is what was built at the start, and no path leads anywhere else. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, relative, sep } from 'node:path';
import { HaError } from '../../core/failures/failures.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
};
const INDEX = '/index.html';
/** Named by its content: `console-5YLTZD3Z.js`. */
const FOR_EVER = /-[0-9A-Za-z]{8}\.\w+$/;

interface ServedFile {
  readonly type: string;
  readonly etag: string;
  readonly body: Buffer;
}

export type ConsoleFiles = ReadonlyMap<string, ServedFile>;

/** Every file in `folder`, by the path under which it is served. */
export async function readConsoleFiles(folder: string): Promise<ConsoleFiles> {
  const files = new Map<string, ServedFile>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const body = await readFile(file);
    const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`;
    const type = TYPES[extname(entry.name)] ?? 'application/octet-stream';
    files.set(`/${relative(folder, file).split(sep).join('/')}`, { type, etag, body });
  }
  if (!files.has(INDEX))
    throw new HaError('not_found', `the console in ${folder} has no index.html: is this a whole checkout?`);
  return files;
}

export function serveConsole(
  files: ConsoleFiles,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new HaError('not_found', `${path} takes GET, not ${request.method ?? 'nothing'}`);
  }
  const file = files.get(path === '/' ? INDEX : path);
  if (file === undefined) throw new HaError('not_found', `there is nothing at ${path.slice(0, 200)}`);
  const keep = FOR_EVER.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache';
  const headers = { etag: file.etag, 'cache-control': keep };
  if (request.headers['if-none-match'] === file.etag) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, { ...headers, 'content-type': file.type, 'content-length': file.body.length });
  response.end(request.method === 'HEAD' ? undefined : file.body);
}
