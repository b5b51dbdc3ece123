/** Requests and answers in API Gateway's shape (payload 2.0), and every refusal as a problem document (RFC 9457). */
import * as z from 'zod';
import type { Problem } from '../../core/config/problem.ts';
import { FAILURES, failureCode, HaError, messageOf } from '../../core/failures/failures.ts';
import type { ProblemView } from '../../core/protocol/views.ts';

export const HttpEvent = z.looseObject({
  rawPath: z.string(),
  rawQueryString: z.string().default(''),
  /** Names in lower case, as API Gateway sends them. */
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().optional(),
  isBase64Encoded: z.boolean().default(false),
  requestContext: z.looseObject({ http: z.looseObject({ method: z.string() }), by: z.string().optional() }),
});
export type HttpEvent = z.infer<typeof HttpEvent>;

export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
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
  return { statusCode, headers: { 'content-type': type, 'cache-control': 'no-store' }, body };
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
