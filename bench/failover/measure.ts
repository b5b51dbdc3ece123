/**
 * Figures of a failover from the witness's log alone: who ran when, and which acknowledged writes were lost.
 *
 * A life is one process's connection: from when it connected (before it said who it is) to when its socket closed, so
 * that a stopped or frozen process counts as running. All times are µs on the witness clock.
 */
import type { WitnessEntry } from '../../local/witness/protocol.ts';

export interface Life {
  /** `<cluster>/<group>/<slot>` */
  readonly slot: string;
  readonly service: string;
  readonly host: string;
  readonly pid: number;
  readonly epoch: number;
  readonly openedAt: number;
  readonly helloAt: number;
  /** Infinity while the socket is open. */
  readonly closedAt: number;
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface SlotFigures {
  readonly slot: string;
  /** Total time in which two instances were open at once. */
  readonly overlapMs: number;
  /** From the fault to the first hello of the next instance; 0 if the service ran on, null if none came. */
  readonly downtimeMs: number | null;
  /** Acknowledged increments that a value not higher than theirs overwrote. */
  readonly lost: number;
  /** Hosts of the instances before and after. */
  readonly before: string | null;
  readonly after: string | null;
}

/** Figures of one slot within `span`, which begins with the fault. */
export function measureSlot(log: readonly WitnessEntry[], slot: string, span: Span): SlotFigures {
  const lives = livesOf(log).filter((life) => life.slot === slot);
  return {
    slot,
    overlapMs: overlapUs(lives, span) / 1_000,
    downtimeMs: downtimeMs(lives, span),
    lost: lostWrites(log, slot, span),
    before: lives.findLast((life) => isOpenAt(life, span.from))?.host ?? null,
    after: lives.findLast((life) => isOpenAt(life, span.to))?.host ?? null,
  };
}

export function livesOf(log: readonly WitnessEntry[]): Life[] {
  const opened = new Map<number, number>();
  const closed = new Map<number, number>();
  for (const entry of log) {
    if (entry.e === 'open') opened.set(entry.c, entry.t);
    if (entry.e === 'close') closed.set(entry.c, entry.t);
  }
  return log.flatMap((entry) => {
    if (entry.e !== 'hello') return [];
    const { slot, service, host, pid, epoch, t, c } = entry;
    const openedAt = opened.get(c) ?? t;
    return [
      { slot, service, host, pid, epoch, openedAt, helloAt: t, closedAt: closed.get(c) ?? Number.POSITIVE_INFINITY },
    ];
  });
}

/** When the last of a host's services in `slots` that ran at `at` closed; Infinity if one never did, null if none ran. */
export function lastClose(
  lives: readonly Life[],
  about: { host: string; slots: readonly string[]; at: number },
): number | null {
  const meant = lives.filter(
    (life) =>
      life.host === about.host &&
      about.slots.includes(life.slot) &&
      life.closedAt >= about.at &&
      life.openedAt <= about.at,
  );
  return meant.length === 0 ? null : Math.max(...meant.map((life) => life.closedAt));
}

function overlapUs(lives: readonly Life[], span: Span): number {
  let total = 0;
  for (const [index, one] of lives.entries()) {
    for (const other of lives.slice(index + 1)) {
      if (!excludeEachOther(one, other)) continue;
      const from = Math.max(one.openedAt, other.openedAt, span.from);
      const to = Math.min(one.closedAt, other.closedAt, span.to);
      total += Math.max(0, to - from);
    }
  }
  return total;
}

/** One slot runs on one host; one service of it in one process. A process that connects twice is not two. */
function excludeEachOther(one: Life, other: Life): boolean {
  if (one.host !== other.host) return true;
  return one.service === other.service && one.pid !== other.pid;
}

function downtimeMs(lives: readonly Life[], span: Span): number | null {
  const services = new Set(lives.map((life) => life.service));
  const perService = [...services].map((service) => {
    const own = lives.filter((life) => life.service === service);
    const ranOn = own.some((life) => isOpenAt(life, span.from) && life.closedAt >= span.to);
    if (ranOn) return 0;
    const next = own.find((life) => life.helloAt > span.from && life.helloAt <= span.to);
    return next === undefined ? null : (next.helloAt - span.from) / 1_000;
  });
  if (perService.length === 0) return null;
  return perService.reduce((worst, each) => (worst === null || each === null ? null : Math.max(worst, each)));
}

function lostWrites(log: readonly WitnessEntry[], slot: string, span: Span): number {
  const stored = new Map<string, number>();
  let lost = 0;
  for (const entry of log) {
    if (entry.e !== 'write' || entry.slot !== slot) continue;
    const before = stored.get(entry.service) ?? 0;
    if (entry.t >= span.from && entry.t <= span.to) lost += Math.max(0, before - entry.value + 1);
    stored.set(entry.service, entry.value);
  }
  return lost;
}

function isOpenAt(life: Life, at: number): boolean {
  return life.openedAt <= at && life.closedAt > at;
}

/** Median; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
