/** The cluster's kill switch: off, nothing is started, moved or fenced automatically; leases and guards go on as ever. */
import { HaError } from '../../core/failures/failures.ts';
import { type ClusterRecord, keys } from '../../core/protocol/records.ts';
import type { PlanView, SwitchRequest } from '../../core/protocol/views.ts';
import { changeRecord } from '../shared/change.ts';
import { loadClusterRecord } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { recordEvent } from '../shared/run-log.ts';

export interface SwitchOrder {
  readonly cluster: string;
  readonly request: SwitchRequest;
  readonly by: string;
}

export async function setSwitch(ports: ControlPorts, { cluster, request, by }: SwitchOrder): Promise<PlanView> {
  const { haEnabled, dryRun = false } = request;
  const reason = request.reason?.trim() ?? '';
  const record = await loadClusterRecord(ports, cluster);
  const state = haEnabled ? 'on' : 'off';
  if (record.haEnabled === haEnabled)
    return {
      plan: [`high availability of ${cluster} is ${state} already: there is nothing to do`],
      objections: [],
      runs: [],
    };
  const plan = haEnabled
    ? [`${cluster}: what failed or waits is recovered, placed and drained again from the next pass on`]
    : [
        `${cluster}: nothing is started, moved or fenced automatically until it is switched on again`,
        'hosts go on renewing their leases, and a host that cannot stops what is covered, as ever',
        'recoveries under way hold what they have not placed yet; moves that an operator ordered go on',
      ];
  if (dryRun) return { plan, objections: [], runs: [] };
  const changed = await changeRecord<ClusterRecord>(ports.registry, keys.cluster(cluster), (old) => {
    if (old === undefined) throw new HaError('not_found', `there is no cluster ${cluster}`);
    return old.haEnabled === haEnabled ? null : { ...old, haEnabled };
  });
  if (changed.isChanged) {
    const says = `${by} switched high availability of ${cluster} ${state} (${reason === '' ? 'no reason given' : reason})`;
    await recordEvent(ports, cluster, { kind: 'operator.switch', subject: cluster, says, run: null, by });
  }
  return { plan, objections: [], runs: [] };
}
