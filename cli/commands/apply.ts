/** `validate` (offline), `diff` and `apply`: the same checks; the API makes them once more. */
import { resolve } from 'node:path';
import { loadDefinitionSources, readDefinition, type DefinitionSource } from '../../adapters/node/definition-file.ts';
import type { Validation } from '../../core/config/definition.ts';
import type { Definition } from '../../core/config/model.ts';
import { problemText, warningText, type DefinitionWarning, type Problem } from '../../core/config/problem.ts';
import { FAILURES, HaError } from '../../core/failures/failures.ts';
import type { AppliedView } from '../../core/protocol/views.ts';
import { definitionSummary } from '../text/details.ts';
import { EXIT } from '../exit.ts';
import { answer, confirmed, type Context } from './context.ts';

/** Files are read against the directory of the command, and named as they were given. */
async function sourcesOf(context: Context, files: readonly string[]): Promise<DefinitionSource[]> {
  const sources = await loadDefinitionSources(files.map((file) => resolve(context.io.directory, file)));
  return sources.map((source, i) => ({ ...source, file: files[i] }));
}

export async function validate(context: Context, files: readonly string[]): Promise<number> {
  const read = readDefinition(await sourcesOf(context, files));
  if (!read.ok) return refuse(context, read.problems, read.omitted);
  const { definition, warnings } = read;
  answer(context, { ok: true, cluster: definition.cluster, warnings }, () => [
    ...warningLines(warnings),
    `Valid: ${definitionSummary(definition)}.`,
  ]);
  return 0;
}

type Read =
  | { readonly ok: false; readonly exit: number }
  | { readonly ok: true; readonly definition: Definition; readonly yaml: string };

async function readLocally(context: Context, files: readonly string[]): Promise<Read> {
  const sources = await sourcesOf(context, files);
  const read: Validation = readDefinition(sources);
  if (!read.ok) return { ok: false, exit: refuse(context, read.problems, read.omitted) };
  return { ok: true, definition: read.definition, yaml: asOneText(sources) };
}

/** What `apply` would change; exits like diff(1). */
export async function diff(context: Context, files: readonly string[]): Promise<number> {
  const read = await readLocally(context, files);
  if (!read.ok) return read.exit;
  const preview = await (await context.client()).apply(read.yaml, { dryRun: true });
  if (preview.outcome === 'refused') return refuse(context, preview.problems, 0);
  const { outcome: _, ...view } = preview;
  answer(context, view, () => previewLines(read.definition, view));
  return view.changed ? EXIT.no : 0;
}

export interface ApplyOptions {
  readonly yes: boolean;
  readonly dryRun: boolean;
}

export async function apply(context: Context, files: readonly string[], options: ApplyOptions): Promise<number> {
  const read = await readLocally(context, files);
  if (!read.ok) return read.exit;
  const client = await context.client();
  const preview = await client.apply(read.yaml, { dryRun: true });
  if (preview.outcome === 'refused') return refuse(context, preview.problems, 0);
  const { outcome: _, ...shown } = preview;
  if (!context.json) context.io.out(`${previewLines(read.definition, shown).join('\n')}\n`);
  if (!shown.changed || options.dryRun) {
    if (context.json) answer(context, shown, () => []);
    else if (options.dryRun) context.io.out('Nothing was changed.\n');
    return 0;
  }
  if (!(await confirmed(context, 'Apply this?', options.yes))) {
    context.io.out('Nothing was changed.\n');
    return EXIT.no;
  }
  const saved = await client.apply(read.yaml);
  if (saved.outcome === 'refused') return refuse(context, saved.problems, 0);
  const { outcome: __, ...view } = saved;
  answer(context, view, () => [
    saved.changed ? `Saved as definition ${saved.rev}.` : `Nothing to change: definition ${saved.rev} says the same.`,
  ]);
  return 0;
}

function previewLines(definition: Definition, { warnings, diff: lines, changed }: AppliedView): string[] {
  const changes = changed ? ['Changes:', ...lines.map((line) => `  ${line}`)] : ['Nothing to change.'];
  return [...warningLines(warnings), `Valid: ${definitionSummary(definition)}.`, ...changes];
}

/** A document end between files, so that each stays the document it was. */
function asOneText(sources: readonly DefinitionSource[]): string {
  return sources
    .map(({ content }) => (typeof content === 'string' ? content : new TextDecoder().decode(content)))
    .join('\n...\n---\n');
}

function warningLines(warnings: readonly DefinitionWarning[]): string[] {
  return warnings.map((warning) => `warning: ${warningText(warning)}`);
}

function refuse(context: Context, problems: readonly Problem[], omitted: number): number {
  if (problems.length === 0) throw new HaError('config_invalid', 'the definition was refused without a reason');
  answer(context, { ok: false, code: 'config_invalid', problems, omitted }, () => {
    const count = problems.length + omitted;
    return [
      ...problems.map(problemText),
      ...(omitted > 0 ? [`… and ${omitted} more`] : []),
      `${count} ${count === 1 ? 'problem' : 'problems'}; nothing was changed.`,
    ];
  });
  return FAILURES.config_invalid.exit;
}
