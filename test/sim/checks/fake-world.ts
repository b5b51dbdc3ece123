/** A world in which each fact is made by hand, and the checkers that see it. */
import { pack } from '../../../adapters/node/packing.ts';
import { resolveTiming } from '../../../core/config/timing.ts';
import type { Definition, GroupDefinition, HostDefinition } from '../../../core/config/model.ts';
import {
  type Evidence,
  type GroupRecord,
  type HostRecord,
  type Key,
  keys,
  type Owner,
  type SessionTiming,
  type SlotRecord,
} from '../../../core/protocol/records.ts';
import { newSlot, slotOf, withSlot } from '../../../core/recovery/ownership.ts';
import { type WallInstant, wallInstant } from '../../../core/time/time.ts';
import { createCheckers } from '../../../sim/checks/checkers.ts';
import type { Scene } from '../../../sim/contract/scene.ts';
import type {
  Belief,
  Checker,
  Fact,
  HeartbeatTruth,
  MachineTruth,
  ServiceLife,
  Told,
  Truth,
} from '../../../sim/contract/truth.ts';
import { BEGINNING_MS } from '../../../sim/kernel/local-clock.ts';

export const QUIET_MS = 1_000_000;

export const SCENE: Scene = {
  seed: 1,
  profile: 'fast',
  cluster: 'c',
  yaml: '',
  hosts: ['h1', 'h2', 'h3'].map((name) => ({
    name,
    instanceId: `i-${name}`,
    zone: 'a',
    guardLevel: 'watchdog' as const,
    clockRate: 1,
    wallOffsetMs: 0,
    isOnAtFirst: true,
  })),
  faultsForMs: 500_000,
  quietForMs: QUIET_MS,
  noise: {},
  faults: [],
  acts: [],
};

export function hostDefinition(name: string, facts: Partial<HostDefinition> = {}): HostDefinition {
  return { name, instanceId: `i-${name}`, zone: 'a', labels: {}, paths: {}, fencing: [['ec2'], ['lease']], ...facts };
}

export function groupDefinition(facts: Partial<GroupDefinition> = {}): GroupDefinition {
  const limit = { timeoutMs: 5_000, attempts: 1 };
  return {
    name: 'db',
    domain: 'controller',
    redundancy: { model: 'n-plus-m', active: 1, standby: 1 },
    placement: { require: {}, prefer: [], together: [], apart: [] },
    failback: 'never',
    priority: 10,
    limits: { restartsPerWindow: 2, windowMs: 90_000, movesPerWindow: 3, movesWindowMs: 3_600_000 },
    onControlPlaneLoss: 'failsafe',
    accepts: ['lease-over', 'power-off'],
    services: [
      {
        name: 'pg',
        agent: { kind: 'exec' },
        params: {},
        command: ['pg'],
        dependsOn: [],
        monitor: { everyMs: 1_000, timeoutMs: 1_000, failures: 1 },
        impact: 'critical',
        actions: { start: limit, stop: limit },
      },
    ],
    ...facts,
  };
}

/** With `db` as a group that a lost lease does not stop. */
export function uncovered(): Definition {
  return definitionOf({ groups: [groupDefinition({ redundancy: { model: 'n', active: 1, exclusive: false } })] });
}

export function definitionOf(facts: Partial<Definition> = {}): Definition {
  return {
    apiVersion: 'holdfast/v1',
    cluster: 'c',
    timing: resolveTiming({ profile: 'fast' }),
    hosts: ['h1', 'h2', 'h3'].map((name) => hostDefinition(name)),
    groups: [groupDefinition()],
    ...facts,
  };
}

export function ownerOf(host: string, session = `s-${host}`): Owner {
  return { host, principal: `p-${host}`, session, machine: `i-${host}` };
}

export function evidenceOf(host: string, facts: Partial<Evidence> = {}): Evidence {
  return {
    kind: 'lease-over',
    host,
    session: `s-${host}`,
    run: 'r',
    atMs: wall(0),
    because: '',
    takers: null,
    ...facts,
  };
}

export function wall(ms: number): WallInstant {
  return wallInstant(BEGINNING_MS + ms);
}

/** Of the profile `fast`, whose L_c is 12 s. */
export const TIMING: SessionTiming = resolveTiming({ profile: 'fast' });

interface OnItem {
  readonly principal: string;
  readonly machine: string;
}

let pids = 0;

export function lifeOn(host: string, facts: Partial<ServiceLife> = {}): ServiceLife {
  pids += 1;
  const own = { host, machine: `i-${host}`, session: `s-${host}` };
  return { pid: pids, where: 'db/0', service: 'pg', epoch: 1, covered: true, ...own, ...facts };
}

export class FakeWorld implements Truth {
  readonly scene: Scene;
  readonly #checkers: readonly Checker[];
  readonly #records = new Map<string, Map<string, unknown>>();
  #now = 0;
  power = new Map<string, MachineTruth['power']>();
  beats: HeartbeatTruth[] = [];
  readonly #beliefs = new Map<string, Belief>();
  readonly #accepted = new Set<string>();
  readonly #lives = new Map<string, ServiceLife[]>();

  constructor(definition: Definition = definitionOf(), scene: Partial<Scene> = {}) {
    this.scene = { ...SCENE, ...scene };
    this.#checkers = createCheckers(this.scene, this);
    for (const { name } of this.scene.hosts) this.power.set(name, 'on');
    this.define(1, definition);
  }

  now(): number {
    return this.#now;
  }

  machines(): readonly MachineTruth[] {
    return this.scene.hosts.map(({ name }) => ({
      host: name,
      machine: `i-${name}`,
      principal: `p-${name}`,
      power: this.power.get(name) ?? 'off',
      isFrozen: false,
      services: this.#lives.get(name) ?? [],
      belief: this.#beliefs.get(name) ?? null,
    }));
  }

  records<T>(pk: string, prefix: string): readonly T[] {
    const found = [...(this.#records.get(pk) ?? [])].filter(([sk]) => sk.startsWith(prefix));
    return found.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, body]) => body as T);
  }

  record<T>(pk: string, sk: string): T | undefined {
    return this.#records.get(pk)?.get(sk) as T | undefined;
  }

  heartbeats(): readonly HeartbeatTruth[] {
    return this.beats;
  }

  // ---- what happens ------------------------------------------------------------------------------------------

  at(ms: number): this {
    this.#now = ms;
    return this;
  }

  tell(fact: Fact): this {
    const told: Told = { ...fact, at: this.#now };
    for (const checker of this.#checkers) checker.see(told);
    return this;
  }

  remove({ pk, sk }: Key): this {
    this.#records.get(pk)?.delete(sk);
    return this;
  }

  /** Puts a record without telling of it. */
  put({ pk, sk }: Key, body: unknown): this {
    this.#records.set(pk, (this.#records.get(pk) ?? new Map<string, unknown>()).set(sk, body));
    return this;
  }

  write(key: Key, body: unknown): this {
    return this.put(key, body).tell({ type: 'record_written', ...key });
  }

  define(rev: number, definition: Definition, haEnabled = true): this {
    const account = { partition: 'aws', region: 'x', id: '1' };
    this.write(keys.definition('c', rev), { rev, packed: pack(definition), appliedAtMs: 0 });
    return this.write(keys.cluster('c'), { cluster: 'c', rev, incarnation: 'i', haEnabled, account });
  }

  group(name = 'db'): GroupRecord | undefined {
    const { pk, sk } = keys.group('c', name);
    return this.record<GroupRecord>(pk, sk);
  }

  writeGroup(after: GroupRecord): this {
    const before = this.group(after.group) ?? null;
    return this.put(keys.group('c', after.group), after).tell({ type: 'group_written', before, after });
  }

  slot(facts: Partial<SlotRecord>, { group = 'db', slot = 0, rev = 1 } = {}): this {
    const old: GroupRecord = this.group(group) ?? { group, rev, slots: [], standbys: [] };
    const known = slotOf(old, slot);
    const whole = known === undefined ? { ...old, slots: [...old.slots, newSlot(slot, wall(this.#now))] } : old;
    const next = { ...(slotOf(whole, slot) ?? newSlot(slot, wall(0))), ...facts };
    return this.writeGroup({ ...withSlot(whole, next), rev });
  }

  /** The ownership write as `takeOwnership` makes it. */
  give(host: string, facts: Partial<SlotRecord> = {}, at: { group?: string; slot?: number } = {}): this {
    const { group = 'db', slot = 0 } = at;
    const old = slotOf(this.group(group) ?? { group, rev: 1, slots: [], standbys: [] }, slot);
    const epoch = (old?.epoch ?? 0) + 1;
    const tookOverBy = old?.evidence ?? null;
    return this.slot(
      { owner: ownerOf(host), epoch, phase: 'Starting', evidence: null, tookOverBy, ...facts },
      { group, slot },
    );
  }

  host(name: string, facts: Partial<HostRecord> = {}): this {
    const record: HostRecord = {
      host: name,
      principal: `p-${name}`,
      status: 'Up',
      statusSinceMs: wall(0),
      why: '',
      admin: 'enabled',
      adminReason: '',
      claim: null,
      seen: null,
      tombstoneAtMs: null,
      ...facts,
    };
    return this.write(keys.host('c', name), record);
  }

  up(life: ServiceLife): ServiceLife {
    this.#lives.set(life.host, [...(this.#lives.get(life.host) ?? []), life]);
    this.tell({ type: 'service_up', life });
    return life;
  }

  down(life: ServiceLife): this {
    this.#lives.set(
      life.host,
      (this.#lives.get(life.host) ?? []).filter((one) => one !== life),
    );
    return this.tell({ type: 'service_down', life, why: '' });
  }

  beat(host: string, session = `s-${host}`): this {
    return this.accept(host, { session });
  }

  #tellBeat(host: string, session: string): void {
    this.#accepted.add(session);
    this.tell({ type: 'beat', host, machine: `i-${host}`, session, seq: 1 });
  }

  /** A write of a host that the store took; with `registered`: a registration. */
  accept(
    host: string,
    facts: { session?: string; seq?: number; registered?: SessionTiming } & Partial<OnItem> = {},
  ): this {
    const { session = `s-${host}`, seq = 1, machine = `i-${host}`, ...rest } = facts;
    this.beats = [...this.beats.filter((item) => item.host !== host), { principal: `p-${host}`, host, session, seq }];
    this.#accepted.add(session);
    return this.tell({ type: 'beat', host, machine, session, seq, ...rest });
  }

  believe(
    host: string,
    untilMs: number | null,
    facts: Partial<Belief> & { where?: string; epoch?: number } = {},
  ): this {
    const { where = 'db/0', epoch = 1, ...rest } = facts;
    const slots = [{ where, epoch, covered: true }];
    const belief: Belief = { session: `s-${host}`, slots, isStopping: false, untilMs, ...rest };
    this.#beliefs.set(host, belief);
    // Nobody has a deadline before the store has taken a write.
    if (untilMs !== null && !this.#accepted.has(belief.session)) this.#tellBeat(host, belief.session);
    return this.tell({ type: 'belief', host, machine: `i-${host}`, belief });
  }

  machine(host: string, now: 'on' | 'off' | 'frozen' | 'thawed' | 'reset' | 'replaced'): this {
    if (now === 'on' || now === 'off') this.power.set(host, now);
    return this.tell({ type: 'machine', host, machine: `i-${host}`, now });
  }

  // ---- what was seen -----------------------------------------------------------------------------------------

  end(): this {
    for (const checker of this.#checkers) checker.end();
    return this;
  }

  /** Time goes on, so that what is judged after the instant is. */
  violations(invariant: string): readonly string[] {
    this.at(this.#now + 1).tell({ type: 'log', who: '', says: '' });
    return this.#checkers
      .filter((one) => one.invariant === invariant)
      .flatMap((one) => one.violations.map(({ says }) => says));
  }
}
