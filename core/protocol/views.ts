/**
 * What the HTTP API shows and every surface (CLI, console) reads: one view model. Plain JSON; moments are milliseconds
 * since 1970 on a control-plane clock, ages and lengths are milliseconds.
 */
import type { DefinitionWarning, Problem } from '../config/problem.ts';
import type { Definition, EvidenceKind, FenceMethod } from '../config/model.ts';
import type { FailureCode } from '../failures/failures.ts';
import type { AdminState, GuardLevel, HostStatus, RunPhase, SlotPhase, WorkType } from './records.ts';

export interface HostSlotView {
  readonly group: string;
  readonly slot: number;
  readonly epoch: number;
  readonly phase: SlotPhase;
}

export interface HostView {
  readonly name: string;
  readonly status: HostStatus;
  readonly why: string;
  readonly admin: AdminState;
  readonly adminReason: string;
  readonly zone: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Instance id or certificate name. */
  readonly machine: string | null;
  /** The policy's levels in order, as defined. */
  readonly fencing: readonly (readonly FenceMethod[])[];
  readonly session: string | null;
  readonly seq: number | null;
  /** null: no beat was ever seen. */
  readonly beatAgeMs: number | null;
  readonly guardLevel: GuardLevel | null;
  readonly slots: readonly HostSlotView[];
  /** The one run that works on this host now. */
  readonly claimRun: string | null;
}

export interface SlotView {
  readonly slot: number;
  /** Name of the owning host. */
  readonly owner: string | null;
  readonly epoch: number;
  readonly phase: SlotPhase;
  readonly why: string;
  /** Kind of the evidence about the last owner; null while it may still run the slot. */
  readonly evidenceKind: EvidenceKind | null;
  /** Hosts of the newest candidate list. */
  readonly candidates: readonly string[];
}

export type GroupHealth = 'ok' | 'warn' | 'degraded' | 'failed';

export interface GroupView {
  readonly name: string;
  readonly model: 'n-plus-m' | 'n';
  readonly priority: number;
  readonly health: GroupHealth;
  /** A lost lease stops it (SAFETY.md, "Words"). */
  readonly covered: boolean;
  readonly slots: readonly SlotView[];
  readonly standbys: readonly string[];
}

export interface RunView {
  readonly run: string;
  readonly work: WorkType;
  readonly host: string | null;
  readonly group: string | null;
  readonly slot: number | null;
  readonly phase: RunPhase;
  readonly outcome: string | null;
  readonly summary: string;
  readonly openedAtMs: number;
  readonly closedAtMs: number | null;
  /** For an HA run the bound (V10) within which its slots should run again, counted from the last beat; else null. */
  readonly boundMs: number | null;
}

export interface StepView {
  readonly n: number;
  readonly step: string;
  readonly atMs: number;
  readonly tookMs: number;
  /** Plain words, for an operator. */
  readonly says: string;
  /** `evidence` (an EvidenceKind) where the step found or used some. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface EventView {
  readonly id: string;
  readonly atMs: number;
  readonly kind: string;
  readonly subject: string;
  readonly says: string;
  readonly run: string | null;
  readonly by: string;
}

export interface StatusView {
  readonly cluster: string;
  readonly rev: number;
  /** Kill switch: while false nothing is started, moved or fenced automatically. */
  readonly haEnabled: boolean;
  readonly atMs: number;
  readonly hosts: readonly HostView[];
  readonly groups: readonly GroupView[];
  /** Open runs. */
  readonly runs: readonly RunView[];
  /** V10: recovered within; V11: outage of AWS survived without stopping. */
  readonly bound: { readonly recoveryMs: number; readonly outageMs: number };
}

/** GET /api/v1/definition */
export interface DefinitionView {
  readonly rev: number;
  readonly definition: Definition;
}

/** POST /api/v1/definition, also with `?dryRun=1` (then `rev` is the revision it would get). */
export interface AppliedView {
  readonly rev: number;
  readonly changed: boolean;
  readonly warnings: readonly DefinitionWarning[];
  /** One line per change, in words. */
  readonly diff: readonly string[];
}

/** GET /api/v1/runs[?limit&cursor], newest first. */
export interface RunsView {
  readonly runs: readonly RunView[];
  /** Pass as `cursor` for the next page; null: this was the last. Opaque. */
  readonly next: string | null;
}

/** GET /api/v1/runs/ID */
export interface RunStoryView {
  readonly run: RunView;
  readonly steps: readonly StepView[];
}

/** GET /api/v1/events: the newest `limit`, or with `after` (an event id) the first `limit` that follow it; oldest first. */
export interface EventsView {
  readonly events: readonly EventView[];
  /** Pass as `cursor` for older ones; null: these were the first. Opaque. */
  readonly next: string | null;
}

// ---- operators' verbs --------------------------------------------------------------------------------------

/** What may be done to a host. `drain` moves everything away and leaves the host in maintenance; `fence` powers it off. */
export type HostVerb = 'enable' | 'disable' | 'lock' | 'unlock' | 'maintenance' | 'drain' | 'fence';

/** POST /api/v1/hosts/NAME/VERB */
export interface HostVerbRequest {
  /** Why, for the record; `disable`, `lock` and `maintenance` ask for one. */
  readonly reason?: string | undefined;
  /** Plan only: nothing is changed. */
  readonly dryRun?: boolean | undefined;
  /** Do it although a check advises against (a sole provider would stop). Never overrides a safety rule. */
  readonly force?: boolean | undefined;
  /** For `fence`: the host's name, typed again. */
  readonly confirm?: string | undefined;
}

/** The plan of a verb in plain words, and what it started. */
export interface PlanView {
  readonly plan: readonly string[];
  /** What advises against it; with any, the verb is refused (`conflict`) unless forced. A dry run only shows them. */
  readonly objections: readonly string[];
  /** Runs that were started; empty for a dry run and for verbs that need none. */
  readonly runs: readonly string[];
}

/** POST /api/v1/switch: the cluster's kill switch; answers with PlanView. */
export interface SwitchRequest {
  readonly haEnabled: boolean;
  readonly reason?: string | undefined;
  readonly dryRun?: boolean | undefined;
}

// ---- what-if and why ---------------------------------------------------------------------------------------

export type HypotheticalChange =
  | { readonly change: 'host-down'; readonly host: string }
  | {
      readonly change: 'host-added';
      readonly host: {
        readonly name: string;
        readonly zone?: string | undefined;
        readonly labels?: Readonly<Record<string, string>> | undefined;
        readonly capacity?: { readonly cpu?: number | undefined; readonly memoryMb?: number | undefined } | undefined;
      };
    }
  /** The whole cluster as this YAML would define it: groups edited, added, removed. Validated as when it is applied. */
  | { readonly change: 'definition'; readonly yaml: string };

/** POST /api/v1/simulate: changes one after another, on the state as it is now. Nothing is changed. */
export interface SimulateRequest {
  readonly changes: readonly HypotheticalChange[];
}

export interface SimulatedSlot {
  readonly group: string;
  readonly slot: number;
  /** Owner now; null: none. */
  readonly from: string | null;
  /** Owner afterwards; null: no host can take it. */
  readonly to: string | null;
  readonly why: string;
}

export interface SimulateView {
  readonly says: readonly string[];
  /** Slots whose owner would change or that would have none, in the order in which they would be placed. */
  readonly slots: readonly SimulatedSlot[];
  readonly unchanged: number;
  readonly health: readonly { readonly group: string; readonly before: GroupHealth; readonly after: GroupHealth }[];
  /** V10, with the definition as changed. */
  readonly bound: { readonly recoveryMs: number; readonly outageMs: number };
}

/** GET /api/v1/groups/NAME/slots/N/why: where this slot could run now, and why not elsewhere. */
export interface WhyView {
  readonly group: string;
  readonly slot: number;
  readonly owner: string | null;
  readonly hosts: readonly {
    readonly host: string;
    /** `owner`: runs it; `next`: would take it if the owner failed now; `possible`: could; `dropped`: cannot. */
    readonly verdict: 'owner' | 'next' | 'possible' | 'dropped';
    readonly why: string;
    /** For `dropped`: what would change the answer. */
    readonly change: string | null;
    /** Score by part, for those who passed the filters. */
    readonly scores: Readonly<Record<string, number>> | null;
  }[];
}

// ---- doctor ------------------------------------------------------------------------------------------------

/** GET /api/v1/doctor: what would break a failover before it happens. */
export interface DoctorView {
  readonly checks: readonly DoctorCheck[];
}

export interface DoctorCheck {
  /** Stable name, e.g. `sole-candidate`. */
  readonly id: string;
  readonly verdict: 'ok' | 'warn' | 'fail';
  /** Cluster, host, group or `group/slot`. */
  readonly subject: string;
  readonly says: string;
  /** What to do about it; null for `ok`. */
  readonly change: string | null;
}

// ---- live --------------------------------------------------------------------------------------------------

/**
 * GET /api/v1/stream (server-sent events): `status` with a StatusView at once, whenever anything but ages and beat counts
 * changed, and every 5 s; `event` with an EventView each; `run` with a RunStoryView whenever a run got a step. `id` of an
 * `event` is the event's id: a client that comes back with `Last-Event-ID` misses none, and may see some again.
 */
export type StreamMessage =
  | { readonly type: 'status'; readonly data: StatusView }
  | { readonly type: 'event'; readonly data: EventView }
  | { readonly type: 'run'; readonly data: RunStoryView };

/** POST /api/v1/groups/NAME/move */
export interface MoveRequest {
  readonly slot: number;
  readonly to?: string | undefined;
  readonly dryRun?: boolean | undefined;
}

/** `run` is null for a dry run. */
export interface MoveView {
  readonly run: string | null;
  readonly plan: readonly string[];
}

/** RFC 9457 problem+json. `problems` comes with refused input: a definition, a body, a parameter. */
export interface ProblemView {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: FailureCode;
  readonly problems?: readonly Problem[] | undefined;
}

/** Evidence in words, as the end of "its old owner is gone: …". */
export const EVIDENCE_WORDS: Readonly<Record<EvidenceKind, string>> = {
  released: 'the old owner reported it stopped',
  closed: 'the old owner ended its session after stopping everything',
  successor: 'the same machine registered a newer session',
  'power-off': 'the machine was read as powered off, twice',
  'lease-over': 'the lease had run out and was revoked',
  witnessed: 'an operator vouched that the machine is down',
};
