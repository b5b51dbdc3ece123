/** Whether a cluster is as its definition wants it, from outside. */
import { type Definition, type GroupDefinition, slotCount } from '../core/config/model.ts';
import type { StatusView } from '../core/protocol/views.ts';

/** What is not up yet, in words; none: every host is Up, every slot Active, every standby in its place. */
export function missingFrom(status: StatusView, definition: Definition): string[] {
  const hosts = definition.hosts.map(({ name }) => {
    const now = status.hosts.find((host) => host.name === name)?.status ?? 'unknown';
    return now === 'Up' ? [] : [`host ${name} is ${now}`];
  });
  return [...hosts, ...definition.groups.map((group) => missingPlaces(status, group))].flat();
}

function missingPlaces(status: StatusView, group: GroupDefinition): string[] {
  const view = status.groups.find(({ name }) => name === group.name);
  const slots = Array.from({ length: slotCount(group) }, (_, slot) => {
    const now = view?.slots.find((each) => each.slot === slot)?.phase ?? 'unknown';
    return now === 'Active' ? [] : [`${group.name}/${String(slot)} is ${now}`];
  });
  const wanted = group.redundancy.model === 'n-plus-m' ? group.redundancy.standby : 0;
  const standbys = view?.standbys.length ?? 0;
  const lacking = standbys < wanted ? [`${group.name} has ${String(standbys)} of ${String(wanted)} standbys`] : [];
  return [...slots.flat(), ...lacking];
}
