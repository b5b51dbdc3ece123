/**
 * What the HTTP API shows and every surface (CLI, console) reads: one view model. Plain JSON; moments are milliseconds
 * since 1970 on a control-plane clock, ages and lengths are milliseconds.
 */
import type { DefinitionWarning, Problem } from '../config/problem.ts';
import type { Definition, EvidenceKind } from '../config/model.ts';
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

/** GET /api/v1/runs, newest first. */
export interface RunsView {
  readonly runs: readonly RunView[];
}

/** GET /api/v1/runs/ID */
export interface RunStoryView {
  readonly run: RunView;
  readonly steps: readonly StepView[];
}

/** GET /api/v1/events: the newest `limit`, or with `after` the first `limit` that follow it; oldest first. */
export interface EventsView {
  readonly events: readonly EventView[];
}

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

/** RFC 9457 problem+json. `problems` comes with a refused definition. */
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
