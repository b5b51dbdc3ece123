/**
 * Operators' verbs about hosts, as decisions: what a verb would change, what advises against it, which slots move.
 *
 * | verb          | new placements | what runs there          | asks first                                  | ends with     |
 * | ------------- | -------------- | ------------------------ | ------------------------------------------- | ------------- |
 * | `disable`     | none           | stays                    | a reason (as Cinder's disable)              | `enable`      |
 * | `maintenance` | none           | moves away as it can     | a reason; sole provider (Masakari: neither) | `enable`      |
 * | `drain`       | none           | the same                 | sole provider                               | `enable`      |
 * | `lock`        | none           | the same                 | sole provider, last standby (as StarlingX)  | `unlock` only |
 * | `fence`       | none           | is powered off with it   | the name typed again; sole provider         | the host back |
 *
 * A check that advises against is overridden by `force`, and then nothing is stopped that has no other place: it stays
 * until there is one (StarlingX's forced lock stops it). No verb touches a safety rule: slots move by the same runs as
 * ever, and a host that dies meanwhile is recovered from as any other. What is left to do stands in the records, so that
 * reconcile finishes it if whoever asked is gone.
 */
import type { AdminState, GroupRecord, HostRecord, SlotRecord } from '../protocol/records.ts';
import type { HostVerb } from '../protocol/views.ts';
import { givesUp, ownedBy, slotsInWords } from './admin-words.ts';
import { isOwned } from './ownership.ts';

export interface VerbFacts {
  readonly host: HostRecord;
  readonly groups: readonly GroupRecord[];
  readonly haEnabled: boolean;
  /** Where a slot would go if this host gave it up now. */
  readonly placeFor: (group: GroupRecord, slot: SlotRecord) => { readonly to: string | null; readonly says: string };
}

export interface VerbAsked {
  readonly verb: HostVerb;
  readonly reason: string;
}

export interface SlotMove {
  readonly group: string;
  readonly slot: SlotRecord;
}

export interface VerbPlan {
  readonly plan: readonly string[];
  readonly objections: readonly string[];
  /** What the record becomes; null: it is that already. */
  readonly becomes: { readonly admin: AdminState; readonly adminReason: string } | null;
  /** The first slots to move; the others follow as these are done. */
  readonly moves: readonly SlotMove[];
  readonly isFence: boolean;
}

/** A verb that takes a host out of service for longer says why, to whoever finds it so. */
export const ASKS_REASON: ReadonlySet<HostVerb> = new Set(['disable', 'lock', 'maintenance']);

const BECOMES: Readonly<Record<Exclude<HostVerb, 'fence'>, AdminState>> = {
  enable: 'enabled',
  disable: 'disabled',
  lock: 'locked',
  unlock: 'enabled',
  maintenance: 'maintenance',
  drain: 'maintenance',
};

/** Slots of one host that move at the same time, each of another group: a drain shall not be a storm. */
export const WAVE_MAX = 4;

export function planVerb(facts: VerbFacts, asked: VerbAsked): VerbPlan {
  if (asked.verb === 'fence') return planFence(facts);
  const to = BECOMES[asked.verb];
  const { host } = facts;
  const name = host.host;
  const objections = [...fromLocked(host, asked.verb)];
  // A verb repeated without a reason keeps the one that was given; back in service there is none.
  const adminReason = to === 'enabled' ? '' : asked.reason || (host.admin === to ? host.adminReason : '');
  const isSame = host.admin === to && host.adminReason === adminReason;
  const plan = isSame
    ? []
    : [`${name} becomes ${to}${adminReason === '' ? '' : ` (${adminReason})`}; it is ${host.admin} now`];
  if (!isSame && to !== 'enabled') plan.push(`nothing new is placed on ${name}`);
  if (!isSame && to === 'enabled') plan.push(`${name} may be chosen for slots and as a standby again`);
  const leaving = givesUp(to) ? slotsToMove(facts) : NOTHING_LEAVES;
  plan.push(...leaving.plan);
  objections.push(...leaving.objections);
  if (asked.verb === 'lock' && host.admin !== 'locked') objections.push(...lastStandby(facts));
  if (isSame && plan.length === 0)
    plan.push(`${name} is ${to} already${givesUp(to) ? ' and runs nothing' : ''}: there is nothing to do`);
  const becomes = isSame ? null : { admin: to, adminReason };
  return { plan, objections, becomes, moves: leaving.moves, isFence: false };
}

/** Only `unlock` ends a lock: whoever locked the host relies on it. */
function fromLocked(host: HostRecord, verb: HostVerb): readonly string[] {
  if (verb === 'unlock') {
    const isOut = host.admin === 'disabled' || host.admin === 'maintenance';
    return isOut ? [`${host.host} is not locked but ${host.admin}: enable it`] : [];
  }
  const staysLocked = verb === 'lock' || host.admin !== 'locked';
  return staysLocked
    ? []
    : [`${host.host} is locked${host.adminReason === '' ? '' : ` (${host.adminReason})`}: unlock it`];
}

interface Leaving {
  readonly plan: readonly string[];
  readonly objections: readonly string[];
  readonly moves: readonly SlotMove[];
}

const NOTHING_LEAVES: Leaving = { plan: [], objections: [], moves: [] };

function slotsToMove(facts: VerbFacts): Leaving {
  const name = facts.host.host;
  const plan: string[] = [];
  const objections: string[] = [];
  const movable: SlotMove[] = [];
  for (const { group, slot } of slotsOn(name, facts.groups)) {
    const where = `${group.group}/${slot.slot}`;
    const { to, says } = facts.placeFor(group, slot);
    if (slot.claim !== null) {
      plan.push(`${where} is being worked on by run ${slot.claim}`);
    } else if (to === null) {
      plan.push(`${where} stays on ${name} until there is a place for it`);
      objections.push(`${name} is the only one that can run ${where}: ${says}`);
    } else {
      plan.push(`${where} moves to ${to}: it is released here first, and stays if that fails`);
      movable.push({ group: group.group, slot });
    }
  }
  if (!facts.haEnabled && plan.length > 0)
    plan.push('the kill switch is off: only the moves started here are made, the others wait for it');
  return { plan, objections, moves: wave(movable, []) };
}

function slotsOn(host: string, groups: readonly GroupRecord[]): readonly { group: GroupRecord; slot: SlotRecord }[] {
  return groups.flatMap((group) =>
    group.slots.filter((slot) => isOwned(slot) && slot.owner?.host === host).map((slot) => ({ group, slot })),
  );
}

/** The next slots to move, given those whose move is under way: few at once, and one of a group, so that the rest of it stands. */
export function wave<Move extends SlotMove>(
  movable: readonly Move[],
  underWay: readonly SlotMove[],
  isPossible: (move: Move) => boolean = () => true,
): readonly Move[] {
  const chosen: Move[] = [];
  for (const move of movable) {
    if (underWay.length + chosen.length >= WAVE_MAX) break;
    const isGroupBusy = [...underWay, ...chosen].some(({ group }) => group === move.group);
    if (!isGroupBusy && isPossible(move)) chosen.push(move);
  }
  return chosen;
}

function lastStandby({ host, groups }: VerbFacts): readonly string[] {
  return groups
    .filter(({ standbys }) => standbys.length === 1 && standbys[0]?.host === host.host)
    .map(({ group }) => `${host.host} is the last standby of ${group}: nothing would stand by for it`);
}

function planFence(facts: VerbFacts): VerbPlan {
  const name = facts.host.host;
  const plan = [`${name} is powered off, and its state is read back until it is certain`];
  const objections: string[] = [];
  for (const { group, slot } of slotsOn(name, facts.groups)) {
    const where = `${group.group}/${slot.slot}`;
    const { to, says } = facts.placeFor(group, slot);
    plan.push(
      to === null
        ? `${where} stops with it, and is held until there is a place for it`
        : `${where} stops with it, and is started elsewhere once that is evidence: on ${to}, as things stand`,
    );
    if (to === null) objections.push(`${name} is the only one that can run ${where}: ${says}`);
  }
  return { plan, objections, becomes: null, moves: [], isFence: true };
}

/** What a request lacks that its verb needs; null: nothing. */
export function lacking(
  host: string,
  asked: VerbAsked & { readonly confirm: string | undefined; readonly isDryRun: boolean },
): { readonly path: string; readonly got: string; readonly change: string } | null {
  if (ASKS_REASON.has(asked.verb) && asked.reason === '')
    return {
      path: 'reason',
      got: 'nothing',
      change: `say why: ${asked.verb} needs a reason, for whoever finds ${host} so`,
    };
  if (asked.verb === 'fence' && !asked.isDryRun && asked.confirm !== host) {
    const got = asked.confirm === undefined ? 'nothing' : JSON.stringify(asked.confirm.slice(0, 50));
    return { path: 'confirm', got, change: `must be the host's name, ${host}, typed again` };
  }
  return null;
}

/** One line for the event: who did what to which host, and why. */
export function verbInWords(
  asked: VerbAsked & { readonly by: string; readonly isForced: boolean },
  host: string,
  groups: readonly GroupRecord[],
): string {
  const owned = ownedBy(host, groups);
  const runs = owned.length === 0 ? 'it runs nothing' : `it runs ${slotsInWords(owned)}`;
  const reason = asked.reason === '' ? 'no reason given' : asked.reason;
  return `${asked.by}: ${asked.verb} ${host}${asked.isForced ? ', forced' : ''} (${reason}); ${runs}`;
}
