/**
 * The control plane in an in-memory world in virtual time: the real handlers, the real workflow file, the in-process twins
 * of the stores, and scripted hosts. Deterministic: the same story gives the same bytes.
 */
import { MemoryAlerts } from '../../adapters/memory/memory-alerts.ts';
import { MemoryClock } from '../../adapters/memory/memory-clock.ts';
import { MemoryGuardAsk } from '../../adapters/memory/memory-guard-ask.ts';
import { MemoryMetrics } from '../../adapters/memory/memory-metrics.ts';
import { MemoryProbe } from '../../adapters/memory/memory-probe.ts';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { type MemoryHooks, memoryTables } from '../../adapters/memory/memory-tables.ts';
import { unpack } from '../../adapters/node/packing.ts';
import { type Definition, isCovered, type Timing } from '../../core/config/model.ts';
import { HaError } from '../../core/failures/failures.ts';
import {
  type ClusterRecord,
  type DefinitionRecord,
  type GroupRecord,
  type Heartbeat,
  type HostRecord,
  type Key,
  keys,
  type RunRecord,
  type SlotRecord,
  type StepRecord,
} from '../../core/protocol/records.ts';
import { api, type HttpAnswer } from '../../lambdas/api/handler.ts';
import { EMPTY_SWEEP_MEMORY, type SweepMemory, sweepOnce } from '../../lambdas/find-behind/sweep.ts';
import { haFence } from '../../lambdas/ha-fence/handler.ts';
import { haInvestigate } from '../../lambdas/ha-investigate/handler.ts';
import { haRecover } from '../../lambdas/ha-recover/handler.ts';
import { instanceState } from '../../lambdas/instance-state/handler.ts';
import { reconcileHandler } from '../../lambdas/reconcile/handler.ts';
import type { Handler } from '../../lambdas/shared/edge.ts';
import { measuredAlerts, measuredHeartbeats, measuredRegistry } from '../../lambdas/shared/measured.ts';
import type { ControlPorts } from '../../lambdas/shared/ports.ts';
import { withSharedQueries, withSharedScans } from '../../lambdas/shared/shared-reads.ts';
import { GroundTruth } from './ground-truth.ts';
import type { HostScript } from './host-script.ts';
import { Machines } from './machines.ts';
import { ROOMY } from './samples.ts';
import { dumpOf, storyOf } from './story.ts';
import { ScriptedHost } from './scripted-host.ts';
import { type FunctionName, type Invocation, type Invoke, VirtualWorkflow } from './virtual-workflow.ts';

export { POWERED, ROOMY, SAMPLE } from './samples.ts';
export const ACCOUNT = { partition: 'aws', region: 'local', id: '000000000000' } as const;

const RECONCILE_MS = 1_000;
const STEP_MS = 50;
/** What the definition caches of the handlers are keyed by is unique per world. */
let worlds = 0;
export type ControlFaults = NonNullable<MemoryHooks['faults']>;

export interface WorldOptions {
  readonly yaml?: string;
  readonly scripts?: Readonly<Record<string, Partial<HostScript>>>;
  /** Hosts that stay off until the test boots them. */
  readonly off?: readonly string[];
  /** false: the test sweeps itself. */
  readonly sweeps?: boolean;
}

export class World {
  readonly clock = new MemoryClock();
  readonly tables = memoryTables();
  readonly alerts = new MemoryAlerts();
  readonly metrics = new MemoryMetrics();
  readonly machines = new Machines(this.clock);
  readonly guardAsk = new MemoryGuardAsk();
  readonly probe = new MemoryProbe();
  readonly logged: string[] = [];
  readonly #truths = new Map<string, GroundTruth>();
  readonly workflow: VirtualWorkflow;
  readonly ports: ControlPorts;
  readonly api: Handler<HttpAnswer>;
  readonly hosts = new Map<string, ScriptedHost>();
  readonly handlers: Readonly<Record<FunctionName, Handler<unknown>>>;
  /** Called around every operation of the control plane. */
  faults: ControlFaults = () => undefined;
  /** How a task is invoked; the default calls its handler once. */
  invoke: Invoke = (task) => this.call(task);
  /** Nothing of the control plane runs or is reached. */
  isControlDown = false;
  sweepMemory: SweepMemory = EMPTY_SWEEP_MEMORY;
  cluster = '';
  #freshNo = 0;
  readonly #worldNo: number;
  readonly #reconcile: Handler<unknown>;
  readonly instanceState: Handler<unknown>;

  constructor() {
    worlds += 1;
    this.#worldNo = worlds;
    const store = new MemoryStore(this.tables, {
      faults: (op, phase, subject) => {
        if (op === 'registry.put' && phase === 'after' && subject.includes('/GROUP#')) this.#wroteGroup(subject);
        if (this.isControlDown) throw new HaError('store_unavailable', 'the control plane is away');
        return this.faults(op, phase, subject);
      },
    });
    this.workflow = new VirtualWorkflow(this.clock, (task) => this.invoke(task));
    this.ports = {
      heartbeats: withSharedScans(measuredHeartbeats(store.heartbeats(), this.metrics)),
      registry: withSharedQueries(measuredRegistry(store.registry(), this.metrics)),
      workflow: this.workflow,
      power: this.machines.port(),
      guardAsk: this.guardAsk,
      probe: this.probe,
      wall: this.clock.wall,
      boot: this.clock.boot,
      sleeper: this.clock.sleeper,
      ids: { next: () => this.freshId() },
      alerts: measuredAlerts(this.alerts, this.metrics),
      metrics: this.metrics,
      log: (level, text) => void this.logged.push(`${level}: ${text}`),
    };
    this.api = api(this.ports, { account: ACCOUNT });
    this.handlers = {
      HaInvestigate: haInvestigate(this.ports),
      HaFence: haFence(this.ports),
      HaRecover: haRecover(this.ports),
    };
    this.#reconcile = reconcileHandler(this.ports);
    this.instanceState = instanceState(this.ports);
  }

  /** Unlike in its first eight characters already, as event ids need it. */
  freshId(): string {
    this.#freshNo += 1;
    return `${this.#freshNo.toString(16).padStart(8, '0')}-0000-4000-8000-${String(this.#worldNo).padStart(12, '0')}`;
  }

  call({ fn, input }: Invocation): Promise<unknown> {
    return this.handlers[fn](JSON.parse(JSON.stringify(input)));
  }

  // ---- time ------------------------------------------------------------------------------------------------------

  /** Lets time pass; every start and every record written in it was judged. */
  async run(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      await this.clock.advance(Math.min(STEP_MS, left));
      const violations = [...this.#truths.values()].flatMap((truth) => truth.violations);
      if (violations.length > 0) throw new Error(violations.join('\n'));
    }
  }

  /** Runs until `holds`; returns how long it took. */
  async until(what: string, holds: () => boolean, limitMs = 30_000): Promise<number> {
    for (let tookMs = 0; tookMs <= limitMs; tookMs += STEP_MS) {
      if (holds()) return tookMs;
      await this.run(STEP_MS);
    }
    throw new Error(`not within ${limitMs} ms: ${what}\n${this.story()}`);
  }

  startControl(options: { readonly sweeps: boolean } = { sweeps: true }): void {
    const sweep = async (): Promise<void> => {
      if (!this.isControlDown) {
        try {
          this.sweepMemory = (await sweepOnce(this.ports, this.sweepMemory)).memory;
        } catch (error) {
          this.logged.push(`sweep: ${String(error)}`);
        }
      }
      this.clock.after(this.timing.sweepPeriodMs, () => void sweep());
    };
    const reconcile = async (): Promise<void> => {
      if (!this.isControlDown)
        await this.reconcile().catch((error: unknown) => void this.logged.push(`reconcile: ${String(error)}`));
      this.clock.after(RECONCILE_MS, () => void reconcile());
    };
    if (options.sweeps) void sweep();
    void reconcile();
  }

  reconcile = (): Promise<unknown> => this.#reconcile({});

  // ---- operators -------------------------------------------------------------------------------------------------

  async http(method: string, path: string, body?: string): Promise<HttpAnswer> {
    const [rawPath = '', rawQueryString = ''] = path.split('?');
    return this.api({
      rawPath,
      rawQueryString,
      requestContext: { http: { method }, by: 'operator' },
      ...(body === undefined ? {} : { body }),
    });
  }

  async apply(yaml: string): Promise<void> {
    const answer = await this.http('POST', '/api/v1/definition', yaml);
    if (answer.statusCode !== 200) throw new Error(answer.body);
    this.cluster = /^cluster: (\S+)$/m.exec(yaml)?.[1] ?? '';
  }

  /** The run that moves, or the refusal's code. */
  async move(
    slot: string,
    to?: string,
  ): Promise<{ readonly run?: string; readonly code?: string; readonly detail?: string }> {
    const [group = '', no = ''] = slot.split('/');
    const body = JSON.stringify({ slot: Number(no), ...(to === undefined ? {} : { to }) });
    const answer = await this.http('POST', `/api/v1/groups/${group}/move?cluster=${this.cluster}`, body);
    return JSON.parse(answer.body) as { run?: string; code?: string; detail?: string };
  }

  /** The kill switch, as an operator's hand sets it. */
  async setHaEnabled(haEnabled: boolean): Promise<void> {
    const stored = await this.ports.registry.get<ClusterRecord>(keys.cluster(this.cluster));
    if (stored === undefined) throw new Error('no cluster');
    await this.ports.registry.put(stored.key, { ...stored.body, haEnabled }, stored.version);
  }

  addHost(name: string, script: Partial<HostScript> = {}): ScriptedHost {
    const machine = this.machineOf(name);
    const host = this.#newHost(name, machine, script);
    this.machines.add(machine, host.principal).host = host;
    this.hosts.set(name, host);
    return host;
  }

  /** Another machine with the identity of `name`; what `host(name)` gives stays the first. */
  cloneHost = (name: string): ScriptedHost => this.#newHost(name, `clone-of-${name}`, {});

  /** EC2's events reach the control plane from now on. */
  sendEvents(): void {
    this.machines.sendTo((event) => (this.isControlDown ? null : this.instanceState(event)), this.logged);
  }

  machineOf(name: string): string {
    return this.definition.hosts.find((host) => host.name === name)?.instanceId ?? `m-${name}`;
  }

  #newHost(name: string, machine: string, script: Partial<HostScript>): ScriptedHost {
    const { instanceId } = this.definition.hosts.find((host) => host.name === name) ?? {};
    const principal = `arn:aws:ec2:local:000000000000:instance/${instanceId ?? ''}`;
    const host: ScriptedHost = new ScriptedHost(
      {
        name,
        cluster: this.cluster,
        principal,
        machine,
        launchTime: () => (machine === this.machineOf(name) ? this.machines.of(machine).launchTime : ''),
        clock: this.clock,
        store: new MemoryStore(this.tables, {
          faults: () => {
            if (host.isCut) throw new HaError('store_unavailable', `${name} is cut off`);
          },
        }),
        truth: this.truth,
        timing: this.timing,
        freshId: () => this.freshId(),
      },
      script,
    );
    return host;
  }

  // ---- what stands -----------------------------------------------------------------------------------------------

  get definition(): Definition {
    return this.#definitionOf(this.cluster);
  }

  #definitionOf(cluster: string): Definition {
    const rev = this.record<ClusterRecord>(keys.cluster(cluster))?.rev ?? 0;
    const stored = this.record<DefinitionRecord>(keys.definition(cluster, rev));
    if (stored === undefined) throw new Error('no definition was applied');
    return unpack(stored.packed) as Definition;
  }

  get truth(): GroundTruth {
    return this.#truthOf(this.cluster);
  }

  #truthOf(cluster: string): GroundTruth {
    const known = this.#truths.get(cluster);
    if (known !== undefined) return known;
    const isGroupCovered = (group: string): boolean =>
      this.#definitionOf(cluster)
        .groups.filter(({ name }) => name === group)
        .every(isCovered);
    const truth = new GroundTruth(() => this.clock.wall.now(), isGroupCovered);
    this.#truths.set(cluster, truth);
    return truth;
  }

  get timing(): Timing {
    return this.definition.timing;
  }

  host(name: string): ScriptedHost {
    const host = this.hosts.get(name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host;
  }

  record<T>({ pk, sk }: Key): T | undefined {
    const text = this.tables.registry.get(pk)?.get(sk);
    return text === undefined ? undefined : (JSON.parse(text) as { body: T }).body;
  }

  records<T>(pk: string, prefix: string): readonly T[] {
    const partition = this.tables.registry.get(pk) ?? new Map<string, string>();
    return [...partition]
      .filter(([sk]) => sk.startsWith(prefix))
      .map(([, text]) => (JSON.parse(text) as { body: T }).body);
  }

  get groups(): readonly GroupRecord[] {
    return this.records<GroupRecord>(keys.cluster(this.cluster).pk, 'GROUP#');
  }

  slot(where: string): SlotRecord {
    const [group = '', no = ''] = where.split('/');
    const found = this.record<GroupRecord>(keys.group(this.cluster, group))?.slots[Number(no)];
    if (found === undefined) throw new Error(`no slot ${where}`);
    return found;
  }

  owner(where: string): string | null {
    return this.slot(where).owner?.host ?? null;
  }

  hostRecord(name: string): HostRecord | undefined {
    return this.record<HostRecord>(keys.host(this.cluster, name));
  }

  heartbeat(name: string): Heartbeat | undefined {
    const text = this.tables.heartbeats.get(this.host(name).principal);
    return text === undefined ? undefined : (JSON.parse(text) as Heartbeat);
  }

  runRecord(run: string): RunRecord | undefined {
    return this.record<RunRecord>(keys.run(run));
  }

  get runs(): readonly RunRecord[] {
    return this.workflow.names.flatMap((name) => this.runRecord(name) ?? []);
  }

  steps(run: string): readonly StepRecord[] {
    return this.records<StepRecord>(keys.run(run).pk, 'STEP#');
  }

  /** Every defined slot is Active in the records, runs in truth on its owner, and nobody works on anything. */
  isWhole(): boolean {
    const slots = this.definition.groups.flatMap(
      ({ name }) => this.groups.find(({ group }) => group === name)?.slots ?? [],
    );
    const isDone =
      this.workflow.running.length === 0 &&
      this.groups.every(({ slots: all }) => all.every(({ claim }) => claim === null));
    return (
      isDone &&
      slots.length > 0 &&
      this.definition.groups.every(({ name, redundancy }) =>
        Array.from({ length: redundancy.active }, (_, no) => `${name}/${no}`).every((where) => this.isActive(where)),
      )
    );
  }

  isActive(where: string): boolean {
    const group = this.groups.find((one) => one.group === where.split('/')[0]);
    const slot = group?.slots[Number(where.split('/')[1])];
    return slot?.phase === 'Active' && slot.owner !== null && this.truth.runners(where).includes(slot.owner.host);
  }

  whole(limitMs = 60_000): Promise<number> {
    return this.until('everything is active and nobody works', () => this.isWhole(), limitMs);
  }

  /** The tables as text: equal before and after means nothing was written. */
  dump = (): string => dumpOf(this.tables);

  /** For the message of a failed story. */
  story(): string {
    return storyOf(this);
  }

  #wroteGroup(subject: string): void {
    const [pk, sk] = [subject.slice(0, subject.indexOf('/')), subject.slice(subject.indexOf('/') + 1)];
    const record = this.record<GroupRecord>({ pk, sk });
    if (record !== undefined) this.#truthOf(pk.slice('C#'.length)).wrote(record);
  }
}

/** A world with the definition applied, its hosts booted and the control plane running. */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const world = new World();
  await world.apply(options.yaml ?? ROOMY);
  for (const { name } of world.definition.hosts) {
    const host = world.addHost(name, options.scripts?.[name]);
    if (!(options.off ?? []).includes(name)) host.boot();
  }
  world.startControl({ sweeps: options.sweeps ?? true });
  return world;
}
