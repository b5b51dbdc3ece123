/** An execution as Step Functions tells it, step by step. */
import type { HistoryEvent } from '@aws-sdk/client-sfn';

const EXCERPT_MAX = 150;

export interface Visit {
  readonly state: string;
  /** Since the start of the execution. */
  readonly enteredMs: number;
  /** Absent: never left, or by the end of the execution. */
  readonly tookMs: number | null;
  /** What the state handed on that it did not get. */
  readonly output: string;
}

/** Every state that was entered, in that order. Of states that run several times at once, the first to leave is the first that came. */
export function visitsOf(events: readonly HistoryEvent[]): Visit[] {
  const startMs = events[0]?.timestamp?.getTime() ?? 0;
  const exits = events.filter(({ stateExitedEventDetails }) => stateExitedEventDetails !== undefined);
  const taken = new Set<HistoryEvent>();
  return events.flatMap((event) => {
    const state = event.stateEnteredEventDetails?.name;
    if (state === undefined) return [];
    const enteredAtMs = event.timestamp?.getTime() ?? 0;
    const exit = exits.find(
      (each) =>
        !taken.has(each) &&
        each.stateExitedEventDetails?.name === state &&
        Number(each.id ?? 0) > Number(event.id ?? 0),
    );
    if (exit !== undefined) taken.add(exit);
    const leftAtMs = exit?.timestamp?.getTime();
    const input = event.stateEnteredEventDetails?.input;
    const output = excerpt(input, exit?.stateExitedEventDetails?.output);
    const tookMs = leftAtMs === undefined ? null : leftAtMs - enteredAtMs;
    return [{ state, enteredMs: enteredAtMs - startMs, tookMs, output }];
  });
}

/** How it ended: `ExecutionSucceeded` … */
export function endOf(events: readonly HistoryEvent[]): string {
  return events.findLast(({ type }) => type?.startsWith('Execution') === true)?.type ?? 'nothing';
}

export function errorsOf(events: readonly HistoryEvent[]): string[] {
  return events.flatMap((event) => {
    const details = event.taskFailedEventDetails ?? event.executionFailedEventDetails;
    return details === undefined ? [] : [`${details.error ?? ''}: ${(details.cause ?? '').slice(0, EXCERPT_MAX)}`];
  });
}

export function historyLines(events: readonly HistoryEvent[]): string[] {
  const lines = visitsOf(events).map(({ state, enteredMs, tookMs, output }) => {
    const took = tookMs === null ? '' : `${String(tookMs)} ms`;
    return `  ${String(enteredMs).padStart(7)} ms  ${state.padEnd(16)} ${took.padStart(9)}  ${output}`;
  });
  return [...lines, `  ${endOf(events)}`, ...errorsOf(events).map((error) => `  an attempt failed: ${error}`)];
}

function excerpt(input: string | undefined, output: string | undefined): string {
  const before = json(input);
  const after = json(output);
  const said = wordsOf(after);
  if (output === undefined || JSON.stringify(before) === JSON.stringify(after)) return '';
  const text = said ?? JSON.stringify(after);
  return text.length > EXCERPT_MAX ? `${text.slice(0, EXCERPT_MAX)}…` : text;
}

/** `next: says`, of the work or of each branch. */
function wordsOf(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const all = value.flatMap((each: unknown) => wordsOf(each) ?? []);
    return all.length === 0 ? undefined : all.join(' | ');
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if ('answers' in value && !('next' in value) && Array.isArray(value.answers)) {
    const judged = 'work' in value ? wordsOf(value.work) : undefined;
    return judged ?? wordsOf(value.answers);
  }
  if ('work' in value) return wordsOf(value.work);
  const next = 'next' in value && typeof value.next === 'string' ? `${value.next}: ` : '';
  return 'says' in value && typeof value.says === 'string' ? `${next}${value.says}` : undefined;
}

function json(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
