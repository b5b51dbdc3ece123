import { useState } from 'preact/hooks';
import { messageOf } from '../../core/failures/failures.ts';
import type { EventView } from '../../core/protocol/views.ts';
import { api, page } from '../data/live.ts';
import { useStore } from '../data/store.ts';
import { byDay, findEvents, kindsIn } from '../model/events.ts';
import { EventList } from '../parts/event-list.tsx';
import { More, usePages } from '../parts/more.tsx';
import { Empty, Trouble } from '../parts/notice.tsx';
import { Title } from '../parts/title.tsx';

export function Events({ about }: { readonly about: string }) {
  const { events, older, isBusy, trouble, hasOlder } = useEvents();
  const [text, setText] = useState(about);
  const [kind, setKind] = useState('');
  const found = findEvents(events, { text, kind });
  const { shown, more, left } = usePages(found);
  return (
    <>
      <Title tab="Events">Events</Title>
      <p class="lead">Everything that was decided or changed, by whom and why. New ones appear by themselves.</p>
      <div class="card flush">
        <div class="filters">
          <label class="field grow">
            <span class="sr">Find events by subject or words</span>
            <input
              type="search"
              placeholder="Subject or words"
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
          <label class="field">
            <span class="sr">Kind of event</span>
            <select value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
              <option value="">All kinds</option>
              {kindsIn(events).map((word) => (
                <option key={word} value={word}>
                  {word}
                </option>
              ))}
            </select>
          </label>
          <span class="aside number" role="status">
            {found.length} of {events.length}
          </span>
        </div>
        {byDay(shown).map(({ day, events: ofDay }) => (
          <section key={day} aria-label={day}>
            <h2 class="day number">{day}</h2>
            <EventList events={ofDay} />
          </section>
        ))}
        {found.length === 0 && (
          <Empty title={events.length === 0 ? 'Nothing happened yet' : 'No event fits these filters'} />
        )}
        <More left={left} onMore={more} what="events" />
      </div>
      {trouble !== null && <Trouble says={trouble} />}
      {left <= 0 && hasOlder && (
        <button type="button" class="more" disabled={isBusy} onClick={older}>
          {isBusy ? 'Reading…' : 'Read older events'}
        </button>
      )}
    </>
  );
}

/** What the stream brought, with the older pages that were asked for before it. */
function useEvents() {
  const live = useStore(page, (known) => known.events);
  const [older, setOlder] = useState<readonly EventView[]>([]);
  // undefined: the first page was not asked for yet; its cursor leads on from there.
  const [cursor, setCursor] = useState<string | null | undefined>(undefined);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const read = (): void => {
    setBusy(true);
    api()
      .events(typeof cursor === 'string' ? { cursor } : {})
      .then(
        (answer) => {
          setOlder((before) => [...answer.events, ...before]);
          setCursor(answer.next);
          setTrouble(null);
        },
        (error: unknown) => setTrouble(messageOf(error)),
      )
      .finally(() => setBusy(false));
  };
  const events = [...new Map([...older, ...live].map((event) => [event.id, event])).values()].sort((a, b) =>
    a.id < b.id ? -1 : 1,
  );
  return { events, older: read, isBusy, trouble, hasOlder: cursor !== null };
}
