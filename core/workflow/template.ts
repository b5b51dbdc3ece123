/** Payload templates (`Parameters`, `ResultSelector`, `ItemSelector`), compiled when a definition is loaded. */
import type { Template } from './expression.ts';
import type { Path } from './path.ts';
import type { Json } from './json.ts';
import { parseExpression } from './expression.ts';
import { DefinitionError } from './definition-error.ts';
import { callIntrinsic } from './intrinsics.ts';
import { isObject } from './json.ts';
import { StateFailure } from './state-failure.ts';
import { readPath } from './path.ts';

/** What paths may read: the data at hand, and the context object. */
export interface Scene {
  readonly data: Json;
  readonly context: Json;
}

/** Compiles a template; throws DefinitionError. */
export function compileTemplate(raw: unknown, at: readonly (string | number)[] = []): Template {
  if (Array.isArray(raw)) {
    return { is: 'array', items: raw.map((item: unknown, index) => compileTemplate(item, [...at, index])) };
  }
  if (!isObject(raw)) return { is: 'literal', value: raw as Json };

  const fields: [string, Template][] = [];
  for (const [key, value] of Object.entries(raw)) {
    const name = key.endsWith('.$') ? key.slice(0, -2) : key;
    if (fields.some(([taken]) => taken === name))
      throw new DefinitionError([...at, key], value, 'the field is set twice');
    fields.push([name, name === key ? compileTemplate(value, [...at, key]) : compileDynamic(value, [...at, key])]);
  }
  return { is: 'object', fields };
}

function compileDynamic(value: unknown, at: readonly (string | number)[]): Template {
  if (typeof value !== 'string') throw new DefinitionError(at, value, 'must be a path or an intrinsic function');
  const parsed = parseExpression(value);
  if (typeof parsed === 'string') throw new DefinitionError(at, value, parsed);
  return parsed;
}

/** Every path in a template, to check what it may read. */
export function pathsOf(template: Template): readonly Path[] {
  switch (template.is) {
    case 'literal':
      return [];
    case 'path':
      return [template.path];
    case 'call':
      return template.args.flatMap(pathsOf);
    case 'array':
      return template.items.flatMap(pathsOf);
    case 'object':
      return template.fields.flatMap(([, inner]) => pathsOf(inner));
  }
}

/** Throws StateFailure: States.Runtime for a path that leads nowhere (as Step Functions does), States.IntrinsicFailure. */
export function fillTemplate(template: Template, scene: Scene): Json {
  switch (template.is) {
    case 'literal':
      return template.value;
    case 'path':
      return readOrFail(template.path, scene);
    case 'call':
      return callIntrinsic(
        template.name,
        template.args.map((arg) => fillTemplate(arg, scene)),
        template.text,
      );
    case 'array':
      return template.items.map((item) => fillTemplate(item, scene));
    case 'object':
      return Object.fromEntries(template.fields.map(([name, inner]) => [name, fillTemplate(inner, scene)]));
  }
}

/** The value at a path; States.Runtime if there is none. */
export function readOrFail(path: Path, scene: Scene): Json {
  const found = readPath(path.ofContext ? scene.context : scene.data, path.steps);
  if (found === undefined) {
    throw new StateFailure('States.Runtime', `the path '${path.text}' could not be found in the input`);
  }
  return found;
}
