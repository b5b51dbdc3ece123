/**
 * Several documents of one cluster become one definition: hosts and groups are concatenated, everything else is said
 * once. Paths of the merged document lead back to the part that holds them.
 */
import { refused, validateDefinition, type Validation } from './definition.ts';
import type { Finding, Locate, Path, Position } from './problem.ts';
import { shown, valueAt } from './problem.ts';

export interface DefinitionPart {
  /** Plain data of one document. */
  readonly value: unknown;
  readonly locate: Locate;
}

const LISTS: readonly string[] = ['hosts', 'groups'];
const REPEATED: readonly string[] = ['apiVersion', 'cluster'];

type Origin = { readonly part: DefinitionPart; readonly path: Path };

interface Merged {
  readonly input: Record<string, unknown>;
  readonly findings: Finding[];
  /** Where `path` of the merged document comes from. */
  readonly originOf: (path: Path) => Origin | undefined;
}

export function validateParts(parts: readonly DefinitionPart[]): Validation {
  const [first] = parts;
  if (first === undefined) {
    return refused(
      [{ at: [], got: 'no document', change: 'write a definition: apiVersion, cluster, hosts, groups' }],
      () => undefined,
    );
  }
  if (parts.length === 1) return validateDefinition(first.value, first.locate);
  const { input, findings, originOf } = merge(parts);
  const locate = (path: Path): Position | undefined => {
    const origin = originOf(path);
    return origin === undefined ? first.locate(path) : origin.part.locate(origin.path);
  };
  return findings.length > 0 ? refused(findings, locate) : validateDefinition(input, locate);
}

function merge(parts: readonly DefinitionPart[]): Merged {
  const input: Record<string, unknown> = {};
  const findings: Finding[] = [];
  const origins = new Map<string, Origin>();
  // A finding about a part that cannot be merged is kept under a key of its own, so that it finds its line.
  const complain = (part: DefinitionPart, path: Path, got: string, change: string): void => {
    const at = [`document ${parts.indexOf(part) + 1}`, ...path];
    origins.set(JSON.stringify(at), { part, path });
    findings.push({ at, got, change });
  };
  for (const part of parts) {
    const { value } = part;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      complain(part, [], shown(value), 'must be a mapping: apiVersion, cluster, hosts, groups');
      continue;
    }
    for (const key of REPEATED) checkRepeated(part, key, input, complain);
    for (const [key, own] of Object.entries(value)) addKey({ part, key, own, input, origins }, complain);
  }
  const originOf = (path: Path): Origin | undefined => {
    const exact = origins.get(JSON.stringify(path));
    if (exact !== undefined) return exact;
    const take = LISTS.includes(String(path[0])) ? 2 : 1;
    const found = origins.get(JSON.stringify(path.slice(0, take)));
    return found && { part: found.part, path: [...found.path, ...path.slice(take)] };
  };
  return { input, findings, originOf };
}

type Complain = (part: DefinitionPart, path: Path, got: string, change: string) => void;

function checkRepeated(part: DefinitionPart, key: string, input: Record<string, unknown>, complain: Complain): void {
  const own = valueAt(part.value, [key]);
  const before = valueAt(input, [key]);
  if (own === undefined) complain(part, [key], 'nothing', `every document must say ${key}`);
  else if (before !== undefined && own !== before) {
    complain(
      part,
      [key],
      shown(own),
      `must be ${shown(before)}, as in the first document: one definition is one cluster`,
    );
  }
}

interface Entry {
  readonly part: DefinitionPart;
  readonly key: string;
  readonly own: unknown;
  readonly input: Record<string, unknown>;
  readonly origins: Map<string, Origin>;
}

function addKey({ part, key, own, input, origins }: Entry, complain: Complain): void {
  const before: unknown = Object.hasOwn(input, key) ? input[key] : undefined;
  if (LISTS.includes(key)) {
    if (!Array.isArray(own)) return complain(part, [key], shown(own), `must be a list of ${key}`);
    const list: readonly unknown[] = Array.isArray(before) ? before : [];
    own.forEach((_, i) => origins.set(JSON.stringify([key, list.length + i]), { part, path: [key, i] }));
    input[key] = [...list, ...(own as unknown[])];
  } else if (before === undefined) {
    origins.set(JSON.stringify([key]), { part, path: [key] });
    Object.defineProperty(input, key, { value: own, enumerable: true });
  } else if (!REPEATED.includes(key)) {
    complain(part, [key], `${key} a second time`, 'say it in one document only');
  }
}
