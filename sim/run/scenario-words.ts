/** The small words of a scenario: lengths of time, hosts, faults, acts. Each is printed and read here, side by side. */
import type { Millis } from '../../core/time/time.ts';
import { SCHEDULED_FAULTS, type ScheduledFault, type ScheduledFaultKind } from '../contract/faults.ts';
import type { HostScene } from '../contract/scene.ts';

/** Says what is wrong with a word; whoever reads the line adds its number. */
export class WordError extends Error {}

const WHOLE_S = /^(-?)(\d+)(?:\.(\d{1,3}))?s$/;
const ANY_MS = /^(-?\d+(?:\.\d+)?(?:e-?\d+)?)ms$/;

/** Exact: `12.5s` where milliseconds are whole, otherwise `1250.25ms`. */
export function printTime(ms: Millis): string {
  if (!Number.isInteger(ms) || Math.abs(ms) > 1e12) return `${ms}ms`;
  const size = Math.abs(ms);
  const part = size % 1000 === 0 ? '' : `.${String(size % 1000).padStart(3, '0')}`.replace(/0+$/, '');
  return `${ms < 0 ? '-' : ''}${Math.floor(size / 1000)}${part}s`;
}

export function parseTime(word: string): Millis {
  const seconds = WHOLE_S.exec(word);
  if (seconds !== null) {
    const ms = Number(seconds[2]) * 1000 + Number((seconds[3] ?? '').padEnd(3, '0'));
    return seconds[1] === '-' && ms !== 0 ? -ms : ms;
  }
  const exact = ANY_MS.exec(word);
  if (exact !== null) return Number(exact[1]);
  throw new WordError(`"${word}" is no length of time; write it as 12.5s or 250ms`);
}

export function parseNumber(word: string, what: string): number {
  const value = Number(word);
  if (word === '' || !Number.isFinite(value)) throw new WordError(`${what} must be a number, got "${word}"`);
  return value;
}

/** `key=value` words into a table; a key that is not among `known` is refused. */
export function parsePairs(words: readonly string[], known: readonly string[]): Readonly<Record<string, string>> {
  const pairs: Record<string, string> = {};
  for (const word of words) {
    const at = word.indexOf('=');
    const key = at < 0 ? word : word.slice(0, at);
    if (!known.includes(key)) throw new WordError(`"${word}" is not known here; there are ${known.join(', ')}`);
    if (key in pairs) throw new WordError(`${key} is given twice`);
    pairs[key] = at < 0 ? '' : word.slice(at + 1);
  }
  return pairs;
}

const HOST_KEYS = ['zone', 'instance', 'guard', 'rate', 'wall', 'off', 'ends'];

export function printHost(host: HostScene): string {
  const words = [host.name, `zone=${host.zone}`];
  if (host.instanceId !== null) words.push(`instance=${host.instanceId}`);
  words.push(`guard=${host.guardLevel}`);
  if (host.clockRate !== 1) words.push(`rate=${host.clockRate}`);
  if (host.wallOffsetMs !== 0) words.push(`wall=${printTime(host.wallOffsetMs)}`);
  if (!host.isOnAtFirst) words.push('off');
  if (host.ends !== undefined) words.push(`ends=${host.ends}`);
  return words.join(' ');
}

export function parseHost(words: readonly string[]): HostScene {
  const [name, ...rest] = words;
  if (name === undefined || name.includes('=')) throw new WordError('a host begins with its name');
  const given = parsePairs(rest, HOST_KEYS);
  const guardLevel = given['guard'] ?? 'watchdog';
  if (guardLevel !== 'watchdog' && guardLevel !== 'init' && guardLevel !== 'none')
    throw new WordError(`guard must be watchdog, init or none, got "${guardLevel}"`);
  const ends = given['ends'];
  if (ends !== undefined && ends !== 'stopped' && ends !== 'crashed')
    throw new WordError(`ends must be stopped or crashed, got "${ends}"`);
  return {
    ...(ends === undefined ? {} : { ends }),
    name,
    instanceId: given['instance'] ?? null,
    zone: given['zone'] ?? 'a',
    guardLevel,
    clockRate: given['rate'] === undefined ? 1 : parseNumber(given['rate'], 'rate'),
    wallOffsetMs: given['wall'] === undefined ? 0 : parseTime(given['wall']),
    isOnAtFirst: given['off'] === undefined,
  };
}

export function printFault(fault: ScheduledFault): string {
  const length = fault.forMs === 0 ? '' : ` for ${printTime(fault.forMs)}`;
  const subject = fault.subject === '' ? '' : ` ${fault.subject}`;
  const amount = fault.amount === undefined ? '' : ` by ${fault.amount}`;
  return `at ${printTime(fault.at)}${length}: ${fault.kind}${subject}${amount}`;
}

export function isFaultKind(word: string | undefined): word is ScheduledFaultKind {
  return word !== undefined && Object.hasOwn(SCHEDULED_FAULTS, word);
}

/** `KIND [SUBJECT] [by AMOUNT]`. */
export function parseFault(at: Millis, forMs: Millis, words: readonly string[]): ScheduledFault {
  const [kind, ...rest] = words;
  if (!isFaultKind(kind)) {
    const all = Object.keys(SCHEDULED_FAULTS).join(', ');
    throw new WordError(`"${kind ?? ''}" is no fault and no act of an operator; faults are ${all}`);
  }
  const by = rest.indexOf('by');
  const amount = by < 0 ? {} : { amount: parseNumber(rest[by + 1] ?? '', 'the amount after "by"') };
  const subjects = by < 0 ? rest : [...rest.slice(0, by), ...rest.slice(by + 2)];
  if (subjects.length > 1) throw new WordError(`a fault has one subject, got "${subjects.join(' ')}"`);
  return { at, kind, subject: subjects[0] ?? '', forMs, ...amount };
}
