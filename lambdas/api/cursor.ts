/**
 * Cursors of pages: the sort key of the last entry shown, with the list it belongs to. New entries arrive at the other end,
 * so a page asked for twice is the same page. Opaque to callers, and checked like any other input.
 */
import { HaError } from '../../core/failures/failures.ts';

export type PagedList = 'runs' | 'events';

/** What a sort key of each list looks like: `<14 digits>#<run>`, and `<14 digits>-<8 characters>`. */
const KEYS: Readonly<Record<PagedList, RegExp>> = {
  runs: /^\d{14}#[\w.:-]{1,80}$/,
  events: /^\d{14}-[\w-]{1,40}$/,
};

export const CURSOR_PATTERN = /^[A-Za-z0-9_-]{8,200}$/;

export function cursorOf(list: PagedList, key: string): string {
  return Buffer.from(`${list}:${key}`).toString('base64url');
}

/** The sort key before which the next page begins. */
export function keyOfCursor(list: PagedList, cursor: string): string {
  const text = CURSOR_PATTERN.test(cursor) ? Buffer.from(cursor, 'base64url').toString('utf8') : '';
  const key = text.startsWith(`${list}:`) ? text.slice(list.length + 1) : '';
  if (KEYS[list].test(key)) return key;
  throw new HaError(
    'config_invalid',
    `cursor must be the \`next\` of an earlier page of ${list}, got ${JSON.stringify(cursor.slice(0, 50))}`,
  );
}
