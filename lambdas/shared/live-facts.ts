/** The facts of a cluster as a what-if starts from them. */
import type { LiveFacts } from '../../core/placement/hypothetical.ts';
import type { Heartbeat } from '../../core/protocol/records.ts';
import type { WallInstant } from '../../core/time/time.ts';
import { type ClusterFacts, principalOf } from './cluster.ts';

export function liveFactsOf(facts: ClusterFacts, nowMs: WallInstant): LiveFacts {
  const heartbeats = new Map<string, Heartbeat>();
  for (const { host, principal } of facts.hosts) {
    const heartbeat = facts.heartbeats.get(principal);
    if (heartbeat !== undefined) heartbeats.set(host, heartbeat);
  }
  const { record, definition, hosts, groups, specOf } = facts;
  const { cluster, rev, haEnabled, account } = record;
  return {
    cluster,
    rev,
    haEnabled,
    definition,
    hosts,
    groups,
    heartbeats,
    specOf,
    principalOf: (host) => principalOf(host, account),
    nowMs,
  };
}
