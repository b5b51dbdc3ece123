/** Facts in the words of a timeline: whom each concerns, and what happened. */
import type { GroupRecord, SlotRecord } from '../../core/protocol/records.ts';
import type { Told } from '../contract/truth.ts';
import { ownerChanges } from '../run/tally.ts';

export interface ReportLine {
  readonly at: number;
  /** A host, or `control`, `workflow`, `operator`, `FAULT`. */
  readonly lane: string;
  readonly says: string;
  /** Hosts that it concerns besides its lane. */
  readonly hosts: readonly string[];
}

/** What the names in facts stand for. */
export interface Names {
  readonly hostOfMachine: (machine: string) => string;
  readonly hostOfPrincipal: (principal: string) => string;
}

export function linesOf(fact: Told, names: Names): readonly ReportLine[] {
  const found = ofHost(fact) ?? ofControl(fact, names);
  return found.map(({ lane, says, hosts = [] }) => ({ at: fact.at, lane, says, hosts }));
}

type Words = readonly { readonly lane: string; readonly says: string; readonly hosts?: readonly string[] }[];

/** What happens on a machine; null: it happens elsewhere. */
function ofHost(fact: Told): Words | null {
  switch (fact.type) {
    case 'machine':
      return [{ lane: fact.host, says: `power: ${fact.now} (${short(fact.machine)})` }];
    case 'process':
      return [{ lane: fact.host, says: `${fact.role} ${fact.now}${because(fact.why)}` }];
    case 'service_up':
    case 'service_down': {
      const { where, service, epoch, pid, host } = fact.life;
      const state = fact.type === 'service_up' ? 'RUNS' : 'ended';
      const why = fact.type === 'service_down' ? because(fact.why) : '';
      return [{ lane: host, says: `${where} ${service} ${state}, epoch ${epoch}, pid ${pid}${why}` }];
    }
    case 'belief': {
      const { slots, untilMs, isStopping, session } = fact.belief;
      const may = slots.map((slot) => `${slot.where}@${slot.epoch}${slot.covered ? '' : ' (uncovered)'}`).join(' ');
      const until = untilMs === null ? 'no deadline' : `until ${seconds(untilMs)}`;
      const says = `believes: session ${short(session)} ${until}${isStopping ? ', stopping' : ''}, may run ${may || 'nothing'}`;
      return [{ lane: fact.host, says }];
    }
    case 'beat':
      return fact.seq === 1 ? [{ lane: fact.host, says: `registered session ${short(fact.session)}` }] : [];
    default:
      return null;
  }
}

function ofControl(fact: Told, names: Names): Words {
  switch (fact.type) {
    case 'revoked': {
      const host = names.hostOfPrincipal(fact.principal);
      return [
        { lane: 'control', says: `revoked session ${short(fact.session)} of ${host} by ${fact.by}`, hosts: [host] },
      ];
    }
    case 'group_written':
      return groupWords(fact.before, fact.after);
    case 'power_call':
      return [{ lane: 'control', says: `asks EC2 to ${fact.call} ${fact.host}, by ${fact.by}`, hosts: [fact.host] }];
    case 'page':
      return [{ lane: 'control', says: `CALLS A PERSON: ${fact.subject}: ${fact.text}` }];
    case 'state_entered':
      return [{ lane: 'workflow', says: `${fact.run}: ${fact.state}` }];
    case 'run_ended':
      return [{ lane: 'workflow', says: `${fact.run}: ended ${fact.status}` }];
    case 'invocation':
      if (fact.now === 'begun' || fact.now === 'ended') return [];
      return [{ lane: 'control', says: `invocation ${fact.no} of ${fact.fn} ${fact.now}${because(fact.says)}` }];
    case 'operator':
      return [{ lane: 'operator', says: `${fact.says}: ${fact.outcome}` }];
    case 'fault': {
      const subject = names.hostOfMachine(fact.subject);
      const says = `${fact.kind} ${fact.now} ${subject}`.trimEnd();
      return [{ lane: 'FAULT', says: `${says}${because(fact.says)}`, hosts: [subject] }];
    }
    case 'bug':
      return [{ lane: 'BUG', says: `${fact.who}: ${fact.says}` }];
    case 'log':
      return [{ lane: `log ${fact.who}`, says: fact.says }];
    default:
      return [];
  }
}

const because = (why: string): string => (why === '' ? '' : `: ${why}`);

/** Owners, epochs, evidence and phases that a write changed. */
function groupWords(before: GroupRecord | null, after: GroupRecord): Words {
  const changes = ownerChanges(before, after).map(({ where, epoch, from, to, by }) => ({
    lane: 'control',
    says: `OWNER of ${where}: ${from ?? 'nobody'} -> ${to}, epoch ${epoch}${by === null ? '' : `, by ${by}`}`,
    hosts: [to, ...(from === null ? [] : [from])],
  }));
  const others = after.slots.flatMap((slot) => {
    const old = before?.slots.find((other) => other.slot === slot.slot);
    if (slot.epoch !== (old?.epoch ?? 0)) return [];
    const hosts = slot.owner === null ? [] : [slot.owner.host];
    return slotWords(old, slot).map((words) => ({
      lane: 'control',
      says: `${after.group}/${slot.slot} ${words}`,
      hosts,
    }));
  });
  return [...changes, ...others];
}

function slotWords(old: SlotRecord | undefined, slot: SlotRecord): readonly string[] {
  const words: string[] = [];
  if (slot.evidence !== null && old?.evidence === null)
    words.push(`evidence ${slot.evidence.kind} about ${slot.evidence.host}: ${slot.evidence.because}`);
  if (slot.phase !== (old?.phase ?? 'Stopped')) words.push(`is ${slot.phase}: ${slot.why}`);
  return words;
}

/** Enough of an identity to tell it from others: the start of a uuid, the end of an ARN. */
export function short(id: string): string {
  const tail = id.slice(id.lastIndexOf('/') + 1);
  return tail.length > 12 ? tail.slice(0, 10) : tail;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`;
}
