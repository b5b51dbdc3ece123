/** A random moment in the middle of the HA run about a host, and what must have become of that run in the end. */
import { setTimeout as delay } from 'node:timers/promises';
import { HaError } from '../../core/failures/failures.ts';
import type { RunPhase } from '../../core/protocol/records.ts';
import type { RunView } from '../../core/protocol/views.ts';
import type { Harness } from './harness.ts';

const RUNS_SEEN = 100;
const POLL_MS = 25;
const LIMIT_MS = 30_000;

/** In their order; each is as likely to be hit, however short it is. */
const PHASES = ['Investigating', 'Fencing', 'Stopping', 'Restarting'] as const satisfies readonly RunPhase[];
/** Most of the first one is waiting for the lease to run out. */
const WITHIN_FIRST_MS = 2_500;
const WITHIN_OTHER_MS = 200;

export interface Since {
  readonly host: string;
  /** Wall clock at the fault. */
  readonly sinceMs: number;
}

/** Resolves at a random moment of the run, or at its end if that came first. */
export async function untilMidRun(harness: Harness, about: Since): Promise<void> {
  const wanted = Math.floor(Math.random() * PHASES.length);
  for (let left = LIMIT_MS; left > 0; left -= POLL_MS) {
    const [run] = await runsAbout(harness, about);
    if (run !== undefined && phaseIndex(run.phase) >= wanted) {
      if (run.closedAtMs === null) await delay(Math.random() * (wanted === 0 ? WITHIN_FIRST_MS : WITHIN_OTHER_MS));
      return;
    }
    await delay(POLL_MS);
  }
  throw new HaError('timed_out', `no HA run about ${about.host} reached ${PHASES[wanted] ?? ''}`);
}

/** Every end counts as the latest. */
function phaseIndex(phase: RunPhase): number {
  const index = PHASES.findIndex((each) => each === phase);
  return index >= 0 || phase === 'Scheduled' ? index : PHASES.length;
}

/** HA runs about the host since the fault, oldest first. */
async function runsAbout(harness: Harness, { host, sinceMs }: Since): Promise<RunView[]> {
  const { runs } = await harness.api.runs({ limit: RUNS_SEEN });
  return runs
    .filter((run) => run.work === 'HA' && run.host === host && run.openedAtMs >= sinceMs)
    .toSorted((a, b) => a.openedAtMs - b.openedAtMs);
}

/** After the control plane died: the run that was open went on under its name, and no other took its place. */
export async function findSameRun(harness: Harness, about: Since): Promise<string[]> {
  const [run, ...others] = await runsAbout(harness, about);
  if (run === undefined) return [`no HA run about ${about.host}`];
  const session = run.run.split('.').slice(0, 3).join('.');
  const again = others.filter((other) => other.run.startsWith(`${session}.`));
  return [
    ...again.map((other) => `${other.run} did again what ${run.run} had begun`),
    ...(run.outcome === 'Recovered' || isHeldForCapacity(harness, run)
      ? []
      : [`${run.run} ended as ${run.outcome ?? 'nothing'}: ${run.summary}`]),
  ];
}

/** With a host away, what is active on every host has a place too few; nothing else may lack one. */
function isHeldForCapacity(harness: Harness, run: RunView): boolean {
  const held = [...run.summary.matchAll(/([\w-]+)\/\d+ is held: no host can take/g)].map(([, group]) => group);
  const everywhere = harness.definition.groups.filter(({ redundancy }) => redundancy.model === 'n');
  const all = run.summary.match(/ is held: /g)?.length ?? 0;
  return (
    run.outcome === 'Held' &&
    held.length > 0 &&
    held.length === all &&
    held.every((name) => everywhere.some((group) => group.name === name))
  );
}

/** After a power cut for all: every run since the fault has an end and says which. */
export async function findOpenEnded(harness: Harness, { sinceMs }: Since): Promise<string[]> {
  const { runs } = await harness.api.runs({ limit: RUNS_SEEN });
  return runs
    .filter((run) => run.openedAtMs >= sinceMs && (run.closedAtMs === null || run.outcome === null))
    .map((run) => `${run.run} has no end: phase ${run.phase}, outcome ${run.outcome ?? 'none'}`);
}
