/**
 * The live view: one loop per cluster and process reads while somebody listens, and every listener gets what changed.
 *
 * The loop rests for several times as long as a look took, so that it takes a bounded share of the store and of this process
 * however large the cluster is. Listeners have queues of a bounded length: of status and runs only the newest counts, and one
 * that is too slow for the events is ended, to come back with `Last-Event-ID`.
 */
import { HaError, messageOf } from '../../core/failures/failures.ts';
import type { Registry } from '../../core/ports.ts';
import type { EventView, RunStoryView, StatusView, StreamMessage } from '../../core/protocol/views.ts';
import { elapsed } from '../../core/time/time.ts';
import { loadClusterRecord } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { EventTail } from './event-tail.ts';
import { runStory } from './run-views.ts';
import { type Item, Listener } from './stream-listener.ts';
import { statusView } from './views.ts';
import { clusterOf } from './which-cluster.ts';

export const LISTENERS_MAX = 100;
/** Pause between looks at a small cluster. */
const REST_MS = 100;
/** Pause after a look, as a multiple of what the look took, up to the longest. */
const REST_SHARE = 4;
const REST_MAX_MS = 5_000;
/** Ages change all the time and are no reason to send; this often they are sent afresh. */
const REFRESH_MS = 5_000;
const KEEP_ALIVE_MS = 15_000;
const RUNS_FOLLOWED_MAX = 50;

/** A message, or a sign of life. */
export type StreamItem = Item;

export interface StreamRequest {
  /** null: the only one there is. */
  readonly cluster: string | null;
  /** Id of the last event that the client saw. */
  readonly lastEventId?: string | undefined;
  readonly signal: AbortSignal;
}

/** As it goes over the wire. Messages of one line each: JSON has no line breaks. */
export function sseText(item: StreamItem): string {
  if (item.type === 'keep-alive') return ': keep-alive\n\n';
  const id = item.type === 'event' ? `id: ${item.data.id}\n` : '';
  return `${id}event: ${item.type}\ndata: ${JSON.stringify(item.data)}\n\n`;
}

/** Throws before the first message if the stream cannot be opened; ends with the signal, or when the listener is too slow. */
export async function* openStream(
  ports: ControlPorts,
  request: StreamRequest,
): AsyncGenerator<StreamItem, void, undefined> {
  const cluster = await clusterOf(ports, request.cluster);
  await loadClusterRecord(ports, cluster);
  const feed = feedOf(ports, cluster);
  const listener = await feed.join(request.lastEventId);
  const end = (): void => listener.end();
  request.signal.addEventListener('abort', end);
  try {
    if (request.signal.aborted) return;
    for (;;) {
      const item = await listener.next();
      if (item === 'ended') return;
      yield item;
    }
  } finally {
    request.signal.removeEventListener('abort', end);
    feed.leave(listener);
  }
}

const feeds = new WeakMap<Registry, Map<string, Feed>>();

function feedOf(ports: ControlPorts, cluster: string): Feed {
  const ofStore = feeds.get(ports.registry) ?? new Map<string, Feed>();
  feeds.set(ports.registry, ofStore);
  const feed = ofStore.get(cluster) ?? new Feed(ports, cluster);
  ofStore.set(cluster, feed);
  return feed;
}

class Feed {
  readonly #ports: ControlPorts;
  readonly #cluster: string;
  readonly #listeners = new Set<Listener>();
  readonly #tail: EventTail;
  readonly #stories = new Map<string, RunStoryView>();
  #status: StatusView | null = null;
  #statusText = '';
  #sentAtMs = 0;
  #start: Promise<void> | null = null;

  constructor(ports: ControlPorts, cluster: string) {
    this.#ports = ports;
    this.#cluster = cluster;
    this.#tail = new EventTail(ports, cluster);
  }

  async join(lastEventId: string | undefined): Promise<Listener> {
    if (this.#listeners.size >= LISTENERS_MAX)
      throw new HaError('limit_exceeded', `${LISTENERS_MAX} streams of ${this.#cluster} are open: close one`);
    const listener = new Listener();
    // Counted before anything is awaited, so that many who come at once are as many as they are.
    this.#listeners.add(listener);
    try {
      await this.#started();
      const missed = lastEventId === undefined ? [] : await this.#tail.missedSince(lastEventId);
      if (this.#status !== null) listener.push({ type: 'status', data: this.#status });
      for (const data of this.#stories.values()) listener.push({ type: 'run', data });
      listener.catchUp(missed);
      return listener;
    } catch (error) {
      this.leave(listener);
      throw error;
    }
  }

  /** Nobody looked while nobody listened: the tail begins anew, and the loop after it. */
  #started(): Promise<void> {
    this.#start ??= this.#tail.start().then(
      () => void this.#look(),
      (error: unknown) => {
        this.#start = null;
        throw error;
      },
    );
    return this.#start;
  }

  leave(listener: Listener): void {
    listener.end();
    this.#listeners.delete(listener);
  }

  async #look(): Promise<void> {
    const { boot, sleeper, log } = this.#ports;
    let keptAliveAt = boot.now();
    while (this.#listeners.size > 0) {
      const from = boot.now();
      try {
        await this.#lookOnce();
      } catch (error) {
        // The listeners keep what they have, and are told that the API lives; the next look tries again.
        log('warn', `stream of ${this.#cluster}: ${messageOf(error)}`);
      }
      if (elapsed(keptAliveAt, boot.now()) >= KEEP_ALIVE_MS) {
        keptAliveAt = boot.now();
        for (const listener of this.#listeners) listener.keepAlive();
      }
      const tookMs = elapsed(from, boot.now());
      await sleeper.sleep(Math.min(REST_MAX_MS, Math.max(REST_MS, REST_SHARE * tookMs)));
    }
    this.#start = null;
    this.#status = null;
    this.#statusText = '';
    this.#stories.clear();
  }

  async #lookOnce(): Promise<void> {
    const [status, events] = await Promise.all([statusView(this.#ports, this.#cluster), this.#tail.news()]);
    for (const data of events) this.#tell({ type: 'event', data });
    const text = steady(status);
    const isDue = status.atMs - this.#sentAtMs >= REFRESH_MS || status.atMs < this.#sentAtMs;
    if (text !== this.#statusText || isDue) {
      this.#tell({ type: 'status', data: status });
      this.#sentAtMs = status.atMs;
    }
    this.#status = status;
    this.#statusText = text;
    await this.#followRuns(status, events);
  }

  /** Open runs, runs that were open at the last look, and runs that an event spoke of: they may have opened and closed since. */
  async #followRuns(status: StatusView, events: readonly EventView[]): Promise<void> {
    const open = new Set(status.runs.map(({ run }) => run));
    const named = events.flatMap(({ run }) => (run === null ? [] : [run]));
    const followed = [...new Set([...open, ...this.#stories.keys(), ...named])].slice(0, RUNS_FOLLOWED_MAX);
    const stories = await Promise.all(followed.map((run) => storyOf(this.#ports, run)));
    for (const story of stories) {
      if (story === null) continue;
      const { run } = story.run;
      if (JSON.stringify(this.#stories.get(run)) !== JSON.stringify(story)) this.#tell({ type: 'run', data: story });
      if (story.run.closedAtMs === null) this.#stories.set(run, story);
      else this.#stories.delete(run);
    }
  }

  #tell(message: StreamMessage): void {
    for (const listener of this.#listeners) listener.push(message);
  }
}

/** null: it is gone. */
export async function storyOf(ports: ControlPorts, run: string): Promise<RunStoryView | null> {
  try {
    return await runStory(ports, run);
  } catch (error) {
    if (error instanceof HaError && error.code === 'not_found') return null;
    throw error;
  }
}

/** What of a status is no age: the moment, how old a beat is, and its number, which counts beats. */
function steady(status: StatusView): string {
  const hosts = status.hosts.map((host) => ({ ...host, seq: 0, beatAgeMs: host.beatAgeMs === null ? null : 0 }));
  return JSON.stringify({ ...status, atMs: 0, hosts });
}
