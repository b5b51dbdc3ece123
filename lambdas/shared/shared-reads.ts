/**
 * Reads of whole ranges, shared: many runs in one process look at the same cluster at the same time, and each such look is
 * hundreds of records. Who asks while a read is under way waits for the next one, so that nobody is given what was read
 * before they asked: a strongly consistent read stays one (S7). What is shared is never changed by those who got it.
 */
import type { Heartbeats, Registry } from '../../core/ports.ts';
import type { Heartbeat, Stored } from '../../core/protocol/records.ts';
import { SharedLook } from './shared-look.ts';

/** Ranges that are remembered as being read at all; each costs nothing while nobody reads it. */
const LOOKS_MAX = 100;

type QueryOptions = Parameters<Registry['query']>[1];

export function withSharedQueries(registry: Registry): Registry {
  const looks = new Map<string, SharedLook<readonly Stored<unknown>[]>>();
  return {
    get: (key) => registry.get(key),
    put: (key, body, expected) => registry.put(key, body, expected),
    remove: (key, expected) => registry.remove(key, expected),
    query: <T>(pk: string, options: QueryOptions) => {
      const { prefix, limit, newestFirst, before } = options;
      const range = JSON.stringify([pk, prefix, limit, newestFirst, before]);
      // Forgetting a look under way only means that the next one who asks reads for itself.
      if (looks.size >= LOOKS_MAX && !looks.has(range)) looks.clear();
      const look = looks.get(range) ?? new SharedLook(() => registry.query<unknown>(pk, options));
      looks.set(range, look);
      return look.ask() as Promise<readonly Stored<T>[]>; // The caller names the type of what it stored there.
    },
  };
}

export function withSharedScans(heartbeats: Heartbeats): Heartbeats {
  const look = new SharedLook<readonly Heartbeat[]>(() => heartbeats.scan());
  return {
    scan: () => look.ask(),
    read: (principal) => heartbeats.read(principal),
    revoke: (principal, session, seq, run) => heartbeats.revoke(principal, session, seq, run),
    tombstone: (principal, cluster, host, run, ttl) => heartbeats.tombstone(principal, cluster, host, run, ttl),
    direct: (principal, n) => heartbeats.direct(principal, n),
    hurry: (principal, mark) => heartbeats.hurry(principal, mark),
  };
}
