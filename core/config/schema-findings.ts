/** Turns what zod found into findings: which place, which value, what to write instead. */
import type * as z from 'zod';
import type { Finding, Path } from './problem.ts';
import { shown, valueAt } from './problem.ts';

/** Bounded by the size of the input; only the first hundred are located and shown. Issues that come from our own schemas carry their text; zod's own words show only where a schema has none. */
export function schemaFindings(issues: readonly z.core.$ZodIssue[], input: unknown): Finding[] {
  return issues.flatMap((issue) => issueFindings(issue, input));
}

function issueFindings(issue: z.core.$ZodIssue, input: unknown): Finding[] {
  const at = issue.path.map((part): string | number => (typeof part === 'number' ? part : String(part)));
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ at: [...at, key], got: `unknown key ${shown(key)}`, change: issue.message }));
    case 'invalid_key':
      return [{ at, got: `key ${shown(at.at(-1))}`, change: issue.issues[0]?.message ?? issue.message }];
    case 'invalid_union':
      return [{ at, got: shown(valueAt(input, at)), change: unionText(issue, at) }];
    default:
      return [{ at, got: shown(valueAt(input, at)), change: issue.message }];
  }
}

function unionText(issue: z.core.$ZodIssueInvalidUnion, at: Path): string {
  const isDiscriminated = issue.errors.length === 0;
  return isDiscriminated && at.at(-1) === 'model' ? 'must be n-plus-m or n' : issue.message;
}
