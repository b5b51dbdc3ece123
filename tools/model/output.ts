/**
 * Reads what a verifier made by spin prints. A search counts only if it says itself that it kept every state in full
 * and went to the end; whatever this reader does not know counts as a failure.
 */
export interface Search {
  readonly states: number;
  readonly depth: number;
  readonly errors: number;
  /** Why the search proves nothing although it found nothing; null if it visited every state. */
  readonly gap: string | null;
  /** What the model says has happened at least once, in the order in which it happened first. */
  readonly reached: readonly string[];
}

const GAPS: readonly (readonly [RegExp, string])[] = [
  [/max search depth too small/, 'the search depth was too small'],
  [/out of memory|-DMEMLIM bound|resource limitation/i, 'out of memory'],
  [/Bit statespace search/, 'states were kept as bits only'],
  [/Hash-Compact/i, 'states were kept as hashes only'],
  [/VECTORSZ|too many|cannot allocate/i, 'a limit of the verifier was reached'],
  [/Search not completed/, 'the search was not completed'],
];

export function readSearch(text: string): Search {
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 'NaN');
  const errors = number(/, errors: (\d+)/);
  const states = number(/^\s*([\d.e+]+) states, stored/m);
  const reached = [...text.matchAll(/^reached: (.+)$/gm)].map(([, words]) => words ?? '');
  const search = { states, depth: number(/depth reached (\d+)/), errors, reached };
  if (errors > 0) return { ...search, gap: null };
  return { ...search, gap: gapOf(text, errors, states) };
}

function gapOf(text: string, errors: number, states: number): string | null {
  for (const [pattern, why] of GAPS) if (pattern.test(text)) return why;
  if (!(errors === 0 && states > 0)) return 'the verifier did not say what it found';
  if (!text.includes('Full statespace search for:')) return 'the verifier did not say that it kept every state';
  if (!/assertion violations\s+\+/.test(text)) return 'assertions were not checked';
  return null;
}

/** The steps of a counterexample in words, from the replay of a trail. */
export function readTrace(text: string): readonly string[] {
  return [...text.matchAll(/^> (.+)$/gm)].map(([, words]) => words ?? '');
}

/** The assertion that failed, as the verifier prints it. */
export function readAssertion(text: string): string {
  return /assertion violated (.+?) \(at depth/.exec(text)?.[1]?.trim() ?? 'none';
}
