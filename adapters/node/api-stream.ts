/** The API's server-sent events, read from a fetch: one message after the other, each parsed as it enters. */
import { createParser } from 'eventsource-parser';
import { HaError } from '../../core/failures/failures.ts';
import { streamMessage } from '../../core/protocol/view-schemas.ts';
import type { StreamMessage } from '../../core/protocol/views.ts';
import { ofCluster } from './api-cluster.ts';
import {
  type ApiAddress,
  answerOf,
  authorization,
  json,
  parsed,
  succeeded,
  unreachable,
  urlOf,
} from './api-request.ts';

/** The API says something at least every 15 s: three of those missed, and the connection is taken for lost. */
const SILENCE_MS = 45_000;
const TYPES: ReadonlySet<string> = new Set<StreamMessage['type']>(['status', 'event', 'run']);
const MESSAGE_CHARACTERS_MAX = 16_000_000;

export async function* openApiStream(
  address: ApiAddress,
  lastEventId?: string,
  signal?: AbortSignal,
): AsyncGenerator<StreamMessage, void, undefined> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(silent(address)), SILENCE_MS);
  const ended = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
  try {
    const body = await connect(address, lastEventId, ended);
    const found: StreamMessage[] = [];
    const parser = createParser({
      onEvent: ({ event, data }) => {
        // A newer control plane may send kinds that this version does not know (S19).
        if (event === undefined || !TYPES.has(event)) return;
        found.push(parsed(streamMessage, { type: event, data: json(data) }, address));
      },
      onError: (error) => {
        throw new HaError('protocol_mismatch', `${address.url} sends what is no event stream: ${error.message}`);
      },
      maxBufferSize: MESSAGE_CHARACTERS_MAX,
    });
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      timer.refresh();
      parser.feed(decoder.decode(chunk, { stream: true }));
      yield* found.splice(0);
    }
  } catch (error) {
    if (signal?.aborted === true) return;
    if (silence.signal.aborted) throw silent(address);
    throw error instanceof HaError ? error : unreachable(address.url, error);
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

function silent({ url }: ApiAddress): HaError {
  return new HaError('timed_out', `${url} said nothing for ${SILENCE_MS / 1_000} s: the stream is taken for lost`);
}

async function connect(
  address: ApiAddress,
  lastEventId: string | undefined,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const headers = {
    accept: 'text/event-stream',
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
  };
  const outgoing = { method: 'GET', url: urlOf(address, ofCluster(address, '/api/v1/stream')), headers };
  const authorized = { ...headers, ...(await authorization(address, outgoing)) };
  const response = await fetch(outgoing.url, { headers: authorized, signal });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (response.ok && isStream && response.body !== null) return response.body;
  succeeded(await answerOf(address, outgoing, response));
  throw new HaError('protocol_mismatch', `${address.url} answered ${response.status} but sends no event stream`);
}
