/** Who may own a group's slots at all, and who is on its candidate list now. */
import type { Definition, GroupDefinition } from '../config/model.ts';
import type { HostFacts } from './facts.ts';
import { byText } from './facts.ts';
import { oncePer } from './once-per.ts';

function hasLabels(labels: Readonly<Record<string, string>>, required: Readonly<Record<string, string>>): boolean {
  return Object.keys(required).every((key) => labels[key] === required[key]);
}

const candidatesIn = oncePer((definition: Definition) =>
  oncePer((group: GroupDefinition) => findCandidates(definition, group)),
);

/** Defined hosts that satisfy the required labels, by name: possible owners, whatever their state today. */
export function candidateHosts(definition: Definition, group: GroupDefinition): readonly string[] {
  return candidatesIn(definition)(group);
}

function findCandidates(definition: Definition, group: GroupDefinition): readonly string[] {
  return definition.hosts
    .filter((host) => hasLabels(host.labels, group.placement.require))
    .map((host) => host.name)
    .sort(byText);
}

/**
 * The candidate list as it should be: possible owners with a live session, by name; a host without one leaves it (S12).
 *
 * Neither status nor admin state counts. A host that is late is still to be asked for a hold until its session is
 * revoked, and one that is locked for an hour would, had it left the list, be barred by S11 from taking over later.
 */
export function candidateList(
  definition: Definition,
  group: GroupDefinition,
  hosts: readonly Pick<HostFacts, 'name' | 'session'>[],
): readonly string[] {
  const live = new Set(hosts.filter((host) => host.session !== null).map((host) => host.name));
  return candidateHosts(definition, group).filter((name) => live.has(name));
}
