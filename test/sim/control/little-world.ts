/** A world just large enough for a control plane: stores that never fail, machines that nobody knows, and hosts of one page. */
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { type MemoryHooks, memoryTables } from '../../../adapters/memory/memory-tables.ts';
import type { Heartbeats, PowerReading, Registry } from '../../../core/ports.ts';
import {
  type Assignment,
  type Beat,
  type Heartbeat,
  keys,
  type Registration,
  type Report,
  RULES_VERSION,
  type SlotReport,
} from '../../../core/protocol/records.ts';
import { TIMING_PROFILES } from '../../../core/config/timing-profiles.ts';
import type { Mutation } from '../../../sim/contract/mutations.ts';
import type { SimControl, SimEc2, SimStore } from '../../../sim/contract/parts.ts';
import type { Scene } from '../../../sim/contract/scene.ts';
import type { Stage } from '../../../sim/contract/stage.ts';
import type { Noise } from '../../../sim/contract/faults.ts';
import type { Fact, Told } from '../../../sim/contract/truth.ts';
import { createControl } from '../../../sim/control/control.ts';
import { BEGINNING_MS } from '../../../sim/kernel/local-clock.ts';
import type { SimProcess } from '../../../sim/kernel/process.ts';
import { Random } from '../../../sim/kernel/random.ts';
import { Timeline } from '../../../sim/kernel/timeline.ts';
import { definitionOf, DB } from '../../lambdas/definitions.ts';

const CALL_MS = 2;
const NOTHING_KNOWN: PowerReading = {
  state: 'unknown',
  principal: null,
  launchTime: null,
  canHibernate: null,
  checks: 'unknown',
  impairedSince: null,
  says: 'nobody knows it',
};

export const FAST_PAIR = definitionOf({ hosts: 2, groups: [DB] }).replace('profile: demo', 'profile: fast');

export interface WorldOptions {
  readonly seed?: number;
  readonly profile?: Scene['profile'];
  readonly noise?: Noise;
  readonly mutation?: Mutation;
}

export class LittleWorld {
  readonly timeline = new Timeline();
  readonly told: Told[] = [];
  readonly tables = memoryTables();
  readonly control: SimControl;
  readonly stage: Stage;
  readonly profile: Scene['profile'];
  /** By machine. */
  readonly readings = new Map<string, PowerReading>();
  /** Each call of a function to the store, with the environment that made it, when it took effect. */
  readonly calls: { readonly by: string; readonly op: string; readonly at: number }[] = [];
  /** Answers of the store take so long. */
  callMs = CALL_MS;

  constructor({ seed = 1, profile = 'fast', noise = {}, mutation }: WorldOptions = {}) {
    this.profile = profile;
    this.stage = {
      timeline: this.timeline,
      random: new Random(seed),
      tell: (fact: Fact) => void this.told.push({ ...fact, at: this.timeline.now() }),
      mutation: mutation ?? null,
    };
    const scene: Scene = {
      seed,
      profile,
      cluster: 'pair',
      yaml: FAST_PAIR,
      hosts: [],
      faultsForMs: 0,
      quietForMs: 0,
      noise: {},
      faults: [],
      acts: [],
    };
    this.control = createControl(this.stage, scene, { store: this.#store(), ec2: this.#ec2() });
    this.control.setNoise(noise);
  }

  pass(ms: number): Promise<void> {
    return new Promise((resolve) => void this.timeline.after(ms, resolve));
  }

  facts<Type extends Fact['type']>(type: Type): readonly Extract<Told, { type: Type }>[] {
    return this.told.filter((fact): fact is Extract<Told, { type: Type }> => fact.type === type);
  }

  record<T>(pk: string, sk: string): T | undefined {
    const text = this.tables.registry.get(pk)?.get(sk);
    return text === undefined ? undefined : (JSON.parse(text) as { body: T }).body;
  }

  store(hooks: MemoryHooks = {}): MemoryStore {
    return new MemoryStore(this.tables, hooks);
  }

  /** Runs until then, and ends the test with what was told if something broke. */
  async run(forMs: number): Promise<void> {
    await this.timeline.run(this.timeline.now() + forMs);
    const [bug] = this.facts('bug');
    if (bug !== undefined) throw new Error(`${bug.who}: ${bug.says}`);
  }

  #store(): SimStore {
    return {
      forControl: (process) => this.#forControl(process),
      record: <T>(pk: string, sk: string) => this.record<T>(pk, sk),
    } as SimStore; // What a control plane uses of it.
  }

  #forControl(process: SimProcess): { heartbeats: Heartbeats; registry: Registry } {
    const store = this.store({
      faults: async (op, phase) => {
        await this.pass(this.callMs);
        if (phase === 'before') this.calls.push({ by: process.name, op, at: this.timeline.now() });
      },
    });
    return { heartbeats: calledBy(process, store.heartbeats()), registry: calledBy(process, store.registry()) };
  }

  #ec2(): SimEc2 {
    return {
      forControl: (process: SimProcess) => ({
        power: {
          read: (machine: string) => process.call(async () => this.readings.get(machine) ?? NOTHING_KNOWN),
          stop: () => process.call(async () => undefined),
          start: () => process.call(async () => undefined),
        },
        guardAsk: { check: () => process.call(async () => ({ outcome: 'unknown', says: 'not connected' }) as const) },
        probe: { ask: () => process.call(async () => 'silent' as const) },
      }),
    } as unknown as SimEc2; // What a control plane uses of it.
  }
}

/** Every method of a port by way of the process. */
function calledBy<Port extends Heartbeats | Registry>(process: SimProcess, port: Port): Port {
  const methods = Object.entries(port) as [string, (...given: unknown[]) => Promise<unknown>][];
  const called = methods.map(([name, method]) => [name, (...given: unknown[]) => process.call(() => method(...given))]);
  return Object.fromEntries(called) as Port;
}

/** Renews, stands by and starts at once; nothing runs anywhere. */
export class LittleHost {
  readonly name: string;
  readonly principal: string;
  readonly machine: string;
  session = '';
  isOn = true;
  readonly #world: LittleWorld;
  #slots: readonly SlotReport[] = [];
  #obeyed = 0;
  #sessions = 0;

  constructor(world: LittleWorld, no: number) {
    this.#world = world;
    this.name = `h${no}`;
    this.machine = `i-0000000000000000${no}`;
    this.principal = `arn:aws:ec2:local:000000000000:instance/${this.machine}`;
  }

  async boot(expected: string | null = null): Promise<void> {
    this.#sessions += 1;
    this.session = `session-${this.#sessions}-of-${this.name}`;
    const timing = TIMING_PROFILES[this.#world.profile];
    const { intervalMs, holderLeaseMs, takerWaitMs, killMs, writeLifeMs, freezeMs, clockRateError } = timing;
    const registration: Registration = {
      session: this.session,
      cluster: 'pair',
      host: this.name,
      machine: this.machine,
      bootId: `b${this.#sessions}`,
      launchTime: '2026-01-05T08:00:00Z',
      guardLevel: 'init',
      rules: RULES_VERSION,
      timing: { intervalMs, holderLeaseMs, takerWaitMs, killMs, writeLifeMs, freezeMs, clockRateError },
      agentVersion: 'little',
      incarnation: '',
      mayHold: false,
    };
    await this.#world
      .store()
      .ownHeartbeat(this.principal)
      .register(registration, expected, this.#beat(), 2_000_000_000);
    this.#later(intervalMs);
  }

  #later(intervalMs: number): void {
    this.#world.timeline.after(intervalMs, () => {
      if (!this.isOn) return;
      void this.#renew();
      this.#later(intervalMs);
    });
  }

  #beat(): Beat {
    const sentAtWallMs = BEGINNING_MS + Math.floor(this.#world.timeline.now());
    return { obeyed: this.#obeyed, slots: this.#slots, lists: {}, sentAtWallMs };
  }

  async #renew(): Promise<void> {
    const store = this.#world.store();
    const answer = await store.ownHeartbeat(this.principal).renew(this.session, this.#beat(), 2_000_000_000, 1_000);
    if (answer.outcome === 'renewed' && answer.heartbeat.directive > this.#obeyed) await this.#obey(store);
  }

  async #obey(store: MemoryStore): Promise<void> {
    const stored = await store.registry().get<Assignment>(keys.assignment(this.principal));
    if (stored === undefined) return;
    this.#obeyed = stored.body.n;
    const orders = stored.body.orders.filter(({ session, verb }) => session === this.session && verb !== 'release');
    this.#slots = orders.map(({ group, slot, epoch, verb }) => {
      return { group, slot, epoch, phase: verb === 'start' ? 'Active' : 'Standby', health: 'ok' };
    });
    for (const { id, session, group, slot, epoch, verb } of orders) {
      const outcome = verb === 'start' ? 'started' : 'standing-by';
      const report: Report = { order: id, session, group, slot, epoch, outcome, detail: '' };
      await store.registry().put(keys.report(this.principal, id), report, null);
    }
  }
}

export function heartbeatOf(world: LittleWorld, principal: string): Heartbeat | undefined {
  const text = world.tables.heartbeats.get(principal);
  return text === undefined ? undefined : (JSON.parse(text) as Heartbeat);
}
