import type { Search } from './output.ts';

/** What is wrong with a search of the rules; null if every state was visited, none is bad, and all that should happen did. */
export function rulesVerdict(search: Search, reaches: readonly string[]): string | null {
  if (search.errors > 0) return 'a rule is violated:';
  if (search.gap !== null) return `proves nothing: ${search.gap}`;
  const never = reaches.filter((words) => !search.reached.includes(words));
  return never.length === 0 ? null : `never happens: ${never.join('; ')}`;
}

/** What is wrong with the search of a mutation; null if it gave a counterexample that can be told. */
export function mutationVerdict(search: Search & { readonly trace: readonly string[] }): string | null {
  if (search.errors > 0) return search.trace.length > 0 ? null : 'violated, but without a trace';
  return search.gap === null ? 'not caught: every state visited, none bad' : `not caught: ${search.gap}`;
}
