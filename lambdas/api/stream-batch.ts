/**
 * The stream where nothing can be held open (API Gateway hands over whole answers): the state as it is, the events since the
 * last one seen, and the end. An EventSource comes back by itself after `retry`, and misses nothing.
 */
import { route } from './route.ts';
import * as examples from './examples.ts';
import * as requests from './requests.ts';
import { EventTail } from './event-tail.ts';
import { sseText, storyOf } from './stream.ts';
import { eventView } from '../../core/protocol/view-schemas.ts';
import type { EventView, RunStoryView, StatusView } from '../../core/protocol/views.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { clusterOf } from './which-cluster.ts';
import { statusView } from './views.ts';

const RETRY_MS = 2_000;
/** Stories are long: of more runs the next batch tells. */
const RUNS_MAX = 20;

export const streamRoute = route({
  method: 'GET',
  path: '/api/v1/stream',
  id: 'stream',
  tag: 'state',
  summary: 'What changes, as it changes',
  description:
    'Server-sent events: `status` with a StatusView at once, whenever anything but ages changed, and every few seconds; `event` with an EventView each, its `id` being the id of the event; `run` with a RunStoryView whenever a run got a step. With `Accept: text/event-stream` the local API holds the answer open; else, and on AWS, it ends after what there is now (of runs, those that are open and those that the events are about), and `retry` says when to come back. A client that sends `Last-Event-ID` misses no event; it may see one again that it saw up to 5 s before that one.',
  params: {},
  query: { cluster: requests.cluster },
  headers: [{ name: 'Last-Event-ID', schema: requests.lastEventId, about: 'id of the last event seen' }],
  answer: {
    type: 'text/event-stream',
    name: 'Stream',
    schema: eventView,
    about: 'messages of the stream',
    example: examples.stream,
  },
  errors: ['limit_exceeded'],
  run: async ({ ports, query, headers }) => {
    const cluster = await clusterOf(ports, query.cluster);
    const lastEventId = headers['last-event-id'];
    const [status, missed] = await Promise.all([
      statusView(ports, cluster),
      lastEventId === undefined ? [] : new EventTail(ports, cluster).missedSince(lastEventId),
    ]);
    const events = missed.map((data) => sseText({ type: 'event', data }));
    const runs = (await storiesOf(ports, status, missed)).map((data) => sseText({ type: 'run', data }));
    return [`retry: ${RETRY_MS}\n\n`, sseText({ type: 'status', data: status }), ...events, ...runs].join('');
  },
});

/** Open runs, and runs that an event spoke of: they may have opened and closed since. */
async function storiesOf(
  ports: ControlPorts,
  status: StatusView,
  events: readonly EventView[],
): Promise<readonly RunStoryView[]> {
  const named = events.flatMap(({ run }) => (run === null ? [] : [run]));
  const runs = [...new Set([...status.runs.map(({ run }) => run), ...named])].slice(0, RUNS_MAX);
  const stories = await Promise.all(runs.map((run) => storyOf(ports, run)));
  return stories.filter((story) => story !== null);
}
