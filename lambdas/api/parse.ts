/** Path, query and body of a request, parsed strictly once; what does not fit is told with its place, value and change. */
import type * as z from 'zod';
import { pathText, type Problem, shown, valueAt } from '../../core/config/problem.ts';
import { HaError } from '../../core/failures/failures.ts';
import { type HttpEvent, RequestRefused } from './http.ts';

export const BODY_BYTES_MAX = 1024 * 1024;
const PROBLEMS_MAX = 10;
const SHOWN_MAX = 60;

export function parseWith<T>(schema: z.ZodType<T>, input: unknown, whole: string): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new RequestRefused(
    innermost(result.error.issues)
      .slice(0, PROBLEMS_MAX)
      .map(({ path, message }) => problemAt(input, path, message, whole)),
  );
}

interface Issue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

function problemAt(input: unknown, path: Issue['path'], message: string, whole: string): Problem {
  return {
    path: clean(pathText(path)) || whole,
    got: clean(shown(valueAt(input, path))),
    change: clean(message),
  };
}

/** What a caller sent goes back short and as text that every reader takes. */
function clean(text: string): string {
  return (text.length <= 300 ? text : `${text.slice(0, 299)}…`).toWellFormed();
}

/** Of several kinds of value that would do, the one that was missed by least is what the sender meant. */
function innermost(issues: readonly z.core.$ZodIssue[], at: Issue['path'] = []): readonly Issue[] {
  return issues.flatMap((issue) => {
    const path = [...at, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ path: [...path, key], message: issue.message }));
    const kinds = issue.code === 'invalid_union' ? issue.errors.filter((kind) => kind.length > 0) : [];
    const [nearest] = kinds.toSorted((a, b) => a.length - b.length);
    return nearest === undefined ? [{ path, message: issue.message }] : innermost(nearest, path);
  });
}

/** Names are told apart by their patterns, so a number is one only where its schema asks for one. */
export function parseTexts<T>(
  schema: z.ZodObject<z.ZodRawShape> & z.ZodType<T>,
  texts: ReadonlyMap<string, string>,
): T {
  const values = new Map<string, unknown>(texts);
  for (const [key, text] of texts) {
    const field = Object.hasOwn(schema.shape, key) ? schema.shape[key] : undefined;
    if (field === undefined || accepts(field, text)) continue;
    const isWhole = /^-?\d{1,15}$/.test(text);
    if (isWhole && accepts(field, Number(text))) values.set(key, Number(text));
  }
  const result = schema.safeParse(Object.fromEntries(values));
  if (result.success) return result.data;
  const problems = result.error.issues.slice(0, PROBLEMS_MAX).map((issue) => {
    const key = issue.code === 'unrecognized_keys' ? (issue.keys[0] ?? '') : String(issue.path[0] ?? '');
    const known = Object.keys(schema.shape).join(', ') || 'none';
    const change = issue.code === 'unrecognized_keys' ? `must be left out; known here: ${known}` : issue.message;
    return { path: clean(key), got: shortened(texts.get(key)), change: clean(change) };
  });
  throw new RequestRefused(problems);
}

function accepts(field: z.core.$ZodType, value: unknown): boolean {
  return (field as z.ZodType).safeParse(value).success; // The full zod, not its core, makes these shapes.
}

function shortened(text: string | undefined): string {
  if (text === undefined) return 'nothing';
  return (text === '' ? '""' : text.slice(0, SHOWN_MAX)).toWellFormed();
}

export function queryOf(event: HttpEvent): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(event.rawQueryString)) {
    if (found.has(key))
      throw new RequestRefused([{ path: clean(key), got: shortened(value), change: 'must be given once' }]);
    found.set(key, value);
  }
  return found;
}

export function decodePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RequestRefused([{ path: 'path', got: shortened(text), change: 'must have no bad escape' }]);
  }
}

export function bytesOf(event: HttpEvent): Buffer {
  const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (body.length > BODY_BYTES_MAX)
    throw new HaError('limit_exceeded', `the body is larger than ${BODY_BYTES_MAX} bytes`);
  return body;
}

/** A missing content type is taken for the right one; a wrong one is a mistake, and what it names is not read as another. */
export function requireType(event: HttpEvent, types: readonly string[]): void {
  const given = event.headers['content-type'];
  if (given === undefined || given === '') return;
  const essence = given.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (types.includes(essence)) return;
  throw new RequestRefused([{ path: 'content-type', got: shortened(given), change: `must be ${types.join(' or ')}` }]);
}

/** JSON of well-formed UTF-8; an empty body is `{}` where nothing must be said. */
export function jsonOf(bytes: Buffer, isOptional: boolean): unknown {
  if (bytes.length === 0 && isOptional) return {};
  const text = utf8Of(bytes);
  try {
    return JSON.parse(text);
  } catch {
    throw new RequestRefused([{ path: 'body', got: shortened(text), change: 'must be JSON: it is not JSON' }]);
  }
}

function utf8Of(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new RequestRefused([
      { path: 'body', got: shortened(bytes.toString('latin1')), change: 'must be UTF-8: it is not' },
    ]);
  }
}
