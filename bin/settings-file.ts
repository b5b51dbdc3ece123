/** Reads the file of settings, and the definitions that it names, from disk. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type DefinitionSource, loadDefinitionSources, readDefinition } from '../adapters/node/definition-file.ts';
import { parseYaml } from '../adapters/node/yaml-document.ts';
import type { DefinitionPart } from '../core/config/definition-parts.ts';
import { type Finding, type Path, problemText, shown, toProblem } from '../core/config/problem.ts';
import { failureCode, HaError, messageOf } from '../core/failures/failures.ts';
import type { NamedDefinition } from '../lib/deployment-checks.ts';
import { checkDeployment, readSettings, refuse } from '../lib/read-settings.ts';
import type { DeploymentSettings } from '../lib/settings.ts';

/** `file`: as given on the command line, relative to where it was started; undefined: all defaults. */
export async function loadSettings(file: string | undefined): Promise<DeploymentSettings> {
  if (file === undefined) return settingsOf({ value: {}, locate: () => undefined }, undefined);
  const parsed = parseYaml({ text: await textOf(file), file });
  if (!parsed.ok) return refuse(parsed.problems);
  const [part, ...more] = parsed.parts;
  if (more.length > 0) {
    const change = 'write all settings as one document';
    return refuse([{ path: '', file, got: `${String(parsed.parts.length)} documents`, change }]);
  }
  return settingsOf(part ?? { value: {}, locate: () => undefined }, dirname(resolve(file)));
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const change = 'name the file of settings: -c holdfast=FILE';
    throw new HaError('not_found', `cannot read ${file}: ${messageOf(error)}; ${change}`, { cause: error });
  }
}

async function settingsOf({ value, locate }: DefinitionPart, folder: string | undefined): Promise<DeploymentSettings> {
  const read = readSettings(value, locate);
  if (!read.ok) return refuse(read.problems);
  const { settings } = read;
  const all = await Promise.all(
    settings.definitions.map((paths, i) => sourcesOf(paths, ['definitions', i], folder ?? '.')),
  );
  const unread = all.flatMap((one) => one.unread);
  if (unread.length > 0) return refuse(unread.map((finding) => toProblem(finding, locate)));
  const named = all.map(({ at, sources }): NamedDefinition => ({ at, definition: definitionIn(sources) }));
  const problems = checkDeployment(settings, named, locate);
  if (problems.length > 0) refuse(problems);
  return settings;
}

interface Sources {
  readonly at: Path;
  readonly sources: readonly DefinitionSource[];
  /** What stands in the settings and cannot be read. */
  readonly unread: readonly Finding[];
}

/** All files of one definition; `folder` is that of the settings. */
async function sourcesOf(paths: string | readonly string[], at: Path, folder: string): Promise<Sources> {
  const sources: DefinitionSource[] = [];
  const unread: Finding[] = [];
  for (const [i, path] of [paths].flat().entries()) {
    const file = resolve(folder, path);
    try {
      sources.push(...(await loadDefinitionSources([file])));
    } catch (error) {
      if (failureCode(error) !== 'not_found') throw error;
      const change = `name a file that can be read, relative to these settings: ${whyUnread(file, error)}`;
      unread.push({ at: typeof paths === 'string' ? at : [...at, i], got: shown(path), change });
    }
  }
  return { at, sources, unread };
}

/** The commonest reason in plain words. */
function whyUnread(file: string, error: unknown): string {
  const cause: unknown = typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
  const isAbsent = typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'ENOENT';
  return isAbsent ? `there is no ${file}` : messageOf(error);
}

function definitionIn(sources: readonly DefinitionSource[]): NamedDefinition['definition'] {
  const read = readDefinition(sources);
  if (read.ok) return read.definition;
  const lines = read.problems.map((problem) => `  ${problemText(problem)}`);
  throw new HaError('config_invalid', ['a definition that the settings name is not valid', ...lines].join('\n'));
}
