/** One request of the page, sent on in the operator's name: only what is known to be meant for the other side goes there. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ofCluster } from '../../adapters/node/api-cluster.ts';
import {
  answerOf,
  type ApiAddress,
  authorization,
  succeeded,
  unreachable,
  urlOf,
} from '../../adapters/node/api-request.ts';
import { FAILURES, failureCode, HaError, messageOf } from '../../core/failures/failures.ts';
import type { ProblemView } from '../../core/protocol/views.ts';
import { problem, readBody } from '../../local/http.ts';

/** Until an answer begins: API Gateway gives up after 30 s. */
const ANSWER_MS = 35_000;
const ASKED = ['accept', 'content-type', 'if-none-match', 'last-event-id'] as const;
const ANSWERED = ['allow', 'cache-control', 'content-type', 'etag', 'retry-after'] as const;

/** The page's own token was right and the operator's credentials were not: no reason for the page to ask for another token. */
export class NotLetIn extends HaError {}

export function problemOfFar(error: NotLetIn): ProblemView {
  return { ...problem(error.code, error.message), status: FAILURES.power_refused.http };
}

/** Resolves when both sides are done with it. */
export async function passOn(address: ApiAddress, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const method = request.method ?? 'GET';
  const body = method === 'POST' ? await readBody(request) : undefined;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  let late: NodeJS.Timeout | undefined;
  try {
    const outgoing = {
      method,
      url: urlOf(address, ofCluster(address, request.url ?? '/', method)),
      headers: chosen(request.headers),
      ...(body === undefined ? {} : { body }),
    };
    const headers = { ...outgoing.headers, ...(await authorization(address, outgoing)) };
    late = setTimeout(() => {
      gone.abort(new HaError('timed_out', `${address.url} gave no answer within ${String(ANSWER_MS)} ms`));
    }, ANSWER_MS);
    const answer = await fetch(outgoing.url, {
      method,
      headers,
      // A copy: `fetch` takes no view of shared memory, which a Buffer might be.
      body: body === undefined ? null : new Uint8Array(body),
      redirect: 'manual',
      signal: gone.signal,
    });
    clearTimeout(late);
    // Its own refusals go back as they are, but for those about who asks.
    if (answer.status === 401 || answer.status === 403) succeeded(await answerOf(address, outgoing, answer));
    await passBack(answer, response);
  } catch (error) {
    if (!response.destroyed) throw refusal(address, gone.signal.aborted ? gone.signal.reason : error);
  } finally {
    clearTimeout(late);
  }
}

async function passBack(answer: Response, response: ServerResponse): Promise<void> {
  const kept = ANSWERED.flatMap((name) => {
    const value = answer.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  response.writeHead(answer.status, Object.fromEntries(kept));
  response.flushHeaders();
  if (answer.body === null) return void response.end();
  // Cut off in mid-answer: `pipeline` destroys the response, so that it is not taken for a whole one.
  await pipeline(Readable.fromWeb(answer.body), response);
}

function chosen(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  return Object.fromEntries(
    ASKED.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value] as const] : [];
    }),
  );
}

function refusal(address: ApiAddress, error: unknown): unknown {
  const code = failureCode(error);
  if (code === 'unauthorized' || code === 'forbidden') return new NotLetIn(code, messageOf(error), { cause: error });
  return code === undefined ? unreachable(address.url, error) : error;
}
