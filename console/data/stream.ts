/** Server-sent events over fetch: EventSource cannot send the token in a header, and a token in an address ends up in logs. */
import { createParser } from 'eventsource-parser';
import { messageOf } from '../../core/failures/failures.ts';
import { streamMessage } from '../../core/protocol/view-schemas.ts';
import type { StreamMessage } from '../../core/protocol/views.ts';
import { AskFailure } from './ask.ts';

/** The API says something at least every 15 s. */
const SILENCE_MS = 40_000;
const MESSAGE_CHARACTERS_MAX = 16_000_000;

export interface Following {
  readonly token: string;
  readonly lastEventId: string | null;
  readonly onOpen: () => void;
  readonly onMessage: (message: StreamMessage) => void;
  readonly signal: AbortSignal;
}

/** How a stream ended that ended in good order. */
export interface Followed {
  /** When to come back, where the API said so: then each answer ends after what there is (behind API Gateway). */
  readonly retryMs: number | null;
}

const RETRY_MAX_MS = 60_000;

/** Throws AskFailure when the stream breaks or cannot be opened. */
export async function follow({ token, lastEventId, onOpen, onMessage, signal }: Following): Promise<Followed> {
  let retryMs: number | null = null;
  const silence = new AbortController();
  const tooLong = (): void => silence.abort(new Error('the stream fell silent'));
  let timer = setTimeout(tooLong, SILENCE_MS);
  try {
    const answer = await fetch('/api/v1/stream', {
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
        ...(lastEventId === null ? {} : { 'last-event-id': lastEventId }),
      },
      cache: 'no-store',
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!answer.ok || answer.body === null)
      throw new AskFailure(answer.status, `the stream was refused (status ${answer.status})`);
    onOpen();
    const parser = createParser({
      maxBufferSize: MESSAGE_CHARACTERS_MAX,
      onRetry: (ms) => void (retryMs = Math.min(ms, RETRY_MAX_MS)),
      onEvent: ({ event, data }) => {
        const message = read(event, data);
        if (message !== null) onMessage(message);
      },
    });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      clearTimeout(timer);
      timer = setTimeout(tooLong, SILENCE_MS);
      parser.feed(chunk.value);
    }
    return { retryMs };
  } catch (error) {
    throw error instanceof AskFailure ? error : new AskFailure(0, messageOf(error));
  } finally {
    clearTimeout(timer);
  }
}

/** null: of a kind, or a shape, that this page does not know; the next status makes up for it. */
function read(type: string | undefined, data: string): StreamMessage | null {
  try {
    const parsed = streamMessage.safeParse({ type, data: JSON.parse(data) as unknown });
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
