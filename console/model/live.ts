/** What the page knows, and how a message of the stream changes it. */
import type { EventView, HostView, RunStoryView, StatusView, StreamMessage } from '../../core/protocol/views.ts';

export interface Known {
  readonly status: StatusView | null;
  /** When `status` arrived, on this page's own clock. */
  readonly receivedAtMs: number;
  /** Oldest first, at most EVENTS_MAX. */
  readonly events: readonly EventView[];
  readonly stories: ReadonlyMap<string, RunStoryView>;
}

export const EVENTS_MAX = 500;
const STORIES_MAX = 60;

export const NOTHING_KNOWN: Known = { status: null, receivedAtMs: 0, events: [], stories: new Map() };

export function learn(known: Known, message: StreamMessage, nowMs: number): Known {
  switch (message.type) {
    case 'status':
      return learnStatus(known, message.data, nowMs);
    case 'event':
      return { ...known, events: addEvents(known.events, [message.data]) };
    case 'run':
      return { ...known, stories: addStory(known.stories, message.data) };
    default:
      // A newer API may send more.
      return known;
  }
}

/** Answers may overtake each other: an older state never replaces a newer one. */
function learnStatus(known: Known, status: StatusView, nowMs: number): Known {
  if (known.status !== null && known.status.cluster === status.cluster && known.status.atMs > status.atMs) return known;
  return { ...known, status, receivedAtMs: nowMs };
}

export function addEvents(known: readonly EventView[], more: readonly EventView[]): readonly EventView[] {
  const byId = new Map([...known, ...more].map((event) => [event.id, event]));
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1)).slice(-EVENTS_MAX);
}

/** A story only grows: a late answer with fewer steps is older. */
function addStory(known: ReadonlyMap<string, RunStoryView>, story: RunStoryView): ReadonlyMap<string, RunStoryView> {
  const before = known.get(story.run.run);
  const isOlder =
    before !== undefined &&
    (before.steps.length > story.steps.length || (before.run.closedAtMs !== null && story.run.closedAtMs === null));
  if (isOlder) return known;
  const next = new Map(known);
  next.delete(story.run.run);
  next.set(story.run.run, story);
  for (const oldest of [...next.keys()].slice(0, Math.max(0, next.size - STORIES_MAX))) next.delete(oldest);
  return next;
}

/** Control-plane time now, carried on by this page's own clock: no two wall clocks are compared. */
export function controlNow(known: Pick<Known, 'status' | 'receivedAtMs'>, nowMs: number): number {
  return known.status === null ? nowMs : known.status.atMs + (nowMs - known.receivedAtMs);
}

/** A beat's age goes on growing until something newer is heard. null: no beat was ever seen. */
export function beatAge(host: Pick<HostView, 'beatAgeMs'>, sinceReceivedMs: number): number | null {
  return host.beatAgeMs === null ? null : host.beatAgeMs + Math.max(0, sinceReceivedMs);
}

export type Freshness = 'fresh' | 'late' | 'silent' | 'never';

/** Against what the cluster itself survives: late beyond a quarter of the bound, silent beyond the whole. */
export function freshness(ageMs: number | null, recoveryMs: number): Freshness {
  if (ageMs === null) return 'never';
  if (ageMs <= Math.max(2_500, recoveryMs / 4)) return 'fresh';
  return ageMs <= recoveryMs ? 'late' : 'silent';
}
