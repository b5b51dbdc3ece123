/** Questions about what would be: simulate, why, doctor. They change nothing. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import type { HypotheticalChange } from '../../core/protocol/views.ts';
import { EXIT } from '../exit.ts';
import { type AskedChange, doctorText, simulateText, whyText } from '../text/asking.ts';
import { answer, type Context } from './context.ts';
import { unknown } from './show.ts';

export async function simulate(context: Context, asked: readonly AskedChange[]): Promise<number> {
  if (asked.length === 0)
    throw new HaError('config_invalid', 'say what to suppose: --down HOST, --add HOST or --definition FILE');
  const changes = await Promise.all(asked.map((change) => changeOf(context, change)));
  const view = await (await context.client()).simulate({ changes });
  answer(context, view, () => simulateText(asked, view, context.paint));
  return view.slots.some(({ to }) => to === null) ? EXIT.no : 0;
}

async function changeOf(context: Context, asked: AskedChange): Promise<HypotheticalChange> {
  if (asked.change !== 'file') return asked;
  try {
    const yaml = await readFile(resolve(context.io.directory, asked.file), 'utf8');
    return { change: 'definition', yaml };
  } catch (error) {
    throw new HaError('not_found', `cannot read ${asked.file}: ${messageOf(error)}`);
  }
}

/** `h4,zone=b,label.disk=ssd,cpu=4,memoryMb=8192` */
export function addedHost(spec: string): AskedChange {
  const [name = '', ...parts] = spec.split(',').map((part) => part.trim());
  const refuse = (got: string): never => {
    const form = 'HOST[,zone=ZONE][,label.KEY=VALUE][,cpu=N][,memoryMb=N]';
    throw new HaError('config_invalid', `--add takes ${form}, got ${JSON.stringify(got)} in ${JSON.stringify(spec)}`);
  };
  if (name === '' || name.includes('=')) return refuse(name);
  let zone: string | undefined;
  const labels: Record<string, string> = {};
  const capacity: { cpu?: number; memoryMb?: number } = {};
  for (const part of parts) {
    const [, key = '', value = ''] = /^([^=]+)=(.+)$/.exec(part) ?? refuse(part);
    if (key === 'zone') zone = value;
    else if (key === 'cpu' || key === 'memoryMb') capacity[key] = amount(value) ?? refuse(part);
    else if (key.startsWith('label.') && key.length > 'label.'.length) labels[key.slice('label.'.length)] = value;
    else refuse(part);
  }
  const hasCapacity = Object.keys(capacity).length > 0;
  return {
    change: 'host-added',
    host: {
      name,
      ...(zone === undefined ? {} : { zone }),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(hasCapacity ? { capacity } : {}),
    },
  };
}

function amount(text: string): number | undefined {
  return /^\d{1,9}(\.\d{1,3})?$/.test(text) ? Number(text) : undefined;
}

/** One slot, or every slot of the group. */
export async function why(context: Context, subject: string): Promise<number> {
  const [, group = '', slot] = /^([^/]+)(?:\/(\d{1,4}))?$/.exec(subject) ?? [];
  if (group === '')
    throw new HaError('config_invalid', `say GROUP or GROUP/SLOT, e.g. ledger/0; got ${JSON.stringify(subject)}`);
  const client = await context.client();
  const slots = slot === undefined ? await slotsOf(context, group) : [Number(slot)];
  for (const [n, no] of slots.entries()) {
    const view = await client.why(group, no);
    answer(context, view, () => [...(n > 0 ? [''] : []), ...whyText(view, context.paint)]);
  }
  return 0;
}

async function slotsOf(context: Context, group: string): Promise<readonly number[]> {
  const { groups } = await (await context.client()).status();
  const view = groups.find(({ name }) => name === group);
  if (view === undefined) throw unknown('group', group, groups);
  if (view.slots.length === 0)
    throw new HaError('not_found', `group ${group} has no slots yet: its definition was saved a moment ago`);
  return view.slots.map(({ slot }) => slot);
}

export async function doctor(context: Context, options: { readonly all: boolean }): Promise<number> {
  const view = await (await context.client()).doctor();
  answer(context, view, () => doctorText(view, options, context.paint));
  return view.checks.some(({ verdict }) => verdict === 'fail') ? EXIT.no : 0;
}
