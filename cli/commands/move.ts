/** `move`: shows the plan of a planned move, asks, and starts it. */
import { HaError } from '../../core/failures/failures.ts';
import type { ApiClient } from '../../adapters/node/api-client.ts';
import { paragraph } from '../text/table.ts';
import { EXIT } from '../exit.ts';
import { answer, confirmed, type Context } from './context.ts';
import { unknown } from './show.ts';

export interface MoveOptions {
  readonly slot?: number | undefined;
  readonly to?: string | undefined;
  readonly yes: boolean;
  readonly dryRun: boolean;
}

export async function move(context: Context, group: string, options: MoveOptions): Promise<number> {
  const client = await context.client();
  const slot = options.slot ?? (await onlySlot(client, group));
  const request = { slot, ...(options.to === undefined ? {} : { to: options.to }) };
  const preview = await client.move(group, { ...request, dryRun: true });
  if (!context.json) {
    const steps = preview.plan.flatMap((step) => paragraph(step, 2));
    context.io.out(`Plan for ${group}/${slot}:\n${steps.join('\n')}\n`);
  }
  if (options.dryRun) {
    if (context.json) answer(context, preview, () => []);
    else context.io.out('Nothing was changed.\n');
    return 0;
  }
  if (!(await confirmed(context, 'Do this?', options.yes))) {
    context.io.out('Nothing was changed.\n');
    return EXIT.no;
  }
  const started = await client.move(group, request);
  answer(context, started, () => [
    `Started ${started.run ?? 'it'}. Follow it: holdfast run ${started.run ?? 'ID'} --follow`,
  ]);
  return 0;
}

async function onlySlot(client: ApiClient, group: string): Promise<number> {
  const { groups } = await client.status();
  const view = groups.find(({ name }) => name === group);
  if (view === undefined) throw unknown('group', group, groups);
  const [first, ...more] = view.slots;
  if (first !== undefined && more.length === 0) return first.slot;
  const slots = view.slots.map(({ slot }) => slot).join(', ');
  throw new HaError(
    'config_invalid',
    `group ${group} has ${view.slots.length} slots: say which with --slot (${slots})`,
  );
}
