/** What stands in the tables, for those who check: each text is parsed once, however often it is looked at. */
import type { MemoryTables } from '../../adapters/memory/memory-tables.ts';
import type { HeartbeatTruth } from '../contract/truth.ts';

interface Parsed {
  readonly text: string;
  readonly value: unknown;
}

export class TableView {
  readonly #tables: MemoryTables;
  readonly #parsed = new Map<string, Parsed>();

  constructor(tables: MemoryTables) {
    this.#tables = tables;
  }

  record<T>(pk: string, sk: string): T | undefined {
    const text = this.#tables.registry.get(pk)?.get(sk);
    if (text === undefined) return undefined;
    // The caller names the type of what it stored under this key.
    return (this.#parse(`${pk}/${sk}`, text) as { readonly body: T }).body;
  }

  /** In the order in which they were first written. */
  records<T>(pk: string, prefix: string): readonly T[] {
    const found: T[] = [];
    for (const sk of this.#tables.registry.get(pk)?.keys() ?? []) {
      const body = sk.startsWith(prefix) ? this.record<T>(pk, sk) : undefined;
      if (body !== undefined) found.push(body);
    }
    return found;
  }

  heartbeats(): readonly HeartbeatTruth[] {
    return [...this.#tables.heartbeats].map(([principal, text]) => {
      const { host, session, seq } = this.#parse(principal, text) as Omit<HeartbeatTruth, 'principal'>;
      return { principal, host, session, seq };
    });
  }

  #parse(key: string, text: string): unknown {
    const known = this.#parsed.get(key);
    if (known?.text === text) return known.value;
    const value: unknown = JSON.parse(text);
    this.#parsed.set(key, { text, value });
    return value;
  }
}
