/** `holdfast show` and `holdfast events`, and the texts around applying a definition. */
import { formatDuration } from '../../core/config/durations.ts';
import type { Definition, GroupDefinition, HostDefinition, Redundancy } from '../../core/config/model.ts';
import { agentText } from '../../core/config/schema-parts.ts';
import { outageSurvivedMs, recoveryBoundMs } from '../../core/config/timing.ts';
import type { DefinitionView, EventView, GroupView, HostView } from '../../core/protocol/views.ts';
import { evidenceText } from './story.ts';
import { paragraph, table, wrap, WIDTH } from './table.ts';
import { age, clean, isHeardOf, type Paint, plain, span, toneOf } from './words.ts';

function redundancyText(redundancy: Redundancy): string {
  if (redundancy.model === 'n-plus-m') return `${redundancy.active} active + ${redundancy.standby} standby`;
  return `${redundancy.active} active${redundancy.exclusive ? ', exclusive' : ''}`;
}

/** V10 and V11 as a person asks for them. What a group needs to start is its own, and comes on top. */
export function definitionSummary({ cluster, hosts, groups, timing }: Definition): string {
  return (
    `cluster ${cluster}: ${hosts.length} hosts, ${groups.length} groups; a silent owner is replaced ` +
    `within ${span(recoveryBoundMs(timing, { startMs: 0 }))} of its last beat, starts not counted; ` +
    `${span(outageSurvivedMs(timing))} without AWS stop nothing`
  );
}

export function definitionText({ rev, definition }: DefinitionView, paint: Paint = plain): string[] {
  const { timing } = definition;
  const hosts = definition.hosts.map((host) => [
    host.name,
    host.instanceId ?? host.certificateName ?? '-',
    host.zone ?? '-',
    Object.entries(host.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(', ') || '-',
    fencingText(host),
  ]);
  const groups = definition.groups.map((group) => [
    group.name,
    redundancyText(group.redundancy),
    String(group.priority),
    group.accepts.join(', ') || '-',
    group.services.map(({ name }) => name).join(', '),
  ]);
  return [
    ...paragraph(`Definition ${rev} of ${definitionSummary(definition)}.`),
    ...paragraph(
      `Timing ${timing.profile}: interval ${formatDuration(timing.intervalMs)}, holderLease ${formatDuration(timing.holderLeaseMs)},` +
        ` takerWait ${formatDuration(timing.takerWaitMs)}, wallGap ${formatDuration(timing.wallGapMs)}.`,
    ),
    '',
    ...table(['HOST', 'IDENTITY', 'ZONE', 'LABELS', 'FENCING'], hosts, { paint }),
    ...(groups.length === 0
      ? []
      : ['', ...table(['GROUP', 'PLACES', 'PRIORITY', 'ACCEPTS', 'SERVICES'], groups, { paint })]),
  ];
}

function fencingText({ fencing }: HostDefinition): string {
  return fencing.map((level) => level.join(' and ')).join(', then ');
}

export function hostText(defined: HostDefinition | undefined, view: HostView, paint: Paint = plain): string[] {
  const rows = [
    ['status', { text: view.status, tone: toneOf(view.status) }, view.why],
    ['admin', view.admin, ''],
    [
      'last beat',
      view.beatAgeMs === null ? 'never' : `${span(view.beatAgeMs)} ago`,
      view.seq === null ? '' : `number ${view.seq}`,
    ],
    ['session', view.session ?? 'none', view.guardLevel === null ? '' : `guard level ${view.guardLevel}`],
    ['run', view.claimRun ?? 'none', ''],
    ...(defined === undefined
      ? []
      : [
          [
            'identity',
            defined.instanceId ?? defined.certificateName ?? '-',
            defined.zone === undefined ? '' : `zone ${defined.zone}`,
          ],
          ['fencing', fencingText(defined), ''],
        ]),
  ];
  const slots = view.slots.map(({ group, slot, epoch, phase }) => [
    `${group}/${slot}`,
    isHeardOf(view.status) ? { text: phase, tone: toneOf(phase) } : `was ${phase}`,
    String(epoch),
  ]);
  return [
    `Host ${view.name}`,
    ...table(['', '', ''], rows, { paint, indent: 2 }),
    '',
    ...(slots.length === 0 ? ['It reports no slots.'] : table(['SLOT', 'PHASE', 'EPOCH'], slots, { paint })),
  ];
}

export function groupText(defined: GroupDefinition | undefined, view: GroupView, paint: Paint = plain): string[] {
  const slots = view.slots.map((slot) => [
    String(slot.slot),
    { text: slot.phase, tone: toneOf(slot.phase) },
    slot.owner ?? '-',
    String(slot.epoch),
    slot.candidates.join(', ') || '-',
    slot.evidenceKind === null ? slot.why : `${slot.why}; old owner gone: ${evidenceText(slot.evidenceKind)}`,
  ]);
  const services = (defined?.services ?? []).map((service) => [
    service.name,
    service.agent.kind === 'exec' ? `exec ${service.command.join(' ')}` : agentText(service.agent),
    service.dependsOn.join(', ') || '-',
    service.impact,
    `${formatDuration(service.actions.start.timeoutMs)} / ${formatDuration(service.actions.stop.timeoutMs)}`,
  ]);
  const stops = view.covered ? 'A lost lease stops it.' : 'A lost lease does not stop it.';
  const places = defined === undefined ? view.model : redundancyText(defined.redundancy);
  return [
    `Group ${view.name}: ${paint(view.health, toneOf(view.health))}, ${places}, priority ${view.priority}. ${stops}`,
    `Standby: ${view.standbys.join(', ') || 'none'}`,
    '',
    ...table(['SLOT', 'PHASE', 'OWNER', 'EPOCH', 'CANDIDATES', 'WHY'], slots, { paint }),
    ...(services.length === 0
      ? []
      : ['', ...table(['SERVICE', 'AGENT', 'AFTER', 'IMPACT', 'START / STOP'], services, { paint })]),
  ];
}

export function eventsText(events: readonly EventView[], now: number): string[] {
  const rows = events.map((event) => [age(event.atMs, now), event.subject, event.kind, `${event.says} (${event.by})`]);
  return table(['', '', '', ''], rows);
}

/** Columns of an event while following: names differ, and a later one cannot widen the lines above it. */
const SUBJECT = 10;
const KIND = 16;

/** One event of a log that goes on: the moment, not its age, which would be wrong a second later. */
export function eventLine({ atMs, subject, kind, says, by }: EventView): string[] {
  const head = `${new Date(atMs).toISOString().slice(11, 23)}  ${clean(subject).padEnd(SUBJECT)}  ${clean(kind).padEnd(KIND)}  `;
  const [first = '', ...rest] = wrap(clean(`${says} (${by})`), Math.max(20, WIDTH - head.length));
  return [`${head}${first}`, ...rest.map((line) => `${' '.repeat(head.length)}${line}`)];
}
