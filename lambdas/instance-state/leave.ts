/**
 * Moves what a host runs to others before its machine is taken away. Nothing here is quicker than a planned move, and none is
 * forced: what has no other place stays, and is recovered as after any other failure. A notice leaves two minutes and reconcile
 * comes once a minute: so the moves that follow the first ones are started here as soon as there is room for them.
 */
import { drainMoves } from '../../core/recovery/admin-drain.ts';
import { planVerb } from '../../core/recovery/admin.ts';
import { givesUp, ownedBy, slotsInWords } from '../../core/recovery/admin-words.ts';
import { isDue } from '../../core/recovery/reconcile.ts';
import { after, isReached } from '../../core/time/time.ts';
import { type ClusterFacts, loadCluster } from '../shared/cluster.ts';
import { becomeAdmin, startMoves, verbFacts } from '../shared/host-admin.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { hostFacts } from '../shared/snapshot.ts';

/** With what comes before it, below the Lambda's time-out of 60 s. What is left then is reconcile's. */
const WATCH_MS = 40_000;
const PAUSE_MS = 2_000;

/**
 * What `maintenance` does as an operator's verb, forced: what has no other place stays. A host that gives up its slots already
 * keeps the reason that somebody gave. Returns what follows from it, in words.
 */
export async function becomeLeaving(
  ports: ControlPorts,
  at: { readonly cluster: string; readonly host: string },
  reason: string,
): Promise<string> {
  const facts = await loadCluster(ports, at.cluster);
  const host = facts.hosts.find((candidate) => candidate.host === at.host);
  if (host === undefined || host.status === 'Removed') return `${at.host} is no longer defined`;
  const runs = slotsInWords(ownedBy(at.host, facts.groups)) || 'nothing';
  if (givesUp(host.admin)) return `${at.host} is in ${host.admin} already, and runs ${runs}`;
  const { becomes, plan } = planVerb(verbFacts(ports, facts, host), { verb: 'maintenance', reason });
  if (becomes !== null) await becomeAdmin(ports, at, becomes, (old) => !givesUp(old.admin));
  return plan.join('; ');
}

/** Runs that were started, or found at work. */
export async function leave(
  ports: ControlPorts,
  at: { readonly cluster: string; readonly host: string },
): Promise<readonly string[]> {
  const runs = new Set<string>();
  const endsAt = after(ports.boot.now(), WATCH_MS);
  for (;;) {
    const facts = await loadCluster(ports, at.cluster);
    const host = facts.hosts.find((candidate) => candidate.host === at.host);
    const isDone = host === undefined || !givesUp(host.admin) || ownedBy(at.host, facts.groups).length === 0;
    if (isDone || isReached(endsAt, ports.boot.now())) return [...runs];
    for (const run of await startMoves(ports, at.cluster, movesFrom(ports, facts, at.host))) runs.add(run);
    await ports.sleeper.sleep(PAUSE_MS);
  }
}

/** Of one host, as reconcile would find them. */
function movesFrom(ports: ControlPorts, facts: ClusterFacts, host: string): ReturnType<typeof drainMoves> {
  const nowMs = ports.wall.now();
  return drainMoves({
    definition: facts.definition,
    haEnabled: facts.record.haEnabled,
    hosts: facts.hosts.filter((candidate) => candidate.host === host),
    hostFacts: hostFacts(facts),
    groups: facts.groups,
    nowMs,
    isDue: (slot) => isDue(slot, nowMs),
  });
}
