/** The doctor's checks: what fails first, and one sentence over all of them. */
import type { DoctorCheck } from '../../core/protocol/views.ts';
import type { Tone } from './tones.ts';
import { count } from './words.ts';

export interface Diagnosis {
  readonly tone: Tone;
  readonly says: string;
  /** Fails, then warnings. */
  readonly findings: readonly DoctorCheck[];
  readonly passed: readonly DoctorCheck[];
}

export function diagnosis(checks: readonly DoctorCheck[]): Diagnosis {
  const fails = checks.filter((check) => check.verdict === 'fail');
  const warnings = checks.filter((check) => check.verdict === 'warn');
  const passed = checks.filter((check) => check.verdict === 'ok');
  const findings = [...fails, ...warnings];
  if (fails.length > 0)
    return { tone: 'bad', says: `${count(fails.length, 'thing')} would break a failover.`, findings, passed };
  if (warnings.length > 0)
    return {
      tone: 'warn',
      says: `A failover would work; ${count(warnings.length, 'thing')} would make it better.`,
      findings,
      passed,
    };
  if (passed.length === 0) return { tone: 'quiet', says: 'There was nothing to check.', findings, passed };
  return { tone: 'good', says: 'Nothing was found that would break a failover.', findings, passed };
}

/** Where in this page a subject is shown; hosts and groups may share a name, then the group is meant by `group/slot` only. */
export function subjectPlace(
  subject: string,
  names: { readonly hosts: ReadonlySet<string>; readonly groups: ReadonlySet<string> },
): { readonly kind: 'host' | 'group'; readonly name: string } | null {
  const group = subject.split('/')[0] ?? '';
  if (names.hosts.has(subject)) return { kind: 'host', name: subject };
  if (names.groups.has(group)) return { kind: 'group', name: group };
  return null;
}
