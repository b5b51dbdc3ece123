/** Brings every cluster to its definition: records, candidate lists, standbys, runs for what is missing, leftovers of runs that died. */
import * as z from 'zod';
import { messageOf } from '../../core/failures/failures.ts';
import { keys } from '../../core/protocol/records.ts';
import { edge, type Handler } from '../shared/edge.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { reconcileCluster } from './pass.ts';

const ReconcileEvent = z.looseObject({ cluster: z.string().optional() });
const CLUSTERS_MAX = 1_000;

export interface ReconcileResult {
  readonly clusters: number;
  readonly actions: number;
  readonly failed: readonly string[];
}

export function reconcileHandler(ports: ControlPorts): Handler<ReconcileResult> {
  return edge(ReconcileEvent, async (event): Promise<ReconcileResult> => {
    const names = await ports.registry.query<{ cluster: string }>(keys.clusters('').pk, { limit: CLUSTERS_MAX });
    const wanted = names
      .map((stored) => stored.body.cluster)
      .filter((name) => event.cluster === undefined || event.cluster === name);
    let actions = 0;
    const failed: string[] = [];
    for (const cluster of wanted) {
      try {
        actions += await reconcileCluster(ports, cluster);
      } catch (error) {
        // One cluster's trouble is not another's; the next pass tries again.
        failed.push(`${cluster}: ${messageOf(error)}`);
        ports.log('error', `reconcile of ${cluster} failed`, { error: messageOf(error) });
      }
    }
    return { clusters: wanted.length, actions, failed };
  });
}
