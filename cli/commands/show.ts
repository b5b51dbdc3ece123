/** Commands that only read. */
import { HaError } from '../../core/failures/failures.ts';
import { definitionText, eventsText, groupText, hostText } from '../text/details.ts';
import { runsText } from '../text/runs.ts';
import { storyText } from '../text/story.ts';
import { statusText } from '../text/status.ts';
import { answer, type Context } from './context.ts';

export async function showStatus(context: Context): Promise<number> {
  const view = await (await context.client()).status();
  answer(context, view, () => statusText(view, context.paint));
  return 0;
}

export async function showDefinition(context: Context): Promise<number> {
  const view = await (await context.client()).definition();
  answer(context, view, () => definitionText(view, context.paint));
  return 0;
}

export async function showOne(context: Context, kind: 'host' | 'group', name: string): Promise<number> {
  const client = await context.client();
  const [status, { definition }] = await Promise.all([client.status(), client.definition()]);
  if (kind === 'host') {
    const view = status.hosts.find((host) => host.name === name);
    if (view === undefined) throw unknown(kind, name, status.hosts);
    const defined = definition.hosts.find((host) => host.name === name);
    answer(context, { host: view, defined: defined ?? null }, () => hostText(defined, view, context.paint));
    return 0;
  }
  const view = status.groups.find((group) => group.name === name);
  if (view === undefined) throw unknown(kind, name, status.groups);
  const defined = definition.groups.find((group) => group.name === name);
  answer(context, { group: view, defined: defined ?? null }, () => groupText(defined, view, context.paint));
  return 0;
}

export function unknown(kind: string, name: string, known: readonly { readonly name: string }[]): HaError {
  const names = known.map((one) => one.name).join(', ') || 'none';
  return new HaError('not_found', `there is no ${kind} ${JSON.stringify(name)}; known: ${names}`);
}

export async function showRuns(context: Context, limit: number): Promise<number> {
  const view = await (await context.client()).runs({ limit });
  answer(context, view, () => runsText(view.runs, context.io.now(), context.paint));
  return 0;
}

export async function showRun(context: Context, id: string): Promise<number> {
  const view = await (await context.client()).run(id);
  answer(context, view, () => storyText(view, context.io.now(), context.paint));
  return 0;
}

export async function showEvents(context: Context, limit: number): Promise<number> {
  const view = await (await context.client()).events({ limit });
  answer(context, view, () =>
    view.events.length === 0 ? ['No events yet.'] : eventsText(view.events, context.io.now()),
  );
  return 0;
}
