/** Operators' verbs about a host: facts in, the plan made in core, then what it says. A repeated verb finds nothing to do. */
import { HaError } from '../../core/failures/failures.ts';
import type { HostRecord } from '../../core/protocol/records.ts';
import type { HostVerb, HostVerbRequest, PlanView } from '../../core/protocol/views.ts';
import { lacking, planVerb, verbInWords, type VerbPlan } from '../../core/recovery/admin.ts';
import { type ClusterFacts, loadCluster } from '../shared/cluster.ts';
import { becomeAdmin, startMoves, verbFacts } from '../shared/host-admin.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { recordEvent } from '../shared/run-log.ts';
import { startFenceRun } from '../shared/start-run.ts';
import { RequestRefused } from './http.ts';

export interface HostVerbOrder {
  readonly cluster: string;
  readonly host: string;
  readonly verb: HostVerb;
  readonly request: HostVerbRequest;
  readonly by: string;
}

export async function hostVerb(ports: ControlPorts, order: HostVerbOrder): Promise<PlanView> {
  const { cluster, host: name, verb, request, by } = order;
  const { dryRun: isDryRun = false, force: isForced = false, confirm } = request;
  const reason = request.reason?.trim() ?? '';
  const facts = await loadCluster(ports, cluster);
  const host = knownHost(facts, name);
  const lack = lacking(name, { verb, reason, confirm, isDryRun });
  if (lack !== null) throw new RequestRefused([lack]);
  const decided = planVerb(verbFacts(ports, facts, host), { verb, reason });
  const { plan, objections } = decided;
  if (isDryRun) return { plan, objections, runs: [] };
  if (objections.length > 0 && !isForced) throw refused(order, objections);
  if (!decided.isFence && decided.becomes === null && decided.moves.length === 0) return { plan, objections, runs: [] };

  const says = verbInWords({ verb, reason, by, isForced: objections.length > 0 }, name, facts.groups);
  const record = (run: string | null): Promise<void> =>
    recordEvent(ports, cluster, { kind: `operator.${verb}`, subject: name, says, run, by });
  if (decided.isFence) {
    const { run } = await startFenceRun(ports, { cluster, host: name, by });
    await record(run);
    return { plan, objections, runs: [run] };
  }
  await become(ports, order, decided);
  // Before anything is started: what happens then is explained even if nobody is left to explain it.
  await record(null);
  return { plan, objections, runs: await startMoves(ports, cluster, decided.moves) };
}

function refused({ verb, host }: HostVerbOrder, objections: readonly string[]): HaError {
  return new HaError(
    'conflict',
    `${verb} ${host} was not done: ${objections.join('; ')}. To do it all the same, force it`,
  );
}

function knownHost(facts: ClusterFacts, name: string): HostRecord {
  const host = facts.hosts.find((candidate) => candidate.host === name);
  if (host !== undefined && host.status !== 'Removed') return host;
  if (facts.definition.hosts.some((defined) => defined.name === name))
    throw new HaError('conflict', `${name} was defined a moment ago and is not set up yet; ask again in a moment`);
  const names = facts.definition.hosts.map((defined) => defined.name).join(', ');
  throw new HaError('not_found', `there is no host ${name}; there are ${names}`);
}

async function become(ports: ControlPorts, order: HostVerbOrder, { becomes }: VerbPlan): Promise<void> {
  if (becomes === null) return;
  await becomeAdmin(ports, order, becomes, (old) => {
    // A lock that came in between is somebody's word as well: it is not undone by a verb that did not see it.
    const isLockedMeanwhile = old.admin === 'locked' && order.verb !== 'unlock' && order.verb !== 'lock';
    if (isLockedMeanwhile && order.request.force !== true) throw refused(order, [`${order.host} was locked meanwhile`]);
    return true;
  });
}
