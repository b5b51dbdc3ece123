/** The web console as it is served: read once, so that no path leads anywhere else; one set of headers wherever it is. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
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

/** Everything from here, nothing inline, in nobody's frame; no CORS: other origins read nothing. */
export const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

export interface ConsoleFile {
  readonly type: string;
  readonly etag: string;
  readonly body: Buffer;
}

export type ConsoleFiles = ReadonlyMap<string, ConsoleFile>;

/** Every file in `folder`, by the path under which it is served. */
export async function readConsoleFiles(folder: string): Promise<ConsoleFiles> {
  const files = new Map<string, ConsoleFile>();
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

export interface FileRequest {
  readonly method: string;
  readonly path: string;
  readonly ifNoneMatch?: string | undefined;
}

export interface FileAnswer {
  readonly status: 200 | 304;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty for HEAD and where the client has it already. */
  readonly body: Buffer;
}

const NOTHING = Buffer.alloc(0);

/** The page itself is asked for anew each time; what it names changes its name with its content, and is kept for ever. */
export function fileAnswer(files: ConsoleFiles, { method, path, ifNoneMatch }: FileRequest): FileAnswer {
  if (method !== 'GET' && method !== 'HEAD')
    throw new HaError('not_found', `${path.slice(0, 200)} takes GET, not ${method.slice(0, 20) || 'nothing'}`);
  const file = files.get(path === '/' ? INDEX : path);
  if (file === undefined) throw new HaError('not_found', `there is nothing at ${path.slice(0, 200)}`);
  const keep = FOR_EVER.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache';
  const headers = { etag: file.etag, 'cache-control': keep };
  if (ifNoneMatch === file.etag) return { status: 304, headers, body: NOTHING };
  return {
    status: 200,
    headers: { ...headers, 'content-type': file.type },
    body: method === 'HEAD' ? NOTHING : file.body,
  };
}
