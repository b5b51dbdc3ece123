/** `status --watch` and `events --follow`: ask every second, and say so while the API is away. */
import { FAILURES, failureCode, messageOf } from '../../core/failures/failures.ts';
import type { EventView, StatusView } from '../../core/protocol/views.ts';
import { eventsText } from '../text/details.ts';
import { statusText } from '../text/status.ts';
import { paragraph } from '../text/table.ts';
import { span } from '../text/words.ts';
import type { Context } from './context.ts';

const PERIOD_MS = 1000;
const CLEAR = '\u001b[H\u001b[2J';

interface Seen {
  readonly view: StatusView;
  readonly atMs: number;
}

/** Faults that pass by themselves are waited out; a wrong token is not. */
function isAway(error: unknown): boolean {
  const code = failureCode(error);
  return code !== undefined && FAILURES[code].retry === 'backoff';
}

/** Shows the newest view again and again until Ctrl-C. */
export async function watchStatus(context: Context): Promise<number> {
  const { io } = context;
  const client = await context.client();
  let seen: Seen | undefined;
  while (!io.stopped.aborted) {
    let away: string | undefined;
    try {
      const view = await client.status();
      seen = { view, atMs: io.now() };
    } catch (error) {
      if (!isAway(error)) throw error;
      away = messageOf(error);
    }
    io.out(context.json ? jsonFrame(seen, away) : textFrame(context, seen, away));
    await io.sleep(PERIOD_MS);
  }
  return 0;
}

function jsonFrame(seen: Seen | undefined, away: string | undefined): string {
  return `${JSON.stringify(away === undefined ? seen?.view : { away, lastView: seen?.view ?? null })}\n`;
}

function textFrame({ io, paint }: Context, seen: Seen | undefined, away: string | undefined): string {
  const last = seen === undefined ? 'there is no view yet' : `what follows is ${span(io.now() - seen.atMs)} old`;
  const lines = [
    ...(away === undefined
      ? []
      : [...paragraph(`THE API IS AWAY; ${last}: ${away}`).map((line) => paint(line, 'bad')), '']),
    ...(seen === undefined ? [] : statusText(seen.view, paint)),
  ];
  return `${io.isTerminal ? CLEAR : ''}${lines.join('\n')}\n${io.isTerminal ? '' : '\n'}`;
}

/** Prints events as they come until Ctrl-C; none is shown twice. */
export async function followEvents(context: Context, limit: number): Promise<number> {
  const { io } = context;
  const client = await context.client();
  let after: string | undefined;
  let wasAway = false;
  while (!io.stopped.aborted) {
    try {
      const { events } = await client.events(limit, after);
      if (wasAway) io.err('The API is back.\n');
      wasAway = false;
      if (events.length > 0) io.out(eventLines(context, events));
      after = events.at(-1)?.id ?? after;
    } catch (error) {
      if (!isAway(error)) throw error;
      if (!wasAway) io.err(`${messageOf(error)}\nWaiting for it.\n`);
      wasAway = true;
    }
    await io.sleep(PERIOD_MS);
  }
  return 0;
}

function eventLines({ io, json }: Context, events: readonly EventView[]): string {
  const lines = json ? events.map((event) => JSON.stringify(event)) : eventsText(events, io.now());
  return `${lines.join('\n')}\n`;
}
