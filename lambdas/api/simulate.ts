/** What-if: checks the hypothetical changes as if they were real, then plays them through on facts in memory. */
import { readDefinition } from '../../adapters/node/definition-file.ts';
import type { Definition, HostDefinition } from '../../core/config/model.ts';
import { hostName, label, labels } from '../../core/config/schema-parts.ts';
import { HaError } from '../../core/failures/failures.ts';
import { type Change, simulateChanges } from '../../core/placement/simulate.ts';
import type { HypotheticalChange, SimulateRequest, SimulateView } from '../../core/protocol/views.ts';
import { loadCluster } from '../shared/cluster.ts';
import { liveFactsOf } from '../shared/live-facts.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { DefinitionRefused } from './apply.ts';
import { boundView } from './views.ts';

/** Each change runs the whole control plane's decisions to rest once. */
const CHANGES_MAX = 20;

export async function simulate(ports: ControlPorts, cluster: string, request: SimulateRequest): Promise<SimulateView> {
  if (request.changes.length > CHANGES_MAX) {
    throw new HaError('limit_exceeded', `at most ${CHANGES_MAX} changes at once, got ${request.changes.length}`);
  }
  const facts = await loadCluster(ports, cluster);
  const changes = checked(facts.definition, request.changes);
  const found = simulateChanges(liveFactsOf(facts, ports.wall.now()), changes);
  const { says, slots, unchanged, health } = found;
  return { says, slots, unchanged, health, bound: boundView(found.definition) };
}

/** Each is checked against the cluster as those before it leave it. */
function checked(now: Definition, wanted: readonly HypotheticalChange[]): readonly Change[] {
  let definition = now;
  return wanted.map((change, at): Change => {
    const where = `change ${at + 1}`;
    const names = definition.hosts.map(({ name }) => name);
    switch (change.change) {
      case 'host-down':
        if (!names.includes(change.host)) {
          throw new HaError('not_found', `${where}: there is no host ${change.host}; there are ${names.join(', ')}`);
        }
        return change;
      case 'host-added': {
        const host = checkedHost(where, change.host, names);
        definition = { ...definition, hosts: [...definition.hosts, host] };
        return { change: 'host-added', host };
      }
      case 'definition': {
        definition = checkedDefinition(where, change.yaml, now.cluster);
        return { change: 'definition', definition };
      }
    }
  });
}

type NewHost = Extract<HypotheticalChange, { readonly change: 'host-added' }>['host'];

function checkedHost(where: string, host: NewHost, names: readonly string[]): HostDefinition {
  const refuse = (what: string): never => {
    throw new HaError('config_invalid', `${where}: ${what}`);
  };
  const { name, zone, capacity } = host;
  if (!hostName.safeParse(name).success)
    refuse(`the name of a host is a-z, 0-9 and inner dashes, got ${name.slice(0, 80)}`);
  if (names.includes(name)) refuse(`there is a host ${name} already; choose another name`);
  if (zone !== undefined && !label.safeParse(zone).success) refuse(`a zone is a label, got ${zone.slice(0, 80)}`);
  const carried = labels.safeParse(host.labels ?? {});
  if (!carried.success) refuse(`labels: ${carried.error.issues[0]?.message ?? 'are not labels'}`);
  for (const [key, amount] of Object.entries(capacity ?? {})) {
    if (amount !== undefined && !(amount > 0)) refuse(`capacity.${key} must be above 0, got ${amount}`);
  }
  return { name, zone, labels: host.labels ?? {}, capacity, paths: {}, fencing: [['lease']] };
}

function checkedDefinition(where: string, yaml: string, cluster: string): Definition {
  const read = readDefinition([{ content: yaml }]);
  if (!read.ok) {
    const more = read.omitted > 0 ? `, and ${read.omitted} more` : '';
    throw new DefinitionRefused(`${where}: the definition has ${read.problems.length} problems${more}`, read.problems);
  }
  if (read.definition.cluster !== cluster) {
    throw new HaError(
      'config_invalid',
      `${where}: the definition is of cluster ${read.definition.cluster}, not ${cluster}`,
    );
  }
  return read.definition;
}
