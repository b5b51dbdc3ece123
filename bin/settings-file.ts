/** Reads the file of settings, and the definitions that it names, from disk. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { loadDefinitionSources, readDefinition } from '../adapters/node/definition-file.ts';
import { parseYaml } from '../adapters/node/yaml-document.ts';
import type { DefinitionPart } from '../core/config/definition-parts.ts';
import { problemText } from '../core/config/problem.ts';
import { HaError, messageOf } from '../core/failures/failures.ts';
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
  const named: NamedDefinition[] = [];
  for (const [i, paths] of settings.definitions.entries()) {
    const files = [paths].flat().map((path) => resolve(folder ?? '.', path));
    named.push({ at: ['definitions', i], definition: await definitionIn(files) });
  }
  const problems = checkDeployment(settings, named, locate);
  if (problems.length > 0) refuse(problems);
  return settings;
}

async function definitionIn(files: readonly string[]): Promise<NamedDefinition['definition']> {
  const read = readDefinition(await loadDefinitionSources(files));
  if (read.ok) return read.definition;
  const lines = read.problems.map((problem) => `  ${problemText(problem)}`);
  throw new HaError('config_invalid', ['a definition that the settings name is not valid', ...lines].join('\n'));
}
