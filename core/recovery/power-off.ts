/**
 * When two reads of a machine's power show that a session is over (S7), and the record that keeps them.
 *
 * `stopped` alone says little: the platform's answers are eventually consistent, a machine may be started again between
 * two looks, and its name may belong to another one by then. What makes it evidence is the LaunchTime, which changes with
 * every start: a machine that is off and shows the LaunchTime that the session recorded has not run since that session
 * did. Two reads, the second asked a while after the first was answered, so that one wrong answer decides nothing.
 * Whatever is not exactly that is `unknown` (S8). An event is no read: it can only lead to some.
 *
 * What the machine had sent before it went off may still land, for m. So the reads are at least m apart as well, by the
 * timing that the session recorded (S19): when they are evidence, no write of it is on its way any more.
 */
import { TIMING_PROFILES } from '../config/timing-profiles.ts';
import type { PowerReading } from '../ports.ts';
import type { OffRead, PoweredOff } from '../protocol/power-records.ts';
import type { Heartbeat, HostRecord, SessionTiming } from '../protocol/records.ts';
import { elapsed, type Instant, type Millis, wallAfter, type WallInstant, wallElapsed } from '../time/time.ts';

/** Shortest time from the answer of the first read to the asking of the second. */
const CONFIRM_MIN_MS: Millis = 2_000;
const LONGEST_WRITE_LIFE_MS = Math.max(...Object.values(TIMING_PROFILES).map(({ writeLifeMs }) => writeLifeMs));

/** From the answer of the first read to the asking of the second, by m of the session. */
export function confirmAfterMs({ writeLifeMs }: Pick<PoweredSession, 'writeLifeMs'>): Millis {
  return Math.max(CONFIRM_MIN_MS, writeLifeMs ?? LONGEST_WRITE_LIFE_MS);
}

/** A read with its moments on the boot clock of the process that made it; only reads of one process can be a pair. */
export interface TimedReading {
  readonly reading: PowerReading;
  /** Stamped before it was sent. */
  readonly askedAt: Instant;
  /** Stamped after all of it had arrived. */
  readonly answeredAt: Instant;
  /** `askedAt` on the wall clock of that process, for the record. */
  readonly askedAtMs: WallInstant;
}

/** A session as it was registered, with what ties a machine's power to it. */
export interface PoweredSession {
  readonly session: string;
  readonly principal: string;
  readonly machine: string;
  /** undefined: not recorded, so that nothing can be shown about it. */
  readonly launchTime: string | undefined;
  /** m, by its own timing; absent: not known, so that the longest is waited for. */
  readonly writeLifeMs?: Millis | undefined;
}

/** What a stored record may lack is not counted on. */
interface Registered {
  readonly session: string;
  readonly machine: string;
  readonly launchTime?: string | undefined;
  readonly timing?: Pick<SessionTiming, 'writeLifeMs'> | undefined;
}

/** The session as the observer recorded it, or as its own item still shows it; undefined: neither knows it. */
export function poweredSession(
  host: Pick<HostRecord, 'principal' | 'seen' | 'replaced'>,
  session: string,
  item?: Pick<Heartbeat, 'session' | 'machine' | 'launchTime' | 'timing'>,
): PoweredSession | undefined {
  const candidates: readonly (Registered | null | undefined)[] = [host.seen, host.replaced?.seen, item];
  const known = candidates.find((candidate) => candidate?.session === session);
  if (known === undefined || known === null) return undefined;
  const { machine, launchTime, timing } = known;
  return { session, principal: host.principal, machine, launchTime, writeLifeMs: timing?.writeLifeMs };
}

const MOMENT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|\+00:00)$/;

/** One spelling of a moment; null: not one, so that it equals nothing. */
function canonical(moment: string | null | undefined): string | null {
  const [, seconds, fraction = ''] = MOMENT.exec(moment ?? '') ?? [];
  return seconds === undefined ? null : `${seconds}.${fraction.replace(/0+$/, '')}`;
}

/** The machine's present life is the one in which the session was registered. */
export function isSameLife(reading: Pick<PowerReading, 'principal' | 'launchTime'>, about: PoweredSession): boolean {
  const recorded = canonical(about.launchTime);
  return recorded !== null && canonical(reading.launchTime) === recorded && reading.principal === about.principal;
}

/** Why no read can ever show that this session is over, or null: one may. */
export function whyNoPowerOff(about: PoweredSession | undefined): string | null {
  if (about === undefined) return 'how its session was registered is not known';
  if (canonical(about.launchTime) === null) return 'its session recorded no launch time';
  return null;
}

/** Why this read does not show the session's machine off, or null: it does. */
export function whyNotOff(reading: PowerReading, about: PoweredSession): string | null {
  const { state } = reading;
  if (state !== 'stopped' && state !== 'terminated') {
    return state === 'unknown' ? `EC2 does not say: ${reading.says}` : `EC2 says ${state}`;
  }
  const why = whyNoPowerOff(about);
  if (why !== null) return `EC2 says ${state}, but ${why}`;
  if (reading.principal !== about.principal)
    return `EC2 says ${state} of ${reading.principal ?? 'no machine'}, the session is of ${about.principal}`;
  if (!isSameLife(reading, about)) {
    const launched = reading.launchTime ?? 'an unknown moment';
    return `EC2 says ${state}, launched at ${launched}: the session was of the life launched at ${about.launchTime ?? ''}`;
  }
  if (reading.canHibernate !== false)
    return `EC2 says ${state}, and it may be hibernated: what ran would run on when it wakes`;
  return null;
}

/** How long until the second read may be asked; 0: now. */
export function confirmationDueInMs(
  about: Pick<PoweredSession, 'writeLifeMs'>,
  first: Pick<TimedReading, 'answeredAt'>,
  now: Instant,
): Millis {
  return Math.max(0, confirmAfterMs(about) - elapsed(first.answeredAt, now));
}

function offRead({ reading, askedAt, answeredAt, askedAtMs }: TimedReading): OffRead | null {
  const { state, principal, launchTime } = reading;
  if ((state !== 'stopped' && state !== 'terminated') || principal === null || launchTime === null) return null;
  // Whole milliseconds: a sum of fractions that large is not exact.
  const tookMs = Math.floor(elapsed(askedAt, answeredAt));
  return { state, principal, launchTime, askedAtMs, answeredAtMs: wallAfter(askedAtMs, tookMs) };
}

export type Pair = { readonly off: PoweredOff } | { readonly off: null; readonly why: string };

/** The record of two reads that show the session's machine off, or why they do not. */
export function pairOfReads(about: PoweredSession, first: TimedReading, second: TimedReading): Pair {
  const why = whyNotOff(first.reading, about) ?? whyNotOff(second.reading, about);
  if (why !== null) return { off: null, why };
  const gapMs = Math.floor(elapsed(first.answeredAt, second.askedAt));
  if (gapMs < confirmAfterMs(about))
    return { off: null, why: `the second read was asked ${gapMs} ms after the answer to the first` };
  const reads = [offRead(first), offRead(second)] as const;
  if (reads[0] === null || reads[1] === null) return { off: null, why: 'a read lacks what ties it to the session' };
  // On one line of time: the wall clock may have been set between the reads, the boot clock was not.
  const askedAtMs = wallAfter(reads[0].answeredAtMs, gapMs);
  const took = wallElapsed(reads[1].askedAtMs, reads[1].answeredAtMs);
  const confirmed: OffRead = { ...reads[1], askedAtMs, answeredAtMs: wallAfter(askedAtMs, took) };
  const { session, machine, writeLifeMs } = about;
  return {
    off: { session, machine, ...(writeLifeMs === undefined ? {} : { writeLifeMs }), reads: [reads[0], confirmed] },
  };
}

/** Why a stored record proves nothing about the session, or null: it does. A record that was written is judged like any other. */
export function whyNoRecord(off: PoweredOff | undefined, principal: string, session: string): string | null {
  if (off === undefined || off.session !== session) return 'no two reads of its session are on record';
  const [first, second] = off.reads;
  const isOff = off.reads.every(({ state }) => state === 'stopped' || state === 'terminated');
  if (!isOff || off.reads.some((read) => read.principal !== principal)) return 'the reads are not of its machine, off';
  const launch = canonical(first.launchTime);
  if (launch === null || launch !== canonical(second.launchTime)) return 'the reads are of two lives';
  if (wallElapsed(first.answeredAtMs, second.askedAtMs) < confirmAfterMs(off))
    return 'the reads are too close together';
  return null;
}
