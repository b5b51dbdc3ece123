/** Simulated machines with a store of their own and no control plane: a test writes the assignments. */
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { MemoryAccess, type MemoryHooks, memoryTables } from '../../../adapters/memory/memory-tables.ts';
import { memoryOwnHeartbeat } from '../../../adapters/memory/memory-heartbeats.ts';
import { memoryRegistry } from '../../../adapters/memory/memory-registry.ts';
import type { GroupDefinition } from '../../../core/config/model.ts';
import { TIMING_PROFILES } from '../../../core/config/timing-profiles.ts';
import { HaError } from '../../../core/failures/failures.ts';
import {
  type Assignment,
  type GuardLevel,
  type Heartbeat,
  keys,
  type Order,
  type Report,
} from '../../../core/protocol/records.ts';
import type { SimHosts, SimStore } from '../../../sim/contract/parts.ts';
import type { Mutation } from '../../../sim/contract/mutations.ts';
import type { HostScene, Scene } from '../../../sim/contract/scene.ts';
import type { Belief, Fact, ServiceLife, Told } from '../../../sim/contract/truth.ts';
import { createHosts } from '../../../sim/hosts/hosts.ts';
import type { SimProcess } from '../../../sim/kernel/process.ts';
import { Random } from '../../../sim/kernel/random.ts';
import { Timeline } from '../../../sim/kernel/timeline.ts';

export const TIMING = TIMING_PROFILES.fast;
/** A request and its answer. */
const WAY_MS = 8;

const ACTIONS = { start: { timeoutMs: 5_000, attempts: 3 }, stop: { timeoutMs: 500, attempts: 1 } } as const;

export const PAIR: GroupDefinition = {
  name: 'db',
  domain: 'default',
  redundancy: { model: 'n-plus-m', active: 1, standby: 1 },
  placement: { require: {}, prefer: [], together: [], apart: [] },
  failback: 'never',
  priority: 10,
  limits: { restartsPerWindow: 30, windowMs: 60_000, movesPerWindow: 100, movesWindowMs: 60_000 },
  onControlPlaneLoss: 'stop',
  accepts: ['lease-over'],
  services: ['store', 'api'].map((name) => ({
    name,
    agent: { kind: 'exec' as const },
    params: {},
    command: ['sample'],
    dependsOn: name === 'api' ? ['store'] : [],
    monitor: { everyMs: 1_000, timeoutMs: 1_000, failures: 2 },
    impact: 'critical' as const,
    actions: ACTIONS,
  })),
};
/** The same, active on every host: a lost lease does not stop it. */
export const EVERYWHERE: GroupDefinition = {
  ...PAIR,
  name: 'web',
  redundancy: { model: 'n', active: 2, exclusive: false },
};

export interface TrialOptions {
  readonly level?: GuardLevel;
  readonly seed?: number;
  readonly mutation?: Mutation;
  readonly clockRate?: number;
}

export class Trial {
  readonly timeline = new Timeline();
  readonly facts: Told[] = [];
  readonly hosts: SimHosts;
  readonly store = new MemoryStore(memoryTables());
  /** Hosts whose requests are lost. */
  readonly cut = new Set<string>();
  readonly #tables = memoryTables();
  readonly #control = new MemoryStore(this.#tables);
  #n = 0;

  constructor(options: TrialOptions = {}) {
    const { level = 'init', seed = 1, mutation = null, clockRate = 1 } = options;
    const host: HostScene = {
      name: 'h1',
      instanceId: 'i-00000000000000001',
      zone: 'a',
      guardLevel: level,
      clockRate,
      wallOffsetMs: 0,
      isOnAtFirst: true,
    };
    const scene: Scene = {
      ...{ seed, profile: 'fast', cluster: 'demo', yaml: '' },
      hosts: [host, { ...host, name: 'h2', instanceId: 'i-00000000000000002' }],
      ...{ faultsForMs: 0, quietForMs: 0, noise: {}, faults: [], acts: [] },
    };
    const tell = (fact: Fact): void => void this.facts.push({ ...fact, at: this.timeline.now() });
    this.hosts = createHosts({ timeline: this.timeline, random: new Random(seed), tell, mutation }, scene, {
      store: this.#simStore(),
    });
  }

  run(ms: number): Promise<void> {
    return this.timeline.run(this.timeline.now() + ms);
  }

  /** Until it holds, looked at every 20 ms. */
  async until(what: string, holds: () => boolean, limitMs = 60_000): Promise<void> {
    for (let left = limitMs; !holds(); left -= 20) {
      if (left <= 0)
        throw new Error(`not within ${limitMs} ms: ${what}\n${this.story().split('\n').slice(-40).join('\n')}`);
      await this.run(20);
    }
  }

  story(): string {
    return this.facts.map((fact) => JSON.stringify(fact)).join('\n');
  }

  // ---- the control plane -------------------------------------------------------------------------------------------

  heartbeat(host = 'h1'): Heartbeat | undefined {
    const text = this.#tables.heartbeats.get(this.hosts.principalOf(host));
    return text === undefined ? undefined : (JSON.parse(text) as Heartbeat);
  }

  /** Writes what the host is to do now, in place of what stood. */
  async assign(orders: readonly Order[], host = 'h1'): Promise<void> {
    this.#n += 1;
    const principal = this.hosts.principalOf(host);
    const body: Assignment = {
      ...{ n: this.#n, cluster: 'demo', host, rev: 1, incarnation: 'first', timing: TIMING },
      orders,
    };
    const registry = this.#control.registry();
    const old = await registry.get(keys.assignment(principal));
    await registry.put(keys.assignment(principal), body, old?.version ?? null);
    await this.#control.heartbeats().direct(principal, this.#n);
  }

  order(verb: Order['verb'], epoch: number, spec = PAIR, host = 'h1'): Order {
    const session = this.heartbeat(host)?.session ?? '';
    const id = `${spec.name}.${epoch}.${verb}`;
    return { id, verb, group: spec.name, slot: 0, epoch, session, list: { no: 1, hosts: ['h1', 'h2'] }, spec };
  }

  async report(order: Order, host = 'h1'): Promise<Report['outcome'] | undefined> {
    const found = await this.#control.registry().get<Report>(keys.report(this.hosts.principalOf(host), order.id));
    return found?.body.outcome;
  }

  async revoke(host = 'h1'): Promise<string> {
    const { session = '', seq = 0 } = this.heartbeat(host) ?? {};
    const answer = await this.#control.heartbeats().revoke(this.hosts.principalOf(host), session, seq, 'run-1');
    return answer.outcome;
  }

  deleteItem(host = 'h1'): void {
    this.#tables.heartbeats.delete(this.hosts.principalOf(host));
  }

  // ---- what is true --------------------------------------------------------------------------------------------------

  of<Type extends Told['type']>(type: Type): readonly Extract<Told, { type: Type }>[] {
    return this.facts.filter((fact): fact is Extract<Told, { type: Type }> => fact.type === type);
  }

  ofHost(host: string): readonly Told[] {
    const isOf = (life: { readonly host: string }): boolean => life.host === host;
    return this.facts.filter((fact) => ('life' in fact ? isOf(fact.life) : 'host' in fact && isOf(fact)));
  }

  services(host = 'h1'): readonly ServiceLife[] {
    return this.hosts.truth().flatMap((machine) => (machine.host === host ? machine.services : []));
  }

  names(host = 'h1'): readonly string[] {
    return this.services(host).map(({ where, service, epoch }) => `${where} ${service} e${epoch}`);
  }

  belief(host = 'h1'): Belief | null {
    return this.hosts.truth().find((machine) => machine.host === host && machine.power === 'on')?.belief ?? null;
  }

  /** The session that its guard counts is the one that stands. */
  isRegistered(): boolean {
    const belief = this.belief();
    return typeof belief?.untilMs === 'number' && belief.session === this.heartbeat()?.session;
  }

  /** Registered, and running the pair in epoch 1 (and what else is ordered). */
  async running(...more: readonly GroupDefinition[]): Promise<void> {
    await this.assign([]);
    await this.until('h1 is registered', () => this.isRegistered());
    await this.assign([PAIR, ...more].map((spec) => this.order('start', 1, spec)));
    await this.until('all of it runs', () => this.services().length === 2 + 2 * more.length);
    await this.run(2_000);
  }

  #simStore(): SimStore {
    const accessOf = (process: SimProcess, host: string, machine: string): MemoryAccess => {
      const carry: NonNullable<MemoryHooks['carry']> = ({ op, capMs, commit }) =>
        process.call(async () => {
          await this.#passes(WAY_MS / 2);
          if (this.cut.has(host)) {
            await this.#passes(capMs ?? 2_000);
            throw new HaError('timed_out', `${op}: no answer`);
          }
          const answer = commit();
          this.#tellBeat(host, machine, answer);
          await this.#passes(WAY_MS / 2);
          return answer;
        });
      return new MemoryAccess(this.#tables, { carry });
    };
    const parts: Pick<SimStore, 'forHost' | 'ownMutated'> = {
      forHost: (process, host, principal, machine) => {
        const access = accessOf(process, host, machine);
        return { own: memoryOwnHeartbeat(access, principal), registry: memoryRegistry(access) };
      },
      ownMutated: (process, host, principal, machine, make) => make(accessOf(process, host, machine), principal),
    };
    return parts as SimStore; // Machines ask nothing else of it.
  }

  #tellBeat(host: string, machine: string, answer: unknown): void {
    const { outcome, heartbeat } = (answer ?? {}) as { outcome?: string; heartbeat?: Heartbeat };
    if (heartbeat === undefined || (outcome !== 'registered' && outcome !== 'renewed')) return;
    const { session, seq } = heartbeat;
    this.facts.push({ type: 'beat', host, machine, session, seq, at: this.timeline.now() });
  }

  #passes(ms: number): Promise<void> {
    return new Promise((resolve) => void this.timeline.after(ms, resolve));
  }
}
