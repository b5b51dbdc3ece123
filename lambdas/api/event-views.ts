/** Events as they are shown: kept by day, named by moment, so that their names order them. */
import { HaError } from '../../core/failures/failures.ts';
import { type EventRecord, keys, type Stored } from '../../core/protocol/records.ts';
import type { EventsView, EventView } from '../../core/protocol/views.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { dayOf } from '../shared/run-log.ts';
import { cursorOf, keyOfCursor } from './cursor.ts';

/** How far back events are kept in view. */
const DAYS_MAX = 14;
const DAY_MS = 24 * 3_600_000;
const READ_AT_ONCE = 1_000;
/** Events read to find the first that follow a given one. */
const FOLLOWING_MAX = 20_000;

type EventPorts = Pick<ControlPorts, 'registry' | 'wall'>;

export interface EventsAsked {
  readonly limit: number;
  readonly after: string | undefined;
  readonly cursor: string | undefined;
}

/** Moment and a random part. */
export const EVENT_ID = /^\d{14}-[\w-]{1,40}$/;

/** The newest, those before a cursor, or those that follow `after`; oldest first. */
export async function eventsPage(ports: EventPorts, cluster: string, asked: EventsAsked): Promise<EventsView> {
  const { limit, after, cursor } = asked;
  if (after !== undefined && cursor !== undefined)
    throw new HaError('config_invalid', 'after asks for newer events and cursor for older ones: give one of them');
  if (after !== undefined) {
    const events = (await eventsSince(ports, cluster, after)).slice(0, limit);
    const [first] = events;
    return { events, next: first === undefined ? null : cursorOf('events', first.id) };
  }
  const before = cursor === undefined ? undefined : keyOfCursor('events', cursor);
  const found = await newestEvents(ports, cluster, { limit: limit + 1, before });
  const page = found.slice(0, limit).toReversed();
  const [oldest] = page;
  return {
    events: page,
    next: found.length > limit && oldest !== undefined ? cursorOf('events', oldest.id) : null,
  };
}

/** Newest first, at most `limit`, before the given one. */
async function newestEvents(
  ports: EventPorts,
  cluster: string,
  { limit, before }: { readonly limit: number; readonly before: string | undefined },
): Promise<readonly EventView[]> {
  const found: EventView[] = [];
  for (const day of days(ports)) {
    const left = limit - found.length;
    if (left <= 0) break;
    if (before !== undefined && day > dayOfEvent(before)) continue;
    found.push(...(await ofDay(ports, cluster, { day, limit: left, before })));
  }
  return found;
}

/** All that follow `after`, oldest first. */
export async function eventsSince(ports: EventPorts, cluster: string, after: string): Promise<readonly EventView[]> {
  const found: EventView[] = [];
  for (const day of days(ports)) {
    if (day < dayOfEvent(after)) break;
    let before: string | undefined;
    for (let pages = 0; pages <= FOLLOWING_MAX / READ_AT_ONCE; pages += 1) {
      // Mostly few are new: a small first page, and large ones where it did not reach back far enough.
      const limit = pages === 0 ? 20 : READ_AT_ONCE;
      const page = await ofDay(ports, cluster, { day, limit, before });
      const wanted = page.filter((event) => event.id > after);
      found.push(...wanted);
      if (found.length > FOLLOWING_MAX) throw tooMany(after);
      before = page.at(-1)?.id;
      if (wanted.length < page.length || page.length < limit) break;
    }
  }
  return found.toReversed();
}

function tooMany(after: string): HaError {
  return new HaError(
    'limit_exceeded',
    `more than ${FOLLOWING_MAX} events follow ${after}; read the newest, and older ones page by page with cursor`,
  );
}

/** Tomorrow first: an event carries the clock of the process that wrote it. */
function* days({ wall }: Pick<ControlPorts, 'wall'>): Generator<string> {
  for (let back = -1; back < DAYS_MAX; back += 1) yield dayOf(wall.now() - back * DAY_MS);
}

/** The day under which an event is kept. */
function dayOfEvent(id: string): string {
  return dayOf(Number(id.slice(0, 14)));
}

async function ofDay(
  ports: EventPorts,
  cluster: string,
  asked: { readonly day: string; readonly limit: number; readonly before: string | undefined },
): Promise<readonly EventView[]> {
  const { pk } = keys.event(cluster, asked.day, '');
  const stored: readonly Stored<EventRecord>[] = await ports.registry.query(pk, {
    limit: asked.limit,
    newestFirst: true,
    ...(asked.before === undefined ? {} : { before: asked.before }),
  });
  return stored.map(({ body: { id, atMs, kind, subject, says, run, by } }) => ({
    id,
    atMs,
    kind,
    subject,
    says,
    run,
    by,
  }));
}
