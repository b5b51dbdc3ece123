/**
 * The machines under the scripted hosts, as EC2 has them: their power, their LaunchTimes, what it says of them, and the
 * events it sends. What a machine really does and what is said of it can be told apart here.
 */
import { MemoryPower } from '../../adapters/memory/memory-power.ts';
import type { MemoryClock } from '../../adapters/memory/memory-clock.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { PowerReading, PowerState, StopOrder } from '../../core/ports.ts';
import type { ScriptedHost } from './scripted-host.ts';

export interface Machine {
  readonly id: string;
  /** What runs on it; set once the host exists. */
  host: ScriptedHost | null;
  launchTime: string;
  /** From the accepted stop to off, without the shutdown of its system. */
  stopMs: number;
  /** A stop begins and never ends; force ends it unless that is stuck too. */
  isStuck: boolean;
  isForceStuck: boolean;
}

export class Machines {
  readonly power: MemoryPower;
  /** EC2 answers no call. */
  isThrottled = false;
  /** What EC2 says instead of the truth, per machine; undefined: the truth. */
  lie: (machine: string, truth: PowerReading) => PowerReading = (_, truth) => truth;
  /** How long EC2 takes to answer a read; what it says is as of the answer. */
  readMs: (machine: string) => number = () => 0;
  /** How long a stop is on its way before EC2 has it; meanwhile it may be called off. */
  orderMs = 0;
  /** Takes EC2's events; the default loses them. */
  onEvent: (event: object) => void = () => undefined;
  /** Accepted stops, with what was asked. */
  readonly stops: { readonly machine: string; readonly order: StopOrder; readonly atMs: number }[] = [];
  /** Every read, with its moment. */
  readonly reads: { readonly machine: string; readonly atMs: number }[] = [];
  readonly #clock: MemoryClock;
  readonly #machines = new Map<string, Machine>();
  readonly #truth: MemoryPower;

  constructor(clock: MemoryClock) {
    this.#clock = clock;
    this.#truth = new MemoryPower({ onStop: (machine, order) => this.#stopping(machine, order) });
    this.power = this.#truth;
  }

  /** As the control plane reaches it. */
  port() {
    const refuse = (): void => {
      if (this.isThrottled) throw new HaError('power_throttled', 'RequestLimitExceeded: scripted');
    };
    return {
      read: async (machine: string): Promise<PowerReading> => {
        this.reads.push({ machine, atMs: this.#clock.boot.now() });
        const tookMs = this.readMs(machine);
        if (tookMs > 0) await this.#clock.sleeper.sleep(tookMs);
        const truth = await this.#truth.read(machine);
        return this.isThrottled ? unknown('RequestLimitExceeded: scripted') : this.lie(machine, truth);
      },
      stop: async (machine: string, order: StopOrder, isStillWanted?: () => boolean): Promise<void> => {
        refuse();
        if (this.orderMs > 0) await this.#clock.sleeper.sleep(this.orderMs);
        await this.#truth.stop(machine, order, isStillWanted);
        this.stops.push({ machine, order, atMs: this.#clock.boot.now() });
      },
      start: async (machine: string): Promise<void> => {
        refuse();
        await this.#truth.start(machine);
      },
    };
  }

  add(id: string, principal: string): Machine {
    const machine: Machine = {
      id,
      host: null,
      launchTime: this.#now(),
      stopMs: 400,
      isStuck: false,
      isForceStuck: false,
    };
    this.#machines.set(id, machine);
    this.power.set(id, {
      ...{ state: 'running', principal, launchTime: machine.launchTime, canHibernate: false },
      ...{ checks: 'ok', impairedSince: null, says: '' },
    });
    return machine;
  }

  of(id: string): Machine {
    const machine = this.#machines.get(id);
    if (machine === undefined) throw new Error(`no machine ${id}`);
    return machine;
  }

  /** Events go to `take` from now on; what it cannot take is lost, as on AWS. */
  sendTo(take: (event: unknown) => Promise<unknown> | null, logged: string[]): void {
    this.onEvent = (event) => {
      const taken = take(JSON.parse(JSON.stringify(event)));
      taken?.catch((error: unknown) => void logged.push(`instance-state: ${String(error)}`));
    };
  }

  /** Somebody pulls the plug, or stops the instance hard: off at once. */
  cut(id: string): void {
    this.of(id).host?.die();
    this.#becomes(id, 'stopped');
  }

  /** Another life of the machine begins. */
  start(id: string): void {
    const machine = this.of(id);
    machine.launchTime = this.#now();
    this.power.set(id, { launchTime: machine.launchTime });
    this.#becomes(id, 'running');
    machine.host?.boot();
  }

  #stopping(id: string, order: StopOrder): void {
    const machine = this.of(id);
    this.onEvent(stateChange(id, 'stopping'));
    const isHopeless = order.force ? machine.isForceStuck : machine.isStuck;
    if (isHopeless) return;
    const { launchTime } = machine;
    this.#clock.after(machine.stopMs, () => {
      if (machine.launchTime === launchTime) this.cut(id);
    });
  }

  #becomes(id: string, state: PowerState): void {
    this.power.set(id, { state });
    this.onEvent(stateChange(id, state));
  }

  #now(): string {
    return new Date(this.#clock.wall.now()).toISOString();
  }
}

/** As EventBridge delivers it. */
export function stateChange(machine: string, state: string): object {
  return {
    version: '0',
    source: 'aws.ec2',
    'detail-type': 'EC2 Instance State-change Notification',
    detail: { 'instance-id': machine, state },
  };
}

/** What EC2 says when it says nothing. */
export function unknown(says: string): PowerReading {
  return {
    ...{ state: 'unknown', principal: null, launchTime: null, canHibernate: null },
    ...{ checks: 'unknown', impairedSince: null, says },
  };
}
