import { invariant } from '../../core/failures/invariant.ts';
import type { Registry } from '../../core/ports.ts';
import type { Key, Stored } from '../../core/protocol/records.ts';
import { jsonText } from './memory-tables.ts';
import type { MemoryAccess } from './memory-tables.ts';

export function memoryRegistry(store: MemoryAccess): Registry {
  return {
    get: <T>(key: Key) => store.perform('registry.get', subjectOf(key), () => read<T>(store, key)),
    put: (key, body, expected) =>
      store.perform('registry.put', subjectOf(key), () => {
        if (versionOf(store, key) !== expected) return 'conflict';
        write(store, key, { version: (expected ?? 0) + 1, body });
        return 'written';
      }),
    remove: (key, expected) =>
      store.perform('registry.remove', subjectOf(key), () => {
        if (versionOf(store, key) !== expected) return 'conflict';
        const partition = store.tables.registry.get(key.pk);
        const before = partition?.get(key.sk);
        partition?.delete(key.sk);
        store.hooks.onWritten?.({ table: 'registry', pk: key.pk, sk: key.sk, before, after: undefined });
        return 'removed';
      }),
    query: <T>(pk: string, options: QueryOptions) =>
      store.perform('registry.query', pk, () => query<T>(store, pk, options)),
  };
}

interface StoredText {
  readonly version: number;
  readonly body: unknown;
}

function read<T>(store: MemoryAccess, key: Key): Stored<T> | undefined {
  const text = store.tables.registry.get(key.pk)?.get(key.sk);
  if (text === undefined) return undefined;
  const { version, body } = JSON.parse(text) as StoredText;
  return { key: { pk: key.pk, sk: key.sk }, version, body: body as T };
}

function versionOf(store: MemoryAccess, key: Key): number | null {
  return read(store, key)?.version ?? null;
}

function write(store: MemoryAccess, key: Key, stored: StoredText): void {
  invariant(stored.body !== undefined, 'a registry record has a body');
  const text = jsonText(stored);
  const partition = store.tables.registry.get(key.pk) ?? new Map<string, string>();
  const before = partition.get(key.sk);
  partition.set(key.sk, text);
  store.tables.registry.set(key.pk, partition);
  store.hooks.onWritten?.({ table: 'registry', pk: key.pk, sk: key.sk, before, after: text });
}

interface QueryOptions {
  readonly prefix?: string;
  readonly limit: number;
  readonly newestFirst?: boolean;
  readonly before?: string;
}

function query<T>(store: MemoryAccess, pk: string, options: QueryOptions): readonly Stored<T>[] {
  const { prefix = '', limit, newestFirst = false, before } = options;
  invariant(Number.isSafeInteger(limit) && limit > 0, `a query needs a limit of 1 or more, got ${limit}`);
  const sorted = [...(store.tables.registry.get(pk)?.keys() ?? [])]
    .filter((sk) => sk.startsWith(prefix) && (before === undefined || byBytes(sk, before) < 0))
    .sort(byBytes);
  const wanted = (newestFirst ? sorted.reverse() : sorted).slice(0, limit);
  return wanted.flatMap((sk) => read<T>(store, { pk, sk }) ?? []);
}

/** DynamoDB's order of sort keys; that of JavaScript strings differs beyond the basic plane. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function subjectOf({ pk, sk }: Key): string {
  return `${pk}/${sk}`;
}
