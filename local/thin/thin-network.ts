/** A thin host's way to the store: real adapters, over a network that can be cut and that ends with its power. */
import { HaError } from '../../core/failures/failures.ts';
import type { OwnHeartbeat, Registry } from '../../core/ports.ts';

/** As a host's own client waits (agent/main.ts). */
const CALL_MS = 2_000;

export interface ThinNetwork {
  isCut: boolean;
}

export interface ThinStore {
  readonly own: OwnHeartbeat;
  readonly registry: Pick<Registry, 'get' | 'put' | 'remove'>;
}

/** The store as this life of a host sees it: after its end no call comes back, and so nothing goes on. */
export function throughNetwork(store: ThinStore, network: ThinNetwork, hasPower: () => boolean): ThinStore {
  const call = async <T>(send: () => Promise<T>, capMs: number = CALL_MS): Promise<T> => {
    const isThere = (): boolean => hasPower() && !network.isCut;
    const askedAt = performance.now();
    if (isThere()) {
      const answer = await settled(send);
      if (isThere()) return answer();
    }
    // Neither refused nor answered: what was sent may have arrived.
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, capMs - (performance.now() - askedAt))));
    if (!hasPower()) return new Promise<never>(() => undefined);
    throw new HaError('timed_out', `no answer within ${String(capMs)} ms`);
  };
  const { own, registry } = store;
  return {
    own: {
      read: () => call(() => own.read()),
      register: (registration, expected, beat, ttl) => call(() => own.register(registration, expected, beat, ttl)),
      renew: (session, beat, ttl, capMs) => call(() => own.renew(session, beat, ttl, capMs), capMs),
    },
    registry: {
      get: (key) => call(() => registry.get(key)),
      put: (key, body, expected) => call(() => registry.put(key, body, expected)),
      remove: (key, expected) => call(() => registry.remove(key, expected)),
    },
  };
}

/** An answer or a fault, to be taken later or not at all. */
async function settled<T>(send: () => Promise<T>): Promise<() => T> {
  try {
    const answer = await send();
    return () => answer;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
