/** One request to the HTTP API: bounded in time and size, and every fault is an HaError with the code that the API named. */
import type * as z from 'zod';
import { FAILURES, type FailureCode, HaError, messageOf } from '../../core/failures/failures.ts';
import { problemView } from '../../core/protocol/view-schemas.ts';
import { boundedBody } from './bounded-body.ts';
import { gatewayRefusal } from './gateway-refusal.ts';

export interface ApiAddress {
  readonly url: string;
  readonly token?: string | undefined;
  /** Instead of a token: what proves who asks, made for each request. */
  readonly authorize?: Authorize | undefined;
  /** Which cluster is meant; needed where there are several. */
  readonly cluster?: string | undefined;
}

/** A request as it will be sent. */
export interface Outgoing {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
}

/** The headers to add to it. Throws HaError where there are no credentials. */
export interface Authorize {
  (outgoing: Outgoing): Promise<Readonly<Record<string, string>>>;
  /** By SigV4: refusals speak of signatures. */
  readonly isSigning: boolean;
}

const REQUEST_TIMEOUT_MS = 15_000;
const ANSWER_BYTES_MAX = 16_000_000;

export interface ApiRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: { readonly type: string; readonly text: string };
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
  /** A refusal of what stands in front of the API, in words for an operator. */
  readonly refusal?: HaError | null;
}

export async function send(address: ApiAddress, { method, path, body }: ApiRequest): Promise<ApiAnswer> {
  const { url } = address;
  const headers = {
    accept: 'application/json, application/problem+json',
    ...(body === undefined ? {} : { 'content-type': body.type }),
  };
  const outgoing = { method, url: urlOf(address, path), headers, body: body?.text };
  // Before the time of the request begins: whoever makes a token may ask a person.
  const proof = await authorization(address, outgoing);
  try {
    const response = await fetch(outgoing.url, {
      method,
      headers: { ...headers, ...proof },
      body: body?.text ?? null,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return await answerOf(address, outgoing, response);
  } catch (error) {
    if (error instanceof HaError) throw error;
    throw unreachable(url, error);
  }
}

export async function answerOf(
  address: ApiAddress,
  { method, url }: Pick<Outgoing, 'method' | 'url'>,
  response: Response,
): Promise<ApiAnswer> {
  const text = await boundedBody(response, ANSWER_BYTES_MAX);
  if (text === undefined)
    throw new HaError('protocol_mismatch', `${address.url} answered more than ${ANSWER_BYTES_MAX} bytes`);
  const body = json(text);
  const { status } = response;
  if (response.ok || problemView.safeParse(body).success) return { status, body };
  const said = Date.parse(response.headers.get('date') ?? '');
  const refusal = gatewayRefusal(
    { url: address.url, what: `${method} ${url.pathname}`, isSigned: address.authorize?.isSigning === true },
    {
      status,
      body,
      skewMs: Number.isNaN(said) ? null : said - Date.now(),
      challenge: response.headers.get('www-authenticate'),
    },
  );
  return { status, body, refusal };
}

export function urlOf({ url }: ApiAddress, path: string): URL {
  return new URL(`${url.replace(/\/$/, '')}${path}`);
}

export async function authorization(
  { token, authorize }: ApiAddress,
  outgoing: Outgoing,
): Promise<Readonly<Record<string, string>>> {
  if (authorize !== undefined) return authorize(outgoing);
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

export function unreachable(url: string, error: unknown): HaError {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const why = messageOf(error instanceof Error && error.name === 'TimeoutError' ? error : (cause ?? error));
  const help = url.startsWith('https:')
    ? 'Is it the ApiUrl of the stack, and does a way lead there from here?'
    : 'Is it running? Start the local system with `npm start`, or name another API with --api URL';
  const text = `no answer from ${url} (${why}). ${help}`;
  return new HaError('store_unavailable', text, { cause: error });
}

/** undefined: not JSON. */
export function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const BY_STATUS: Readonly<Record<number, FailureCode>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  413: 'limit_exceeded',
  429: 'store_throttled',
  504: 'timed_out',
};

/** The body of a success; anything else becomes the HaError that its problem+json names, or that its status suggests. */
export function succeeded({ status, body, refusal }: ApiAnswer): unknown {
  if (status >= 200 && status < 300) return body;
  if (refusal !== undefined && refusal !== null) throw refusal;
  const problem = problemView.safeParse(body);
  const code = problem.success
    ? problem.data.code
    : (BY_STATUS[status] ?? (status >= 500 ? 'store_unavailable' : 'protocol_mismatch'));
  const said = problem.success
    ? problem.data.detail || problem.data.title
    : `the API answered ${status} without a problem document`;
  const help =
    FAILURES[code].exit === FAILURES.unauthorized.exit ? '. Give the token with --token or HOLDFAST_TOKEN' : '';
  throw new HaError(code, `${said}${help}`);
}

export function parsed<T>(schema: z.ZodType<T>, body: unknown, { url }: ApiAddress): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const at = result.error.issues[0]?.path.join('.') ?? '';
  const what = at === '' ? 'is not what this version reads' : `lacks or misstates ${at}`;
  throw new HaError('protocol_mismatch', `the answer of ${url} ${what}: is it a Holdfast API of another version?`);
}
