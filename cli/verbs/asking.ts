/** Verbs that ask what would be. */
import { type AskedChange } from '../text/asking.ts';
import { addedHost, doctor, simulate, why } from '../commands/ask.ts';
import { type DeclareVerbs, examples } from './registry.ts';

export const askingVerbs: DeclareVerbs = (program, act) => {
  // In the order of the command line, across the three options.
  const changes: AskedChange[] = [];
  program
    .command('simulate')
    .description('what would move where, on the state as it is now; nothing is changed')
    .option('--down <host>', 'suppose that it dies', (host) => void changes.push({ change: 'host-down', host }))
    .option(
      '--add <host>',
      'suppose a new host: NAME[,zone=ZONE][,label.KEY=VALUE][,cpu=N][,memoryMb=N]',
      (spec) => void changes.push(addedHost(spec)),
    )
    .option(
      '--definition <file>',
      'suppose that this is applied',
      (file) => void changes.push({ change: 'file', file }),
    )
    .addHelpText(
      'after',
      `\nEach may be given again; they are supposed one after the other, in their order.\nExits with 1 if a slot would have no host.\n${examples(
        [
          'holdfast simulate --down h1',
          'holdfast simulate --down h1 --down h2',
          'holdfast simulate --add h4,zone=b,label.disk=ssd,cpu=4,memoryMb=8192 --down h1',
          'holdfast simulate --definition cluster.yaml',
        ],
      )}`,
    )
    .action(() => act((context) => simulate(context, changes)));
  program
    .command('why <slot>')
    .description('where a slot could run now, and why not elsewhere: why GROUP/SLOT, or why GROUP for all of its slots')
    .addHelpText('after', examples(['holdfast why ledger', 'holdfast why broker/1']))
    .action((subject: string) => act((context) => why(context, subject)));
  program
    .command('doctor')
    .description('what would break a failover, before it happens')
    .option('--all', 'show what is fine, too')
    .addHelpText(
      'after',
      `\nExits with 1 if a check fails; warnings alone exit with 0.\n${examples(['holdfast doctor --all'])}`,
    )
    .action((options: { all?: boolean }) => act((context) => doctor(context, { all: options.all === true })));
};
