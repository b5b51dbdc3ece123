/** The host status table as the page docs/internals/host-status.md; `tools/write-host-status.ts` writes it. */
import type { HostStatusRow } from './host-status.ts';
import { HOST_ACTIONS, HOST_EVENT_NAMES, HOST_EVENTS, HOST_STATUS_ROWS, HOST_STATUSES } from './host-status.ts';

/** Columns padded as prettier pads them, so that the formatter finds nothing to change. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

const INTRODUCTION = `# Host status

Printed from \`core/detection/host-status.ts\` by \`node tools/write-host-status.ts\`; a test fails if the two differ.

The status is what Holdfast believes of a host. Operators read it and placement filters on it; it is never evidence, and
no slot changes its owner because of it (SAFETY.md, S7). A pair of status and event that the table does not list is
ignored: late and repeated events change nothing (S17).`;

export function hostStatusPage(): string {
  const cells = ({ event, from, to, action }: HostStatusRow) => [
    `\`${event}\``,
    from,
    to === from ? '(stays)' : to,
    action === 'none' ? '' : `\`${action}\``,
  ];
  const ignored = HOST_EVENT_NAMES.map((event) => {
    const named = HOST_STATUS_ROWS.filter((row) => row.event === event).map((row) => row.from);
    const rest = HOST_STATUSES.filter((status) => !named.includes(status));
    return [`\`${event}\``, rest.join(', ') || 'none'];
  });
  return [
    INTRODUCTION,
    '## Events',
    table(
      ['Event', 'What was seen'],
      HOST_EVENT_NAMES.map((event) => [`\`${event}\``, HOST_EVENTS[event]]),
    ),
    '## Actions',
    table(
      ['Action', 'What the caller does'],
      Object.entries(HOST_ACTIONS).map(([action, says]) => [`\`${action}\``, says]),
    ),
    '## Table',
    table(['Event', 'From', 'To', 'Action'], HOST_STATUS_ROWS.map(cells)),
    '## Ignored pairs',
    table(['Event', 'Ignored in'], ignored),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}
