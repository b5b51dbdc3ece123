/** Whether a cluster is as its definition wants it, from outside. */
import { type Definition, type GroupDefinition, slotCount } from '../core/config/model.ts';
import type { HostView, SlotView, StatusView } from '../core/protocol/views.ts';

/**
 * What is not up yet, in words; none: every host is Up, every slot Active, every standby in its place.
 *
 * What is stored outlives a power cut for all. So a host counts only if it has beaten since `before`, an earlier look,
 * and a slot only if its owner reports it as well.
 */
export function missingFrom(status: StatusView, definition: Definition, before: StatusView): string[] {
  const hosts = definition.hosts.map(({ name }) => {
    const now = status.hosts.find((host) => host.name === name);
    if (now?.status !== 'Up') return [`host ${name} is ${now?.status ?? 'unknown'}`];
    return hasBeaten(now, before) ? [] : [`host ${name} has not been heard yet`];
  });
  return [...hosts, ...definition.groups.map((group) => missingPlaces(status, group))].flat();
}

function hasBeaten(now: HostView, before: StatusView): boolean {
  const then = before.hosts.find(({ name }) => name === now.name);
  return then?.session !== now.session || then?.seq !== now.seq;
}

function missingPlaces(status: StatusView, group: GroupDefinition): string[] {
  const view = status.groups.find(({ name }) => name === group.name);
  const slots = Array.from({ length: slotCount(group) }, (_, no) => {
    const slot = view?.slots.find((each) => each.slot === no);
    if (slot?.phase !== 'Active') return [`${group.name}/${String(no)} is ${slot?.phase ?? 'unknown'}`];
    return isReported(status, group.name, slot) ? [] : [`${group.name}/${String(no)} is not reported by its owner`];
  });
  const wanted = group.redundancy.model === 'n-plus-m' ? group.redundancy.standby : 0;
  const standbys = view?.standbys.length ?? 0;
  const lacking = standbys < wanted ? [`${group.name} has ${String(standbys)} of ${String(wanted)} standbys`] : [];
  return [...slots.flat(), ...lacking];
}

function isReported({ hosts }: StatusView, group: string, { slot, owner, epoch }: SlotView): boolean {
  const reports = hosts.find(({ name }) => name === owner)?.slots ?? [];
  return reports.some(
    (own) => own.group === group && own.slot === slot && own.epoch === epoch && own.phase === 'Active',
  );
}
