/** Passes requests on to the control plane's process and its answers back, as they come. */
import { request as httpRequest, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { ServerResponse } from 'node:http';
import { HaError } from '../../core/failures/failures.ts';
import { problemOf, readBody, sendProblem } from '../http.ts';

/** Until an answer begins; a stream begins at once. */
const ANSWER_MS = 60_000;
/** Requests under way at once, streams among them: more are a client's mistake. */
const UNDER_WAY_MAX = 128;

const ASKED = ['accept', 'authorization', 'content-type', 'if-none-match', 'last-event-id', 'user-agent'] as const;
const ANSWERED = ['allow', 'cache-control', 'content-type', 'etag', 'retry-after'] as const;

export interface PassOn {
  pass(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export function passOnTo(socketPath: string): PassOn {
  let underWay = 0;
  return {
    async pass(request, response) {
      if (underWay >= UNDER_WAY_MAX) {
        throw new HaError('store_throttled', `${String(UNDER_WAY_MAX)} requests are under way; come again later`);
      }
      underWay += 1;
      try {
        await exchange(socketPath, { request, response, body: await readBody(request) });
      } finally {
        underWay -= 1;
      }
    },
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
}

/** Resolves when both sides are done with it. */
function exchange(socketPath: string, { request, response, body }: Exchange): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve();
    const far = httpRequest({
      socketPath,
      agent: false, // A socket each: none is left half open by a control plane that was killed.
      method: request.method,
      path: request.url,
      headers: { ...chosen(request.headers, ASKED), host: 'localhost', 'content-length': body.length },
    });
    const isLate = (): void => void far.destroy(new HaError('timed_out', `no answer within ${String(ANSWER_MS)} ms`));
    const late = setTimeout(isLate, ANSWER_MS);
    far.once('response', (answer) => {
      clearTimeout(late);
      passBack(answer, response);
    });
    far.on('error', (error) => {
      if (!response.destroyed) sendProblem(response, problemOf(refusal(error)));
    });
    response.once('close', () => {
      clearTimeout(late);
      endEarly(far);
      resolve();
    });
    far.end(body);
  });
}

/** Nobody reads any more: the control plane need not go on either. */
function endEarly(far: ClientRequest): void {
  far.on('error', () => undefined);
  far.destroy();
}

function passBack(answer: IncomingMessage, response: ServerResponse): void {
  const length = answer.headers['content-length'];
  response.writeHead(answer.statusCode ?? 502, {
    ...chosen(answer.headers, ANSWERED),
    ...(length === undefined ? {} : { 'content-length': length }),
  });
  response.flushHeaders();
  answer.pipe(response);
  // The control plane died in mid-answer: a whole answer is what it must not look like.
  answer.once('close', () => {
    if (!answer.complete) response.destroy();
  });
}

/** Only what is known to be meant for the other side. */
function chosen(headers: IncomingHttpHeaders, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}

function refusal(error: NodeJS.ErrnoException): HaError {
  if (error instanceof HaError) return error;
  // By its code: the text names a socket of ours, which tells a person nothing.
  const text = `the control plane is away (${error.code ?? error.message}); hosts run on, and it is started again unless it was stopped`;
  return new HaError('store_unavailable', text, { cause: error });
}
