/** What a newcomer needs before there is anything to ask. */
import { Option } from 'commander';
import { init } from '../commands/init.ts';
import { STARTER_PROFILES, type StarterProfile } from '../text/starter.ts';
import { type DeclareVerbs, examples } from './registry.ts';

interface Options {
  readonly host?: string[];
  readonly profile: StarterProfile;
  readonly group: string;
  readonly email?: string[];
  readonly dryRun?: boolean;
}

const several = (text: string, before: string[] | undefined): string[] => [...(before ?? []), text];

export const startingVerbs: DeclareVerbs = (program, act) => {
  program
    .command('init [folder]')
    .description('write a first definition and settings of a cluster (--cluster); asks for what is not given')
    .option('--host <name=identity@zone>', 'a host: instance id, or certificate name off EC2; repeat it', several)
    .addOption(new Option('--profile <name>', 'timing').choices(STARTER_PROFILES).default('standard'))
    .option('--group <name>', 'name of the first group', 'sample')
    .option('--email <address>', 'who is called when a person is needed; repeat it', several)
    .option('--dry-run', 'print the files instead')
    .addHelpText(
      'after',
      examples([
        'holdfast init',
        'holdfast init --cluster payments --host db-1=i-0abc12345def67890@eu-west-1a --host db-2=i-0def12345abc67890@eu-west-1b',
      ]),
    )
    .action((folder: string | undefined, options: Options) =>
      act((context) =>
        init(context, {
          ...{
            folder: folder ?? '.',
            cluster: program.opts<{ cluster?: string }>().cluster,
            hosts: options.host ?? [],
          },
          ...{ profile: options.profile, group: options.group, emails: options.email ?? [] },
          dryRun: options.dryRun === true,
        }),
      ),
    );
};
