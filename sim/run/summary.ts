/** What many runs come to, merged in the order of their seeds, and said in the words of the last lines. */
import { createHash } from 'node:crypto';
import type { FaultKind } from '../contract/faults.ts';
import type { Violation } from '../contract/truth.ts';
import { COVERING_SEEDS, type Coverage } from './coverage.ts';
import { BEATS_LEAST, type RunResult } from './result.ts';

export interface Summary {
  readonly seeds: number;
  readonly failing: readonly { readonly seed: number; readonly first: Violation }[];
  /** All violations of all runs, and replays that were not the same. */
  readonly violations: number;
  readonly replayed: number;
  readonly unequal: readonly number[];
  readonly simulatedMs: number;
  readonly events: number;
  readonly invocations: number;
  readonly failovers: Readonly<Record<string, number>>;
  readonly runsHeld: number;
  readonly beats: number;
  /** Fewest renewals of any host in any run that was not cut short. */
  /** Hosts of all seeds, and those that beat often enough under faults. */
  readonly hosts: number;
  readonly hostsBeaten: number;
  readonly beatsLeast: { readonly seed: number; readonly host: string; readonly beats: number } | null;
  readonly faults: Readonly<Record<string, number>>;
  readonly states: Readonly<Record<string, number>>;
  readonly profiles: Readonly<Record<string, number>>;
  /** SHA-256 over the hashes of all runs, in the order of their seeds. */
  readonly traceHash: string;
}

export interface Replay {
  readonly seed: number;
  readonly traceHash: string;
}

/** `results` in any order; `again`: second runs of some of the same seeds. */
export function summarize(results: readonly RunResult[], again: readonly Replay[]): Summary {
  const sorted = [...results].sort((a, b) => a.seed - b.seed);
  const hash = createHash('sha256');
  for (const result of sorted) hash.update(`${result.seed} ${result.traceHash}\n`);
  const hashes = new Map(sorted.map((result) => [result.seed, result.traceHash]));
  const unequal = again.filter((replay) => hashes.get(replay.seed) !== replay.traceHash).map((replay) => replay.seed);
  const sum = (of: (result: RunResult) => number): number => sorted.reduce((total, result) => total + of(result), 0);
  return {
    seeds: sorted.length,
    failing: sorted.flatMap(({ seed, violations: [first] }) => (first === undefined ? [] : [{ seed, first }])),
    violations: sum((result) => result.violations.length) + unequal.length,
    replayed: again.length,
    unequal: unequal.sort((a, b) => a - b),
    simulatedMs: sum((result) => result.simulatedMs),
    events: sum((result) => result.events),
    invocations: sum((result) => result.invocations),
    failovers: added(sorted.map((result) => result.failovers)),
    runsHeld: sum((result) => result.runsHeld),
    beats: sum((result) => Object.values(result.beats).reduce((a, b) => a + b, 0)),
    beatsLeast: leastBeats(sorted),
    hosts: sum((result) => Object.keys(result.beats).length),
    hostsBeaten: sum((result) => Object.values(result.beats).filter((beats) => beats >= BEATS_LEAST).length),
    faults: added(sorted.map((result) => result.faults)),
    states: added(sorted.map((result) => result.states)),
    profiles: added(sorted.map((result) => ({ [result.profile]: 1 }))),
    traceHash: hash.digest('hex'),
  };
}

function leastBeats(results: readonly RunResult[]): Summary['beatsLeast'] {
  let least: Summary['beatsLeast'] = null;
  for (const { seed, beats, violations } of results) {
    if (violations.length > 0) continue;
    for (const [host, count] of Object.entries(beats))
      if (least === null || count < least.beats) least = { seed, host, beats: count };
  }
  return least;
}

function added(tables: readonly Readonly<Record<string, number | undefined>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const table of tables)
    for (const [key, count] of Object.entries(table)) sum[key] = (sum[key] ?? 0) + (count ?? 0);
  return sum;
}

export interface Missing {
  readonly kinds: readonly FaultKind[];
  readonly states: readonly string[];
  /** The run was large enough to be blamed for it. */
  readonly isFailure: boolean;
}

export function missing(summary: Pick<Summary, 'seeds' | 'faults' | 'states'>, all: Coverage): Missing {
  const kinds = all.kinds.filter((kind) => (summary.faults[kind] ?? 0) === 0);
  const states = all.states.filter((state) => (summary.states[state] ?? 0) === 0);
  return { kinds, states, isFailure: summary.seeds >= COVERING_SEEDS && kinds.length + states.length > 0 };
}

/** Lines for a person; the last line of the program follows them. `cpuMs`: how long it took, on all threads together. */
export function printSummary(summary: Summary, all: Coverage, took: { wallMs: number; workers: number }): string {
  const lack = missing(summary, all);
  const least = summary.beatsLeast;
  const failovers = Object.values(summary.failovers).reduce((sum, count) => sum + count, 0);
  const row = (name: string, value: string): string => `${name.padEnd(18)}${value}`;
  const lines = [
    row('profiles', counts(summary.profiles)),
    row('simulated', `${lengthOf(summary.simulatedMs)} in ${lengthOf(took.wallMs)} on ${took.workers} threads`),
    row('events', `${summary.events}, ${Math.round((summary.events * 1000) / Math.max(1, took.wallMs))} per second`),
    row('invocations', `${summary.invocations}`),
    row(
      'beats',
      `${summary.beats} under faults; ${summary.hostsBeaten} of ${summary.hosts} hosts ${BEATS_LEAST} times or more` +
        (least === null ? '' : `, the fewest ${least.beats} (${least.host}, seed ${least.seed})`),
    ),
    row('failovers', `${failovers}${failovers === 0 ? '' : ` (${counts(summary.failovers)})`}`),
    row('runs held', `${summary.runsHeld}`),
    row('run twice', `${summary.replayed}, not the same: ${summary.unequal.join(', ') || 'none'}`),
    row('faults drawn', counts(summary.faults)),
    row('states entered', counts(summary.states)),
    row('faults, never', lack.kinds.join(', ') || 'none'),
    row('states, never', lack.states.join(', ') || 'none'),
    row('trace hash', summary.traceHash),
    ...summary.failing
      .slice(0, 20)
      .map(({ seed, first }) => `seed ${seed}: ${first.invariant} at ${(first.at / 1000).toFixed(3)} s: ${first.says}`),
    ...(summary.failing.length > 20 ? [`and ${summary.failing.length - 20} more seeds`] : []),
    ...(lack.isFailure ? [`${summary.seeds} seeds must reach every fault and every state; they did not`] : []),
  ];
  return lines.join('\n');
}

function counts(table: Readonly<Record<string, number>>): string {
  const rows = Object.entries(table).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return rows.map(([key, count]) => `${key} ${count}`).join(', ') || 'none';
}

function lengthOf(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 7_200_000) return `${(ms / 60_000).toFixed(1)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}
