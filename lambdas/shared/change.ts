/** Read strongly, decide, write on the version read; again if somebody was faster. Bounded. */
import { HaError } from '../../core/failures/failures.ts';
import type { Registry } from '../../core/ports.ts';
import type { Key } from '../../core/protocol/records.ts';

const ATTEMPTS_MAX = 20;

/** `decide` returns the new body, or null to leave the record as it is. Returns what stands afterwards. */
export async function changeRecord<T>(
  registry: Registry,
  key: Key,
  decide: (old: T | undefined) => T | null | Promise<T | null>,
): Promise<{ readonly body: T | undefined; readonly isChanged: boolean }> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const stored = await registry.get<T>(key);
    const body = await decide(stored?.body);
    if (body === null) return { body: stored?.body, isChanged: false };
    const outcome = await registry.put(key, body, stored?.version ?? null);
    if (outcome === 'written') return { body, isChanged: true };
  }
  throw new HaError(
    'conflict',
    `${key.pk} ${key.sk} was changed by others ${ATTEMPTS_MAX} times while it was being changed here`,
  );
}
