/** Requests and answers in API Gateway's shape (payload 2.0), and every refusal as a problem document (RFC 9457). */
import * as z from 'zod';
import type { Problem } from '../../core/config/problem.ts';
import { FAILURES, failureCode, HaError, messageOf } from '../../core/failures/failures.ts';
import type { ProblemView } from '../../core/protocol/views.ts';
import { Authorizer } from './caller.ts';

/** Names in lower case whoever sends them: API Gateway does it, emulators may not. */
const Headers = z
  .record(z.string(), z.string())
  .nullish()
  .transform((headers): Readonly<Record<string, string>> => {
    const found = new Map<string, string>();
    for (const [name, value] of Object.entries(headers ?? {})) {
      const key = name.toLowerCase();
      const before = found.get(key);
      found.set(key, before === undefined ? value : `${before},${value}`);
    }
    return Object.fromEntries(found);
  });

/** Of payload 2.0, what is read here. `rawQueryString` keeps what is given twice apart, unlike `queryStringParameters`. */
export const HttpEvent = z.looseObject({
  /** As API Gateway has decoded it, all but `%25`. */
  rawPath: z.string(),
  rawQueryString: z.string().default(''),
  headers: Headers,
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().default(false),
  requestContext: z.looseObject({
    http: z.looseObject({ method: z.string() }),
    stage: z.string().nullish(),
    authorizer: Authorizer.nullish(),
    /** Of the local server, which has no authoriser. */
    by: z.string().optional(),
  }),
});
export type HttpEvent = z.infer<typeof HttpEvent>;

/** API Gateway puts the name of a stage in front of the path, but for `$default`. */
export function pathOf({ rawPath, requestContext: { stage } }: HttpEvent): string {
  if (stage === undefined || stage === null || stage === '$default') return rawPath;
  if (rawPath === `/${stage}`) return '/';
  return rawPath.startsWith(`/${stage}/`) ? rawPath.slice(stage.length + 1) : rawPath;
}

export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body is Base64 of bytes. */
  readonly isBase64Encoded?: boolean;
}

/** Input that cannot be taken as it is: each place with the value found and what to write instead. */
export class RequestRefused extends HaError {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[], message = problems.map(inWords).join('; ')) {
    super('config_invalid', message);
    this.problems = problems;
  }
}

function inWords({ path, change, got }: Problem): string {
  return `${path}: ${change}, got ${got}`;
}

/**
 * A path that takes other methods. The failure table is a closed list and has no code of its own for it: it is `not_found`
 * for whoever matches on codes, and 405 with `allow` for whoever speaks HTTP.
 */
export class MethodRefused extends HaError {
  readonly allow: string;
  constructor(path: string, method: string, allow: string) {
    super('not_found', `${path} takes ${allow}, not ${method}`);
    this.allow = allow;
  }
}

export function answer(statusCode: number, type: string, body: string): HttpAnswer {
  const headers = { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  return { statusCode, headers, body };
}

export function problemAnswer(error: unknown): HttpAnswer {
  const problem = problemOf(error);
  const refusal = answer(problem.status, 'application/problem+json', JSON.stringify(problem));
  return error instanceof MethodRefused ? { ...refusal, headers: { ...refusal.headers, allow: error.allow } } : refusal;
}

function problemOf(error: unknown): ProblemView {
  const code = failureCode(error);
  // A bug is not a failure of the table: say no more than that, the log has the rest.
  if (code === undefined)
    return {
      type: 'about:blank',
      title: 'internal error',
      status: 500,
      detail: 'see the log of the API',
      code: 'store_unavailable',
    };
  const problem = {
    type: `urn:holdfast:${code}`,
    title: code.replaceAll('_', ' '),
    status: error instanceof MethodRefused ? 405 : FAILURES[code].http,
    detail: messageOf(error).toWellFormed(),
    code,
  };
  return error instanceof RequestRefused ? { ...problem, problems: error.problems } : problem;
}
