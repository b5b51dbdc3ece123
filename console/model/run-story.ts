/** A run as a story: steps in the order in which they happened, on one time axis with the bound that was promised. */
import type { EvidenceKind } from '../../core/config/model.ts';
import type { HostView, RunStoryView, RunView, StepView } from '../../core/protocol/views.ts';
import { EVIDENCE_WORDS } from '../../core/protocol/views.ts';
import type { Tone } from './tones.ts';
import { waitingIn } from '../../core/recovery/waiting.ts';
import { runMeaning, workWord } from './tones.ts';
import { listed, span } from './words.ts';

/** Steps of one moment are stored in the order of their names; this is the order in which the workflow takes them. */
const ORDER = [
  'Open',
  'Ask',
  'Verdict',
  'Hold',
  'Watch power',
  'Fence',
  'Brake',
  'Power fence',
  'Revoke',
  'Await proof',
  'Stop',
  'Plan',
  'Release',
  'Place',
  'Await',
  'Close',
] as const;

const TITLES: Readonly<Record<string, string>> = {
  Open: 'The run begins',
  Verdict: 'Verdict',
  'Ask EC2': 'EC2 is asked',
  'Ask guard': 'Its guard is asked',
  'Ask heartbeat': 'Its heartbeat is read again',
  'Ask probe': 'Its services are probed',
  Fence: 'Fence',
  'Power fence': 'Power-off by EC2',
  'Watch power': 'Its power is read',
  Brake: 'The storm brake is asked',
  Revoke: 'Its lease is revoked',
  'Await proof': 'Evidence',
  Stop: 'What it owned is freed',
  Plan: 'New hosts are chosen',
  Close: 'The run ends',
};

const PREFIXES: readonly (readonly [prefix: string, title: (rest: string) => string])[] = [
  ['Ask ', (rest) => `The ${rest} is asked`],
  ['Await started ', (rest) => `${rest} starts`],
  ['Place ', (rest) => `${rest} gets a new owner`],
  ['Release ', (rest) => `${rest} is released`],
];

function rank(step: string): number {
  const at = ORDER.findIndex((prefix) => step.startsWith(prefix));
  const proof = ORDER.indexOf('Await proof');
  if (step.startsWith('Await proof')) return proof;
  return at === -1 ? ORDER.length : at;
}

function titleOf(step: string): string {
  const known = Object.hasOwn(TITLES, step) ? TITLES[step] : undefined;
  if (known !== undefined) return known;
  const found = PREFIXES.find(([prefix]) => step.startsWith(prefix));
  return found === undefined ? step : found[1](step.slice(found[0].length));
}

export interface Chapter {
  readonly key: string;
  readonly title: string;
  readonly says: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** The step found or used it. */
  readonly evidence: EvidenceKind | null;
  readonly facts: readonly (readonly [name: string, value: string])[];
}

export interface Story {
  readonly run: RunView;
  readonly chapters: readonly Chapter[];
  readonly axis: Axis;
}

export function storyOf(view: RunStoryView, now: { readonly ms: number; readonly host?: HostView | undefined }): Story {
  const chapters = view.steps
    .toSorted((a, b) => endOf(a) - endOf(b) || rank(a.step) - rank(b.step) || a.n - b.n)
    .map(chapterOf);
  return { run: view.run, chapters, axis: axisOf(view, now) };
}

/** What a step says was true when it ended. */
const endOf = (step: StepView): number => step.atMs + step.tookMs;

function chapterOf(step: StepView): Chapter {
  return {
    key: `${step.n}`,
    title: titleOf(step.step),
    says: step.says,
    fromMs: step.atMs,
    toMs: endOf(step),
    evidence: evidenceOf(step),
    facts: Object.entries(step.facts).map(([name, value]) => [name, factText(value)] as const),
  };
}

/** `evidence` of the facts, a kind or a record of one; or the kind that a step's words begin with. */
function evidenceOf(step: StepView): EvidenceKind | null {
  const named = step.facts.evidence;
  if (isKind(named)) return named;
  if (typeof named === 'object' && named !== null && 'kind' in named && isKind(named.kind)) return named.kind;
  const first = step.says.split(':', 1)[0];
  return step.step.startsWith('Await proof') && isKind(first) ? first : null;
}

function isKind(value: unknown): value is EvidenceKind {
  return typeof value === 'string' && Object.hasOwn(EVIDENCE_WORDS, value);
}

function factText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

// ---- time axis ---------------------------------------------------------------------------------------------

export interface Axis {
  /** 0 of the axis: the last beat where it is known, else the opening. */
  readonly zeroMs: number;
  readonly zeroIs: 'last beat' | 'opening';
  /** End of what is drawn. */
  readonly untilMs: number;
  readonly doneMs: number;
  /** When its slots should run again; null: no bound was promised. */
  readonly boundAtMs: number | null;
  readonly isOpen: boolean;
  readonly isLate: boolean;
}

function axisOf(view: RunStoryView, now: { readonly ms: number; readonly host?: HostView | undefined }): Axis {
  const { run } = view;
  const beatMs = lastBeatMs(view);
  const zeroMs = Math.min(beatMs ?? run.openedAtMs, run.openedAtMs);
  const isOpen = run.closedAtMs === null;
  const doneMs = Math.max(run.closedAtMs ?? now.ms, run.openedAtMs);
  // Without the beat the bound is drawn from the opening, and said so: later than promised, never earlier.
  const boundAtMs = run.boundMs === null ? null : zeroMs + run.boundMs;
  const untilMs = Math.max(doneMs, boundAtMs ?? doneMs, zeroMs + 1_000);
  return {
    zeroMs,
    zeroIs: beatMs === null ? 'opening' : 'last beat',
    untilMs: zeroMs + (untilMs - zeroMs) * 1.04,
    doneMs,
    boundAtMs,
    isOpen,
    isLate: boundAtMs !== null && doneMs > boundAtMs,
  };
}

/** When the observer first held the version that then stood still. */
function lastBeatMs({ steps }: RunStoryView): number | null {
  for (const step of steps) {
    const seen = step.facts.observedAtMs ?? step.facts.observedAt;
    if (typeof seen === 'number') return seen;
  }
  return null;
}

/** Place of a moment on the axis, in percent. */
export function onAxis(axis: Axis, atMs: number): number {
  const share = (atMs - axis.zeroMs) / Math.max(1, axis.untilMs - axis.zeroMs);
  return Math.round(Math.min(1, Math.max(0, share)) * 10_000) / 100;
}

/** Round moments, at most six, for the labels below the axis: milliseconds from its zero. */
export function ticks(axis: Axis): readonly number[] {
  const length = axis.untilMs - axis.zeroMs;
  const steps = [200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000];
  const step = steps.find((candidate) => length / candidate <= 6) ?? Math.ceil(length / 6 / 3_600_000) * 3_600_000;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, n) => n * step);
}

// ---- words -------------------------------------------------------------------------------------------------

export function subjectOf(run: RunView): string {
  if (run.group !== null) return run.slot === null ? run.group : `${run.group}/${run.slot}`;
  return run.host ?? 'the cluster';
}

export function runTitle(run: RunView): string {
  return `${workWord(run.work)} of ${subjectOf(run)}`;
}

/** One sentence against the promise. */
export function againstBound(axis: Axis, run: RunView): { readonly tone: Tone; readonly says: string } {
  const took = span(axis.doneMs - axis.zeroMs);
  const since = axis.zeroIs === 'last beat' ? 'after its last heartbeat was seen' : 'after it was opened';
  if (axis.boundAtMs === null)
    return {
      tone: 'quiet',
      says: axis.isOpen ? `Open for ${took}.` : `It took ${span(axis.doneMs - run.openedAtMs)}.`,
    };
  const bound = span(axis.boundAtMs - axis.zeroMs);
  if (axis.isOpen)
    return axis.isLate
      ? { tone: 'bad', says: `${took} ${since}: the bound of ${bound} is over.` }
      : { tone: 'busy', says: `${took} ${since}; its slots should run again within ${bound}.` };
  const { tone, word } = runMeaning(run);
  if (run.outcome !== 'Recovered') return { tone, says: `${word} ${took} ${since}.` };
  const waiting = waitingIn(run.summary);
  const rest = waiting.length === 0 ? '' : ` ${listed(waiting)} ${waiting.length === 1 ? 'waits' : 'wait'} for a host.`;
  return axis.isLate
    ? { tone: 'bad', says: `${word} ${took} ${since}: later than the bound of ${bound}.${rest}` }
    : { tone, says: `${word} ${took} ${since}; the bound was ${bound}.${rest}` };
}

/** The evidence of a run, once each, in order of appearance. */
/** Only where it was found first: the steps after it lean on the same one. */
export function firstFound(story: Story): ReadonlySet<string> {
  const kinds = evidenceIn(story);
  return new Set(kinds.flatMap((kind) => story.chapters.find((chapter) => chapter.evidence === kind)?.key ?? []));
}

export function evidenceIn(story: Story): readonly EvidenceKind[] {
  return [...new Set(story.chapters.flatMap((chapter) => (chapter.evidence === null ? [] : [chapter.evidence])))];
}

export const evidenceSentence = (kinds: readonly EvidenceKind[]): string =>
  kinds.length === 0 ? '' : `Its old owner is gone: ${listed(kinds.map((kind) => EVIDENCE_WORDS[kind]))}.`;
