/**
 * The local EC2's view of machines, apart from how it is asked: states, orders and what goes wrong with them.
 *
 * What EC2 says and what is so are two things here as there: `stopping` may last although nothing runs, and `running`
 * although the machine is dead; only `stopped` and `terminated` are said after nothing of the machine is left.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../../core/failures/failures.ts';
import { PENDING_MS, STOP_MS } from './delays.ts';
import { Ec2Error, notFound, protectedFrom, wrongState } from './ec2-error.ts';
import type { MachineSource } from './machine-source.ts';
import { Modes } from './modes.ts';
import type { Ec2Mode } from './modes.ts';
import { Network } from './network.ts';
import { newRecord, REASONS } from './records.ts';
import type { Ec2State, InstanceRecord, Shown, StateReason } from './records.ts';
import { Scaling } from './scaling.ts';
import { Settings } from './settings.ts';
import { emitStateChange } from './state-events.ts';
import type { EventSink, StateChangeEvent } from './state-events.ts';
import { Volumes } from './volumes.ts';

/** A machine whose processes do not end stays `stopping`; so often the end is tried again. */
const STOP_TRIES_MAX = 60;
const STOP_AGAIN_MS = 1_000;

export interface CloudOptions {
  readonly source: MachineSource;
  readonly region: string;
  readonly account: string;
  readonly onStateChange?: ((event: StateChangeEvent) => void) | undefined;
  readonly log: (text: string) => void;
}

export interface StopHow {
  readonly skipOsShutdown: boolean;
  readonly force: boolean;
}

/** Of one order: what EC2 answers at once. */
export interface Change {
  readonly id: string;
  readonly previous: Ec2State;
  readonly current: Ec2State;
}

export class Ec2Cloud {
  readonly modes = new Modes();
  readonly volumes: Volumes;
  readonly network: Network;
  readonly settings = new Settings();
  readonly scaling: Scaling;
  readonly region: string;
  readonly account: string;
  readonly source: MachineSource;
  readonly #records = new Map<string, InstanceRecord>();
  /** What `stale` shows, from the moment it was set. */
  readonly #before = new Map<string, Shown>();
  readonly #options: CloudOptions;
  readonly #sink: EventSink;
  readonly #end = new AbortController();

  constructor(options: CloudOptions) {
    this.#options = options;
    this.source = options.source;
    this.region = options.region;
    this.account = options.account;
    const later = (ms: number, work: () => void): void => void this.#after(ms, work);
    this.#sink = { ...options, modes: this.modes, later };
    const { modes } = this;
    this.volumes = new Volumes({ exists: (id) => options.source.view(id) !== undefined, modes, later });
    this.network = new Network({ instances: () => options.source.list().map(({ id }) => id), modes, later });
    this.scaling = new Scaling({
      terminate: (id) => void this.terminate(id, { skipOsShutdown: true, force: false }),
      later,
    });
    // At once: what happens to a machine later is a change from what it is now.
    for (const { id } of options.source.list()) this.#record(id);
    options.source.onPower((id, power) => (power === 'off' ? this.#lostPower(id) : this.#gotPower(id)));
  }

  close(): void {
    this.#end.abort();
  }

  setMode(mode: Ec2Mode, id?: string): void {
    this.modes.set(mode, id);
    if (mode !== 'stale') return;
    this.volumes.remember(this.source.list().map((machine) => machine.id));
    this.network.remember();
    for (const machine of this.source.list()) {
      if (id === undefined || id === machine.id) this.#before.set(machine.id, this.#now(machine.id));
    }
  }

  clearModes(id?: string): void {
    this.modes.clear(id);
    this.volumes.forget(id);
    this.network.forget(id);
    if (id === undefined) this.#before.clear();
    else this.#before.delete(id);
  }

  /** As EC2 answers, so perhaps not as it is. */
  show(id: string): Shown {
    const now = this.#now(id);
    return this.modes.has('stale', id) ? (this.#before.get(id) ?? now) : now;
  }

  start(id: string): Change & { readonly booted: Promise<void> } {
    const record = this.#record(id);
    const previous = record.state;
    if (previous === 'pending' || previous === 'running') {
      return { id, previous, current: previous, booted: Promise.resolve() };
    }
    if (previous !== 'stopped') throw wrongState(id, 'started');
    if (this.modes.has('no-capacity', id)) {
      const text = 'We currently do not have sufficient capacity in the Availability Zone you requested.';
      throw new Ec2Error('InsufficientInstanceCapacity', text, 500);
    }
    const order = this.#take(record);
    const booted = this.source.start(id);
    this.#set(record, 'pending');
    void this.#finishStart(record, order, booted);
    return { id, previous, current: 'pending', booted };
  }

  stop(id: string, how: StopHow): Change {
    const record = this.#record(id);
    const previous = record.state;
    if (previous === 'stopped') return { id, previous, current: previous };
    if (previous === 'shutting-down' || previous === 'terminated') throw wrongState(id, 'stopped');
    if (this.settings.of(id).isStopProtected) throw protectedFrom(id, 'stopped', 'disableApiStop');
    if (previous === 'pending' && !how.force) throw wrongState(id, 'stopped');
    if (previous === 'stopping') {
      if (how.skipOsShutdown) this.#cutShort(id);
      return { id, previous, current: previous };
    }
    void this.#beginEnd(record, { to: 'stopped', orderly: !how.skipOsShutdown });
    return { id, previous, current: 'stopping' };
  }

  terminate(id: string, how: StopHow): Change {
    const record = this.#record(id);
    const previous = record.state;
    if (previous === 'terminated' || previous === 'shutting-down') return { id, previous, current: previous };
    void this.#beginEnd(record, { to: 'terminated', orderly: !how.skipOsShutdown });
    return { id, previous, current: 'shutting-down' };
  }

  /** Resolves when it boots. A machine that crashed is stopped first: EC2 starts only what is stopped. */
  async powerOn(id: string): Promise<void> {
    const record = this.#record(id);
    if (record.crashedMs !== undefined && record.state === 'running') {
      await this.#beginEnd(record, { to: 'stopped', orderly: false });
    }
    await this.start(id).booted;
  }

  /** As it is, whatever `stale` shows. */
  stateOf(id: string): Ec2State {
    return this.#record(id).state;
  }

  /** Queued: the answer says nothing about its end. */
  reboot(id: string): void {
    const record = this.#record(id);
    if (record.state !== 'running') throw wrongState(id, 'rebooted');
    const hasCrashed = (): boolean => record.state === 'running' && record.crashedMs !== undefined;
    this.source.reboot(id, hasCrashed).then(
      () => (record.crashedMs = undefined),
      (error: unknown) => this.#options.log(`reboot of ${id}: ${messageOf(error)}`),
    );
  }

  /** Dead at once, while EC2 goes on saying `running`. */
  async crash(id: string): Promise<void> {
    const record = this.#record(id);
    if (record.state !== 'running') throw wrongState(id, 'crashed');
    record.crashedMs = Date.now();
    await this.source.stop(id, { orderly: false });
  }

  /** Somebody else stops and starts it; resolves when it boots again. */
  async steal(id: string): Promise<void> {
    const record = this.#record(id);
    if (record.state !== 'running') throw wrongState(id, 'stopped');
    await this.#beginEnd(record, { to: 'stopped', orderly: false });
    await this.start(id).booted;
  }

  #now(id: string): Shown {
    const machine = this.source.view(id);
    if (machine === undefined) throw notFound(id);
    return { machine: { ...machine }, record: { ...this.#record(id) } };
  }

  #record(id: string): InstanceRecord {
    const known = this.#records.get(id);
    if (known !== undefined) return known;
    const machine = this.source.view(id);
    if (machine === undefined) throw notFound(id);
    const record = newRecord(machine);
    this.#records.set(id, record);
    return record;
  }

  #take(record: InstanceRecord): number {
    record.order += 1;
    return record.order;
  }

  #set(record: InstanceRecord, state: Ec2State, reason?: StateReason): void {
    record.state = state;
    record.sinceMs = Date.now();
    if (state === 'pending') record.crashedMs = undefined;
    if (state === 'pending' || state === 'running') record.transition = '';
    record.reason = reason;
    emitStateChange(this.#sink, record.id, state);
    this.scaling.changed(record.id, state);
  }

  async #finishStart(record: InstanceRecord, order: number, booted: Promise<void>): Promise<void> {
    const isBooted = await Promise.all([booted, this.#wait(PENDING_MS)]).then(
      () => true,
      (error: unknown) => this.#failed(`start of ${record.id}`, error),
    );
    if (record.order !== order || this.#end.signal.aborted) return;
    if (isBooted) this.#set(record, 'running');
    else this.#set(record, 'stopped', REASONS.failed);
  }

  #beginEnd(record: InstanceRecord, end: { to: 'stopped' | 'terminated'; orderly: boolean }): Promise<void> {
    const order = this.#take(record);
    record.transition = `User initiated (${new Date().toISOString().slice(0, 19).replace('T', ' ')} GMT)`;
    this.#set(record, end.to === 'stopped' ? 'stopping' : 'shutting-down', REASONS.user);
    return this.#finishEnd(record, order, end);
  }

  /** Under `stuck-stopping` nothing of the machine ends before it is over: the worst that `stopping` may mean. */
  async #finishEnd(
    record: InstanceRecord,
    order: number,
    { to, orderly }: { to: 'stopped' | 'terminated'; orderly: boolean },
  ): Promise<void> {
    const { id } = record;
    const least = this.#wait(STOP_MS);
    for (let tries = 0; tries < STOP_TRIES_MAX; tries += 1) {
      await this.modes.over('stuck-stopping', id);
      const isOff = await this.source.stop(id, { orderly }).then(
        () => true,
        (error: unknown) => this.#failed(`stop of ${id}`, error),
      );
      await (isOff ? least : this.#wait(STOP_AGAIN_MS));
      if (record.order !== order || this.#end.signal.aborted) return;
      if (!isOff || this.modes.has('stuck-stopping', id)) continue;
      record.crashedMs = undefined;
      if (to === 'terminated') {
        this.volumes.release(id);
        this.network.release(id);
      }
      return this.#set(record, to, REASONS.user);
    }
  }

  #cutShort(id: string): void {
    if (this.modes.has('stuck-stopping', id)) return;
    this.source.stop(id, { orderly: false }).catch((error: unknown) => this.#failed(`stop of ${id}`, error));
  }

  /** It went off by itself: EC2 knows at once, except of a crash. */
  #lostPower(id: string): void {
    const record = this.#record(id);
    if (record.crashedMs !== undefined || (record.state !== 'running' && record.state !== 'pending')) return;
    this.#take(record);
    this.#set(record, 'stopped', REASONS.power);
  }

  #gotPower(id: string): void {
    const record = this.#record(id);
    if (record.state === 'running' && record.crashedMs !== undefined) this.#set(record, 'stopped', REASONS.power);
    if (record.state !== 'stopped') return;
    this.#take(record);
    this.#set(record, 'pending');
    this.#set(record, 'running');
  }

  #failed(what: string, error: unknown): false {
    if (!this.#end.signal.aborted) this.#options.log(`${what}: ${messageOf(error)}`);
    return false;
  }

  /** Ends early, and for good, when the local EC2 ends. */
  #wait(ms: number): Promise<void> {
    return delay(ms, undefined, { signal: this.#end.signal, ref: false }).catch(() => undefined);
  }

  async #after(ms: number, work: () => void): Promise<void> {
    await this.#wait(ms);
    if (!this.#end.signal.aborted) work();
  }
}
