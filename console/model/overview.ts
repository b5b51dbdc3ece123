/** The first screen: one sentence, the hosts, and who runs what. */
import type { GroupView, HostView, SlotView, StatusView } from '../../core/protocol/views.ts';
import type { Meaning, Tone } from './tones.ts';
import { healthMeaning, hostMeaning, severity, slotMeaning } from './tones.ts';
import { count, listed } from './words.ts';

export interface Headline {
  readonly tone: Tone;
  readonly says: string;
}

/** Hosts of which the last word still holds: they renew, or a hold shows that they live. */
const HEARD_OF: readonly string[] = ['Up', 'Disconnected'] satisfies HostView['status'][];

/** Hosts of which nobody may say now what runs on them, by name. */
export type Doubted = ReadonlySet<string>;

/** Silent ones, and those whose failover is under way: a death that EC2 reports is worked on before the status says so. */
export function doubted({ hosts, runs }: Pick<StatusView, 'hosts' | 'runs'>): Doubted {
  const silent = hosts.filter((host) => !HEARD_OF.includes(host.status)).map(({ name }) => name);
  const suspects = runs.filter((run) => run.work === 'HA' && run.closedAtMs === null).flatMap(({ host }) => host ?? []);
  return new Set([...silent, ...suspects]);
}

/** A record says Active until somebody writes otherwise; of a silent owner nobody knows whether it is still true. */
export function isUnsure(slot: Pick<SlotView, 'owner'>, doubts: Doubted): boolean {
  return slot.owner !== null && doubts.has(slot.owner);
}

export function slotStanding(slot: SlotView, doubts: Doubted): Meaning {
  const meaning = slotMeaning(slot.phase);
  if (!isUnsure(slot, doubts) || meaning.tone === 'bad') return meaning;
  const owner = slot.owner ?? '';
  return {
    tone: 'warn',
    word: 'Owner silent',
    says: `${owner} was its owner when it fell silent. Whether it still runs is not known.`,
  };
}

/** The API judges redundancy by what is recorded; while an owner is silent that verdict is out of date. */
export function groupStanding(group: GroupView, doubts: Doubted): Meaning {
  const meaning = healthMeaning(group.health);
  if (severity(meaning.tone) <= severity('warn') || !group.slots.some((slot) => isUnsure(slot, doubts))) return meaning;
  return { tone: 'warn', word: 'Unsure', says: 'An owner is silent; whether it still runs its part is not known.' };
}

/** What a host reported is history once it is not heard of any more. */
export function isPast(host: Pick<HostView, 'status'>): boolean {
  return !HEARD_OF.includes(host.status);
}

/** The worst thing first, in one sentence; good news only if nothing worse is true. */
export function headline(status: StatusView): Headline {
  const slots = status.groups.flatMap((group) => group.slots);
  const doubts = doubted(status);
  const running = slots.filter((slot) => slot.phase === 'Active' && !isUnsure(slot, doubts)).length;
  const troubled = status.hosts.filter((host) => severity(hostMeaning(host.status).tone) < severity('busy'));
  if (slots.length === 0) return { tone: 'quiet', says: 'Nothing is defined to run yet.' };
  if (running < slots.length) return notRunning(status, running, slots.length);
  if (!status.haEnabled) return { tone: 'warn', says: 'Everything runs, but automatic failover is switched off.' };
  const reduced = status.groups.filter((group) => group.health !== 'ok');
  if (troubled.length > 0)
    return {
      tone: 'warn',
      says: `Everything runs. ${listed(troubled.map((host) => host.name))} ${troubled.length === 1 ? 'is' : 'are'} not up.`,
    };
  if (reduced.length > 0)
    return {
      tone: 'warn',
      says: `Everything runs, ${listed(reduced.map((group) => group.name))} with less in reserve.`,
    };
  return { tone: 'good', says: 'Everything runs.' };
}

/** While nothing is heard, what was true is said to have been true. */
export function lastHeard({ says }: Headline): Headline {
  const isName = !/^[A-Z][a-z]/.test(says);
  return { tone: 'quiet', says: `When last heard: ${isName ? says : says.slice(0, 1).toLowerCase() + says.slice(1)}` };
}

function notRunning(status: StatusView, running: number, all: number): Headline {
  const missing = all - running;
  const isWorkedOn = status.runs.length > 0;
  const says =
    missing === all
      ? `None of ${count(all, 'slot')} is known to run`
      : `${missing} of ${count(all, 'slot')} ${missing === 1 ? 'is' : 'are'} not known to run`;
  return { tone: isWorkedOn ? 'warn' : 'bad', says: isWorkedOn ? `${says}; recovery is at work.` : `${says}.` };
}

/** Beyond this the hosts are a list, not columns. */
export const BOARD_COLUMNS_MAX = 8;
/** Rows of a long list that are drawn at first, and with each further step. */
export const PAGE = 50;

export interface Board {
  readonly hosts: readonly string[];
  readonly rows: readonly BoardRow[];
}

export interface BoardRow {
  readonly group: GroupView;
  /** One per host, in the board's order. */
  readonly cells: readonly BoardCell[];
  /** Slots that no host owns. */
  readonly unowned: readonly SlotView[];
}

export interface BoardCell {
  readonly host: string;
  readonly slots: readonly SlotView[];
  readonly isStandby: boolean;
}

/** null: too many hosts for columns. */
export function boardOf(status: StatusView): Board | null {
  if (status.hosts.length > BOARD_COLUMNS_MAX) return null;
  const hosts = status.hosts.map((host) => host.name);
  const rows = status.groups.map((group) => ({
    group,
    cells: hosts.map((host) => ({
      host,
      slots: group.slots.filter((slot) => slot.owner === host),
      isStandby: group.standbys.includes(host),
    })),
    unowned: group.slots.filter((slot) => slot.owner === null || !hosts.includes(slot.owner)),
  }));
  return { hosts, rows };
}

export type HostFilter = 'all' | 'trouble' | 'withheld';

export interface ListQuery {
  readonly text: string;
  readonly only: HostFilter;
}

/** By name, zone, label, status, or a group that it runs; troubled ones first, otherwise as defined. */
export function findHosts(hosts: readonly HostView[], { text, only }: ListQuery): readonly HostView[] {
  const wanted = text.trim().toLowerCase();
  const found = hosts.filter((host) => isWanted(host, only) && (wanted === '' || hostText(host).includes(wanted)));
  return found.toSorted((a, b) => urgency(a) - urgency(b));
}

const urgency = (host: HostView): number => Math.min(severity(hostMeaning(host.status).tone), severity('quiet'));

function isWanted(host: HostView, only: HostFilter): boolean {
  if (only === 'trouble') return hostMeaning(host.status).tone !== 'good';
  return only === 'all' || host.admin !== 'enabled';
}

function hostText(host: HostView): string {
  const labels = Object.entries(host.labels).flat();
  const groups = host.slots.map((slot) => `${slot.group}/${slot.slot}`);
  return [host.name, host.zone ?? '', host.machine ?? '', host.status, ...labels, ...groups].join(' ').toLowerCase();
}

export function findGroups(
  groups: readonly GroupView[],
  query: { text: string; onlyTrouble: boolean },
): readonly GroupView[] {
  const wanted = query.text.trim().toLowerCase();
  const found = groups.filter(
    (group) =>
      (!query.onlyTrouble || group.health !== 'ok') &&
      (wanted === '' ||
        `${group.name} ${group.slots.map((slot) => slot.owner ?? '').join(' ')}`.toLowerCase().includes(wanted)),
  );
  return found.toSorted((a, b) => severity(healthMeaning(a.health).tone) - severity(healthMeaning(b.health).tone));
}

export function redundancyWords(group: GroupView): string {
  const active = group.slots.length;
  if (group.model === 'n') return `${count(active, 'active slot')}, no standby`;
  const standby = group.standbys.length;
  return `${count(active, 'active slot')}, ${standby === 0 ? 'no standby now' : count(standby, 'standby', 'standbys')}`;
}
