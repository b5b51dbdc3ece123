import { messageOf } from '../core/failures/failures.ts';

/** What Node's `parseArgs` complains about, as one clause; undefined: some other error. */
export function argumentProblem(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  if (!String(error.code).startsWith('ERR_PARSE_ARGS_')) return undefined;
  // The sentences after the first are about words that begin with a dash, which no command here takes.
  const [first = ''] = messageOf(error).split(/\.\s/);
  return `${first.slice(0, 1).toLowerCase()}${first.slice(1)}`;
}
