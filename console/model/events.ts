/** The list of events: kinds in words, filtered, newest first, by day. */
import type { EventView } from '../../core/protocol/views.ts';
import { day } from './words.ts';

const KINDS: Readonly<Record<string, string>> = {
  'definition.applied': 'Definition',
  'host.status': 'Host status',
  'host.machine': 'Another machine',
  'host.session': 'Session',
  'host.over': 'Host is over',
  'host.admin': 'Operator',
  'slot.owner': 'New owner',
  'slot.active': 'Active',
  'slot.released': 'Released',
  'run.opened': 'Run opened',
  'run.closed': 'Run closed',
  'operator.move': 'Operator',
};

export function kindWord(kind: string): string {
  const known = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (known !== undefined) return known;
  const [area = kind, ...rest] = kind.split('.');
  return area === 'operator' ? 'Operator' : [area, ...rest].join(' ').replace(/^./, (first) => first.toUpperCase());
}

export interface EventQuery {
  readonly text: string;
  /** A word of `kindWord`; empty: all. */
  readonly kind: string;
}

export function findEvents(events: readonly EventView[], { text, kind }: EventQuery): readonly EventView[] {
  const wanted = text.trim().toLowerCase();
  return events
    .filter((event) => kind === '' || kindWord(event.kind) === kind)
    .filter(
      (event) =>
        wanted === '' || `${event.subject} ${event.says} ${event.by} ${event.run ?? ''}`.toLowerCase().includes(wanted),
    )
    .toReversed();
}

export function kindsIn(events: readonly EventView[]): readonly string[] {
  return [...new Set(events.map((event) => kindWord(event.kind)))].sort();
}

export interface Day {
  readonly day: string;
  readonly events: readonly EventView[];
}

export function byDay(newestFirst: readonly EventView[]): readonly Day[] {
  const days = Map.groupBy(newestFirst, (event) => day(event.atMs));
  return [...days].map(([name, events]) => ({ day: name, events }));
}

/** Subjects are hosts, slots (`group/0`) or the cluster: what an event is about, as a place in this page. */
export function isAbout(event: EventView, name: string): boolean {
  return event.subject === name || event.subject.startsWith(`${name}/`);
}
