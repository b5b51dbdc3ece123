/** What changes between two definitions, one line per change, in words. */
import type { Definition } from './model.ts';

const SHOWN_MAX = 200;

export function differences(old: Definition | null, next: Definition): readonly string[] {
  if (old === null)
    return [`new cluster ${next.cluster} with ${next.hosts.length} hosts and ${next.groups.length} groups`];
  const lines = [
    ...changed('timing', old.timing, next.timing),
    ...named('host', old.hosts, next.hosts),
    ...named('group', old.groups, next.groups),
  ];
  return lines.length <= SHOWN_MAX
    ? lines
    : [...lines.slice(0, SHOWN_MAX), `and ${lines.length - SHOWN_MAX} more changes`];
}

function named(
  kind: string,
  old: readonly { readonly name: string }[],
  next: readonly { readonly name: string }[],
): readonly string[] {
  const before = new Map(old.map((item) => [item.name, item]));
  const after = new Map(next.map((item) => [item.name, item]));
  return [
    ...[...after.keys()].filter((name) => !before.has(name)).map((name) => `${kind} ${name} is added`),
    ...[...before.keys()].filter((name) => !after.has(name)).map((name) => `${kind} ${name} is removed`),
    ...[...after].flatMap(([name, item]) =>
      before.has(name) ? changed(`${kind} ${name}`, before.get(name), item) : [],
    ),
  ];
}

/** Fields that differ, with both values; objects and lists are shown as JSON. */
function changed(where: string, old: unknown, next: unknown): readonly string[] {
  const before = fields(old);
  const after = fields(next);
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  return keys
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => `${where}: ${key} ${before.get(key) ?? 'unset'} → ${after.get(key) ?? 'unset'}`);
}

function fields(value: unknown): ReadonlyMap<string, string> {
  if (typeof value !== 'object' || value === null) return new Map();
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return new Map(entries.map(([key, inner]) => [key, typeof inner === 'string' ? inner : JSON.stringify(inner)]));
}
