/** What a run looked like, for a person: the witness's view and the control plane's, on one time line. */
import type { WitnessEntry } from '../../local/witness/protocol.ts';
import { livesOf } from './measure.ts';
import type { RunOutcome } from './run.ts';

interface Moment {
  /** From the fault. */
  readonly atMs: number;
  readonly who: string;
  readonly says: string;
}

export function timeline(run: RunOutcome, log: readonly WitnessEntry[]): string {
  const moments = [...witnessed(run, log), ...told(run)].toSorted((a, b) => a.atMs - b.atMs);
  return moments
    .map(({ atMs, who, says }) => `  ${atMs.toFixed(0).padStart(7)} ms  ${who.padEnd(8)} ${says}`)
    .join('\n');
}

function witnessed({ span }: RunOutcome, log: readonly WitnessEntry[]): Moment[] {
  const ms = (t: number): number => (t - span.from) / 1_000;
  const isWithin = (t: number): boolean => t >= span.from && t <= span.to;
  const marks = log.flatMap((entry) =>
    entry.e === 'mark' && isWithin(entry.t) ? [{ atMs: ms(entry.t), who: 'harness', says: entry.mark }] : [],
  );
  const lives = livesOf(log).flatMap((life) => {
    const what = `${life.slot} ${life.service}, epoch ${String(life.epoch)}`;
    const start = isWithin(life.helloAt) ? [{ atMs: ms(life.helloAt), who: life.host, says: `runs   ${what}` }] : [];
    const end = isWithin(life.closedAt) ? [{ atMs: ms(life.closedAt), who: life.host, says: `ended  ${what}` }] : [];
    return [...start, ...end];
  });
  return [...marks, ...lives];
}

function told({ stories, faultAtMs }: RunOutcome): Moment[] {
  return stories.flatMap(({ run, steps }) =>
    steps.map((step) => ({
      atMs: step.atMs - faultAtMs,
      who: 'control',
      says: `${run.run} ${step.step}: ${step.says}`,
    })),
  );
}

export function figuresLine(run: RunOutcome): string {
  const downtime = run.downtimeMs === null ? 'never back' : `${run.downtimeMs.toFixed(0)} ms`;
  const owner = run.moved ? 'moved' : 'same owner';
  const evidence = run.evidence ?? 'none';
  const figures = `downtime ${downtime}, overlap ${run.overlapMs.toFixed(1)} ms, lost ${String(run.lost)}, ${owner}, evidence ${evidence}`;
  return run.failures.length === 0 ? figures : `${figures}\n  FAILED: ${run.failures.join('; ')}`;
}
