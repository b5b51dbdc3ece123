/** Verbs about hosts, and the cluster's switch. */
import { type Command, Argument } from 'commander';
import type { HostVerb } from '../../core/protocol/views.ts';
import { type OperateOptions, operateHost, operateSwitch } from '../commands/operate.ts';
import { type Act, type DeclareVerbs, examples } from './registry.ts';

/** Shows its plan first and asks; the others are undone by one word and do not. */
const HOST_VERBS: readonly {
  readonly verb: HostVerb;
  readonly does: string;
  readonly more: string;
  readonly asks: boolean;
  readonly example: string;
}[] = [
  {
    verb: 'drain',
    does: 'move everything away from a host and leave it in maintenance',
    more: 'Each slot is stopped there before it is started elsewhere, few at a time. What has no other place stays until there is one.',
    asks: true,
    example: 'holdfast drain h1 --reason "new disk"',
  },
  {
    verb: 'lock',
    does: 'move everything away and give it nothing until it is unlocked',
    more: 'Refused while the host is the only one that can run something or the last standby, unless forced. Only unlock ends it.',
    asks: true,
    example: 'holdfast lock h1 --reason "suspected bad memory"',
  },
  {
    verb: 'unlock',
    does: 'end a lock: the host may be given slots again',
    more: 'Nothing moves back by itself unless the definition says so.',
    asks: false,
    example: 'holdfast unlock h1',
  },
  {
    verb: 'disable',
    does: 'give a host nothing new; what runs there runs on',
    more: 'For a host that is under suspicion but not yet to be emptied.',
    asks: false,
    example: 'holdfast disable h1 --reason "flapping link"',
  },
  {
    verb: 'enable',
    does: 'end disable, maintenance or drain: the host may be given slots again',
    more: 'Nothing moves back by itself unless the definition says so.',
    asks: false,
    example: 'holdfast enable h1',
  },
  {
    verb: 'fence',
    does: 'power a host off, so that what it ran can start elsewhere',
    more: 'Asks for the name of the host, typed. Needs a power fence in the definition. Never make it a habit: drain is gentler.',
    asks: true,
    example: 'holdfast fence h1 --reason "hangs, console is dead"',
  },
];

export const operatingVerbs: DeclareVerbs = (program, act) => {
  for (const { verb, does, more, asks, example } of HOST_VERBS) {
    withOptions(program.command(`${verb} <host>`).description(does), asks)
      .addHelpText('after', `\n${more}\n${examples([example])}`)
      .action((host: string, options: OperateOptions) => act((context) => operateHost(context, verb, host, options)));
  }
  maintenance(program, act);
  withOptions(
    program
      .command('switch')
      .description('the kill switch: while it is off nothing is started, moved or fenced automatically')
      .addArgument(new Argument('<state>', 'on or off').choices(['on', 'off'])),
    true,
  )
    .addHelpText(
      'after',
      `\nHosts keep their leases and what they run; a host that loses its lease still stops what is covered.\n${examples(
        ['holdfast switch off --reason "network change tonight"', 'holdfast switch on'],
      )}`,
    )
    .action((state: string, options: OperateOptions) =>
      act((context) => operateSwitch(context, state === 'on', options)),
    );
};

function maintenance(program: Command, act: Act): void {
  withOptions(
    program
      .command('maintenance <host>')
      .description('empty a host as far as it can be and give it nothing while it is worked on'),
    true,
  )
    .option('--off', 'the work is done: the host may be given slots again')
    .addHelpText(
      'after',
      `\nAs drain, but with a reason that others read in the status.\n${examples([
        'holdfast maintenance h1 --reason "kernel update"',
        'holdfast maintenance h1 --off',
      ])}`,
    )
    .action((host: string, { off, ...options }: OperateOptions & { off?: boolean }) =>
      act((context) => operateHost(context, off === true ? 'enable' : 'maintenance', host, options)),
    );
}

function withOptions(command: Command, asks: boolean): Command {
  command.option('--reason <text>', 'why, for the record');
  // Verbs that do not ask take it, too, so that a script need not know which do.
  command.option('--yes', asks ? 'do not ask' : 'taken for the sake of scripts: this verb does not ask');
  return command
    .option('--dry-run', 'only show the plan')
    .option('--force', 'do it although something speaks against it; overrides no safety rule');
}
