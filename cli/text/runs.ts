/** Runs as a list. */
import type { RunView, StepView } from '../../core/protocol/views.ts';
import { paragraph } from './table.ts';
import { age, clean, type Paint, plain, span, toneOf } from './words.ts';

/** Names of runs are long, so each has a line of its own. */
export function runLines(run: RunView, now: number, paint: Paint = plain): string[] {
  const took = run.closedAtMs === null ? 'still open' : `took ${span(run.closedAtMs - run.openedAtMs)}`;
  const facts = `${about(run)}, opened ${age(run.openedAtMs, now)}, ${took}`;
  return [
    clean(run.run),
    `  ${paint(stateOf(run), toneOf(run.phase))}  ${facts}`,
    ...(run.summary === '' ? [] : paragraph(run.summary, 2)),
  ];
}

/** Phase and outcome, once where they are one word. */
export function stateOf({ phase, outcome }: RunView): string {
  return clean(outcome === null || outcome === phase ? phase : `${phase}: ${outcome}`);
}

/** Where the name of a kind of work is not a word of its own. */
const WORK_NAMES: ReadonlyMap<string, string> = new Map([
  ['HA', 'Failover'],
  ['Place', 'Placement'],
  ['ForceStop', 'Forced stop'],
]);

function about({ work, host, group, slot }: RunView): string {
  const what = group === null ? '' : ` of ${group}${slot === null ? '' : `/${slot}`}`;
  return clean(
    `${WORK_NAMES.get(work) ?? work}${what}${host === null ? '' : `${what === '' ? ' of' : ' on'} ${host}`}`,
  );
}

export function runsText(runs: readonly RunView[], now: number, paint: Paint = plain): string[] {
  return runs.length === 0 ? ['No runs yet.'] : runs.flatMap((run) => runLines(run, now, paint));
}

/** One step of a run among other runs, on as few lines as it takes. */
export function stepLine(run: RunView, step: StepView, paint: Paint = plain): string[] {
  const at = `+${span(step.atMs - run.openedAtMs)}`;
  return [`${clean(run.run)}  ${at}  ${paint(clean(step.step), 'strong')}`, ...paragraph(step.says, 2)];
}
