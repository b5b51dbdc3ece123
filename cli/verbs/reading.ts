/** Verbs that only read. */
import { type Command, Option } from 'commander';
import { followEvents, followRun, followRuns } from '../commands/followers.ts';
import { showDefinition, showEvents, showOne, showRun, showRuns, showStatus } from '../commands/show.ts';
import { watchStatus } from '../commands/watch.ts';
import { type Act, type DeclareVerbs, examples, limit, whole } from './registry.ts';

export const readingVerbs: DeclareVerbs = (program, act) => {
  program
    .command('status')
    .description('hosts, groups and open runs')
    .option('--watch', 'redraw every second')
    .addHelpText('after', examples(['holdfast status', 'holdfast status --watch']))
    .action((options: { watch?: boolean }) => act(options.watch === true ? watchStatus : showStatus));
  consoleVerb(program, act);
  program
    .command('show [kind] [name]')
    .description('the definition in force, or one host or group: show host NAME, show group NAME')
    .addHelpText('after', examples(['holdfast show', 'holdfast show host h1', 'holdfast show group ledger']))
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
    .option('--follow', 'go on with every run and step that comes')
    .addHelpText('after', examples(['holdfast runs --limit 5', 'holdfast runs --follow']))
    .action((options: { limit: number; follow?: boolean }) =>
      act((context) => (options.follow === true ? followRuns : showRuns)(context, options.limit)),
    );
  program
    .command('run <id>')
    .description('one run as a story: what was believed when, on what evidence, and how it ended')
    .option('--follow', 'stay until it has ended')
    .addHelpText('after', examples(['holdfast run place.ledger.0.e0.1', 'holdfast run place.ledger.0.e0.1 --follow']))
    .action((id: string, options: { follow?: boolean }) =>
      act((context) => (options.follow === true ? followRun : showRun)(context, id)),
    );
  program
    .command('events')
    .description('what happened, newest last')
    .addOption(limit(1000))
    .option('--follow', 'go on with what happens next')
    .addHelpText('after', examples(['holdfast events --limit 100', 'holdfast events --follow --json']))
    .action((options: { limit: number; follow?: boolean }) =>
      act((context) => (options.follow === true ? followEvents : showEvents)(context, options.limit)),
    );
};

function consoleVerb(program: Command, act: Act): void {
  program
    .command('console')
    .description('the web console, here on loopback: its requests go to the API signed, or with your token')
    .addOption(
      new Option('--port <n>', 'to listen on; 0: any free one').default(0).argParser((text) => whole(text, 0, 65_535)),
    )
    .addHelpText(
      'after',
      `\nPrints an address with a token of this run. Whoever has it acts in your name, until Ctrl-C.\n${examples([
        'holdfast console --api https://abc123.execute-api.eu-central-1.amazonaws.com',
      ])}`,
    )
    .action((options: { port: number }) =>
      act(async (context) => {
        // No other command waits for a server's modules.
        const { openConsole } = await import('../commands/console.ts');
        return openConsole(context, options.port);
      }),
    );
}
