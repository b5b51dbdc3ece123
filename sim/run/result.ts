/** What a run of one scene comes to. Everything but `facts` is small and travels between threads. */
import type { FaultKind } from '../contract/faults.ts';
import type { LookAfter, Scene } from '../contract/scene.ts';
import type { Told, Violation } from '../contract/truth.ts';
import type { EvidenceKind } from '../../core/config/model.ts';
import type { Millis } from '../../core/time/time.ts';

export interface RunResult {
  readonly seed: number;
  readonly profile: Scene['profile'];
  /** SHA-256 over every fact that was told, with its time: equal hashes, equal runs. */
  readonly traceHash: string;
  /** Empty unless they were asked for. */
  readonly facts: readonly Told[];
  readonly violations: readonly Violation[];
  readonly simulatedMs: Millis;
  /** When everything was first placed and the faults began, and when they ended; null: it did not come to that. */
  readonly faultsFromMs: Millis | null;
  readonly faultsUntilMs: Millis | null;
  /** Of hosts that had not beaten often enough, counted from where the faults began. */
  readonly lookedAfter: readonly LookAfter[];
  /** Events of the timeline. */
  readonly events: number;
  /** Changes of owner by evidence about the old one, moves that somebody planned left out. */
  readonly failovers: Readonly<Partial<Record<EvidenceKind, number>>>;
  /** Runs of the workflow that came to be held. */
  readonly runsHeld: number;
  /** Renewals that the store took while faults were drawn, per host. */
  readonly beats: Readonly<Record<string, number>>;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** Workflow states that were entered. */
  readonly states: Readonly<Record<string, number>>;
  readonly invocations: number;
}

/** Of each host, under faults: what a seed must bring to be worth its count. */
export const BEATS_LEAST = 200;

export function failoversOf(result: Pick<RunResult, 'failovers'>): number {
  return Object.values(result.failovers).reduce((sum, count) => sum + count, 0);
}
