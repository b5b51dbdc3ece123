/**
 * What EC2 truly has: the twin of `adapters/memory`, whose orders take their time, on machines that the world owns.
 *
 * A machine's power goes off somewhere within `stopping` and is off before `stopped` is shown; a start changes the launch
 * time before anything shows it. A machine whose power fails by itself stays `running` for EC2, with an impaired check, as a
 * crashed instance does: only EC2's own orders change what EC2 shows.
 */
import { MemoryPower } from '../../adapters/memory/memory-power.ts';
import type { PowerReading, PowerState, StopOrder } from '../../core/ports.ts';
import type { Millis } from '../../core/time/time.ts';
import { isoTime } from '../../core/workflow/iso-time.ts';
import type { MachinePower, PowerChange } from '../contract/parts.ts';
import type { Stage } from '../contract/stage.ts';
import { BEGINNING_MS } from '../kernel/local-clock.ts';
import type { Random } from '../kernel/random.ts';

/** Earlier readings kept of each machine, for stale ones. */
const EARLIER_MAX = 6;

/** Of a real region; a demo's local EC2 is some ten times faster. */
const STOP_MS = [
  [2_000, 6],
  [12_000, 3],
  [45_000, 1],
] as const;
const PENDING_MS = 6_000;
const INITIALIZING_MS = 20_000;
const IMPAIRED_AFTER_MS = 15_000;

interface Instance {
  readonly earlier: PowerReading[];
  now: PowerReading;
  /** Ends the change under way, when another takes its place. */
  cancel: () => void;
  /** Somebody wants it on again once it is stopped. */
  isWanted: boolean;
  /** It was told to stop while stops were stuck. */
  isStuck: boolean;
}

export class Instances {
  readonly power: MemoryPower;
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #machines: MachinePower;
  readonly #scale: number;
  readonly #onState: (machine: string, state: PowerState) => void;
  readonly #instances = new Map<string, Instance>();
  #areStopsStuck = false;

  constructor(
    stage: Stage,
    machines: MachinePower,
    options: { readonly scale: number; readonly onState: (machine: string, state: PowerState) => void },
  ) {
    this.#stage = stage;
    this.#random = stage.random.fork('ec2-machines');
    this.#machines = machines;
    this.#scale = options.scale;
    this.#onState = options.onState;
    this.power = new MemoryPower({
      onStop: (machine, order) => this.#stop(machine, order),
      onStart: (machine) => this.#start(machine),
    });
    machines.onChange((machine, now) => this.#changed(machine, now));
  }

  /** `isOn`: or about to be, as a scene begins. */
  add(machine: string, isOn: boolean): void {
    const view = this.#machines.view(machine);
    if (view === undefined || this.#instances.has(machine)) return;
    const state = isOn ? 'running' : view.power === 'terminated' ? 'terminated' : 'stopped';
    const now: PowerReading = {
      ...{ state, principal: view.principal, launchTime: view.launchTime, canHibernate: false },
      ...{ checks: state === 'running' ? 'ok' : 'unknown', impairedSince: null, says: '' },
    };
    this.#instances.set(machine, {
      ...{ earlier: [], now, cancel: () => undefined, isWanted: false, isStuck: false },
    });
    this.power.set(machine, now);
  }

  stateOf(machine: string): PowerState {
    return this.#instances.get(machine)?.now.state ?? 'unknown';
  }

  /** As it stood so many changes ago. */
  before(machine: string, changes: number): PowerReading | undefined {
    const earlier = this.#instances.get(machine)?.earlier ?? [];
    return earlier[Math.min(changes, earlier.length) - 1];
  }

  setStuck(areStuck: boolean): void {
    this.#areStopsStuck = areStuck;
    if (areStuck) return;
    for (const [machine, instance] of this.#instances) if (instance.isStuck) this.#goDown(machine, instance);
  }

  /** Stopped from the console: with its operating system, which takes a little longer to begin. */
  async stopByHand(machine: string): Promise<void> {
    if (this.stateOf(machine) !== 'running') return;
    await this.power.stop(machine, { skipOsShutdown: false, force: false });
  }

  /** Until it runs again: at once if it is stopped, later if it is on its way there; a crashed one is stopped first. */
  async startByHand(machine: string): Promise<void> {
    const instance = this.#instances.get(machine);
    if (instance === undefined) return;
    const { state } = instance.now;
    if (state === 'stopped') return this.power.start(machine);
    if (state === 'stopping') instance.isWanted = true;
    if (state !== 'running' || this.#machines.view(machine)?.power === 'on') return;
    instance.isWanted = true;
    await this.power.stop(machine, { skipOsShutdown: true, force: false });
  }

  #stop(machine: string, { force, skipOsShutdown }: StopOrder): void {
    const instance = this.#instances.get(machine);
    if (instance === undefined || instance.now.state === 'stopped') return;
    const isNew = instance.now.state !== 'stopping';
    if (isNew) this.#show(machine, instance, { state: 'stopping', checks: 'unknown', impairedSince: null });
    else if (!force || !instance.isStuck) return;
    if (!skipOsShutdown) this.#machines.shutDown?.(machine);
    if (this.#areStopsStuck && !force) this.#getStuck(machine, instance);
    else this.#goDown(machine, instance);
  }

  /** Of a stuck stop nobody can say whether the machine still runs. */
  #getStuck(machine: string, instance: Instance): void {
    instance.isStuck = true;
    instance.cancel();
    const offMs = this.#random.between(0, 20_000 * this.#scale);
    instance.cancel = this.#random.chance(0.5) ? this.#later(offMs, () => this.#machines.powerOff(machine)) : noop;
  }

  #goDown(machine: string, instance: Instance): void {
    instance.isStuck = false;
    instance.cancel();
    const lengthMs = this.#random.weighted(STOP_MS) * this.#scale * this.#random.between(0.3, 1);
    const offMs = lengthMs * this.#random.between(0.05, 0.95);
    instance.cancel = this.#later(offMs, () => {
      this.#machines.powerOff(machine);
      instance.cancel = this.#later(lengthMs - offMs, () => {
        this.#show(machine, instance, { state: 'stopped' });
        if (instance.isWanted) instance.cancel = this.#later(this.#between(500, 5_000), () => this.#wakeUp(machine));
      });
    });
  }

  #wakeUp(machine: string): void {
    if (this.stateOf(machine) === 'stopped') void this.power.start(machine);
  }

  #start(machine: string): void {
    const instance = this.#instances.get(machine);
    if (instance === undefined || instance.now.state !== 'stopped') return;
    instance.isWanted = false;
    instance.cancel();
    this.#machines.powerOn(machine);
    this.#show(machine, instance, { state: 'pending', launchTime: this.#launchTime(machine, instance) });
    instance.cancel = this.#later(this.#between(PENDING_MS / 6, PENDING_MS), () => {
      this.#show(machine, instance, { state: 'running', checks: 'initializing' });
      instance.cancel = this.#later(this.#between(INITIALIZING_MS / 4, INITIALIZING_MS), () =>
        this.#show(machine, instance, { checks: 'ok' }),
      );
    });
  }

  /** What a machine did of itself, or was told by others than EC2. */
  #changed(machine: string, now: PowerChange): void {
    const instance = this.#instances.get(machine);
    if (instance === undefined) return this.#appeared(machine);
    const { state } = instance.now;
    if (now === 'terminated' && state !== 'shutting-down' && state !== 'terminated')
      return this.#terminate(machine, instance);
    if (state !== 'running') return;
    instance.cancel();
    if (now === 'on') {
      const launchTime = this.#launchTime(machine, instance);
      this.#show(machine, instance, { launchTime, checks: 'ok', impairedSince: null });
    } else if (now === 'off') {
      instance.cancel = this.#later(this.#between(IMPAIRED_AFTER_MS / 3, IMPAIRED_AFTER_MS), () => {
        const impairedSince = isoTime(BEGINNING_MS + this.#stage.timeline.now());
        this.#show(machine, instance, { checks: 'impaired', impairedSince });
      });
    }
  }

  #appeared(machine: string): void {
    this.add(machine, this.#machines.view(machine)?.power === 'on');
    if (this.stateOf(machine) === 'running') this.#onState(machine, 'running');
  }

  #terminate(machine: string, instance: Instance): void {
    instance.cancel();
    instance.isWanted = false;
    this.#show(machine, instance, { state: 'shutting-down', checks: 'unknown', impairedSince: null });
    instance.cancel = this.#later(this.#between(500, 20_000), () =>
      this.#show(machine, instance, { state: 'terminated' }),
    );
  }

  #show(machine: string, instance: Instance, change: Partial<PowerReading>): void {
    const before = instance.now;
    instance.earlier.unshift(before);
    instance.earlier.splice(EARLIER_MAX);
    instance.now = { ...before, ...change };
    this.power.set(machine, instance.now);
    if (instance.now.state !== before.state) this.#onState(machine, instance.now.state);
  }

  #launchTime(machine: string, instance: Instance): string | null {
    return this.#machines.view(machine)?.launchTime ?? instance.now.launchTime;
  }

  #between(leastMs: Millis, mostMs: Millis): Millis {
    return this.#random.between(leastMs, mostMs) * this.#scale;
  }

  #later(ms: Millis, fire: () => void): () => void {
    return this.#stage.timeline.after(ms, fire);
  }
}

function noop(): void {
  return undefined;
}
