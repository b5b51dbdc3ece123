/** The `holdfast` command line: one exit status per fault (the failure table), text or JSON from one view. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { FAILURES, failureCode, messageOf } from '../core/failures/failures.ts';
import { apiAddress } from './api-address.ts';
import { apiClient } from '../adapters/node/api-client.ts';
import { apply, validate } from './commands/apply.ts';
import type { Context } from './commands/context.ts';
import { move } from './commands/move.ts';
import { showDefinition, showEvents, showOne, showRun, showRuns, showStatus } from './commands/show.ts';
import { followEvents, watchStatus } from './commands/watch.ts';
import type { CliIo } from './io.ts';
import { ansi, plain } from './text/words.ts';

interface GlobalOptions {
  readonly api?: string;
  readonly token?: string;
  readonly json?: boolean;
}

type Action = (context: Context) => Promise<number>;

/** A fault without a code of the table is a bug of ours; shells know it as a software error. */
const EXIT_BUG = 70;

/** Runs one command line (without `node` and the script) and returns the exit status. */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  let status = 0;
  const program = new Command('holdfast');
  const act = async (action: Action): Promise<void> => {
    status = await action(contextOf(program.opts<GlobalOptions>(), io));
  };
  describe(program, io);
  readCommands(program, act);
  changeCommands(program, act);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : FAILURES.config_invalid.exit;
    return failed(error, program.opts<GlobalOptions>().json === true, io);
  }
}

function contextOf(options: GlobalOptions, io: CliIo): Context {
  const isColoured = io.isTerminal && (io.env.NO_COLOR ?? '') === '';
  return {
    io,
    json: options.json === true,
    paint: isColoured ? ansi : plain,
    client: async () => apiClient(await apiAddress(options, io)),
  };
}

function failed(error: unknown, json: boolean, io: CliIo): number {
  const code = failureCode(error);
  const text = messageOf(error);
  if (json) io.out(`${JSON.stringify({ error: { code: code ?? 'bug', message: text } })}\n`);
  else io.err(`holdfast: ${text}${code === undefined ? '' : ` [${code}]`}\n`);
  return code === undefined ? EXIT_BUG : FAILURES[code].exit;
}

function describe(program: Command, io: CliIo): void {
  program
    .description('High availability for services on EC2 and other Linux hosts, without a cluster to run')
    .option('--api <url>', 'the API (else HOLDFAST_API, else .holdfast/api.json here, else http://127.0.0.1:7777)')
    .option('--token <token>', 'token for the API (else HOLDFAST_TOKEN, else .holdfast/api.json here)')
    .option('--json', 'print the view as JSON')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    .showHelpAfterError('(holdfast --help shows every command)');
}

const limit = (most: number) =>
  new Option('--limit <n>', `at most this many, up to ${most}`).default(20).argParser((text) => whole(text, 1, most));

function readCommands(program: Command, act: (action: Action) => Promise<void>): void {
  program
    .command('status')
    .description('hosts, groups and open runs')
    .option('--watch', 'redraw every second')
    .action((options: { watch?: boolean }) => act(options.watch === true ? watchStatus : showStatus));
  program
    .command('show [kind] [name]')
    .description('the definition in force, or one host or group: show host NAME, show group NAME')
    .action((kind: string | undefined, name: string | undefined, _: object, command: Command) => {
      if (kind === undefined) return act(showDefinition);
      if ((kind !== 'host' && kind !== 'group') || name === undefined)
        command.error('error: say show, show host NAME or show group NAME');
      return act((context) => showOne(context, kind, name));
    });
  program
    .command('runs')
    .description('HA runs and planned work, newest first')
    .addOption(limit(500))
    .action((options: { limit: number }) => act((context) => showRuns(context, options.limit)));
  program
    .command('run <id>')
    .description('one run, step by step')
    .action((id: string) => act((context) => showRun(context, id)));
  program
    .command('events')
    .description('what happened, newest last')
    .addOption(limit(1000))
    .option('--follow', 'go on with what happens next')
    .action((options: { limit: number; follow?: boolean }) =>
      act((context) =>
        options.follow === true ? followEvents(context, options.limit) : showEvents(context, options.limit),
      ),
    );
}

function changeCommands(program: Command, act: (action: Action) => Promise<void>): void {
  program
    .command('validate <files...>')
    .description('check a definition without any API; several files are one definition')
    .action((files: string[]) => act((context) => validate(context, files)));
  program
    .command('apply <files...>')
    .description('check a definition, show what would change, ask, and save it')
    .option('--yes', 'do not ask')
    .action((files: string[], options: { yes?: boolean }) =>
      act((context) => apply(context, files, { yes: options.yes === true })),
    );
  program
    .command('move <group>')
    .description('move a slot to another host: released there before it is started here')
    .option('--slot <n>', 'which slot; needed if the group has several', (text) => whole(text, 0, 9999))
    .option('--to <host>', 'where to; else the planner chooses')
    .option('--yes', 'do not ask')
    .action((group: string, options: { slot?: number; to?: string; yes?: boolean }) =>
      act((context) => move(context, group, { slot: options.slot, to: options.to, yes: options.yes === true })),
    );
}

function whole(text: string, least: number, most: number): number {
  const n = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (n >= least && n <= most) return n;
  throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}.`);
}
