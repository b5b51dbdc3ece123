/** What concerns the cluster as a whole: is anybody looking, may anything be done, is anybody waited for? */
import type { DoctorCheck } from '../protocol/views.ts';
import { wallElapsed } from '../time/time.ts';
import { counted, type DoctorFacts, fail, hostCases, roughly, verdicts, warn } from './facts.ts';

/** Sweeps that may be missing before the bound on recovery (V10), which counts one, is called broken. */
const SWEEPS_MISSED_MAX = 5;

/** A process that takes over from another needs this long to start, whatever the period. */
const START_ALLOWANCE_MS = 2_000;

export function switchCheck({ record }: DoctorFacts): readonly DoctorCheck[] {
  const found = fail({
    subject: record.cluster,
    says: 'HA is switched off: nothing is started, moved or fenced automatically',
    change: 'switch it on: holdfast switch on',
  });
  return verdicts('ha-switch', record.haEnabled ? [] : [found], {
    subject: record.cluster,
    says: 'HA is switched on',
  });
}

export function observerCheck({ record, definition, lastSweepMs, nowMs }: DoctorFacts): readonly DoctorCheck[] {
  const subject = record.cluster;
  const change = 'see that find-behind is scheduled and what its log says';
  if (lastSweepMs === null) {
    const says = 'find-behind has never swept: no host that falls silent would be noticed';
    return verdicts('observer', [fail({ subject, says, change })], { subject, says: '' });
  }
  const { sweepPeriodMs, wallGapMs } = definition.timing;
  const silentMs = Math.max(0, wallElapsed(lastSweepMs, nowMs));
  const longMs = SWEEPS_MISSED_MAX * sweepPeriodMs + wallGapMs + START_ALLOWANCE_MS;
  const says =
    `find-behind swept last ${roughly(silentMs)} ago and should every ${sweepPeriodMs / 1000} s: ` +
    'hosts that fall silent are noticed late or not at all';
  return verdicts('observer', silentMs > longMs ? [fail({ subject, says, change })] : [], {
    subject,
    says: `find-behind sweeps: last ${roughly(silentMs)} ago`,
  });
}

/** What lasts and was told to a person stays a failure until it ends; what is new may pass by itself. */
export function troubleCheck({ record, troubles, nowMs }: DoctorFacts): readonly DoctorCheck[] {
  const found = troubles.map(({ subject, sinceMs, why, isTold }) => {
    const since = `for ${roughly(wallElapsed(sinceMs, nowMs))}`;
    const change = 'mend what it names; the next pass of reconcile tries again and ends this by itself';
    return isTold
      ? fail({ subject, says: `a person was called and it is not over (${since}): ${why}`, change })
      : warn({ subject, says: `reconcile could not look after it (${since}): ${why}`, change });
  });
  return verdicts('page', found, { subject: record.cluster, says: 'nobody waits for a person' });
}

export function versionCheck(facts: DoctorFacts): readonly DoctorCheck[] {
  const byVersion = new Map<string, string[]>();
  for (const { name, item, isLive } of hostCases(facts)) {
    if (!isLive || item === undefined) continue;
    byVersion.set(item.agentVersion, [...(byVersion.get(item.agentVersion) ?? []), name]);
  }
  const versions = [...byVersion].sort(([, a], [, b]) => b.length - a.length);
  const each = versions.map(([version, hosts]) => `${version} on ${namesOf(hosts)}`).join(', ');
  const found = warn({
    subject: facts.record.cluster,
    says: `agents of ${versions.length} versions run: ${each}`,
    change: 'finish the upgrade; mixed versions work together, but what the newest can do is not there everywhere',
  });
  return verdicts('agent-versions', versions.length > 1 ? [found] : [], {
    subject: facts.record.cluster,
    says: versions.length === 0 ? 'no agent runs' : `every agent is of version ${versions[0]?.[0] ?? ''}`,
  });
}

const NAMED_MAX = 5;

/** A sentence stays readable in a large fleet. */
export function namesOf(names: readonly string[]): string {
  const more = names.length - NAMED_MAX;
  return more > 0 ? `${names.slice(0, NAMED_MAX).join(', ')} and ${counted(more, 'more', 'more')}` : names.join(', ');
}
