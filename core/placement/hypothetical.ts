/**
 * A cluster as it might become: facts that are changed in memory by the functions by which the control plane changes its
 * records. Orders are taken as obeyed at once and starts as successful; what is decided, and in which order, is what
 * `reconcile` and the workflow's steps decide, because it is they (or the pure functions under them) that are asked.
 */
import { type Definition, type GroupDefinition, type HostDefinition, isCovered, slotCount } from '../config/model.ts';
import {
  type Evidence,
  type GroupRecord,
  type Heartbeat,
  type HostRecord,
  REVOKED_PREFIX,
  type SlotRecord,
} from '../protocol/records.ts';
import { isOwned, newSlot, slotOf, takeOwnership, withPhase, withSlot } from '../recovery/ownership.ts';
import type { ReconcileFacts } from '../recovery/reconcile.ts';
import type { WallInstant } from '../time/time.ts';
import { candidateList } from './candidates.ts';
import type { HostFacts, Snapshot } from './facts.ts';

export interface LiveFacts {
  readonly cluster: string;
  readonly rev: number;
  readonly haEnabled: boolean;
  readonly definition: Definition;
  readonly hosts: readonly HostRecord[];
  readonly groups: readonly GroupRecord[];
  /** By host name. */
  readonly heartbeats: ReadonlyMap<string, Heartbeat>;
  /** A group as its record knows it: as defined today, or as it was when it last was. */
  readonly specOf: (group: GroupRecord) => GroupDefinition | undefined;
  /** The machine that a definition means by a host, as `HostRecord.principal` names it. */
  readonly principalOf: (host: HostDefinition) => string;
  readonly nowMs: WallInstant;
}

/** The run by which everything hypothetical is done. */
export const WHAT_IF = 'what-if';

export interface Decision {
  readonly group: string;
  readonly slot: number;
  readonly to: string | null;
  readonly why: string;
}

export class Hypothetical {
  cluster: string;
  rev: number;
  haEnabled: boolean;
  definition: Definition;
  nowMs: WallInstant;
  readonly hosts: Map<string, HostRecord>;
  readonly groups: Map<string, GroupRecord>;
  readonly heartbeats: Map<string, Heartbeat>;
  /** Of each slot that was decided about: what was decided last, in the order in which it was first. */
  readonly decisions = new Map<string, Decision>();
  /** Slots that are new: at the first pass nobody has shown yet that nothing of them runs there (S20), at the next all have. */
  readonly unprobed = new Set<string>();
  readonly #specs = new Map<string, GroupDefinition>();
  readonly #principalOf: LiveFacts['principalOf'];
  #otherMachines: ReadonlySet<string>;

  constructor(live: LiveFacts) {
    this.cluster = live.cluster;
    this.rev = live.rev;
    this.haEnabled = live.haEnabled;
    this.definition = live.definition;
    this.nowMs = live.nowMs;
    this.hosts = new Map(live.hosts.map((host) => [host.host, { ...host, claim: null }]));
    this.groups = new Map(live.groups.map((group) => [group.group, withoutClaims(group)]));
    this.heartbeats = new Map(live.heartbeats);
    this.#principalOf = live.principalOf;
    this.#otherMachines = this.#hostsOfOtherMachines();
    for (const group of live.groups) {
      const spec = live.specOf(group);
      if (spec !== undefined) this.#specs.set(group.group, spec);
    }
    this.#obeyed();
  }

  /** What runs or is starting is taken as started, and what was ordered as obeyed; failures stay what they are. */
  #obeyed(): void {
    for (const group of this.groups.values()) {
      for (const slot of group.slots) {
        if (slot.owner === null || !isOwned(slot)) continue;
        if (slot.phase === 'Starting' || slot.phase === 'Unknown') this.#becomesActive(group.group, slot);
        else if (slot.phase === 'Active') this.#reports(slot.owner.host, group.group, slot);
      }
    }
  }

  /** Hosts for which the definition names another machine than the one that their records are about. */
  #hostsOfOtherMachines(): ReadonlySet<string> {
    const others = this.definition.hosts.filter((host) => {
      const principal = this.hosts.get(host.name)?.principal;
      return principal !== undefined && !principal.startsWith(WHAT_IF) && principal !== this.#principalOf(host);
    });
    return new Set(others.map(({ name }) => name));
  }

  get snapshot(): Snapshot {
    const { definition, nowMs } = this;
    return { definition, hosts: this.hostFacts, groups: [...this.groups.values()], nowMs };
  }

  get hostFacts(): readonly HostFacts[] {
    return this.definition.hosts.map(({ name, zone, labels, capacity }) => {
      const record = this.hosts.get(name);
      const { status = 'Connecting', admin = 'enabled' } = record ?? {};
      // As the control plane sees it: such a host takes nothing.
      const session = this.#otherMachines.has(name) ? null : this.liveSession(name);
      return { name, status, admin, session, zone, labels, capacity };
    });
  }

  get reconcileFacts(): ReconcileFacts {
    return {
      cluster: this.cluster,
      definition: this.definition,
      haEnabled: this.haEnabled,
      hosts: [...this.hosts.values()],
      hostFacts: this.hostFacts,
      groups: [...this.groups.values()],
      otherMachines: this.#otherMachines,
      heartbeatOf: (host) => this.heartbeats.get(host),
      unprobed: (group, slot, candidates) => (this.unprobed.has(`${group}/${slot}`) ? candidates : []),
      nowMs: this.nowMs,
    };
  }

  liveSession(host: string): string | null {
    const session = this.heartbeats.get(host)?.session;
    return session === undefined || session.startsWith(REVOKED_PREFIX) ? null : session;
  }

  specOf(group: string): GroupDefinition | undefined {
    return this.definition.groups.find(({ name }) => name === group) ?? this.#specs.get(group);
  }

  /** Another definition comes into force: records for what is new, as reconcile makes them. */
  apply(definition: Definition): void {
    for (const spec of this.definition.groups) this.#specs.set(spec.name, spec);
    this.definition = definition;
    this.#otherMachines = this.#hostsOfOtherMachines();
    this.rev += 1;
    for (const spec of definition.groups) {
      const old = this.groups.get(spec.name);
      const numbers = Array.from({ length: slotCount(spec) }, (_, slot) => slot);
      const missing = numbers.filter((slot) => old === undefined || slotOf(old, slot) === undefined);
      for (const slot of isCovered(spec) ? missing : []) this.unprobed.add(`${spec.name}/${slot}`);
      const slots = [...(old?.slots ?? []), ...missing.map((slot) => newSlot(slot, this.nowMs))];
      this.groups.set(spec.name, { group: spec.name, rev: this.rev, standbys: old?.standbys ?? [], slots });
    }
  }

  /** null: the host owns the slot now, and runs it; or why not. `isOrdered`: by an operator, which damping does not count. */
  take(group: string, slot: SlotRecord, host: string, isOrdered = false): string | null {
    const record = this.groups.get(group);
    const spec = this.specOf(group);
    const session = this.liveSession(host);
    const principal = this.hosts.get(host)?.principal;
    if (record === undefined || spec === undefined || session === null || principal === undefined)
      return `${host} has no session`;
    const change = takeOwnership(record, {
      slot: slot.slot,
      epoch: slot.epoch,
      rev: this.rev,
      owner: { host, principal, session, machine: this.heartbeats.get(host)?.machine },
      candidates: candidateList(this.definition, spec, this.hostFacts),
      nowMs: this.nowMs,
      isMove: slot.owner !== null && !isOrdered,
      run: WHAT_IF,
    });
    if (!change.ok) return change.why;
    this.groups.set(group, change.group);
    const taken = slotOf(change.group, slot.slot);
    if (taken !== undefined) this.#becomesActive(group, taken);
    return null;
  }

  #becomesActive(group: string, slot: SlotRecord): void {
    const record = this.groups.get(group);
    if (record === undefined || slot.owner === null) return;
    const { session, host } = slot.owner;
    const at = { slot: slot.slot, epoch: slot.epoch, session };
    const change = withPhase(record, at, 'Active', `active on ${host}`, this.nowMs);
    if (change.ok) this.groups.set(group, change.group);
    this.#reports(host, group, slot);
  }

  #reports(host: string, group: string, slot: SlotRecord): void {
    const heartbeat = this.heartbeats.get(host);
    if (heartbeat === undefined || heartbeat.session !== slot.owner?.session) return;
    const others = heartbeat.slots.filter((one) => one.group !== group || one.slot !== slot.slot);
    const report = { group, slot: slot.slot, epoch: slot.epoch, phase: 'Active', health: 'ok' } as const;
    this.heartbeats.set(host, { ...heartbeat, slots: [...others, report] });
    this.acknowledge(host, group, slot);
  }

  /** The owner has acknowledged the newest candidate list (S11). */
  acknowledge(host: string, group: string, slot: SlotRecord): void {
    const heartbeat = this.heartbeats.get(host);
    const no = slot.lists.at(-1)?.no;
    if (heartbeat === undefined || no === undefined) return;
    this.heartbeats.set(host, { ...heartbeat, lists: { ...heartbeat.lists, [`${group}/${slot.slot}`]: no } });
  }

  /** True if anything changed. */
  setSlot(group: string, slot: SlotRecord): boolean {
    const record = this.groups.get(group);
    if (record === undefined) return false;
    const changed = withSlot(record, slot);
    this.groups.set(group, changed);
    return JSON.stringify(changed) !== JSON.stringify(record);
  }

  decide(decision: Decision): void {
    this.decisions.set(`${decision.group}/${decision.slot}`, decision);
  }

  owned(by: { readonly host: string; readonly session: string }): readonly { group: string; slot: SlotRecord }[] {
    return [...this.groups.values()].flatMap(({ group, slots }) =>
      slots
        .filter((slot) => isOwned(slot) && slot.owner?.host === by.host && slot.owner.session === by.session)
        .map((slot) => ({ group, slot })),
    );
  }

  finding(): Pick<Evidence, 'run' | 'atMs'> {
    return { run: WHAT_IF, atMs: this.nowMs };
  }
}

/** Work in progress is taken as ended. */
function withoutClaims(group: GroupRecord): GroupRecord {
  return { ...group, slots: group.slots.map((slot) => ({ ...slot, claim: null })) };
}
