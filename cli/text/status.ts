/** `holdfast status`: hosts, groups and open runs on one screen. */
import type { GroupView, HostView, StatusView } from '../../core/protocol/views.ts';
import { runLines } from './runs.ts';
import { type Cell, paragraph, table } from './table.ts';
import { isHeardOf, type Paint, plain, span, toneOf } from './words.ts';

export function statusText(view: StatusView, paint: Paint = plain): string[] {
  return [
    ...heading(view, paint),
    '',
    ...hostTable(view.hosts, paint),
    '',
    ...(view.groups.length === 0 ? ['No groups are defined.'] : groupTable(view.groups, paint)),
    '',
    ...(view.runs.length === 0
      ? ['No run is open.']
      : ['Open runs', ...view.runs.flatMap((run) => runLines(run, view.atMs, paint))]),
  ];
}

function heading(view: StatusView, paint: Paint): string[] {
  const ha = view.haEnabled
    ? ''
    : paint(' HA IS SWITCHED OFF: nothing is started, moved or fenced automatically.', 'bad');
  const { recoveryMs, outageMs } = view.bound;
  return [
    `${paint(`Cluster ${view.cluster}`, 'strong')}, definition ${view.rev}.${ha}`,
    ...paragraph(
      `Recovers within ${span(recoveryMs)} if one eligible host is left; survives ${span(outageMs)} without AWS before peers must help.`,
    ),
  ];
}

function hostTable(hosts: readonly HostView[], paint: Paint): string[] {
  const rows = hosts.map((host): Cell[] => [
    host.name,
    { text: host.status, tone: toneOf(host.status) },
    host.beatAgeMs === null ? 'never' : `${span(host.beatAgeMs)} ago`,
    host.admin === 'enabled' ? 'enabled' : { text: host.admin, tone: 'warn' },
    slotsOf(host),
    host.why,
  ]);
  return table(['HOST', 'STATUS', 'LAST BEAT', 'ADMIN', 'SLOTS', 'WHY'], rows, { paint });
}

/** What a silent host reported last is history. */
function slotsOf({ slots, status }: HostView): string {
  const was = isHeardOf(status) ? '' : 'was ';
  return slots.map(({ group, slot, phase }) => `${group}/${slot} ${was}${phase}`).join(', ') || '-';
}

function groupTable(groups: readonly GroupView[], paint: Paint): string[] {
  const rows = groups.flatMap((group) =>
    group.slots.map((slot, i): Cell[] => [
      i === 0 ? group.name : '',
      i === 0 ? { text: group.health, tone: toneOf(group.health) } : '',
      String(slot.slot),
      { text: slot.phase, tone: toneOf(slot.phase) },
      slot.owner ?? '-',
      String(slot.epoch),
      i === 0 ? group.standbys.join(', ') || '-' : '',
      slot.why,
    ]),
  );
  return table(['GROUP', 'HEALTH', 'SLOT', 'PHASE', 'OWNER', 'EPOCH', 'STANDBY', 'WHY'], rows, { paint });
}
