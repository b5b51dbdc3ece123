/**
 * One run told to somebody who was not there: what kind of work it was, what was believed when and on what evidence,
 * how long it might have taken and how long it took, and how it ended.
 */
import type { EvidenceKind } from '../../core/config/model.ts';
import type { WorkType } from '../../core/protocol/records.ts';
import type { RunStoryView, RunView, StepView } from '../../core/protocol/views.ts';
import { EVIDENCE_WORDS } from '../../core/protocol/views.ts';
import { waitingIn } from '../../core/recovery/waiting.ts';
import { stateOf } from './runs.ts';
import { paragraph, wrap, WIDTH } from './table.ts';
import { age, clean, type Paint, plain, span, toneOf } from './words.ts';

const MARGIN = 12;

const WORK_WORDS: Readonly<Record<WorkType, (what: string) => string>> = {
  HA: (what) =>
    `Failover of ${what}: find out whether it is gone, make sure that it runs nothing any more, and only then start elsewhere what it owned.`,
  Place: (what) => `Placement of ${what}: it had no owner and needed one.`,
  Move: (what) => `Planned move of ${what}: stopped and proven stopped where it was, then started elsewhere.`,
  Drain: (what) => `Planned emptying of ${what}: each slot stopped there before it is started elsewhere.`,
  Stop: (what) => `Stop of ${what}: it is no longer defined.`,
  ForceStop: (what) => `Forced stop of ${what}, asked for by an operator.`,
  Failback: (what) => `Return of ${what} to the host that it prefers.`,
  Restart: (what) => `Restart of ${what} elsewhere: it failed where it was, beyond its restarts there.`,
};

/** A newer control plane may know other kinds of work (S19). */
const WORDS: ReadonlyMap<string, (what: string) => string> = new Map(Object.entries(WORK_WORDS));

/** What the end of a run means to somebody who sees the word for the first time. */
const OUTCOME_WORDS: Readonly<Record<string, string>> = {
  Placed: 'It has an owner again.',
  Moved: 'It runs on its new host.',
  Restarted: 'It runs on another host.',
  Stopped: 'It is stopped and stays so.',
  Alive: 'The host renewed its lease after all. Nothing was stopped, nothing was moved.',
  Disconnected: 'The host is alive but cut off. Nothing was done to it; it is looked at again.',
  Recovered: 'What the host owned has an owner again.',
  Held: 'Nothing more is done by itself until evidence, capacity or policy change: a person was told.',
  Gone: 'What the work was for is no longer there. Nothing was done.',
  Duplicate: 'Another run does this work. Nothing was done here.',
  Cancelled: 'Nothing was changed.',
  Error: 'The workflow failed. What it had claimed is free again; reconcile goes on from what is stored.',
};

function outcomeWords({ outcome, summary }: RunView): string | undefined {
  const waiting = outcome === 'Recovered' ? waitingIn(summary) : [];
  if (waiting.length === 0) return outcome === null ? undefined : OUTCOME_WORDS[outcome];
  const does = waiting.length === 1 ? 'does not run: it waits' : 'do not run: they wait';
  return `${waiting.join(', ')} ${does} for a host that may take it. The rest of what the host owned has an owner again.`;
}

export function storyText(view: RunStoryView, now: number, paint: Paint = plain): string[] {
  return [
    ...storyHead(view, now, paint),
    '',
    ...stepsText(view.run, view.steps, [], paint),
    ...storyEnd(view, now, paint),
  ];
}

export function storyHead({ run }: RunStoryView, now: number, paint: Paint = plain): string[] {
  const what = subjectOf(run);
  const words = WORDS.get(run.work)?.(what) ?? `${run.work} of ${what}.`;
  const state = run.closedAtMs === null ? `Still ${run.phase}` : stateOf(run);
  const took = run.closedAtMs === null ? '' : ` after ${span(run.closedAtMs - run.openedAtMs)}`;
  return [
    `Run ${paint(clean(run.run), 'strong')}`,
    ...paragraph(words, 2),
    `  ${paint(state, toneOf(run.phase))}${took}. Opened ${utc(run.openedAtMs)}, ${age(run.openedAtMs, now)}.`,
    ...(run.summary === '' ? [] : paragraph(run.summary, 2)),
    paint('  Below: time since the opening, what was done (how long it took), what was found.', 'faint'),
  ];
}

/** The last line on the time axis, what the end means, and what the bound says about it. */
export function storyEnd(view: RunStoryView, now: number, paint: Paint = plain): string[] {
  const { run } = view;
  const end = run.closedAtMs;
  const bound = boundText(view, now);
  const meaning = end === null ? undefined : outcomeWords(run);
  return [
    end === null
      ? `${at(now - run.openedAtMs)}${paint(`still ${clean(run.phase)}`, 'warn')}`
      : `${at(end - run.openedAtMs)}${paint(stateOf(run), toneOf(run.phase))}`,
    ...(meaning === undefined ? [] : indented(meaning)),
    ...(bound === undefined ? [] : ['', ...paragraph(bound)]),
  ];
}

/** V10 counts from the last heartbeat that was seen; where no step says when that was, from the opening of the run. */
function boundText({ run, steps }: RunStoryView, now: number): string | undefined {
  if (run.boundMs === null || run.outcome === 'Alive') return undefined;
  const seenAtMs = steps.map(({ facts }) => facts.observedAtMs).find((moment) => typeof moment === 'number');
  const from = seenAtMs ?? run.openedAtMs;
  const start =
    seenAtMs === undefined ? 'the opening of the run' : "the moment that the host's last heartbeat was seen";
  const tookMs = (run.closedAtMs ?? now) - from;
  const bound = `Computed bound: ${span(run.boundMs)} from ${start}.`;
  const isWithin = tookMs <= run.boundMs;
  if (run.closedAtMs === null)
    return `${bound} ${span(tookMs)} have passed${isWithin ? '' : ': it takes longer than it should'}.`;
  if (run.phase !== 'Done') return `${bound} The run ended otherwise after ${span(tookMs)}.`;
  return `${bound} It took ${span(tookMs)}: ${isWithin ? 'within the bound' : 'LONGER than the bound, which assumes that a place is left and AWS answers'}.`;
}

/** `4.9 s` after the opening, or before it. */
function at(elapsedMs: number): string {
  return `${elapsedMs < 0 ? '-' : '+'}${span(Math.abs(elapsedMs))}`.padStart(MARGIN - 2).padEnd(MARGIN);
}

/** Steps after those that were `told`; what was said before is not explained again. */
export function stepsText(
  run: RunView,
  steps: readonly StepView[],
  told: readonly StepView[],
  paint: Paint = plain,
): string[] {
  const said = told.map(({ says }) => says);
  return steps.flatMap((step) => {
    if (isOnlyTheEnd(run, step)) return [];
    const because = becauseOf(step.facts.evidence);
    said.push(step.says);
    const isKnown = because === undefined || said.some((text) => text.includes(because));
    if (because !== undefined) said.push(because);
    return [...stepLines(step, run.openedAtMs, paint), ...(isKnown ? [] : indented(`Because ${because}.`))];
  });
}

/** The last step of a closed run says its summary once more. */
function isOnlyTheEnd(run: RunView, { step, says }: StepView): boolean {
  return step === 'Close' && run.closedAtMs !== null && run.summary !== '' && says.endsWith(run.summary);
}

function stepLines(step: StepView, openedAtMs: number, paint: Paint): string[] {
  const took = step.tookMs >= 1 ? paint(` (${span(step.tookMs)})`, 'faint') : '';
  const evidence = evidenceText(step.facts.evidence);
  return [
    `${at(step.atMs - openedAtMs)}${paint(clean(step.step), 'strong')}${answerOf(step)}${took}`,
    ...indented(step.says),
    ...(evidence === undefined ? [] : indented(`Evidence: ${evidence}.`)),
  ];
}

/** What an investigator answered: alive, dead or unknown. */
function answerOf({ facts }: StepView): string {
  const { answer } = facts;
  return typeof answer === 'string' && answer !== '' ? `: ${clean(answer)}` : '';
}

function becauseOf(fact: unknown): string | undefined {
  const because: unknown = typeof fact === 'object' && fact !== null && 'because' in fact ? fact.because : undefined;
  return typeof because === 'string' && because !== '' ? because : undefined;
}

function indented(text: string): string[] {
  return wrap(clean(text), WIDTH - MARGIN).map((line) => `${' '.repeat(MARGIN)}${line}`);
}

function subjectOf({ host, group, slot }: RunView): string {
  if (group !== null) return `${group}${slot === null ? '' : `/${slot}`}`;
  return host === null ? 'the cluster' : `host ${host}`;
}

function isEvidence(kind: string): kind is EvidenceKind {
  return Object.hasOwn(EVIDENCE_WORDS, kind);
}

/** A kind, or a record with a kind; an unknown kind is shown as it is. */
export function evidenceText(fact: unknown): string | undefined {
  const kind: unknown = typeof fact === 'object' && fact !== null && 'kind' in fact ? fact.kind : fact;
  if (typeof kind !== 'string') return undefined;
  return isEvidence(kind) ? `${EVIDENCE_WORDS[kind]} (${kind})` : kind;
}

/** `2026-03-01 12:00:03 UTC`: of a machine somewhere else, so that it says which noon. */
function utc(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
