/** `GET /api/v1/stream`: server-sent events, for as long as the client stays. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface StreamRequest {
  /** null: the only one there is. */
  readonly cluster: string | null;
  readonly lastEventId: string | undefined;
  readonly signal: AbortSignal;
}

/** Texts of server-sent events, until the signal. */
export type OpenStream = (request: StreamRequest) => AsyncIterable<string>;

export async function serveStream(
  openStream: OpenStream,
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const lastEventId = request.headers['last-event-id'];
  const messages = openStream({
    cluster: query.get('cluster'),
    lastEventId: typeof lastEventId === 'string' ? lastEventId : undefined,
    signal: gone.signal,
  });
  try {
    await send(messages, response, gone.signal);
  } finally {
    gone.abort();
  }
}

/** The head goes out with the first message: what cannot be opened is still answered by a problem document. */
async function send(messages: AsyncIterable<string>, response: ServerResponse, gone: AbortSignal): Promise<void> {
  for await (const text of messages) {
    if (gone.aborted) return;
    if (!response.headersSent) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    }
    if (!response.write(text)) await once(response, 'drain', { signal: gone }).catch(() => undefined);
  }
  response.end();
}
