/**
 * The answers of the API, parsed once where they enter a client. Loose on purpose: a newer control plane may add
 * fields and values (S19); what a client reads must be there and have its type.
 */
import * as z from 'zod';
import type { EvidenceKind } from '../config/model.ts';
import { FAILURES, type FailureCode } from '../failures/failures.ts';
import type { AdminState, GuardLevel, HostStatus, RunPhase, SlotPhase, WorkType } from './records.ts';
import type * as views from './views.ts';

/** A word of a closed list that a newer version may have extended: shown as it is, matched where it is known. */
const known = <T extends string>() => z.custom<T>((value) => typeof value === 'string');

const text = z.string();
const texts = z.array(text);
const slotPhase = known<SlotPhase>();

const hostView = z.looseObject({
  name: text,
  status: known<HostStatus>(),
  why: text,
  admin: known<AdminState>(),
  session: text.nullable(),
  seq: z.number().nullable(),
  beatAgeMs: z.number().nullable(),
  guardLevel: known<GuardLevel>().nullable(),
  slots: z.array(z.looseObject({ group: text, slot: z.number(), epoch: z.number(), phase: slotPhase })),
  claimRun: text.nullable(),
});

const groupView = z.looseObject({
  name: text,
  model: known<'n-plus-m' | 'n'>(),
  priority: z.number(),
  health: known<views.GroupHealth>(),
  covered: z.boolean(),
  slots: z.array(
    z.looseObject({
      slot: z.number(),
      owner: text.nullable(),
      epoch: z.number(),
      phase: slotPhase,
      why: text,
      evidenceKind: known<EvidenceKind>().nullable(),
      candidates: texts,
    }),
  ),
  standbys: texts,
});

const runView = z.looseObject({
  run: text,
  work: known<WorkType>(),
  host: text.nullable(),
  group: text.nullable(),
  slot: z.number().nullable(),
  phase: known<RunPhase>(),
  outcome: text.nullable(),
  summary: text,
  openedAtMs: z.number(),
  closedAtMs: z.number().nullable(),
});

export const statusView: z.ZodType<views.StatusView> = z.looseObject({
  cluster: text,
  rev: z.number(),
  haEnabled: z.boolean(),
  atMs: z.number(),
  hosts: z.array(hostView),
  groups: z.array(groupView),
  runs: z.array(runView),
  bound: z.looseObject({ recoveryMs: z.number(), outageMs: z.number() }),
});

/** The definition was validated when it was saved; here only that it is one. */
export const definitionView: z.ZodType<views.DefinitionView> = z.looseObject({
  rev: z.number(),
  definition: z.custom<views.DefinitionView['definition']>(
    (value) =>
      z.looseObject({ cluster: text, hosts: z.array(z.unknown()), groups: z.array(z.unknown()) }).safeParse(value)
        .success,
  ),
});

const place = {
  path: text,
  file: text.optional(),
  line: z.number().optional(),
  column: z.number().optional(),
  rule: text.optional(),
};

export const appliedView: z.ZodType<views.AppliedView> = z.looseObject({
  rev: z.number(),
  changed: z.boolean(),
  warnings: z.array(z.looseObject({ ...place, says: text })),
  diff: texts,
});

export const runsView: z.ZodType<views.RunsView> = z.looseObject({ runs: z.array(runView) });

export const runStoryView: z.ZodType<views.RunStoryView> = z.looseObject({
  run: runView,
  steps: z.array(
    z.looseObject({
      n: z.number(),
      step: text,
      atMs: z.number(),
      tookMs: z.number(),
      says: text,
      facts: z.record(text, z.unknown()),
    }),
  ),
});

export const eventsView: z.ZodType<views.EventsView> = z.looseObject({
  events: z.array(
    z.looseObject({
      id: text,
      atMs: z.number(),
      kind: text,
      subject: text,
      says: text,
      run: text.nullable(),
      by: text,
    }),
  ),
});

export const moveView: z.ZodType<views.MoveView> = z.looseObject({ run: text.nullable(), plan: texts });

export const problemView: z.ZodType<views.ProblemView> = z.looseObject({
  type: text.default('about:blank'),
  title: text,
  status: z.number(),
  detail: text.default(''),
  code: z.custom<FailureCode>((value) => typeof value === 'string' && Object.hasOwn(FAILURES, value)),
  problems: z.array(z.looseObject({ ...place, got: text, change: text })).optional(),
});
