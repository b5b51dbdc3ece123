/**
 * The one strict reader of a stored heartbeat, shared by every store. By hand instead of by zod: hosts read their own
 * item with it, and their memory is counted.
 *
 * Fields that are missing or of a wrong type make the item malformed. Words of a newer agent (S19) do not: each is read
 * as the word that claims least. Unknown fields are left out.
 */
import type { GuardLevel, Heartbeat, SessionTiming, SlotPhase, SlotReport } from './records.ts';

export type ParsedHeartbeat = { readonly heartbeat: Heartbeat } | { readonly malformed: string };

type Fields = Readonly<Record<string, unknown>>;

const PHASES: readonly string[] = [
  'Stopped',
  'Starting',
  'Active',
  'Stopping',
  'Standby',
  'Failed',
  'Held',
  'Unknown',
] satisfies readonly SlotPhase[];
const HEALTHS: readonly string[] = ['ok', 'warn', 'degraded', 'failed'] satisfies readonly SlotReport['health'][];
const GUARD_LEVELS: readonly string[] = ['watchdog', 'init', 'none'] satisfies readonly GuardLevel[];

/** Of one text, in characters: a host writes its item itself, and others' records repeat what stands there (S16). */
const TEXT_MAX = 1_024;
/** A uuid, or `revoked:<run>`: it becomes part of the names of executions, which take little else. */
const SESSION = /^(?:revoked:)?[\w.-]{0,100}$/;

/** Never leaves this file: it becomes `malformed`. */
class Malformed extends Error {}

export function parseHeartbeat(item: unknown): ParsedHeartbeat {
  try {
    return { heartbeat: heartbeat(fields(item, 'the item')) };
  } catch (error) {
    if (error instanceof Malformed) return { malformed: error.message };
    throw error;
  }
}

function heartbeat(from: Fields): Heartbeat {
  return {
    principal: text(from, 'pk'),
    session: sessionOf(from),
    seq: whole(from, 'seq'),
    cluster: text(from, 'cluster'),
    host: text(from, 'host'),
    machine: text(from, 'machine'),
    bootId: text(from, 'bootId'),
    launchTime: text(from, 'launchTime'),
    // Unknown guards bound nothing (S4).
    guardLevel: oneOf<GuardLevel>(from, 'guardLevel', GUARD_LEVELS, 'none'),
    rules: whole(from, 'rules'),
    timing: timing(fields(from['timing'], 'timing')),
    agentVersion: text(from, 'agentVersion'),
    incarnation: text(from, 'incarnation'),
    mayHold: flag(from, 'mayHold'),
    obeyed: whole(from, 'obeyed'),
    slots: list(from, 'slots').map((slot) => slotReport(fields(slot, 'slots'))),
    lists: numbers(fields(from['lists'], 'lists')),
    sentAtWallMs: number(from, 'sentAtWallMs'),
    ...(from['sentAtBootMs'] === undefined ? {} : { sentAtBootMs: number(from, 'sentAtBootMs') }),
    ...(from['sentIn'] === undefined ? {} : { sentIn: text(from, 'sentIn') }),
    // The control plane's field: absent until its first directive.
    directive: from['directive'] === undefined ? 0 : whole(from, 'directive'),
    ...(from['hurry'] === undefined ? {} : { hurry: whole(from, 'hurry') }),
    ttl: number(from, 'ttl'),
  };
}

function timing(from: Fields): SessionTiming {
  return {
    intervalMs: duration(from, 'intervalMs'),
    holderLeaseMs: duration(from, 'holderLeaseMs'),
    takerWaitMs: duration(from, 'takerWaitMs'),
    killMs: duration(from, 'killMs'),
    writeLifeMs: duration(from, 'writeLifeMs'),
    freezeMs: duration(from, 'freezeMs'),
    clockRateError: duration(from, 'clockRateError'),
  };
}

function slotReport(from: Fields): SlotReport {
  return {
    group: text(from, 'group'),
    slot: whole(from, 'slot'),
    epoch: whole(from, 'epoch'),
    phase: oneOf<SlotPhase>(from, 'phase', PHASES, 'Unknown'),
    health: oneOf<SlotReport['health']>(from, 'health', HEALTHS, 'warn'),
    ...(from['detail'] === undefined ? {} : { detail: words(from, 'detail') }),
  };
}

function fields(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed(`${name} is no map`);
  return value as Fields;
}

function list(from: Fields, name: string): readonly unknown[] {
  const value = from[name];
  if (!Array.isArray(value)) throw new Malformed(`${name} is no list`);
  return value;
}

/** For people alone: what is long is cut, and no reason to know nothing of the host. */
function words(from: Fields, name: string): string {
  const value = from[name];
  if (typeof value !== 'string') throw new Malformed(`${name} is no string`);
  return value.slice(0, TEXT_MAX).toWellFormed();
}

function text(from: Fields, name: string): string {
  const value = from[name];
  if (typeof value !== 'string') throw new Malformed(`${name} is no string`);
  if (value.length > TEXT_MAX) throw new Malformed(`${name} has more than ${TEXT_MAX} characters`);
  return value;
}

function sessionOf(from: Fields): string {
  const session = text(from, 'session');
  if (!SESSION.test(session)) throw new Malformed('session is no name of a session');
  return session;
}

function flag(from: Fields, name: string): boolean {
  const value = from[name];
  if (typeof value !== 'boolean') throw new Malformed(`${name} is no boolean`);
  return value;
}

function number(from: Fields, name: string): number {
  const value = from[name];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Malformed(`${name} is no finite number`);
  return value;
}

/** A count, number or version: beyond 2^53 two different ones would compare as equal. */
function whole(from: Fields, name: string): number {
  const value = number(from, name);
  if (!Number.isSafeInteger(value) || value < 0) throw new Malformed(`${name} is no whole number of 0 or more`);
  return value;
}

/** A negative length of time would shorten a wait (S7). */
function duration(from: Fields, name: string): number {
  const value = number(from, name);
  if (value < 0) throw new Malformed(`${name} is negative`);
  return value;
}

function oneOf<Word extends string>(from: Fields, name: string, known: readonly string[], otherwise: Word): Word {
  const value = text(from, name);
  return known.includes(value) ? (value as Word) : otherwise;
}

function numbers(from: Fields): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.keys(from).map((name) => [name, whole(from, name)]));
}
