/** How verbs are declared: each gives its words to commander and its work to the program. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Context } from '../commands/context.ts';

export type Action = (context: Context) => Promise<number>;
export type Act = (action: Action) => Promise<void>;
export type DeclareVerbs = (program: Command, act: Act) => void;

export const limit = (most: number) =>
  new Option('--limit <n>', `at most this many, up to ${most}`).default(20).argParser((text) => whole(text, 1, most));

export function whole(text: string, least: number, most: number): number {
  const n = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (n >= least && n <= most) return n;
  throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}.`);
}

/** Below the options of a verb's help. */
export function examples(lines: readonly string[]): string {
  return `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
