/** The link to the API: how long to wait before the next attempt, and what a reader is told meanwhile. */
import { clock, span } from './words.ts';

export type Link =
  | { readonly is: 'connecting' }
  | { readonly is: 'live'; readonly how: 'stream' | 'asking' }
  | { readonly is: 'away'; readonly sinceMs: number; readonly why: string; readonly attempts: number };

const FIRST_MS = 500;
const LONGEST_MS = 8_000;

/** Doubles up to 8 s; `random` (0 to 1) spreads many open pages so that they do not return all at once. */
export function retryAfterMs(attempts: number, random: number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempts, 10));
  return Math.round(full * (0.75 + 0.25 * random));
}

/** How often the ages are asked for, since the stream is silent while only ages change. A large cluster asks less often. */
export function pulseEveryMs(hosts: number): number {
  return Math.min(5_000, Math.max(1_000, hosts * 25));
}

export function awayWords(away: Link & { is: 'away' }, nowMs: number, shownAtMs: number | null): string {
  const since = `API away for ${span(nowMs - away.sinceMs)}`;
  return shownAtMs === null ? `${since}.` : `${since}; showing the state of ${clock(shownAtMs)}.`;
}
