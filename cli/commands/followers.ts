/** What is shown while following: each event, each step, once. */
import type { EventView, RunStoryView, StepView, StreamMessage } from '../../core/protocol/views.ts';
import { eventLine } from '../text/details.ts';
import { runLines, stepLine } from '../text/runs.ts';
import { stepsText, storyEnd, storyHead } from '../text/story.ts';
import type { Context } from './context.ts';
import { follow } from './follow.ts';

/** Ids of events, and runs, that are remembered so that nothing is shown twice. */
const REMEMBERED_MAX = 10_000;
const PAGE = 1000;

function lines(context: Context, text: readonly string[]): void {
  if (text.length > 0) context.io.out(`${text.join('\n')}\n`);
}

/** Forgets the oldest first. */
function remember<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > REMEMBERED_MAX && oldest !== undefined) map.delete(oldest);
}

export async function followEvents(context: Context, limit: number): Promise<number> {
  const seen = new Map<string, true>();
  let after: string | undefined;
  const show = (events: readonly EventView[]): void => {
    const fresh = events.filter(({ id }) => !seen.has(id));
    for (const { id } of fresh) {
      remember(seen, id, true);
      after = after === undefined || id > after ? id : after;
    }
    if (fresh.length === 0) return;
    lines(context, context.json ? fresh.map((event) => JSON.stringify(event)) : fresh.flatMap(eventLine));
  };
  return follow(context.io, await context.client(), {
    lastEventId: () => after,
    take: (message) => {
      if (message.type === 'event') show([message.data]);
      return true;
    },
    catchUp: async (client) => {
      for (;;) {
        const from = after;
        const { events } = await client.events(from === undefined ? { limit } : { limit: PAGE, after: from });
        show(events);
        if (from === undefined || events.length < PAGE || after === from) return true;
      }
    },
  });
}

/**
 * A step is written when it ends and stands where it began: a later look may find it before others that were seen already.
 */
class Told {
  readonly #told = new Map<string, true>();

  /** Steps that were not told yet, in their order. */
  take({ run, steps }: RunStoryView): readonly StepView[] {
    const fresh = steps.filter((step) => !this.#told.has(keyOf(run.run, step)));
    for (const step of fresh) remember(this.#told, keyOf(run.run, step), true);
    return fresh;
  }
}

function keyOf(run: string, { atMs, step }: StepView): string {
  return `${run} ${atMs} ${step}`;
}

/** Every run's beginning, steps and end, of all that come. */
export async function followRuns(context: Context, limit: number): Promise<number> {
  const told = new Told();
  const begun = new Map<string, true>();
  const closed = new Map<string, true>();
  const { io, json, paint } = context;
  const show = (story: RunStoryView): void => {
    const { run } = story;
    const fresh = told.take(story);
    const isNew = !begun.has(run.run);
    const isEnd = run.closedAtMs !== null && !closed.has(run.run);
    if (!isNew && !isEnd && fresh.length === 0) return;
    remember(begun, run.run, true);
    if (isEnd) remember(closed, run.run, true);
    if (json) return lines(context, [JSON.stringify(story)]);
    lines(context, [
      ...(isNew && !isEnd ? runLines(run, io.now(), paint) : []),
      ...fresh.flatMap((step) => stepLine(run, step, paint)),
      ...(isEnd ? runLines(run, io.now(), paint) : []),
    ]);
  };
  return follow(io, await context.client(), {
    lastEventId: () => undefined,
    take: (message) => {
      if (message.type === 'run') show(message.data);
      return true;
    },
    catchUp: async (client) => {
      const { runs } = await client.runs({ limit });
      for (const run of runs.toReversed()) {
        if (!closed.has(run.run)) show(await client.run(run.run));
      }
      return true;
    },
  });
}

/** One run to its end; one that has ended is shown whole. */
export async function followRun(context: Context, id: string): Promise<number> {
  const { io, json, paint } = context;
  const told = new Told();
  let before: readonly StepView[] | undefined;
  /** False: that was the end. */
  const show = (story: RunStoryView): boolean => {
    const { run } = story;
    const fresh = told.take(story);
    const isEnd = run.closedAtMs !== null;
    if (json && (before === undefined || isEnd || fresh.length > 0)) lines(context, [JSON.stringify(story)]);
    if (!json) {
      lines(context, [
        ...(before === undefined ? [...storyHead(story, io.now(), paint), ''] : []),
        ...stepsText(run, fresh, before ?? [], paint),
        ...(isEnd ? storyEnd(story, io.now(), paint) : []),
      ]);
    }
    before = story.steps;
    return !isEnd;
  };
  const client = await context.client();
  const first = await client.run(id);
  if (!show(first)) return 0;
  return follow(io, client, {
    lastEventId: () => undefined,
    take: (message: StreamMessage) =>
      message.type === 'run' && message.data.run.run === id ? show(message.data) : true,
    catchUp: async () => show(await client.run(id)),
  });
}
