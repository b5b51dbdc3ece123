/** Brings every cluster to its definition: records, candidate lists, standbys, runs for what is missing, leftovers of runs that died. */
import * as z from 'zod';
import { messageOf } from '../../core/failures/failures.ts';
import { keys } from '../../core/protocol/records.ts';
import { after, isReached } from '../../core/time/time.ts';
import { edge, type Handler } from '../shared/edge.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { reconcileCluster } from './pass.ts';

const ReconcileEvent = z.looseObject({ cluster: z.string().optional() });
const CLUSTERS_MAX = 1_000;
/** An invocation begins no further pass after this: with the last one it ends before the Lambda's time-out of 60 s. */
const GO_ON_MS = 30_000;
/** Between two passes over a cluster whose starts exceed the limit: runs end meanwhile. */
const PAUSE_MS = 2_000;

export interface ReconcileResult {
  readonly clusters: number;
  readonly actions: number;
  /** Starts left for the next invocation. */
  readonly deferred: number;
  readonly failed: readonly string[];
}

export function reconcileHandler(ports: ControlPorts): Handler<ReconcileResult> {
  return edge(ports, ReconcileEvent, async (event): Promise<ReconcileResult> => {
    const names = await ports.registry.query<{ cluster: string }>(keys.clusters('').pk, { limit: CLUSTERS_MAX });
    const wanted = names
      .map((stored) => stored.body.cluster)
      .filter((name) => event.cluster === undefined || event.cluster === name);
    const endsAt = after(ports.boot.now(), GO_ON_MS);
    const failed: string[] = [];
    let passes = await passOver(ports, wanted, failed);
    let actions = passes.actions;
    // The schedule has minutes: a cold start of hundreds of groups does not wait for it.
    while (passes.unfinished.length > 0 && !isReached(endsAt, ports.boot.now())) {
      await ports.sleeper.sleep(PAUSE_MS);
      passes = await passOver(ports, passes.unfinished, failed);
      actions += passes.actions;
    }
    return { clusters: wanted.length, actions, deferred: passes.deferred, failed };
  });
}

interface Passes {
  readonly actions: number;
  readonly deferred: number;
  /** Clusters with more to start than may run at once. */
  readonly unfinished: readonly string[];
}

async function passOver(ports: ControlPorts, clusters: readonly string[], failed: string[]): Promise<Passes> {
  const unfinished: string[] = [];
  const failedBefore = failed.length;
  let [actions, deferred] = [0, 0];
  for (const cluster of clusters) {
    try {
      const pass = await reconcileCluster(ports, cluster);
      actions += pass.actions.length;
      deferred += pass.deferred;
      if (pass.deferred > 0) {
        unfinished.push(cluster);
        ports.log('info', `${String(pass.deferred)} starts in ${cluster} wait until others have ended`);
      }
    } catch (error) {
      // One cluster's trouble is not another's; the next pass tries again.
      failed.push(`${cluster}: ${messageOf(error)}`);
      ports.log('error', `reconcile of ${cluster} failed`, { error: messageOf(error) });
    }
  }
  if (failed.length > failedBefore) ports.metrics.record('ClustersFailed', failed.length - failedBefore);
  return { actions, deferred, unfinished };
}
