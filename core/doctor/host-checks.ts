/** Is each host there, wanted, guarded, and does its clock make sense to a reader of logs? */
import { whyNoLeaseOver } from '../recovery/evidence.ts';
import type { HostStatus } from '../protocol/records.ts';
import type { DoctorCheck } from '../protocol/views.ts';
import { wallElapsed } from '../time/time.ts';
import {
  counted,
  type DoctorFacts,
  fail,
  hasPowerFence,
  type HostCase,
  hostCases,
  roughly,
  verdicts,
  warn,
} from './facts.ts';

const DAY_MS = 86_400_000;

/** On the way to somewhere: another look a minute later says more. */
const PASSING: readonly HostStatus[] = ['Connecting', 'Behind', 'Investigating', 'Fencing'];

function upProblem({ name, record, item }: HostCase) {
  if (item === undefined || record === undefined) {
    return fail({
      subject: name,
      says: 'nothing was ever heard of it',
      change: 'install and start the agent there, with the principal that the definition names; or remove the host',
    });
  }
  if (record.status === 'Up') return undefined;
  const says = `it is ${record.status}, not Up${record.why === '' ? '' : `: ${record.why}`}`;
  const change = `nothing can be placed there: start it, or see why it is silent (holdfast show host ${name})`;
  return PASSING.includes(record.status)
    ? warn({ subject: name, says, change: `look again in a minute; ${change}` })
    : fail({ subject: name, says, change });
}

export function hostUpCheck(facts: DoctorFacts): readonly DoctorCheck[] {
  const cases = hostCases(facts);
  return verdicts(
    'host-up',
    cases.flatMap((one) => upProblem(one) ?? []),
    { subject: facts.record.cluster, says: `${counted(cases.length, 'host is', 'hosts are')} Up` },
  );
}

/** Forgotten maintenance is how clusters lose their spare host. */
export function adminCheck(facts: DoctorFacts): readonly DoctorCheck[] {
  const found = hostCases(facts).flatMap(({ name, record }) => {
    if (record === undefined || record.admin === 'enabled') return [];
    const { admin, adminReason, adminSinceMs } = record;
    if (adminSinceMs !== undefined && wallElapsed(adminSinceMs, facts.nowMs) <= DAY_MS) return [];
    const since = adminSinceMs === undefined ? '' : ` for ${roughly(wallElapsed(adminSinceMs, facts.nowMs))}`;
    const reason = adminReason === '' ? '' : ` (${adminReason})`;
    const back = admin === 'locked' ? 'unlock' : 'enable';
    return [
      warn({
        subject: name,
        says: `it has been ${admin === 'maintenance' ? 'in maintenance' : admin}${since}${reason}: nothing fails over to it`,
        change: `when the work is done: holdfast ${back} ${name}`,
      }),
    ];
  });
  return verdicts('admin-state', found, {
    subject: facts.record.cluster,
    says: 'no host has been locked, disabled or in maintenance for more than a day',
  });
}

/** Sessions about which `lease-over` is refused: only a power fence, the machine itself or a person ends them (S4, S7). */
export function guardLevelCheck(facts: DoctorFacts): readonly DoctorCheck[] {
  const found = hostCases(facts).flatMap(({ name, defined, item, isLive }) => {
    const why = isLive && item !== undefined ? whyNoLeaseOver(item) : null;
    if (why === null || item === undefined) return [];
    const change =
      item.guardLevel === 'none'
        ? 'give it a watchdog, or run its agent under systemd or an init that ends the services with the guard'
        : 'bring its agent and the control plane to versions that obey the same rules';
    const says = `a lease of it that has run out proves nothing: ${why}`;
    return hasPowerFence(defined)
      ? [warn({ subject: name, says: `${says}. Its slots would wait for the power fence`, change })]
      : [fail({ subject: name, says: `${says}. It has no power fence: its slots would wait for a person`, change })];
  });
  return verdicts('guard-level', found, {
    subject: facts.record.cluster,
    says: 'every live guard is bound by a watchdog or an init',
  });
}

/** What a clock may be off before timelines of two machines cannot be read side by side. No decision depends on it. */
const OFFSET_MS = 5_000;

export function clockCheck(facts: DoctorFacts): readonly DoctorCheck[] {
  const { intervalMs, jitter, renewCapMs } = facts.definition.timing;
  // A beat may be this old when it is read; only what is beyond that is said of the clock.
  const oldestMs = intervalMs * (1 + jitter) + renewCapMs;
  const found = hostCases(facts).flatMap(({ name, record, item, isLive }) => {
    if (!isLive || item === undefined || record?.status !== 'Up') return [];
    const behindMs = facts.nowMs - item.sentAtWallMs;
    const isOff = behindMs < -OFFSET_MS || behindMs > oldestMs + OFFSET_MS;
    if (!isOff) return [];
    const off = behindMs < 0 ? `${roughly(-behindMs)} ahead` : `about ${roughly(behindMs)} behind`;
    return [
      warn({
        subject: name,
        says: `its wall clock is ${off} of the control plane's; nothing is decided by it, but its log misleads`,
        change: 'let chrony or the like set its clock',
      }),
    ];
  });
  return verdicts('clock-offset', found, {
    subject: facts.record.cluster,
    says: `no host's wall clock is off by more than ${OFFSET_MS / 1000} s`,
  });
}
