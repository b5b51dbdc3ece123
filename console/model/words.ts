/** Lengths, moments and counts as a person reads them. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Two figures are enough to decide anything: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`. */
export function span(ms: number): string {
  const length = Math.max(0, ms);
  if (length < 9_950) return `${(length / SECOND).toFixed(1)} s`;
  if (length < MINUTE - 500) return `${Math.round(length / SECOND)} s`;
  if (length < HOUR) return two(Math.round(length / SECOND), 60, 'min', 's');
  if (length < DAY) return two(Math.round(length / MINUTE), 60, 'h', 'min');
  return two(Math.round(length / HOUR), 24, 'd', 'h');
}

function two(small: number, per: number, bigUnit: string, smallUnit: string): string {
  const rest = small % per;
  const big = `${Math.floor(small / per)} ${bigUnit}`;
  return rest === 0 ? big : `${big} ${rest} ${smallUnit}`;
}

/** Offset on a time axis, always signed. */
export function offset(ms: number): string {
  return `${ms < 0 ? '−' : '+'}${(Math.abs(ms) / SECOND).toFixed(2)} s`;
}

const pad = (value: number): string => String(value).padStart(2, '0');

/** In the reader's time zone. */
export function clock(atMs: number): string {
  const at = new Date(atMs);
  return `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

export function day(atMs: number): string {
  const at = new Date(atMs);
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** `h1, h2 and h3`; a long list ends in `and 7 more`. */
export function listed(names: readonly string[], max = 4): string {
  if (names.length === 0) return 'none';
  const shown = names.slice(0, max);
  const left = names.length - shown.length;
  const parts = left > 0 ? [...shown, `${left} more`] : shown;
  const last = parts.at(-1) ?? '';
  return parts.length === 1 ? last : `${parts.slice(0, -1).join(', ')} and ${last}`;
}

/** As a sentence of its own. A first word that may be a name (`h1`, `ledger/0`, `lease-over:`) stays as it is written. */
export function sentence(text: string): string {
  const isPlain = /^[a-z]+[ ,]/.test(text);
  const first = isPlain ? text.slice(0, 1).toUpperCase() + text.slice(1) : text;
  return /[.!?…:]$/.test(first) || first === '' ? first : `${first}.`;
}
