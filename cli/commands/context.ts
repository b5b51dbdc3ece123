/** What every command is given, and the ways to answer and to ask. */
import { HaError } from '../../core/failures/failures.ts';
import type { ApiAddress, ApiClient } from '../../adapters/node/api-client.ts';
import type { CliIo } from '../io.ts';
import type { Paint } from '../text/words.ts';

export interface Context {
  readonly io: CliIo;
  readonly json: boolean;
  readonly paint: Paint;
  /** Read late: `validate` needs no API. */
  client(): Promise<ApiClient>;
  address(): Promise<ApiAddress>;
}

/** One view, as one JSON object or as lines. */
export function answer(context: Context, view: unknown, lines: () => readonly string[]): void {
  context.io.out(context.json ? `${JSON.stringify(view)}\n` : `${lines().join('\n')}\n`);
}

/** True on an explicit yes. Refuses to guess where nobody can answer. */
export async function confirmed(context: Context, question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  return /^y(es)?$/i.test(await asked(context, `${question} [y/N] `));
}

/** What a person typed, without blanks around it. Where nobody can be asked, this is refused. */
export async function asked({ io, json }: Context, question: string): Promise<string> {
  if (!io.isInteractive || json)
    throw new HaError('config_invalid', 'this changes the cluster and nobody can be asked here: add --yes');
  return (await io.ask(question)).trim();
}
