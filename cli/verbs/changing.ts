/** Verbs that change the definition or move a slot. */
import { apply, diff, validate } from '../commands/apply.ts';
import { move } from '../commands/move.ts';
import { type DeclareVerbs, examples, whole } from './registry.ts';

interface ChangeOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

export const changingVerbs: DeclareVerbs = (program, act) => {
  program
    .command('validate <files...>')
    .description('check a definition without any API; several files are one definition')
    .addHelpText('after', examples(['holdfast validate cluster.yaml', 'holdfast validate hosts.yaml groups.yaml']))
    .action((files: string[]) => act((context) => validate(context, files)));
  program
    .command('diff <files...>')
    .description('what apply would change')
    .addHelpText(
      'after',
      `\nExits with 0 if nothing would change, with 1 if something would.\n${examples(['holdfast diff cluster.yaml'])}`,
    )
    .action((files: string[]) => act((context) => diff(context, files)));
  program
    .command('apply <files...>')
    .description('check a definition, show what would change, ask, and save it')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only show what would change')
    .addHelpText('after', examples(['holdfast apply cluster.yaml', 'holdfast apply cluster.yaml --yes --json']))
    .action((files: string[], options: ChangeOptions) =>
      act((context) => apply(context, files, { yes: options.yes === true, dryRun: options.dryRun === true })),
    );
  program
    .command('move <group>')
    .description('move a slot to another host: released there before it is started here')
    .option('--slot <n>', 'which slot; needed if the group has several', (text) => whole(text, 0, 9999))
    .option('--to <host>', 'where to; else the planner chooses')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only show the plan')
    .addHelpText('after', examples(['holdfast move ledger', 'holdfast move broker --slot 1 --to h3']))
    .action((group: string, options: ChangeOptions & { slot?: number; to?: string }) =>
      act((context) =>
        move(context, group, {
          slot: options.slot,
          to: options.to,
          yes: options.yes === true,
          dryRun: options.dryRun === true,
        }),
      ),
    );
};
