/** `status --watch`: asks every second, and says so while the API is away. */
import { messageOf } from '../../core/failures/failures.ts';
import type { StatusView } from '../../core/protocol/views.ts';
import { statusText } from '../text/status.ts';
import { paragraph } from '../text/table.ts';
import { span } from '../text/words.ts';
import type { Context } from './context.ts';
import { isAway } from './follow.ts';

const PERIOD_MS = 1000;
const CLEAR = '\u001b[H\u001b[2J';

interface Seen {
  readonly view: StatusView;
  readonly atMs: number;
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
