/** Why a slot is where it is: every host, whether it could run it, and what would change the answer. */
import { unreachable } from '../../core/failures/invariant.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { HostFinding } from '../../core/placement/facts.ts';
import { explainSlot } from '../../core/placement/simulate.ts';
import { betterInWords, dropInWords, scoreInWords } from '../../core/placement/words.ts';
import { isOwned, slotOf } from '../../core/recovery/ownership.ts';
import type { WhyView } from '../../core/protocol/views.ts';
import { loadCluster } from '../shared/cluster.ts';
import { liveFactsOf } from '../shared/live-facts.ts';
import type { ControlPorts } from '../shared/ports.ts';

type HostWhy = WhyView['hosts'][number];

export async function why(ports: ControlPorts, cluster: string, group: string, slot: number): Promise<WhyView> {
  const facts = await loadCluster(ports, cluster);
  const record = facts.groups.find((candidate) => candidate.group === group);
  const found = record === undefined ? undefined : slotOf(record, slot);
  if (record === undefined || !facts.definition.groups.some(({ name }) => name === group)) {
    const names = facts.definition.groups.map(({ name }) => name).join(', ');
    throw new HaError('not_found', `there is no group ${group}; there are ${names}`);
  }
  if (found === undefined)
    throw new HaError('not_found', `${group} has no slot ${slot}; it has 0 to ${record.slots.length - 1}`);
  const owner = isOwned(found) ? (found.owner?.host ?? null) : null;
  const { explanation, why: says } = explainSlot(liveFactsOf(facts, ports.wall.now()), { group, slot });
  const findings: readonly HostFinding[] = explanation?.hosts ?? [];
  const others = findings.filter(({ host }) => host !== owner).map(hostWhy);
  const owning: readonly HostWhy[] =
    owner === null
      ? []
      : [
          {
            host: owner,
            verdict: 'owner',
            why: ownerWhy(found.phase, found.epoch, explanation === null ? says : ''),
            change: null,
            scores: null,
          },
        ];
  return { group, slot, owner, hosts: [...owning, ...others] };
}

/** `nobody`: why nobody would take it over, if so. */
function ownerWhy(phase: string, epoch: number, nobody: string): string {
  return `owns it (${phase}, epoch ${epoch})${nobody === '' ? '' : `; if it fell silent, ${nobody}`}`;
}

function hostWhy(finding: HostFinding): HostWhy {
  const { host } = finding;
  switch (finding.outcome) {
    case 'taken':
      return { host, verdict: 'next', why: scoreInWords(finding.score), change: null, scores: finding.score };
    case 'possible': {
      const why = `${betterInWords(finding.decidedBy)} (${scoreInWords(finding.score)})`;
      return { host, verdict: 'possible', why, change: null, scores: finding.score };
    }
    case 'dropped': {
      const { why, change } = dropInWords(finding);
      return { host, verdict: 'dropped', why, change, scores: null };
    }
    default:
      return unreachable(finding);
  }
}
