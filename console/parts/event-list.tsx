import type { EventView } from '../../core/protocol/views.ts';
import { kindWord } from '../model/events.ts';
import { to } from '../model/routes.ts';
import { clock } from '../model/words.ts';

/** Newest first. */
export function EventList({ events }: { readonly events: readonly EventView[] }) {
  return (
    <ol class="events">
      {events.map((event) => (
        <li key={event.id}>
          <time class="number" dateTime={new Date(event.atMs).toISOString()} title={new Date(event.atMs).toString()}>
            {clock(event.atMs)}
          </time>
          <span class="event-kind">{kindWord(event.kind)}</span>
          <span class="event-says">
            <strong class="name">{event.subject}</strong>{' '}
            {event.says.startsWith(`${event.subject} `) ? event.says.slice(event.subject.length + 1) : event.says}
            {event.run !== null && (
              <>
                {' '}
                <a href={to.run(event.run)}>
                  run<span class="sr"> {event.run}</span>
                </a>
              </>
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}
