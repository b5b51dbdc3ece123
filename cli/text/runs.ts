/** Runs: a list, and one run told as a story. */
import type { EvidenceKind } from '../../core/config/model.ts';
import type { RunStoryView, RunView, StepView } from '../../core/protocol/views.ts';
import { EVIDENCE_WORDS } from '../../core/protocol/views.ts';
import { paragraph, wrap, WIDTH } from './table.ts';
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
function stateOf({ phase, outcome }: RunView): string {
  return clean(outcome === null || outcome === phase ? phase : `${phase}: ${outcome}`);
}

function about({ work, host, group, slot }: RunView): string {
  const what = group === null ? '' : ` of ${group}${slot === null ? '' : `/${slot}`}`;
  return `${work}${what}${host === null ? '' : `${what === '' ? ' of' : ' on'} ${host}`}`;
}

export function runsText(runs: readonly RunView[], now: number, paint: Paint = plain): string[] {
  return runs.length === 0 ? ['No runs yet.'] : runs.flatMap((run) => runLines(run, now, paint));
}

const MARGIN = 12;

export function storyText({ run, steps }: RunStoryView, now: number, paint: Paint = plain): string[] {
  const end = run.closedAtMs;
  const last =
    end === null
      ? [`${at(now - run.openedAtMs)}${paint(`still ${run.phase}`, 'warn')}`]
      : [`${at(end - run.openedAtMs)}${paint(stateOf(run), toneOf(run.phase))}`];
  return [
    ...runLines(run, now, paint),
    '',
    ...steps.flatMap((step) => stepLines(step, run.openedAtMs, paint)),
    ...last,
  ];
}

function at(elapsedMs: number): string {
  return `+${span(elapsedMs)}`.padStart(MARGIN - 2).padEnd(MARGIN);
}

function stepLines(step: StepView, openedAtMs: number, paint: Paint): string[] {
  const took = step.tookMs >= 1 ? paint(` (${span(step.tookMs)})`, 'faint') : '';
  const evidence = evidenceText(step.facts.evidence);
  return [
    `${at(step.atMs - openedAtMs)}${paint(clean(step.step), 'strong')}${took}`,
    ...indented(step.says),
    ...(evidence === undefined ? [] : indented(`Evidence: ${evidence}.`)),
  ];
}

function indented(text: string): string[] {
  return wrap(clean(text), WIDTH - MARGIN).map((line) => `${' '.repeat(MARGIN)}${line}`);
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
