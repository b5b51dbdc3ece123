/** One run: pick the owner, break something, wait until all is well again, and read the figures from the witness. */
import { setTimeout as delay } from 'node:timers/promises';
import type { EvidenceKind } from '../../core/config/model.ts';
import { messageOf } from '../../core/failures/failures.ts';
import type { RunStoryView, StatusView } from '../../core/protocol/views.ts';
import { faultStory } from './faults.ts';
import type { FaultName, FaultStory, Target } from './faults.ts';
import type { Harness } from './harness.ts';
import { livesOf, measureSlot } from './measure.ts';
import type { SlotFigures, Span } from './measure.ts';

/** Runs looked through for those of one fault. */
const RECENT_RUNS = 50;

const TARGET_GROUP = 'ledger';
const TARGET_SLOT = 0;
const PHASE_MAX_MS = 1_000;
const POLL_MS = 100;
/** On top of the bound that the status shows. */
const SLACK_MS = 20_000;

export interface RunFigures {
  readonly overlapMs: number;
  /** null: something that ran on the broken host never came back. */
  readonly downtimeMs: number | null;
  readonly lost: number;
  /** Kinds of evidence by which slots of the broken host changed hands; null if none did. */
  readonly evidence: string | null;
  readonly moved: boolean;
}

export interface RunOutcome extends RunFigures {
  readonly target: Target;
  readonly span: Span;
  /** Wall clock at the fault, to show steps of the control plane beside what the witness saw. */
  readonly faultAtMs: number;
  readonly slots: readonly SlotFigures[];
  readonly stories: readonly RunStoryView[];
  /** Why this run fails; empty: it passed. */
  readonly failures: readonly string[];
}

/** A slot of a covered group. */
interface CoveredSlot extends Owned {
  readonly owner: string | null;
  readonly evidenceKind: EvidenceKind | null;
}

/** A slot that the broken host owned, with its epoch at the fault. */
interface Owned {
  readonly group: string;
  readonly slot: number;
  readonly name: string;
  readonly epoch: number;
}

export function performRun(harness: Harness, name: FaultName): Promise<RunOutcome> {
  return performStory(harness, name, faultStory(name));
}

/** A fault of any kind; `name` is its mark in the witness's log. */
export async function performStory(harness: Harness, name: string, story: FaultStory): Promise<RunOutcome> {
  harness.log.forget();
  const before = await settledStatus(harness);
  const target = pickTarget(harness, before);
  const owned = struckBy(story, before, target);
  const bootsBefore = await harness.boots();
  await delay(Math.random() * PHASE_MAX_MS);

  const faultAtMs = Date.now();
  const from = await harness.witness.mark(`fault ${name}`);
  await story.cause(harness, target);
  const failures: string[] = [];
  if (story.epoch === 'rises') {
    if (!(await untilTaken(harness, owned, before.bound.recoveryMs + (harness.slackMs ?? SLACK_MS))))
      failures.push('not active again in time');
  } else {
    // A failover without need would come of the beats that were missed: within one lease and its wait.
    await delay(harness.definition.timing.takerWaitMs + harness.definition.timing.watchdogMs);
  }
  await story.undo?.(harness, target);
  const settled = await harness.untilSettled();
  if ('missing' in settled) failures.push(...settled.missing.map((what) => `not settled at the end: ${what}`));
  const to = await harness.witness.mark(`end ${name}`);

  const span = { from, to };
  const slots = coveredSlots(before).map(({ name: slot }) => measureSlot(harness.log.read(), slot, span));
  const stories = await storiesSince(harness, faultAtMs);
  const after = 'status' in settled ? coveredSlots(settled.status) : [];
  const figures = summarise({ slots, owned, after, target });
  failures.push(...judge(figures, story));
  if ('status' in settled && story.harmless !== undefined) {
    const bootsAfter = await harness.boots();
    failures.push(...story.harmless({ before, after: settled.status, bootsBefore, bootsAfter, slots }));
  }
  failures.push(...((await story.check?.(harness, { host: target.host, sinceMs: faultAtMs })) ?? []));
  return { ...figures, target, span, faultAtMs, slots, stories, failures };
}

/** Covered slots that the fault takes from their owner. */
function struckBy(story: FaultStory, status: StatusView, { host, group, slot }: Target): Owned[] {
  if (story.strikes === 'all') return coveredSlots(status);
  const owned = ownedBy(status, host);
  return story.strikes === 'slot' ? owned.filter((each) => each.group === group && each.slot === slot) : owned;
}

export async function settledStatus(harness: Harness): Promise<StatusView> {
  const settled = await harness.untilSettled();
  if ('missing' in settled) throw new Error(`the cluster is not up: ${settled.missing.join('; ')}`);
  return settled.status;
}

export function pickTarget(harness: Harness, status: StatusView): Target {
  const host = ownerOf(status, { group: TARGET_GROUP, slot: TARGET_SLOT });
  const service = harness.definition.groups.find((group) => group.name === TARGET_GROUP)?.services[0]?.name;
  if (host === null || service === undefined)
    throw new Error(`${TARGET_GROUP}/${String(TARGET_SLOT)} has no owner or no service`);
  return { host, group: TARGET_GROUP, slot: TARGET_SLOT, service };
}

function ownerOf(status: StatusView, { group, slot }: { group: string; slot: number }): string | null {
  return status.groups.find((each) => each.name === group)?.slots.find((each) => each.slot === slot)?.owner ?? null;
}

/** Slots of covered groups, by the names under which the witness knows them. */
export function coveredSlots(status: StatusView): CoveredSlot[] {
  return status.groups
    .filter((group) => group.covered)
    .flatMap((group) =>
      group.slots.map(({ slot, epoch, owner, evidenceKind }) => {
        const name = `${status.cluster}/${group.name}/${String(slot)}`;
        return { group: group.name, slot, name, epoch, owner, evidenceKind };
      }),
    );
}

export function ownedBy(status: StatusView, host: string): Owned[] {
  return coveredSlots(status).filter(({ owner }) => owner === host);
}

/** True when the target slot runs in a later epoch, by the witness and by status, and so does all else that its host ran. */
async function untilTaken(harness: Harness, owned: readonly Owned[], limitMs: number): Promise<boolean> {
  for (let left = limitMs; left > 0; left -= POLL_MS) {
    if (owned.every((slot) => runsLater(harness, slot))) return true;
    await delay(POLL_MS);
  }
  return false;
}

/** Every service of the slot is open at the witness in an epoch above that of the fault. */
function runsLater(harness: Harness, owned: Owned): boolean {
  const lives = livesOf(harness.log.read()).filter((life) => life.slot === owned.name && life.epoch > owned.epoch);
  const services = harness.definition.groups.find((group) => group.name === owned.group)?.services ?? [];
  return services.every(({ name }) =>
    lives.some((life) => life.service === name && life.closedAt === Number.POSITIVE_INFINITY),
  );
}

export async function storiesSince(harness: Harness, sinceMs: number): Promise<RunStoryView[]> {
  try {
    const { runs } = await harness.api.runs({ limit: RECENT_RUNS });
    const recent = runs.filter((run) => run.openedAtMs >= sinceMs).toSorted((a, b) => a.openedAtMs - b.openedAtMs);
    return await Promise.all(recent.map(({ run }) => harness.api.run(run)));
  } catch (error) {
    process.stderr.write(`no run stories: ${messageOf(error)}\n`);
    return [];
  }
}

export function summarise(facts: {
  slots: readonly SlotFigures[];
  owned: readonly Owned[];
  after: readonly CoveredSlot[];
  target: Target;
}): RunFigures {
  const broken = facts.slots.filter(({ slot }) => facts.owned.some(({ name }) => name === slot));
  const downtimes = broken.map(({ downtimeMs }) => downtimeMs);
  const kinds = facts.owned.flatMap(({ name, epoch }) => {
    const now = facts.after.find((slot) => slot.name === name);
    return now === undefined || now.epoch === epoch || now.evidenceKind === null ? [] : [now.evidenceKind];
  });
  const { group, slot } = facts.target;
  const owner = facts.after.find((each) => each.group === group && each.slot === slot)?.owner;
  return {
    overlapMs: facts.slots.reduce((sum, { overlapMs }) => sum + overlapMs, 0),
    downtimeMs: downtimes.reduce((worst, each) => (worst === null || each === null ? null : Math.max(worst, each)), 0),
    lost: facts.slots.reduce((sum, { lost }) => sum + lost, 0),
    evidence: kinds.length === 0 ? null : [...new Set(kinds)].join(', '),
    moved: owner !== facts.target.host,
  };
}

function judge(figures: RunFigures, story: FaultStory): string[] {
  const failures: string[] = [];
  if (figures.overlapMs > 0) failures.push(`ran twice at once for ${figures.overlapMs.toFixed(1)} ms`);
  if (figures.lost > 0) failures.push(`${String(figures.lost)} acknowledged writes were lost`);
  if (figures.downtimeMs === null) failures.push('a covered slot of the broken host never came back');
  const { evidence, neverEvidence } = story;
  if (evidence !== undefined && figures.evidence !== evidence)
    failures.push(`slots changed hands by ${figures.evidence ?? 'no evidence'}, not by ${evidence} alone`);
  if (neverEvidence !== undefined && figures.evidence?.includes(neverEvidence) === true)
    failures.push(`slots changed hands by ${neverEvidence}, which is not so`);
  if (story.epoch === 'stays' && figures.moved) failures.push('the owner changed without need');
  return failures;
}
