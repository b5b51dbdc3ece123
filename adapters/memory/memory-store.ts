/**
 * The in-process twins of the stores.
 *
 * Several `MemoryStore`s may stand over the same tables, each with hooks of its own: one per host, so that one of them can
 * be cut off.
 */
import type { Heartbeats, OwnHeartbeat, Registry } from '../../core/ports.ts';
import { memoryHeartbeats, memoryOwnHeartbeat } from './memory-heartbeats.ts';
import { memoryRegistry } from './memory-registry.ts';
import { MemoryAccess, memoryTables } from './memory-tables.ts';
import type { MemoryHooks, MemoryTables } from './memory-tables.ts';

export class MemoryStore {
  readonly #access: MemoryAccess;

  constructor(tables: MemoryTables = memoryTables(), hooks: MemoryHooks = {}) {
    this.#access = new MemoryAccess(tables, hooks);
  }

  ownHeartbeat(principal: string): OwnHeartbeat {
    return memoryOwnHeartbeat(this.#access, principal);
  }

  heartbeats(): Heartbeats {
    return memoryHeartbeats(this.#access);
  }

  registry(): Registry {
    return memoryRegistry(this.#access);
  }

  /** Writes any item, as a hand in the console could. */
  plant(principal: string, fields: object): void {
    this.#access.plant(principal, fields);
  }

  /** Deletes a heartbeat item, as a hand in the console could; a stale scan may still show it. */
  unplant(principal: string): void {
    this.#access.unplant(principal);
  }
}
