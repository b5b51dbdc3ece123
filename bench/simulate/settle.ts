/** When a cluster has come to rest, and who owns what then. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from '../../adapters/node/api-client.ts';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import type { SimulateView, StatusView } from '../../core/protocol/views.ts';

const POLL_MS = 250;
/** Longer than two passes of reconcile. */
const QUIET_MS = 3_000;
const LIMIT_MS = 120_000;

/** Host by `group/slot`; null: nobody runs it. */
export type Owners = Readonly<Record<string, string | null>>;

/** Waits until `isThere`, no run is open, and nothing has changed for a while. */
export async function untilAtRest(api: ApiClient, isThere: (status: StatusView) => boolean): Promise<StatusView> {
  let seen = '';
  let quietMs = 0;
  let why = 'no answer';
  for (let leftMs = LIMIT_MS; leftMs > 0; leftMs -= POLL_MS) {
    await delay(POLL_MS);
    try {
      const status = await api.status();
      const now = JSON.stringify([
        status.rev,
        status.groups,
        status.hosts.map(({ name, status: word }) => [name, word]),
      ]);
      const isCalm = status.runs.length === 0 && isThere(status) && now === seen;
      quietMs = isCalm ? quietMs + POLL_MS : 0;
      seen = now;
      why = `${String(status.runs.length)} runs are open, ${isThere(status) ? '' : 'not '}as wanted`;
      if (quietMs >= QUIET_MS) return status;
    } catch (error) {
      why = messageOf(error);
      quietMs = 0;
    }
  }
  throw new HaError('timed_out', `the cluster did not come to rest: ${why}`);
}

export function ownersOf(status: StatusView): Owners {
  return Object.fromEntries(
    status.groups.flatMap(({ name, slots }) =>
      slots.map(({ slot, phase, owner }) => [`${name}/${String(slot)}`, phase === 'Active' ? owner : null]),
    ),
  );
}

/** Owners now, with what the answer says will change. */
export function foretold(now: Owners, { slots }: SimulateView): Owners {
  return { ...now, ...Object.fromEntries(slots.map(({ group, slot, to }) => [`${group}/${String(slot)}`, to])) };
}

/** Slots about which the two differ; a slot that is gone has nobody. */
export function differences(told: Owners, found: Owners): string[] {
  const names = [...new Set([...Object.keys(told), ...Object.keys(found)])].toSorted();
  return names.flatMap((name) => {
    const [wanted, real] = [told[name] ?? null, found[name] ?? null];
    return wanted === real ? [] : [`${name}: foretold ${wanted ?? 'nobody'}, found ${real ?? 'nobody'}`];
  });
}
