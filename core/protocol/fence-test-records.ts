/**
 * What the last self-test of the fence found about a host's machine. Written by the fence's own Lambda: only its own rights
 * can say what it may do, and nobody else need be given any for the asking.
 */
import type { MachineSeen, Reach, Rehearsal, ScalingMembership } from '../cloud-ports.ts';
import type { WallInstant } from '../time/time.ts';
import type { Key } from './records.ts';

export type SeenSettings =
  | ({ readonly outcome: 'seen'; readonly hasTag: boolean } & Pick<
      MachineSeen,
      'state' | 'type' | 'autoRecovery' | 'canHibernate' | 'isStopProtected'
    >)
  | { readonly outcome: 'unknown'; readonly says: string };

export interface FenceTestRecord {
  readonly host: string;
  /** Instance id. */
  readonly machine: string;
  readonly atMs: WallInstant;
  /** Of the order by which a fence stops it; null: no policy of this host does. */
  readonly stop: Rehearsal | null;
  readonly seen: SeenSettings;
  readonly scaling: ScalingMembership;
  /** Of the group that it is a member of; null: of none, or not known. */
  readonly group: {
    /** Somebody has suspended what would destroy an instance that does not run. */
    readonly isHarmless: boolean;
    /** The fence may put its instances in standby. */
    readonly hasTag: boolean;
  } | null;
  readonly reach: Reach;
  /** A person was called about what defeats the fence, and it has not been mended since. */
  readonly isTold: boolean;
}

const PREFIX = 'FENCETEST#';

export const fenceTestKeys = {
  of: (cluster: string, host: string): Key => ({ pk: `O#${cluster}`, sk: `${PREFIX}${host}` }),
  all: (cluster: string): { readonly pk: string; readonly prefix: string } => ({ pk: `O#${cluster}`, prefix: PREFIX }),
} as const;
