/**
 * What if: hypothetical changes, one after another, on the state as it is now; after each the cluster comes to rest as
 * the control plane would bring it there. Nothing is written anywhere.
 *
 * It asks about placement, not about time: hosts that are Up obey and start what they are ordered to, and the storm
 * brake, which holds back when many hosts fall silent at once, is taken as let go.
 */
import { type Definition, type HostDefinition, slotCount } from '../config/model.ts';
import { type Heartbeat, type HostRecord, REVOKED_PREFIX, RULES_VERSION } from '../protocol/records.ts';
import { isOwned, slotOf, withEvidence } from '../recovery/ownership.ts';
import type { SlotExplanation } from './facts.ts';
import { Hypothetical, type LiveFacts, WHAT_IF } from './hypothetical.ts';
import { planSlots } from './plan.ts';
import { type Health, redundancyReport } from './redundancy.ts';
import { evidenceAbout, haRun, settle } from './settle.ts';

export type Change =
  | { readonly change: 'host-down'; readonly host: string }
  | { readonly change: 'host-added'; readonly host: HostDefinition }
  | { readonly change: 'definition'; readonly definition: Definition };

export interface SlotChange {
  readonly group: string;
  readonly slot: number;
  readonly from: string | null;
  readonly to: string | null;
  readonly why: string;
}

export interface Simulation {
  readonly says: readonly string[];
  /** Slots whose owner changes or that have none afterwards, in the order in which they are decided. */
  readonly slots: readonly SlotChange[];
  readonly unchanged: number;
  readonly health: readonly { readonly group: string; readonly before: Health; readonly after: Health }[];
  readonly definition: Definition;
}

export function simulateChanges(live: LiveFacts, changes: readonly Change[]): Simulation {
  const state = new Hypothetical(live);
  const says = inProgress(live);
  for (const change of changes) {
    says.push(make(state, change));
    if (!settle(state)) says.push('the cluster does not come to rest: what is shown is a moment of it');
  }
  if (changes.length === 0) settle(state);
  return { ...compare(live, state), says, health: healthOf(live, state), definition: state.definition };
}

/** Work that is under way now is taken as done; whoever reads the answer should know. */
function inProgress(live: LiveFacts): string[] {
  const claims = live.groups.flatMap(({ group, slots }) =>
    slots.flatMap(({ slot, claim }) =>
      claim === null ? [] : [`${claim} works on ${group}/${slot}; it is taken as ended`],
    ),
  );
  const onHosts = live.hosts.flatMap(({ host, claim }) =>
    claim === null ? [] : [`${claim.run} works on ${host}; it is taken as ended`],
  );
  return [...onHosts, ...claims, ...(live.haEnabled ? [] : ['HA is switched off: nothing is started or moved'])];
}

function make(state: Hypothetical, change: Change): string {
  switch (change.change) {
    case 'host-down':
      return hostDown(state, change.host);
    case 'host-added':
      state.apply({ ...state.definition, hosts: [...state.definition.hosts, change.host] });
      joined(state, change.host);
      return `${change.host.name} joins, with a live session`;
    case 'definition': {
      const known = new Set(state.definition.hosts.map(({ name }) => name));
      state.apply(change.definition);
      const fresh = change.definition.hosts.filter(({ name }) => !known.has(name) && state.liveSession(name) === null);
      for (const host of fresh) joined(state, host);
      const names = fresh.map(({ name }) => name).join(', ');
      return `the definition is replaced${names === '' ? '' : `; ${names} joins, with a live session`}`;
    }
  }
}

function hostDown(state: Hypothetical, host: string): string {
  const session = revoke(state, host);
  if (session === null) return `${host} has no live session as it is`;
  const owned = state.owned({ host, session }).map(({ group, slot }) => `${group}/${slot.slot}`);
  haRun(state, { host, session });
  return `${host} falls silent; it owns ${owned.join(', ') || 'no slot'}`;
}

/** The session that was revoked; null: none was live. */
function revoke(state: Hypothetical, host: string): string | null {
  const session = state.liveSession(host);
  const heartbeat = state.heartbeats.get(host);
  const record = state.hosts.get(host);
  if (session === null || heartbeat === undefined) return null;
  state.heartbeats.set(host, { ...heartbeat, session: `${REVOKED_PREFIX}${WHAT_IF}` });
  if (record !== undefined) state.hosts.set(host, { ...record, status: 'Down', why: WHAT_IF });
  return session;
}

function joined(state: Hypothetical, host: HostDefinition): void {
  const { name } = host;
  const { intervalMs, holderLeaseMs, takerWaitMs, killMs, writeLifeMs, freezeMs, clockRateError } =
    state.definition.timing;
  const mayHold = [...state.heartbeats.values()].some((other) => other.mayHold);
  const principal = state.hosts.get(name)?.principal ?? `${WHAT_IF}:${name}`;
  const record: HostRecord = {
    host: name,
    principal,
    status: 'Up',
    statusSinceMs: state.nowMs,
    why: WHAT_IF,
    admin: state.hosts.get(name)?.admin ?? 'enabled',
    adminReason: '',
    claim: null,
    seen: null,
    tombstoneAtMs: null,
  };
  const heartbeat: Heartbeat = {
    principal,
    session: `${WHAT_IF}-${name}`,
    cluster: state.cluster,
    host: name,
    machine: `${WHAT_IF}-${name}`,
    bootId: '',
    launchTime: '',
    guardLevel: 'init',
    rules: RULES_VERSION,
    timing: { intervalMs, holderLeaseMs, takerWaitMs, killMs, writeLifeMs, freezeMs, clockRateError },
    agentVersion: '',
    incarnation: '',
    mayHold,
    obeyed: 0,
    slots: [],
    lists: {},
    sentAtWallMs: 0,
    seq: 1,
    directive: 0,
    ttl: 0,
  };
  state.hosts.set(name, record);
  state.heartbeats.set(name, heartbeat);
}

type Groups = LiveFacts['groups'];

function ownerIn(groups: Groups, group: string, no: number): string | null {
  const record = groups.find((candidate) => candidate.group === group);
  const slot = record === undefined ? undefined : slotOf(record, no);
  return slot !== undefined && isOwned(slot) ? (slot.owner?.host ?? null) : null;
}

function compare(live: LiveFacts, state: Hypothetical): Pick<Simulation, 'slots' | 'unchanged'> {
  const after = [...state.groups.values()];
  const order = [...state.decisions.keys()];
  const changes: SlotChange[] = [];
  let unchanged = 0;
  for (const { group, slots } of after) {
    const spec = state.definition.groups.find(({ name }) => name === group);
    for (const { slot, why } of slots) {
      const [from, to] = [ownerIn(live.groups, group, slot), ownerIn(after, group, slot)];
      const isWanted = spec !== undefined && slot < slotCount(spec);
      if (from === to && to !== null) unchanged += 1;
      if (from === to && (to !== null || !isWanted)) continue;
      changes.push({ group, slot, from, to, why: state.decisions.get(`${group}/${slot}`)?.why ?? why });
    }
  }
  const at = ({ group, slot }: SlotChange): number => {
    const found = order.indexOf(`${group}/${slot}`);
    return found === -1 ? order.length : found;
  };
  return { slots: changes.sort((a, b) => at(a) - at(b)), unchanged };
}

function healthOf(live: LiveFacts, state: Hypothetical): Simulation['health'] {
  const before = new Map(live.definition.groups.map((spec) => [spec.name, spec]));
  const reports = [...live.heartbeats.values()].flatMap(({ slots }) => slots);
  const reportsAfter = [...state.heartbeats.values()].flatMap(({ slots }) => slots);
  return state.definition.groups.map((spec) => {
    const was = before.get(spec.name) ?? spec;
    const record = live.groups.find(({ group }) => group === spec.name);
    return {
      group: spec.name,
      before: redundancyReport(was, record, reports).health,
      after: redundancyReport(spec, state.groups.get(spec.name), reportsAfter).health,
    };
  });
}

/**
 * Where one slot could run: as it is placed now if it needs a host; else as it would be if its owner fell silent this
 * moment. null: there is no such slot, or nothing would prove its owner gone (`why` says so).
 */
export function explainSlot(
  live: LiveFacts,
  at: { readonly group: string; readonly slot: number },
): { readonly explanation: SlotExplanation | null; readonly why: string } {
  const state = new Hypothetical(live);
  const record = state.groups.get(at.group);
  const slot = record === undefined ? undefined : slotOf(record, at.slot);
  if (record === undefined || slot === undefined) return { explanation: null, why: 'there is no such slot' };
  const { owner } = slot;
  if (owner !== null && isOwned(slot)) {
    const over = { host: owner.host, session: owner.session };
    if (state.liveSession(owner.host) === owner.session) revoke(state, owner.host);
    for (const own of state.owned(over)) {
      const group = state.groups.get(own.group);
      const evidence = evidenceAbout(state, over, own.group, own.slot);
      const isThis = own.group === at.group && own.slot.slot === at.slot;
      if (typeof evidence === 'string') {
        if (isThis)
          return { explanation: null, why: `nothing would prove that ${owner.host} no longer runs it: ${evidence}` };
        continue;
      }
      const accepts = state.specOf(own.group)?.accepts ?? [];
      const change = group === undefined ? null : withEvidence(group, own.slot.slot, evidence, accepts);
      if (change?.ok === true) state.groups.set(own.group, change.group);
    }
  }
  const isThis = (group: string, no: number): boolean => group === at.group && no === at.slot;
  const [explanation] = planSlots(state.snapshot, { explain: isThis }).explanations;
  return { explanation: explanation ?? null, why: explanation?.says ?? slot.why };
}
