/**
 * Two tables in this process, and how operations are performed on them. Every value is kept as JSON text, so that
 * nothing is shared by reference and only plain JSON survives, as in a real store.
 */
import { HaError } from '../../core/failures/failures.ts';
import type { Sleeper } from '../../core/ports.ts';
import { parseHeartbeat } from '../../core/protocol/heartbeat-parse.ts';
import type { Heartbeat } from '../../core/protocol/records.ts';
import type { Millis } from '../../core/time/time.ts';

/** As DynamoDB counts it, near enough. */
const ITEM_BYTES_MAX = 400 * 1024;
/** Earlier versions kept per heartbeat, for stale scans. */
const EARLIER_MAX = 16;

export interface MemoryTables {
  /** JSON text per principal. */
  readonly heartbeats: Map<string, string>;
  /** JSON text per partition key and sort key. */
  readonly registry: Map<string, Map<string, string>>;
  /** What stood in a heartbeat before, newest first; null: no item. */
  readonly earlier: Map<string, readonly (string | null)[]>;
}

export function memoryTables(): MemoryTables {
  return { heartbeats: new Map(), registry: new Map(), earlier: new Map() };
}

export type MemoryOperation =
  | 'own.read'
  | 'own.register'
  | 'own.renew'
  | 'heartbeats.scan'
  | 'heartbeats.read'
  | 'heartbeats.revoke'
  | 'heartbeats.tombstone'
  | 'heartbeats.direct'
  | 'heartbeats.hurry'
  | 'registry.get'
  | 'registry.put'
  | 'registry.remove'
  | 'registry.query';

/** A write that was taken. Texts are JSON; undefined: no such item. */
export interface MemoryWrite {
  readonly table: 'heartbeats' | 'registry';
  /** The principal, or the partition key. */
  readonly pk: string;
  /** '' in the heartbeats table. */
  readonly sk: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** One request on its way to the tables. */
export interface MemoryRequest<T> {
  readonly op: MemoryOperation;
  readonly subject: string;
  /** Of a renewal: when its sender gives up. */
  readonly capMs: Millis | null;
  /** Performs it on the tables, now and atomically. Called twice, it is a request that arrived twice. */
  readonly commit: () => T;
}

export interface MemoryHooks {
  /**
   * The way to the tables and back, in place of the direct one: the request may arrive late, twice or never, and so may its
   * answer. `faults` and `sleeper` are not asked then.
   */
  readonly carry?: <T>(request: MemoryRequest<T>) => Promise<T>;
  /** Told of each write at the moment it is taken. */
  readonly onWritten?: (write: MemoryWrite) => void;
  /**
   * Called around every operation. Throwing `before` is a request that never arrived, throwing `after` an answer lost after
   * the commit; a promise delays. `subject` is the principal, `pk/sk`, or the partition key of a query.
   */
  readonly faults?: (op: MemoryOperation, phase: 'before' | 'after', subject: string) => void | Promise<void>;
  /** How many versions behind a scan shows a principal's item, `kept` at most; 0 is current. */
  readonly staleBy?: (principal: string, kept: number) => number;
  /** Told of each item that a scan could not read and left out. */
  readonly onMalformed?: (principal: string, why: string) => void;
  /** Given one, a renewal ends after its cap on this clock, whatever the hooks do; it may still be committed later. */
  readonly sleeper?: Sleeper;
}

/** The tables as one client reaches them. */
export class MemoryAccess {
  readonly tables: MemoryTables;
  readonly hooks: MemoryHooks;

  constructor(tables: MemoryTables, hooks: MemoryHooks) {
    this.tables = tables;
    this.hooks = hooks;
  }

  /** One operation: `commit` runs without a break between the two phases, so it is atomic. */
  async perform<T>(op: MemoryOperation, subject: string, commit: () => T, capMs: Millis | null = null): Promise<T> {
    const { carry } = this.hooks;
    if (carry !== undefined) return carry({ op, subject, capMs, commit });
    await this.hooks.faults?.(op, 'before', subject);
    const answer = commit();
    await this.hooks.faults?.(op, 'after', subject);
    return answer;
  }

  /** `perform`, but given up after `capMs`. */
  async performWithin<T>(op: MemoryOperation, subject: string, capMs: Millis, commit: () => T): Promise<T> {
    const performed = this.perform(op, subject, commit, capMs);
    const { sleeper, carry } = this.hooks;
    if (sleeper === undefined || carry !== undefined) return performed;
    const tooLate = sleeper.sleep(capMs).then((): T => {
      throw new HaError('timed_out', `${op} ${subject}: no answer within ${capMs} ms`);
    });
    return Promise.race([performed, tooLate]);
  }

  readHeartbeat(principal: string): StoredHeartbeat | undefined {
    const text = this.tables.heartbeats.get(principal);
    if (text === undefined) return undefined;
    const stored = readText(text);
    if ('malformed' in stored) {
      throw new HaError('store_unavailable', `the stored heartbeat of ${principal} is malformed: ${stored.malformed}`);
    }
    return stored;
  }

  writeHeartbeat(heartbeat: Heartbeat, revoked: RevokedMark = {}): void {
    const { principal, ...fields } = heartbeat;
    this.plant(principal, { ...fields, ...revoked });
  }

  /** Writes any item, as a hand in the console could. */
  plant(principal: string, fields: object): void {
    this.#replace(principal, jsonText({ pk: principal, ...fields }));
  }

  /** Deletes an item, as a hand in the console could. */
  unplant(principal: string): void {
    if (this.tables.heartbeats.has(principal)) this.#replace(principal, undefined);
  }

  #replace(principal: string, after: string | undefined): void {
    const { heartbeats, earlier } = this.tables;
    const before = heartbeats.get(principal);
    earlier.set(principal, [before ?? null, ...(earlier.get(principal) ?? [])].slice(0, EARLIER_MAX));
    if (after === undefined) heartbeats.delete(principal);
    else heartbeats.set(principal, after);
    this.hooks.onWritten?.({ table: 'heartbeats', pk: principal, sk: '', before, after });
  }
}

/** Kept with a revoked item, so that the run that revoked can be told it again. */
export interface RevokedMark {
  readonly revokedSession?: string;
  readonly revokedSeq?: number;
}

export interface StoredHeartbeat {
  readonly heartbeat: Heartbeat;
  readonly revoked: RevokedMark;
}

export function readText(text: string): StoredHeartbeat | { readonly malformed: string } {
  const item: unknown = JSON.parse(text);
  const parsed = parseHeartbeat(item);
  if ('malformed' in parsed) return parsed;
  const { revokedSession, revokedSeq } = item as RevokedMark;
  return {
    heartbeat: parsed.heartbeat,
    revoked: revokedSession === undefined || revokedSeq === undefined ? {} : { revokedSession, revokedSeq },
  };
}

/** JSON text within the size of an item. */
export function jsonText(value: object): string {
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes > ITEM_BYTES_MAX) throw new HaError('limit_exceeded', `an item has ${bytes} bytes, over ${ITEM_BYTES_MAX}`);
  return text;
}
