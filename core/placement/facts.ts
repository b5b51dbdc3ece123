/**
 * What placement is given and what it says. Everything here is plain JSON, so that the live system,
 * `holdfast simulate` and the tests use one function on the same kind of snapshot.
 */
import type { Definition, HostDefinition } from '../config/model.ts';
import type { AdminState, GroupRecord, HostStatus } from '../protocol/records.ts';
import type { WallInstant } from '../time/time.ts';

export interface HostFacts {
  readonly name: string;
  readonly status: HostStatus;
  readonly admin: AdminState;
  /** The live session; null if there is none or it was revoked. */
  readonly session: string | null;
  readonly zone?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly capacity?: HostDefinition['capacity'];
}

export interface Snapshot {
  readonly definition: Definition;
  readonly hosts: readonly HostFacts[];
  readonly groups: readonly GroupRecord[];
  readonly nowMs: WallInstant;
}

/** In the order in which they are asked; the first that drops a host is the one that is named. */
export const FILTERS = [
  'admin',
  'status',
  'labels',
  'ha-tag',
  'capacity',
  'failed-there',
  'takers',
  'same-group',
  'apart',
  'together',
] as const;

export type Filter = (typeof FILTERS)[number];

/**
 * Filters that give way, in this order, when no host passes them all: only after a failure, since service on a host
 * that nobody would have chosen is then better than none. Everything else holds always.
 */
export const RELAXED_IN_ORDER = ['ha-tag', 'capacity'] as const satisfies readonly Filter[];

export type Relaxed = (typeof RELAXED_IN_ORDER)[number];

/**
 * In the order in which they are compared; higher is better. The first part that differs decides, so that
 * "why h2 and not h3" always has one answer, and no points of unlike things are added up.
 */
export const SCORE_PARTS = ['warm', 'preference', 'sticky', 'spread', 'balance'] as const;

export type ScorePart = (typeof SCORE_PARTS)[number];

/**
 * warm: members of the aggregate that stand by here, in this session. preference: sum of the weights of fulfilled wishes.
 * sticky: members whose last owner is this host. spread: minus the group's slots in this zone or label value.
 * balance: minus the slots that the host owns already.
 */
export type Score = Readonly<Record<ScorePart, number>>;

export type HostFinding =
  | { readonly host: string; readonly outcome: 'taken'; readonly score: Score }
  /** Passed every filter; `decidedBy` is where the taken host was better (`name`: equal, names decide). */
  | {
      readonly host: string;
      readonly outcome: 'possible';
      readonly score: Score;
      readonly decidedBy: ScorePart | 'name';
    }
  | { readonly host: string; readonly outcome: 'dropped'; readonly filter: Filter; readonly fact: string };

/** Where one slot goes; `host` null: nowhere now, see the explanation. */
export interface Placement {
  readonly group: string;
  readonly slot: number;
  readonly host: string | null;
  readonly session: string | null;
  /** Waves start one after the other, 0 first. */
  readonly wave: number;
}

export interface StandbyChoice {
  readonly group: string;
  readonly hosts: readonly { readonly host: string; readonly session: string }[];
  /** Standbys that the redundancy asks for and no host can be. */
  readonly missing: number;
}

export interface SlotExplanation {
  readonly group: string;
  readonly slot: number;
  readonly host: string | null;
  /** Groups that move as one with it. */
  readonly aggregate: readonly string[];
  readonly says: string;
  /** What had to give way so that a host could take it. */
  readonly relaxed: readonly Relaxed[];
  /** One finding per host, by name; `findingInWords` says it to a person. */
  readonly hosts: readonly HostFinding[];
}

export interface Plan {
  readonly actions: readonly Placement[];
  readonly standbys: readonly StandbyChoice[];
  readonly explanations: readonly SlotExplanation[];
}

/** Code-unit order: the same on every machine, whatever its locale. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
