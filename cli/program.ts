/** The `holdfast` command line: one exit status per fault (the failure table), text or JSON from one view. */
import { Command, CommanderError } from 'commander';
import { FAILURES, failureCode, messageOf } from '../core/failures/failures.ts';
import { type AddressOptions, apiAddress } from './api-address.ts';
import { apiClient } from '../adapters/node/api-client.ts';
import type { Context } from './commands/context.ts';
import { EXIT } from './exit.ts';
import type { CliIo } from './io.ts';
import { ansi, plain } from './text/words.ts';
import { askingVerbs } from './verbs/asking.ts';
import { changingVerbs } from './verbs/changing.ts';
import { operatingVerbs } from './verbs/operating.ts';
import { readingVerbs } from './verbs/reading.ts';
import { startingVerbs } from './verbs/starting.ts';
import type { Act } from './verbs/registry.ts';

interface GlobalOptions extends AddressOptions {
  readonly json?: boolean;
}

/** Runs one command line (without `node` and the script) and returns the exit status. */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  let status = 0;
  const options = (): GlobalOptions => program.opts<GlobalOptions>();
  const program = programOf(io, async (action) => {
    status = await action(contextOf(options(), io));
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : FAILURES.config_invalid.exit;
    return failed(error, options().json === true, io);
  }
}

/** Every verb with its options and help. */
export function programOf(io: Pick<CliIo, 'out' | 'err'>, act: Act): Command {
  const program = new Command('holdfast');
  describe(program, io);
  program.commandsGroup('Begin:');
  startingVerbs(program, act);
  program.commandsGroup('Look:');
  readingVerbs(program, act);
  program.commandsGroup('Ask what would be:');
  askingVerbs(program, act);
  program.commandsGroup('Change:');
  changingVerbs(program, act);
  program.commandsGroup('Operate:');
  operatingVerbs(program, act);
  return program;
}

function contextOf(options: GlobalOptions, io: CliIo): Context {
  const isColoured = io.isTerminal && (io.env.NO_COLOR ?? '') === '';
  return {
    io,
    json: options.json === true,
    paint: isColoured ? ansi : plain,
    client: async () => apiClient(await apiAddress(options, io)),
    address: () => apiAddress(options, io),
  };
}

function failed(error: unknown, json: boolean, io: CliIo): number {
  const code = failureCode(error);
  const text = messageOf(error);
  if (json) io.out(`${JSON.stringify({ error: { code: code ?? 'bug', message: text } })}\n`);
  else io.err(`holdfast: ${text}${code === undefined ? '' : ` [${code}]`}\n`);
  return code === undefined ? EXIT.bug : FAILURES[code].exit;
}

const AFTER_HELP = `
Verbs that stop, move or fence something show their plan and ask first; --yes answers for scripts.
Exit status: 0 done; 1 the answer is no (declined, differs, a failed check); 2 wrong words or a bad definition;
others as in docs/operating/cli.md. "holdfast VERB --help" shows examples.`;

function describe(program: Command, io: Pick<CliIo, 'out' | 'err'>): void {
  program
    .description('High availability for services on EC2 and other Linux hosts, without a cluster to run')
    .option('--api <url>', 'the API (else HOLDFAST_API, else .holdfast/api.json here, else http://127.0.0.1:7777)')
    .option('--auth <how>', 'iam: sign with your AWS credentials (the default at an address of API Gateway); token')
    .option('--token <token>', 'token for the API (else HOLDFAST_TOKEN, else .holdfast/api.json here)')
    .option('--token-command <line>', 'shell line that prints the token (else HOLDFAST_TOKEN_COMMAND)')
    .option('--region <region>', 'to sign for, where the address does not say it (else AWS_REGION)')
    .option('--cluster <name>', 'which cluster (else HOLDFAST_CLUSTER); may be left out while there is only one')
    .option('--json', 'print the view as JSON')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    .showSuggestionAfterError(true)
    .showHelpAfterError('(holdfast --help shows every command)')
    .addHelpText('after', AFTER_HELP);
}
