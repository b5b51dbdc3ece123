/** Would a fence reach the machine, and would what it finds be accepted? */
import type { PowerReading } from '../ports.ts';
import { candidateHosts } from '../placement/candidates.ts';
import type { DoctorCheck } from '../protocol/views.ts';
import { counted, type DoctorFacts, fail, hasPowerFence, type HostCase, hostCases, verdicts, warn } from './facts.ts';
import { namesOf } from './cluster-checks.ts';

export function powerIdentityCheck(facts: DoctorFacts): readonly DoctorCheck[] {
  const found = hostCases(facts).flatMap(({ name, defined }) =>
    hasPowerFence(defined) && defined.instanceId === undefined
      ? [
          fail({
            subject: name,
            says: 'its fencing names ec2, but it has no instanceId: there is nothing to stop',
            change: 'give its instanceId in the definition, or fence it by lease',
          }),
        ]
      : [],
  );
  return verdicts('power-identity', found, {
    subject: facts.record.cluster,
    says: 'every host that is fenced through EC2 has an instanceId',
  });
}

/** A group that does not take `lease-over` needs a power fence on every host that may own it. */
export function acceptedEvidenceCheck(facts: DoctorFacts): readonly DoctorCheck[] {
  const defined = new Map(facts.definition.hosts.map((host) => [host.name, host]));
  const found = facts.definition.groups.flatMap((group) => {
    if (group.accepts.includes('lease-over')) return [];
    const without = candidateHosts(facts.definition, group).filter((name) => {
      const host = defined.get(name);
      return !group.accepts.includes('power-off') || host === undefined || !hasPowerFence(host);
    });
    if (without.length === 0) return [];
    const kinds = group.accepts.length === 0 ? 'neither lease-over nor power-off' : `only ${group.accepts.join(', ')}`;
    return [
      fail({
        subject: group.name,
        says: `it accepts ${kinds} about an owner that fell silent, and no power fence reaches ${namesOf(without)}: it would be held there until a person vouches`,
        change: 'add the fence ec2 to these hosts, or let the group accept lease-over',
      }),
    ];
  });
  return verdicts('accepted-evidence', found, {
    subject: facts.record.cluster,
    says: 'every group accepts evidence that every one of its hosts can give',
  });
}

/** The same moment in two spellings: with and without a fraction of nothing, `Z` and `+00:00`. */
function moment(iso: string): string {
  return iso.replace(/\.0+(?=Z|[+-]|$)/, '').replace(/\+00:00$/, 'Z');
}

/** What makes the reads of a power fence worthless, worst first; undefined: they would count. */
function powerProblem({ name, record, item, isLive }: HostCase, reading: PowerReading) {
  const { state, principal, launchTime, canHibernate, checks, says } = reading;
  if (state === 'unknown') {
    const change = 'see that the instance exists and that the control plane may describe it (ec2:DescribeInstances)';
    return fail({ subject: name, says: `its power cannot be read: ${says}`, change });
  }
  if (canHibernate === true) {
    const change = 'launch it without hibernation, or fence it by lease';
    const why =
      'hibernation is enabled: a stopped machine may wake and go on, so that power-off is refused as evidence';
    return fail({ subject: name, says: why, change });
  }
  if (principal !== null && record !== undefined && principal !== record.principal) {
    const change = 'correct its instanceId in the definition';
    return fail({ subject: name, says: `EC2 says ${principal}, its heartbeats are of ${record.principal}`, change });
  }
  // Of a host that fell silent, a machine that is off is no contradiction.
  if (!isLive || item === undefined || record?.status !== 'Up') return undefined;
  if (state !== 'running') {
    const change = 'see which machine writes its heartbeats';
    return fail({ subject: name, says: `it beats, but EC2 says that it is ${state}`, change });
  }
  if (launchTime !== null && moment(launchTime) !== moment(item.launchTime)) {
    const why = `its session began under LaunchTime ${item.launchTime}, EC2 says ${launchTime}: a stop could not be told from one of an earlier life`;
    return fail({ subject: name, says: why, change: `restart its agent, so that a session with the right one begins` });
  }
  if (checks === 'impaired') {
    const change = 'move its slots away before it fails: holdfast drain ' + name;
    return warn({ subject: name, says: `a status check of EC2 is impaired${says === '' ? '' : `: ${says}`}`, change });
  }
  return undefined;
}

export function powerReachCheck(facts: DoctorFacts): readonly DoctorCheck[] {
  const found = hostCases(facts).flatMap((one) => {
    const reading = facts.power.get(one.name);
    return reading === undefined ? [] : (powerProblem(one, reading) ?? []);
  });
  const asked = facts.power.size;
  const left = facts.powerUnasked;
  const unasked = warn({
    subject: facts.record.cluster,
    says: `the power of ${counted(left.length, 'host')} was not read, to spare EC2's limits: ${namesOf(left)}`,
    change: 'ask again later: each time other hosts are read first',
  });
  return verdicts('power-reach', [...found, ...(left.length > 0 ? [unasked] : [])], {
    subject: facts.record.cluster,
    says: asked === 0 ? 'no host is fenced through EC2' : `the power of ${counted(asked, 'host')} can be read`,
  });
}
