/**
 * What is stored: the heartbeat item and the records of the registry (model: docs/ARCHITECTURE.md, "What is stored").
 * One writer per fact; every change is one conditional write.
 */
import type { EvidenceKind, GroupDefinition, Timing } from '../config/model.ts';
import type { WallInstant } from '../time/time.ts';
import type { FenceOrder, PoweredOff, PowerFence } from './power-records.ts';

/** The version of the safety rules an agent obeys; an unknown one makes `lease-over` unavailable (S7). */
export const RULES_VERSION = 1;

/** What a session recorded of its own timing at registration; it is judged by this, not by today's configuration (S19). */
export interface SessionTiming {
  readonly intervalMs: number;
  readonly holderLeaseMs: number;
  readonly takerWaitMs: number;
  readonly killMs: number;
  readonly writeLifeMs: number;
  readonly freezeMs: number;
  readonly clockRateError: number;
}

/** Who ends the services of a stopped or dead guard; at `none` nothing bounds it, so `lease-over` is refused (S4). */
export type GuardLevel = 'watchdog' | 'init' | 'none';

export type SlotPhase = 'Stopped' | 'Starting' | 'Active' | 'Stopping' | 'Standby' | 'Failed' | 'Held' | 'Unknown';

export interface SlotReport {
  readonly group: string;
  readonly slot: number;
  readonly epoch: number;
  readonly phase: SlotPhase;
  readonly health: 'ok' | 'warn' | 'degraded' | 'failed';
  readonly detail?: string | undefined;
}

/** Written by a host into its own heartbeat item, at registration. */
export interface Registration {
  readonly session: string;
  readonly cluster: string;
  readonly host: string;
  /** Platform identity of the machine (instance id, certificate fingerprint). */
  readonly machine: string;
  readonly bootId: string;
  readonly launchTime: string;
  readonly guardLevel: GuardLevel;
  readonly rules: number;
  readonly timing: SessionTiming;
  readonly agentVersion: string;
  readonly incarnation: string;
  /** True only with a mesh key: such a session may outlive its lease by holds (S10), which binds its takers (S11). */
  readonly mayHold: boolean;
}

/** Written by a host with every renewal. */
export interface Beat {
  readonly obeyed: number;
  readonly slots: readonly SlotReport[];
  /** Candidate-list number acknowledged per `group/slot`. */
  readonly lists: Readonly<Record<string, number>>;
  /** Host wall clock at send, for display of skew only; never compared for a decision. */
  readonly sentAtWallMs: number;
  /**
   * t_send of this renewal on the boot clock of the machine. A renewal that its sender gave up may be committed up to m
   * later, after the next one: the store takes a renewal only if it was sent after the one that stands, so that what was
   * acknowledged stays acknowledged (S2, S11). A session is of one boot, so the clock never goes back within it, also
   * across restarts of the agent; a registration sets it anew. Compared with nothing but this field of the same session:
   * not across hosts, not with a clock of the control plane. Absent: written by an agent that does not know it (S19).
   */
  readonly sentAtBootMs?: number | undefined;
}

/** One item of the heartbeats table. `session` is a uuid, or `revoked:<run>` once the control plane ended it. */
export interface Heartbeat extends Omit<Registration, never>, Beat {
  readonly principal: string;
  /** Advanced by the store only (`ADD 1`), never repeated within a session. */
  readonly seq: number;
  /**
   * The session that `sentAtBootMs` is of; written with it. An agent that knows neither registers over both and leaves
   * them: then they are of an earlier session, and perhaps of another boot. Absent: not known.
   */
  readonly sentIn?: string | undefined;
  /** Newest assignment number; written by the control plane. */
  readonly directive: number;
  /** Written by the control plane when something of the host's groups changes: a new value asks for faster beats for a while. */
  readonly hurry?: number | undefined;
  /** Seconds since 1970; tidying only (S18). */
  readonly ttl: number;
}

export const REVOKED_PREFIX = 'revoked:';

/** A tombstone item (revocation of a missing item) has this machine. */
export const TOMBSTONE_MACHINE = 'tombstone';

// ---- registry ----------------------------------------------------------------------------------------------

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** A registry record with the version that the next conditional write must name. */
export interface Stored<T = unknown> {
  readonly key: Key;
  readonly version: number;
  readonly body: T;
}

export const keys = {
  /** The list of clusters of a deployment, one record each. */
  clusters: (cluster: string): Key => ({ pk: 'CLUSTERS', sk: cluster }),
  cluster: (cluster: string): Key => ({ pk: `C#${cluster}`, sk: 'CLUSTER' }),
  definition: (cluster: string, rev: number): Key => ({
    pk: `C#${cluster}`,
    sk: `DEF#${String(rev).padStart(8, '0')}`,
  }),
  host: (cluster: string, host: string): Key => ({ pk: `C#${cluster}`, sk: `HOST#${host}` }),
  group: (cluster: string, group: string): Key => ({ pk: `C#${cluster}`, sk: `GROUP#${group}` }),
  assignment: (principal: string): Key => ({ pk: `H#${principal}`, sk: 'ASSIGN' }),
  // A partition of their own: IAM tells a host's items apart by partition key alone, and it may write no assignment (S16).
  report: (principal: string, order: string): Key => ({ pk: `REPORTS#${principal}`, sk: `REPORT#${order}` }),
  run: (run: string): Key => ({ pk: `R#${run}`, sk: 'RUN' }),
  step: (run: string, atMs: number, step: string): Key => ({
    pk: `R#${run}`,
    sk: `STEP#${String(atMs).padStart(14, '0')}#${step}`,
  }),
  runIndex: (cluster: string, atMs: number, run: string): Key => ({
    pk: `L#${cluster}`,
    sk: `${String(atMs).padStart(14, '0')}#${run}`,
  }),
  event: (cluster: string, day: string, id: string): Key => ({ pk: `E#${cluster}#${day}`, sk: id }),
  observer: (): Key => ({ pk: 'CLUSTERS-OBSERVER', sk: 'OBSERVER' }),
  late: (cluster: string, host: string): Key => ({ pk: `O#${cluster}`, sk: `LATE#${host}` }),
  trouble: (cluster: string, subject: string): Key => ({ pk: `O#${cluster}`, sk: `TROUBLE#${subject}` }),
  told: (cluster: string, subject: string): Key => ({ pk: `O#${cluster}`, sk: `TOLD#${subject}` }),
  budget: (cluster: string): Key => ({ pk: `B#${cluster}`, sk: 'BRAKE' }),
} as const;

export interface ClusterRecord {
  readonly cluster: string;
  readonly rev: number;
  readonly incarnation: string;
  /** Kill switch: while false nothing is started, moved or fenced automatically. */
  readonly haEnabled: boolean;
  /** Where the hosts' principals live, fixed when the cluster was created. */
  readonly account: { readonly partition: string; readonly region: string; readonly id: string };
}

export interface DefinitionRecord {
  readonly rev: number;
  /** gzip + base64 of the normalised definition's JSON. */
  readonly packed: string;
  readonly appliedAtMs: number;
}

export type HostStatus =
  | 'Connecting'
  | 'Up'
  | 'Behind'
  | 'Investigating'
  | 'Disconnected'
  | 'Down'
  | 'Fencing'
  | 'Fenced'
  | 'Alert'
  | 'Removed';

export type AdminState = 'enabled' | 'disabled' | 'maintenance' | 'locked';

export interface Claim {
  readonly run: string;
  readonly session: string;
  readonly atMs: WallInstant;
}

export interface Tried {
  readonly failure: string;
  readonly attempts: number;
  readonly atMs: WallInstant;
}

export interface HostRecord {
  readonly host: string;
  readonly principal: string;
  readonly status: HostStatus;
  readonly statusSinceMs: WallInstant;
  readonly why: string;
  readonly admin: AdminState;
  readonly adminReason: string;
  /** Since when `admin` is what it is; absent: ever since, or set by an earlier version. */
  readonly adminSinceMs?: WallInstant | undefined;
  /** The one run that works on this host now. */
  readonly claim: Claim | null;
  /** The newest session that the observer saw, as it was registered: judges it even if its item vanishes (S19). */
  readonly seen: SeenSession | null;
  /** Sessions of the same machine that `seen` is known to have followed, oldest first: it is their successor (S7). */
  readonly followed?: readonly string[] | undefined;
  /** When a tombstone was written for a vanished item; the wait for `lease-over` counts from here (S3). */
  readonly tombstoneAtMs: WallInstant | null;
  /** The last run started about a failure of this host: paces and numbers further attempts at the same one. */
  readonly tried?: Tried | undefined;
  /** The same of other failures of this host that were asked about before, newest first: each keeps its own count. */
  readonly triedBefore?: readonly Tried[] | undefined;
  /** The session before, if another machine registered in its place, and when that was seen: no successor, it is waited out (S7). */
  readonly replaced?: { readonly seen: SeenSession; readonly atMs: WallInstant } | undefined;
  /** The two reads that showed the machine of a session off, once they have (S7): true of that session for ever. */
  readonly off?: PoweredOff | undefined;
  /** An operator's order to power this session's machine off, though it may renew. */
  readonly fenceOrder?: FenceOrder | undefined;
  /** The power fence that a run ordered, as EC2 accepted it: a step that runs again does not ask the brake again. */
  readonly powerFence?: PowerFence | undefined;
}

export type SeenSession = Pick<
  Heartbeat,
  'session' | 'seq' | 'machine' | 'timing' | 'guardLevel' | 'rules' | 'mayHold'
> & {
  /** Of the machine when the session registered; absent in records of earlier versions. */
  readonly launchTime?: string | undefined;
};

/** A stored record that proves an old owner cannot be running a slot (S7). */
export interface Evidence {
  readonly kind: EvidenceKind;
  readonly host: string;
  readonly session: string;
  /** Of `released` only: the epoch that was given up. The session lives on and may own the slot again in a later one. */
  readonly epoch?: number | undefined;
  readonly run: string;
  readonly atMs: WallInstant;
  /** Plain words and the facts: version seen, how long it stood, what answered. */
  readonly because: string;
  /** Hosts that may take over, where the evidence binds them (S11); null = any candidate. */
  readonly takers: readonly string[] | null;
}

export interface Owner {
  readonly host: string;
  readonly principal: string;
  readonly session: string;
  /** Identity of the machine that registered the session: only the same one can be its successor (S7). */
  readonly machine?: string | undefined;
}

export interface CandidateList {
  readonly no: number;
  readonly hosts: readonly string[];
}

export interface SlotRecord {
  readonly slot: number;
  readonly owner: Owner | null;
  readonly epoch: number;
  readonly phase: SlotPhase;
  readonly why: string;
  readonly sinceMs: WallInstant;
  /** Evidence about the last owner; null while that owner may still run the slot. */
  readonly evidence: Evidence | null;
  /** Evidence about the owner before, by which the present one took over: what an operator is shown. */
  readonly tookOverBy: Evidence | null;
  /** Hosts that bind every later owner until one has reported Active in its own epoch (S11); null: any candidate. */
  readonly boundTo: readonly string[] | null;
  /** Candidate lists not yet superseded by an acknowledged one, oldest first; the last is the newest. */
  readonly lists: readonly CandidateList[];
  /** The run that made the present owner: a step that runs twice knows its own work (S17). Absent: never placed. */
  readonly placedBy?: string | undefined;
  /** Attempts at placing this epoch, for names of runs and for damping (S15). */
  readonly attempt: number;
  /** When the last planned run gave its claim back; the pause before the next counts from here (S15). Absent: none did. */
  readonly triedAtMs?: WallInstant | undefined;
  /** Moments of automatic moves within the window (S15). */
  readonly movesMs: readonly WallInstant[];
  /** Hosts on which this slot failed to start, with the moment; they are skipped within the window. */
  readonly failedOn: readonly { readonly host: string; readonly atMs: WallInstant }[];
  /** The planned run that works on this slot. */
  readonly claim: string | null;
}

export interface GroupRecord {
  readonly group: string;
  readonly rev: number;
  readonly slots: readonly SlotRecord[];
  readonly standbys: readonly { readonly host: string; readonly session: string }[];
}

// ---- orders and reports ------------------------------------------------------------------------------------

export type OrderVerb = 'start' | 'release' | 'standby';

export interface Order {
  readonly id: string;
  readonly verb: OrderVerb;
  readonly group: string;
  readonly slot: number;
  readonly epoch: number;
  /** Only this session may obey. */
  readonly session: string;
  readonly list: CandidateList;
  readonly spec: GroupDefinition;
}

/** Level-triggered: the orders that stand for this host. Numbers rise by one per change. */
export interface Assignment {
  readonly n: number;
  readonly cluster: string;
  readonly host: string;
  readonly rev: number;
  readonly incarnation: string;
  readonly timing: Timing;
  readonly orders: readonly Order[];
}

export type ReportOutcome = 'started' | 'failed' | 'released' | 'standing-by' | 'refused';

export interface Report {
  readonly order: string;
  readonly session: string;
  readonly group: string;
  readonly slot: number;
  readonly epoch: number;
  readonly outcome: ReportOutcome;
  readonly detail: string;
}

// ---- runs --------------------------------------------------------------------------------------------------

export type WorkType = 'HA' | 'Place' | 'Move' | 'Drain' | 'Stop' | 'ForceStop' | 'Failback' | 'Restart';

export type RunPhase =
  'Scheduled' | 'Investigating' | 'Fencing' | 'Stopping' | 'Restarting' | 'Done' | 'Held' | 'Cancelled' | 'Error';

export interface RunRecord {
  readonly run: string;
  readonly cluster: string;
  readonly work: WorkType;
  readonly host: string | null;
  readonly session: string | null;
  readonly seq: number | null;
  readonly group: string | null;
  readonly slot: number | null;
  readonly phase: RunPhase;
  /** How it ended, in one word: `Alive`, `Recovered`, `Placed`, `Moved`, `Restarted`, `Stopped`, `Cancelled`, `Held`, `Gone`, `Error`; null while it runs. */
  readonly outcome: string | null;
  readonly summary: string;
  readonly openedAtMs: WallInstant;
  readonly closedAtMs: WallInstant | null;
  /** When the observer first held version `seq`, on a control-plane wall clock. */
  readonly observedAtMs: WallInstant | null;
  /** Of an HA run: V10 as it stood when the run was opened. Absent in records of earlier versions. */
  readonly boundMs?: number | undefined;
}

export interface StepRecord {
  readonly run: string;
  readonly step: string;
  readonly atMs: WallInstant;
  readonly tookMs: number;
  /** Plain words, for an operator. */
  readonly says: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface EventRecord {
  readonly id: string;
  readonly atMs: WallInstant;
  readonly kind: string;
  readonly subject: string;
  readonly says: string;
  readonly run: string | null;
  readonly by: string;
  readonly facts: Readonly<Record<string, unknown>>;
}
