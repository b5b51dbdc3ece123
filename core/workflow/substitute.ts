import type { Json } from './json.ts';
import { HaError } from '../failures/failures.ts';
import { isJsonArray, isJsonObject } from './json.ts';

/**
 * Replaces `${Name}` in every string of a parsed definition, as CloudFormation does with DefinitionSubstitutions.
 * Throws `config_invalid` for a name that `values` does not hold.
 */
export function substitute(asl: Json, values: Readonly<Record<string, string>>): Json {
  if (typeof asl === 'string') {
    return asl.replace(/\$\{([^}]*)\}/g, (text, name: string) => {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      if (value === undefined) {
        const known = Object.keys(values).join(', ');
        throw new HaError(
          'config_invalid',
          `the definition uses ${text}; known names: ${known === '' ? 'none' : known}`,
        );
      }
      return value;
    });
  }
  if (isJsonArray(asl)) return asl.map((item) => substitute(item, values));
  if (!isJsonObject(asl)) return asl;
  return Object.fromEntries(Object.entries(asl).map(([key, value]) => [key, substitute(value, values)]));
}
