/**
 * What would break a failover, found before it happens. Checks are functions of facts and change nothing; each finding
 * says what to change. A check that finds nothing says what it looked at, so that silence is never mistaken for health.
 */
import type { DoctorCheck } from '../protocol/views.ts';
import { capacityCheck } from './capacity-check.ts';
import { observerCheck, switchCheck, troubleCheck, versionCheck } from './cluster-checks.ts';
import type { DoctorFacts } from './facts.ts';
import { acceptedEvidenceCheck, powerIdentityCheck, powerReachCheck } from './fencing-checks.ts';
import { candidateListCheck, slotCheck, soleCandidateCheck } from './group-checks.ts';
import { adminCheck, clockCheck, guardLevelCheck, hostUpCheck } from './host-checks.ts';
import { egressCheck, fenceTestCheck, guardPathCheck, machineChecks } from './machine-checks.ts';

const CHECKS: readonly ((facts: DoctorFacts) => readonly DoctorCheck[])[] = [
  switchCheck,
  observerCheck,
  troubleCheck,
  hostUpCheck,
  adminCheck,
  guardLevelCheck,
  powerIdentityCheck,
  powerReachCheck,
  fenceTestCheck,
  machineChecks,
  egressCheck,
  guardPathCheck,
  acceptedEvidenceCheck,
  slotCheck,
  soleCandidateCheck,
  candidateListCheck,
  capacityCheck,
  versionCheck,
  clockCheck,
];

export function doctorChecks(facts: DoctorFacts): DoctorCheck[] {
  return CHECKS.flatMap((check) => check(facts));
}
