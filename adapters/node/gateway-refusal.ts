/**
 * A refusal by what stands in front of the API has no problem document: only API Gateway's own few words, and they are
 * about signatures and tokens, not about what an operator should do next.
 */
import { HaError } from '../../core/failures/failures.ts';

export interface GatewayAnswer {
  readonly status: number;
  readonly body: unknown;
  /** By how much the other side's clock is ahead of ours; null: it did not say. */
  readonly skewMs: number | null;
  /** Of `www-authenticate`, where a JWT authoriser says what it misses. */
  readonly challenge: string | null;
}

export interface Asking {
  readonly url: string;
  readonly what: string;
  /** By SigV4; else a bearer token, or nothing, was sent. */
  readonly isSigned: boolean;
}

/** AWS takes signatures that are at most five minutes off. */
const SKEW_MAX_MS = 5 * 60_000;
/** Of its answers' date, which has whole seconds and was on its way for a while. */
const SKEW_CERTAIN_MS = SKEW_MAX_MS - 10_000;
const OR_SIGN = 'With --auth iam requests are signed by your AWS credentials instead';
const WHO_AM_I = '`aws sts get-caller-identity` says who you are';

/** null: not one of its refusals. */
export function gatewayRefusal(asking: Asking, answer: GatewayAnswer): HaError | null {
  const said = wordsOf(answer.body);
  if (answer.status === 403 && asking.isSigned) return signatureRefused(asking, answer, said);
  if (answer.status === 401 || answer.status === 403) return tokenRefused(asking, answer, said);
  if (said === null) return null;
  if (answer.status === 404)
    return new HaError('not_found', `there is nothing at ${asking.url} (${said}): is it the ApiUrl of the stack?`);
  if (answer.status === 429)
    return new HaError('store_throttled', `${asking.url} takes no more requests for now (${said})`);
  return null;
}

function signatureRefused({ url, what }: Asking, { skewMs }: GatewayAnswer, said: string | null): HaError {
  const words = said ?? 'no reason given';
  if (skewMs !== null && Math.abs(skewMs) >= SKEW_CERTAIN_MS) {
    const off = `${Math.round(Math.abs(skewMs) / 60_000)} min ${skewMs > 0 ? 'behind' : 'ahead of'}`;
    const text = `this machine's clock is ${off} that of AWS, and signatures are refused after 5 min (${words}): set the clock`;
    return new HaError('unauthorized', text);
  }
  if (/signature|security token|expired|missing authentication|credential/i.test(words)) {
    const text = `AWS does not take these credentials (${words}): sign in again, for example by \`aws sso login\`; ${WHO_AM_I}`;
    return new HaError('unauthorized', text);
  }
  const text = `AWS refuses ${what} at ${url} to these credentials (${words}): they need execute-api:Invoke on it, see docs/operating/api.md; ${WHO_AM_I}`;
  return new HaError('forbidden', text);
}

function tokenRefused(
  { what, url }: Asking,
  { status, challenge }: GatewayAnswer,
  said: string | null,
): HaError | null {
  if (said === null) return null;
  const why = /error_description="([^"]{1,200})"/.exec(challenge ?? '')?.[1] ?? said;
  if (status === 403)
    return new HaError('forbidden', `${url} refuses ${what} to this token, or got none (${why}). ${OR_SIGN}`);
  const text = `${url} does not take this token, or got none (${why}). Give one with --token, --token-command or HOLDFAST_TOKEN. ${OR_SIGN}`;
  return new HaError('unauthorized', text);
}

/** `{"message": "Forbidden"}`; older services write it large. */
function wordsOf(body: unknown): string | null {
  if (typeof body !== 'object' || body === null) return null;
  const text = 'message' in body ? body.message : 'Message' in body ? body.Message : null;
  return typeof text === 'string' && text !== '' ? text.slice(0, 300) : null;
}
