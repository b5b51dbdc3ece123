/** Ports that count what their callers should not have to: calls that the store throttled, and pages. */
import { failureCode } from '../../core/failures/failures.ts';
import type { Alerts, Heartbeats, Metrics, Registry } from '../../core/ports.ts';

/** Counts beside the call: whoever made it gets its very promise. */
function watched<T>(metrics: Metrics, call: Promise<T>): Promise<T> {
  call.catch((error: unknown) => {
    if (failureCode(error) === 'store_throttled') metrics.record('StoreThrottled', 1);
  });
  return call;
}

/** Goes under what shares reads, so that one throttled read counts once, however many wait for it. */
export function measuredHeartbeats(heartbeats: Heartbeats, metrics: Metrics): Heartbeats {
  return {
    scan: () => watched(metrics, heartbeats.scan()),
    read: (principal) => watched(metrics, heartbeats.read(principal)),
    revoke: (principal, session, seq, run) => watched(metrics, heartbeats.revoke(principal, session, seq, run)),
    tombstone: (principal, cluster, host, run, ttl) =>
      watched(metrics, heartbeats.tombstone(principal, cluster, host, run, ttl)),
    direct: (principal, n) => watched(metrics, heartbeats.direct(principal, n)),
    hurry: (principal, mark) => watched(metrics, heartbeats.hurry(principal, mark)),
  };
}

export function measuredRegistry(registry: Registry, metrics: Metrics): Registry {
  return {
    get: (key) => watched(metrics, registry.get(key)),
    put: (key, body, expected) => watched(metrics, registry.put(key, body, expected)),
    remove: (key, expected) => watched(metrics, registry.remove(key, expected)),
    query: (pk, options) => watched(metrics, registry.query(pk, options)),
  };
}

/** A page that was not taken called nobody, and does not count. */
export function measuredAlerts(alerts: Alerts, metrics: Metrics): Alerts {
  return {
    page: async (subject, text) => {
      await alerts.page(subject, text);
      metrics.record('Pages', 1);
    },
  };
}
