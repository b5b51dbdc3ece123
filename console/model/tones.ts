/** What a state means to a reader: a tone (colour and shape) beside its word, and one sentence. Never colour alone. */
import type { EvidenceKind } from '../../core/config/model.ts';
import type { AdminState, GuardLevel, HostStatus, RunPhase, SlotPhase, WorkType } from '../../core/protocol/records.ts';
import { EVIDENCE_WORDS } from '../../core/protocol/views.ts';
import { waitingIn } from '../../core/recovery/waiting.ts';
import { listed } from './words.ts';
import type { DoctorCheck, GroupHealth, RunView, WhyView } from '../../core/protocol/views.ts';

export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'quiet';

export interface Meaning {
  readonly tone: Tone;
  readonly word: string;
  readonly says: string;
}

const mean = (tone: Tone, word: string, says: string): Meaning => ({ tone, word, says });

const HOST: Readonly<Record<HostStatus, Meaning>> = {
  Connecting: mean('busy', 'Connecting', 'Defined, and its guard has not registered yet.'),
  Up: mean('good', 'Up', 'It renews its lease in time.'),
  Behind: mean('warn', 'Behind', 'Its last heartbeat is older than it should be. Nothing has been done to it.'),
  Investigating: mean('warn', 'Investigating', 'It is silent; a run asks everybody who may know why.'),
  Disconnected: mean('warn', 'Disconnected', 'It lives, and cannot reach AWS.'),
  Down: mean('bad', 'Down', 'It is known to be over.'),
  Fencing: mean('warn', 'Fencing', 'It is being powered off, so that nothing can run twice.'),
  Fenced: mean('bad', 'Fenced', 'It cannot be running anything any more: its slots may run elsewhere.'),
  Alert: mean('bad', 'Alert', 'A person is needed: read why.'),
  Removed: mean('quiet', 'Removed', 'The definition no longer has it.'),
};

const SLOT: Readonly<Record<SlotPhase, Meaning>> = {
  Active: mean('good', 'Active', 'Its services run.'),
  Starting: mean('busy', 'Starting', 'Its services are being started.'),
  Stopping: mean('busy', 'Stopping', 'Its services are being stopped.'),
  Standby: mean('quiet', 'Standby', 'Warm, and ready to take over.'),
  Stopped: mean('quiet', 'Stopped', 'It does not run.'),
  Failed: mean('bad', 'Failed', 'It did not start where it was tried.'),
  Held: mean('bad', 'Held', 'Nothing is done with it until a reason goes away: read why.'),
  Unknown: mean('warn', 'Unknown', 'Its host is silent: it may run or not, so it is not started elsewhere yet.'),
};

const HEALTH: Readonly<Record<GroupHealth, Meaning>> = {
  ok: mean('good', 'Healthy', 'Every slot runs, every standby is there.'),
  warn: mean('warn', 'Reduced', 'Every slot runs, but its redundancy is not whole.'),
  degraded: mean('warn', 'Degraded', 'Part of it does not run.'),
  failed: mean('bad', 'Failed', 'It does not run.'),
};

const ADMIN: Readonly<Record<AdminState, Meaning>> = {
  enabled: mean('quiet', 'Enabled', 'It takes part.'),
  disabled: mean('warn', 'Disabled', 'It is left alone: nothing is placed on it.'),
  maintenance: mean('warn', 'Maintenance', 'Its slots were moved away; nothing is placed on it.'),
  locked: mean('warn', 'Locked', 'An operator keeps everything off it.'),
};

const GUARD: Readonly<Record<GuardLevel, string>> = {
  watchdog: 'a watchdog resets the machine if its guard dies',
  init: 'init ends the services if its guard dies',
  none: 'nothing ends the services if its guard dies, so its lease running out is not accepted as evidence',
};

const WORK: Readonly<Record<WorkType, string>> = {
  HA: 'Failover',
  Place: 'Placement',
  Move: 'Move',
  Drain: 'Drain',
  Stop: 'Stop',
  ForceStop: 'Forced stop',
  Failback: 'Failback',
  Restart: 'Restart',
};

const PHASE: Readonly<Record<RunPhase, Meaning>> = {
  Scheduled: mean('busy', 'Scheduled', 'About to begin.'),
  Investigating: mean('busy', 'Investigating', 'Asking whether the host is really gone.'),
  Fencing: mean('busy', 'Waiting for evidence', 'Nothing is started before the old owner cannot run any more.'),
  Stopping: mean('busy', 'Stopping', 'Freeing what the old owner held.'),
  Restarting: mean('busy', 'Restarting', 'Starting the services on their new host.'),
  Done: mean('good', 'Done', 'It ended.'),
  Held: mean('bad', 'Held', 'It could not go on safely: read why.'),
  Cancelled: mean('quiet', 'Cancelled', 'It was taken back; nothing was harmed.'),
  Error: mean('bad', 'Error', 'It broke; reconcile takes up what is left.'),
};

/** How a run ended, where that says more than its phase. */
const OUTCOME: Readonly<Record<string, Meaning>> = {
  Recovered: mean('good', 'Recovered', 'What it owned has an owner again.'),
  Alive: mean('good', 'False alarm', 'The host renewed: nothing was done to it.'),
  Placed: mean('good', 'Placed', 'It runs.'),
  Moved: mean('good', 'Moved', 'It runs on its new host.'),
  Restarted: mean('good', 'Restarted', 'It runs again where it was.'),
  Stopped: mean('quiet', 'Stopped', 'It was stopped.'),
  Gone: mean('quiet', 'Gone', 'The host or the slot is no longer defined.'),
  Duplicate: mean('quiet', 'Duplicate', 'Another run worked on it already.'),
};

const VERDICT: Readonly<Record<WhyView['hosts'][number]['verdict'], Meaning>> = {
  owner: mean('good', 'Runs it', 'The slot runs here.'),
  next: mean('busy', 'Next', 'Would take it if the owner failed now.'),
  possible: mean('quiet', 'Possible', 'Could take it; others come first.'),
  dropped: mean('warn', 'Cannot', 'Cannot take it now.'),
};

const CHECK: Readonly<Record<DoctorCheck['verdict'], Meaning>> = {
  fail: mean('bad', 'Fails', 'A failover would not work.'),
  warn: mean('warn', 'Weak', 'A failover would work, and less well than it could.'),
  ok: mean('good', 'Good', 'Nothing to do.'),
};

/** A newer control plane may send a word that this page does not know: it is shown as it is. */
function lookUp<T>(table: Readonly<Record<string, T>>, word: string): T | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}

const orPlain = (table: Readonly<Record<string, Meaning>>, word: string): Meaning =>
  lookUp(table, word) ?? mean('quiet', word, '');

export const hostMeaning = (status: HostStatus): Meaning => orPlain(HOST, status);
export const slotMeaning = (phase: SlotPhase): Meaning => orPlain(SLOT, phase);
export const healthMeaning = (health: GroupHealth): Meaning => orPlain(HEALTH, health);
export const adminMeaning = (admin: AdminState): Meaning => orPlain(ADMIN, admin);
export const verdictMeaning = (verdict: WhyView['hosts'][number]['verdict']): Meaning => orPlain(VERDICT, verdict);
export const checkMeaning = (verdict: DoctorCheck['verdict']): Meaning => orPlain(CHECK, verdict);
export const guardWords = (level: GuardLevel): string => lookUp(GUARD, level) ?? level;
export const workWord = (work: WorkType): string => lookUp(WORK, work) ?? work;
export const evidenceWords = (kind: EvidenceKind): string => lookUp(EVIDENCE_WORDS, kind) ?? kind;

export function runMeaning(run: Pick<RunView, 'phase' | 'outcome' | 'summary'>): Meaning {
  const waiting = run.outcome === 'Recovered' ? waitingIn(run.summary) : [];
  if (waiting.length > 0)
    return mean(
      'warn',
      'Recovered in part',
      `${listed(waiting)} ${waiting.length === 1 ? 'waits' : 'wait'} for a host.`,
    );
  return (run.outcome === null ? undefined : lookUp(OUTCOME, run.outcome)) ?? orPlain(PHASE, run.phase);
}

const SEVERITY: Readonly<Record<Tone, number>> = { bad: 0, warn: 1, busy: 2, quiet: 3, good: 4 };

/** Smaller is more urgent. */
export const severity = (tone: Tone): number => SEVERITY[tone];
