/**
 * The answers of the API: parsed once where they enter a client, and described by the OpenAPI document. Loose on purpose:
 * a newer control plane may add fields and values (S19); what a client reads must be there and have its type.
 */
import * as z from 'zod';
import type { EvidenceKind, FenceMethod } from '../config/model.ts';
import { FAILURES, type FailureCode } from '../failures/failures.ts';
import type { AdminState, GuardLevel, HostStatus, RunPhase, SlotPhase, WorkType } from './records.ts';
import type * as views from './views.ts';

/** A word of a closed list that a newer version may have extended: shown as it is, matched where it is known. */
const known = <T extends string>(values: Readonly<Record<T, true>>) =>
  z.custom<T>((value) => typeof value === 'string').meta({ type: 'string', enum: Object.keys(values) });

const text = z.string();
const texts = z.array(text);
const count = z.int().nonnegative();
const moment = z.number().meta({ description: 'milliseconds since 1970 on a control-plane clock' });
const length = z.number().meta({ description: 'milliseconds' });

const slotPhase = known<SlotPhase>({
  Stopped: true,
  Starting: true,
  Active: true,
  Stopping: true,
  Standby: true,
  Failed: true,
  Held: true,
  Unknown: true,
});
const hostStatus = known<HostStatus>({
  Connecting: true,
  Up: true,
  Behind: true,
  Investigating: true,
  Disconnected: true,
  Down: true,
  Fencing: true,
  Fenced: true,
  Alert: true,
  Removed: true,
});
const runPhase = known<RunPhase>({
  Scheduled: true,
  Investigating: true,
  Fencing: true,
  Stopping: true,
  Restarting: true,
  Done: true,
  Held: true,
  Cancelled: true,
  Error: true,
});
const workType = known<WorkType>({
  HA: true,
  Place: true,
  Move: true,
  Drain: true,
  Stop: true,
  ForceStop: true,
  Failback: true,
  Restart: true,
});
const evidenceKind = known<EvidenceKind>({
  released: true,
  closed: true,
  successor: true,
  'power-off': true,
  'lease-over': true,
  witnessed: true,
});
const health = known<views.GroupHealth>({ ok: true, warn: true, degraded: true, failed: true });

const hostView = z.looseObject({
  name: text,
  status: hostStatus,
  why: text,
  admin: known<AdminState>({ enabled: true, disabled: true, maintenance: true, locked: true }),
  adminReason: text,
  zone: text.nullable(),
  labels: z.record(text, text),
  machine: text.nullable(),
  fencing: z.array(z.array(known<FenceMethod>({ ec2: true, lease: true }))),
  session: text.nullable(),
  seq: z.number().nullable(),
  beatAgeMs: length.nullable(),
  guardLevel: known<GuardLevel>({ watchdog: true, init: true, none: true }).nullable(),
  slots: z.array(z.looseObject({ group: text, slot: count, epoch: count, phase: slotPhase })),
  claimRun: text.nullable(),
});

const groupView = z.looseObject({
  name: text,
  model: known<'n-plus-m' | 'n'>({ 'n-plus-m': true, n: true }),
  priority: z.number(),
  health,
  covered: z.boolean(),
  slots: z.array(
    z.looseObject({
      slot: count,
      owner: text.nullable(),
      epoch: count,
      phase: slotPhase,
      why: text,
      evidenceKind: evidenceKind.nullable(),
      candidates: texts,
    }),
  ),
  standbys: texts,
});

export const runView: z.ZodType<views.RunView> = z.looseObject({
  run: text,
  work: workType,
  host: text.nullable(),
  group: text.nullable(),
  slot: count.nullable(),
  phase: runPhase,
  outcome: text.nullable(),
  summary: text,
  openedAtMs: moment,
  closedAtMs: moment.nullable(),
  boundMs: length.nullable(),
});

const bound = z.looseObject({ recoveryMs: length, outageMs: length });

export const statusView: z.ZodType<views.StatusView> = z.looseObject({
  cluster: text,
  rev: count,
  haEnabled: z.boolean(),
  atMs: moment,
  hosts: z.array(hostView),
  groups: z.array(groupView),
  runs: z.array(runView),
  bound,
});

/** The definition was validated when it was saved; here only that it is one. */
export const definitionView: z.ZodType<views.DefinitionView> = z.looseObject({
  rev: count,
  definition: z
    .custom<views.DefinitionView['definition']>(
      (value) =>
        z.looseObject({ cluster: text, hosts: z.array(z.unknown()), groups: z.array(z.unknown()) }).safeParse(value)
          .success,
    )
    .meta({
      type: 'object',
      required: ['apiVersion', 'cluster', 'timing', 'hosts', 'groups'],
      description: 'as validated, every default filled in; times in milliseconds',
    }),
});

const place = {
  path: text,
  file: text.optional(),
  line: z.number().optional(),
  column: z.number().optional(),
  rule: text.optional(),
};

export const appliedView: z.ZodType<views.AppliedView> = z.looseObject({
  rev: count,
  changed: z.boolean(),
  warnings: z.array(z.looseObject({ ...place, says: text })),
  diff: texts,
});

const next = text.nullable().meta({ description: 'pass as `cursor` for the next page; null: there is none' });

export const runsView: z.ZodType<views.RunsView> = z.looseObject({ runs: z.array(runView), next });

export const runStoryView: z.ZodType<views.RunStoryView> = z.looseObject({
  run: runView,
  steps: z.array(
    z.looseObject({
      n: count,
      step: text,
      atMs: moment,
      tookMs: length,
      says: text,
      facts: z.record(text, z.unknown()),
    }),
  ),
});

export const eventView: z.ZodType<views.EventView> = z.looseObject({
  id: text,
  atMs: moment,
  kind: text,
  subject: text,
  says: text,
  run: text.nullable(),
  by: text,
});

export const eventsView: z.ZodType<views.EventsView> = z.looseObject({ events: z.array(eventView), next });

export const moveView: z.ZodType<views.MoveView> = z.looseObject({ run: text.nullable(), plan: texts });

export const planView: z.ZodType<views.PlanView> = z.looseObject({ plan: texts, objections: texts, runs: texts });

export const simulateView: z.ZodType<views.SimulateView> = z.looseObject({
  says: texts,
  slots: z.array(z.looseObject({ group: text, slot: count, from: text.nullable(), to: text.nullable(), why: text })),
  unchanged: count,
  health: z.array(z.looseObject({ group: text, before: health, after: health })),
  bound,
});

export const whyView: z.ZodType<views.WhyView> = z.looseObject({
  group: text,
  slot: count,
  owner: text.nullable(),
  hosts: z.array(
    z.looseObject({
      host: text,
      verdict: known<views.WhyView['hosts'][number]['verdict']>({
        owner: true,
        next: true,
        possible: true,
        dropped: true,
      }),
      why: text,
      change: text.nullable(),
      scores: z.record(text, z.number()).nullable(),
    }),
  ),
});

export const doctorView: z.ZodType<views.DoctorView> = z.looseObject({
  checks: z.array(
    z.looseObject({
      id: text,
      verdict: known<views.DoctorCheck['verdict']>({ ok: true, warn: true, fail: true }),
      subject: text,
      says: text,
      change: text.nullable(),
    }),
  ),
});

/** One message of the stream, once its `event:` and `data:` are put together. */
export const streamMessage: z.ZodType<views.StreamMessage> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('status'), data: statusView }),
  z.object({ type: z.literal('event'), data: eventView }),
  z.object({ type: z.literal('run'), data: runStoryView }),
]);

export const problemView: z.ZodType<views.ProblemView> = z.looseObject({
  type: text.default('about:blank'),
  title: text,
  status: z.number(),
  detail: text.default(''),
  code: z
    .custom<FailureCode>((value) => typeof value === 'string' && Object.hasOwn(FAILURES, value))
    .meta({ type: 'string', enum: Object.keys(FAILURES) }),
  problems: z.array(z.looseObject({ ...place, got: text, change: text })).optional(),
});
