/** Step `close`: says how the run ended, gives back its claims, calls a person where something is held. */
import { isOwned, slotOf, withSlot } from '../../core/recovery/ownership.ts';
import { type GroupRecord, type HostRecord, keys, type LateRecord, type RunPhase } from '../../core/protocol/records.ts';
import { changeRecord } from '../shared/change.ts';
import { loadCluster } from '../shared/cluster.ts';
import { setHostStatus } from '../shared/host-status.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { closeRun, recordEvent, recordStep } from '../shared/run-log.ts';
import type { Work } from '../shared/work.ts';

export type Outcome = 'Alive' | 'Duplicate' | 'Gone' | 'Disconnected' | 'Recovered' | 'Held';

const PHASES: Record<Outcome, RunPhase> = {
  Alive: 'Cancelled',
  Duplicate: 'Cancelled',
  Gone: 'Cancelled',
  Disconnected: 'Held',
  Recovered: 'Done',
  Held: 'Held',
};

/** What "done" is called for each kind of work. */
const DONE_WORDS: Record<Work['verb'], string> = {
  ha: 'Recovered',
  place: 'Placed',
  move: 'Moved',
  restart: 'Restarted',
  stop: 'Stopped',
};

export async function close(ports: ControlPorts, run: string, work: Work, outcome: Outcome): Promise<Work> {
  // A duplicate has no record and no claim of its own: another run does the work.
  if (outcome === 'Duplicate' || (outcome === 'Gone' && work.verb === 'ha')) return { ...work, next: 'Closed' };
  const ending = outcome === 'Recovered' || outcome === 'Held' ? await endingOf(ports, work, outcome) : { outcome, says: work.says };
  await releaseClaims(ports, run, work);
  if (work.verb === 'ha' && work.host !== null) {
    await forgetLate(ports, work);
    if (outcome === 'Alive') await setHostStatus(ports, work.cluster, work.host, { type: 'renewed' }, work.says);
    // Without evidence about the host a person must look at it; without a place for its slots, at those.
    if (outcome === 'Held') await setHostStatus(ports, work.cluster, work.host, { type: 'alert' }, ending.says);
  }
  const phase = PHASES[ending.outcome];
  const word = ending.outcome === 'Recovered' ? DONE_WORDS[work.verb] : ending.outcome;
  await recordStep(ports, run, 'Close', `${word}: ${ending.says}`);
  await closeRun(ports, run, { phase, outcome: word, summary: ending.says });
  const subject = work.host ?? work.slots.map(({ group, slot }) => `${group}/${slot}`).join(', ');
  await recordEvent(ports, work.cluster, { kind: 'run.closed', subject, says: `${word}: ${ending.says}`, run, by: run });
  if (ending.outcome === 'Held') await ports.alerts.page(`${run} is held`, ending.says);
  return { ...work, next: 'Closed', says: ending.says };
}

/** Judged by the slots as they stand, not by what the execution remembers. */
async function endingOf(ports: ControlPorts, work: Work, outcome: 'Recovered' | 'Held'): Promise<{ outcome: Outcome; says: string }> {
  if (outcome === 'Held' && work.slots.length === 0) return { outcome, says: work.says };
  const facts = await loadCluster(ports, work.cluster);
  const words: string[] = [];
  let isHeld = outcome === 'Held';
  for (const { group, slot: no } of work.slots) {
    const record = facts.groups.find((candidate) => candidate.group === group);
    const slot = record === undefined ? undefined : slotOf(record, no);
    if (slot === undefined) continue;
    const isStopped = work.verb === 'stop' && slot.evidence !== null;
    if (isStopped) words.push(`${group}/${no} is stopped`);
    else if (isOwned(slot)) words.push(`${group}/${no} is ${slot.phase} on ${slot.owner?.host ?? ''}${slot.phase === 'Active' ? '' : ` (${slot.why})`}`);
    else {
      isHeld = true;
      words.push(`${group}/${no} is held: ${slot.why}`);
    }
  }
  const says = words.join('; ') || (outcome === 'Held' ? work.says : `${work.host ?? 'it'} owned nothing`);
  return { outcome: isHeld ? 'Held' : 'Recovered', says: outcome === 'Held' && work.says !== '' ? `${work.says}; ${says}` : says };
}

export async function releaseClaims(ports: ControlPorts, run: string, work: Pick<Work, 'cluster' | 'verb' | 'host' | 'slots'>): Promise<void> {
  if (work.host !== null) {
    await changeRecord<HostRecord>(ports.registry, keys.host(work.cluster, work.host), (old) =>
      old?.claim?.run === run ? { ...old, claim: null } : null,
    );
  }
  if (work.verb === 'ha') return;
  for (const { group, slot: no } of work.slots) {
    await changeRecord<GroupRecord>(ports.registry, keys.group(work.cluster, group), (old) => {
      const slot = old === undefined ? undefined : slotOf(old, no);
      return old !== undefined && slot?.claim === run ? withSlot(old, { ...slot, claim: null }) : null;
    });
  }
}

async function forgetLate(ports: ControlPorts, work: Work): Promise<void> {
  if (work.host === null) return;
  const key = keys.late(work.cluster, work.host);
  const late = await ports.registry.get<LateRecord>(key);
  if (late?.body.session === work.session && late.body.seq === work.seq) await ports.registry.remove(key, late.version);
}
