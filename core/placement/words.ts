/** Findings as a person reads them: taken, or what dropped the host and what would change the answer. */
import { unreachable } from '../failures/invariant.ts';
import type { Filter, HostFinding, Relaxed, Score, ScorePart } from './facts.ts';

const BETTER: Readonly<Record<ScorePart | 'name', string>> = {
  warm: 'the other stands by warm',
  preference: 'the other is preferred',
  sticky: 'the other ran it last',
  spread: 'the other spreads the group better',
  balance: 'the other owns fewer slots',
  name: 'equal in everything, so the name decides',
};

/** Per filter: why the host is out, and what would bring it back in. */
const DROPPED: Readonly<Record<Filter, (fact: string) => { readonly why: string; readonly change: string }>> = {
  admin: (state) => ({ why: `an operator set it to ${state}`, change: 'enable the host' }),
  status: (status) =>
    status === 'no live session'
      ? { why: 'it has no live session', change: 'its agent must register and beat' }
      : { why: `it is ${status}, not Up`, change: 'the host must be Up with a live session' },
  labels: (label) => ({
    why: `the label ${label} is missing`,
    change: `label the host ${label}, or no longer require it`,
  }),
  'ha-tag': (label) => ({
    why: `the label ${label}, which a failover asks for, is missing`,
    change: `label the host ${label}, or drop haTag`,
  }),
  capacity: (amount) => ({ why: `it needs ${amount}`, change: 'free capacity there, or state a smaller need' }),
  'failed-there': (what) => ({
    why: `a start failed there: ${what}`,
    change: 'the window must pass, or the cause be mended',
  }),
  takers: (who) => ({
    why: `after lease-over only acknowledged candidates may take over (S11): ${who}`,
    change: 'a listed host must come back, or power-off, successor or a person must show the old session ended',
  }),
  'same-group': (group) => ({ why: `it owns another slot of ${group}`, change: 'that slot must leave it' }),
  apart: (pair) => ({ why: `${pair} must be apart`, change: 'the other group must leave it, or drop the rule' }),
  together: (hosts) => ({
    why: `its aggregate is on ${hosts}`,
    change: 'the other groups must leave that host first, or drop the rule',
  }),
};

function scoreInWords(score: Score): string {
  const parts = [
    score.warm > 0 ? 'warm standby' : '',
    score.preference !== 0 ? `preference ${score.preference}` : '',
    score.sticky > 0 ? 'ran it last' : '',
    score.spread < 0 ? `${-score.spread} of the group's slots in the same place` : '',
    score.balance < 0 ? `owns ${-score.balance}` : 'owns nothing',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** Why a filter dropped a host, and what would bring it back in. */
export function dropInWords(drop: { readonly filter: Filter; readonly fact: string }): {
  readonly why: string;
  readonly change: string;
} {
  return DROPPED[drop.filter](drop.fact);
}

/** A score as an operator reads it. */
export { scoreInWords };

/** The part in which another host is better. */
export function betterInWords(part: ScorePart | 'name'): string {
  return BETTER[part];
}

export function findingInWords(finding: HostFinding): string {
  switch (finding.outcome) {
    case 'taken':
      return `${finding.host}: taken (${scoreInWords(finding.score)})`;
    case 'possible':
      return `${finding.host}: possible, but ${BETTER[finding.decidedBy]} (${scoreInWords(finding.score)})`;
    case 'dropped': {
      const { why, change } = DROPPED[finding.filter](finding.fact);
      return `${finding.host}: no, ${why}; to change this: ${change}`;
    }
    default:
      return unreachable(finding);
  }
}

const GAVE_WAY: Readonly<Record<Relaxed, string>> = {
  'ha-tag': 'no host with its haTag could take it',
  capacity: 'no host has room for it, so this one is loaded beyond its stated capacity',
};

function relaxedInWords(relaxed: readonly Relaxed[]): string {
  return relaxed.map((filter) => `; ${GAVE_WAY[filter]}`).join('');
}

/** Hosts that a sentence names: a page or a run's summary stays readable in a large fleet. */
const HOSTS_NAMED_MAX = 5;

/** One sentence for a slot: where it goes and why there, or what keeps it from every host. */
export function slotInWords(slot: {
  readonly group: string;
  readonly slot: number;
  readonly host: string | null;
  readonly aggregate: readonly string[];
  readonly relaxed?: readonly Relaxed[];
  readonly hosts: readonly HostFinding[];
}): string {
  const name = `${slot.group}/${slot.slot}${slot.aggregate.length > 0 ? ` (with ${slot.aggregate.join(', ')})` : ''}`;
  const taken = slot.hosts.find((finding) => finding.outcome === 'taken');
  if (slot.host !== null && taken?.outcome === 'taken')
    return `${name} goes to ${slot.host}: ${scoreInWords(taken.score)}${relaxedInWords(slot.relaxed ?? [])}`;
  const dropped = slot.hosts.flatMap((finding) =>
    finding.outcome === 'dropped' ? [`${finding.host}: ${DROPPED[finding.filter](finding.fact).why}`] : [],
  );
  const named = dropped.slice(0, HOSTS_NAMED_MAX).join('; ');
  const more = dropped.length > HOSTS_NAMED_MAX ? `; and ${dropped.length - HOSTS_NAMED_MAX} more hosts` : '';
  return `no host can take ${name} now: ${named || 'there are no hosts'}${more}`;
}
