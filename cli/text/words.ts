/** Lengths of time and tones, as people read them. */

/** `340 ms`, `3.2 s`, `5 m 12 s`, `3 h 4 m`, `2 d 3 h`. */
export function span(ms: number): string {
  const length = Math.max(0, ms);
  if (length < 1000) return `${Math.round(length)} ms`;
  const s = Math.round(length / 100) / 10;
  if (s < 60) return `${s.toFixed(1)} s`;
  const [whole, m, h] = [Math.round(length / 1000), Math.floor(length / 60_000), Math.floor(length / 3_600_000)];
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${whole % 60} s`;
  if (h < 24) return `${h} h ${m % 60} m`;
  return `${Math.floor(h / 24)} d ${h % 24} h`;
}

/** How long before `now`; clocks of two machines may differ, so the future counts as now. */
export function age(atMs: number, now: number): string {
  return `${span(now - atMs)} ago`;
}

export type Tone = 'good' | 'warn' | 'bad' | 'faint' | 'strong';

const CODES: Readonly<Record<Tone, number>> = { good: 32, warn: 33, bad: 31, faint: 2, strong: 1 };

export type Paint = (text: string, tone: Tone | undefined) => string;

export const plain: Paint = (text) => text;
export const ansi: Paint = (text, tone) => (tone === undefined ? text : `\u001b[${CODES[tone]}m${text}\u001b[0m`);

const TONES: Readonly<Record<string, Tone>> = {
  Up: 'good',
  Active: 'good',
  ok: 'good',
  Done: 'good',
  Standby: 'faint',
  Stopped: 'faint',
  Removed: 'faint',
  Cancelled: 'faint',
  Down: 'bad',
  Fenced: 'bad',
  Alert: 'bad',
  Failed: 'bad',
  failed: 'bad',
  Held: 'bad',
  Error: 'bad',
};

/** Words that are neither well nor badly off are on their way somewhere. */
export function toneOf(word: string): Tone {
  return TONES[word] ?? 'warn';
}

/** Its last word still holds: it renews, or a hold shows that it lives. */
export function isHeardOf(status: string): boolean {
  return status === 'Up' || status === 'Disconnected';
}

/** Text of the API on a terminal: no control characters, so that no name or detail can drive it. */
export function clean(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').trim();
}
