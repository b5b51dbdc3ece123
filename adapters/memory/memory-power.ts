import type { BatchStart, StartAnswer } from '../../core/cloud-ports.ts';
import { failureCode, HaError, messageOf } from '../../core/failures/failures.ts';
import type { Power, PowerReading, StopOrder } from '../../core/ports.ts';

export interface MemoryPowerHooks {
  /** Throwing `before` is a refused call, throwing `after` an answer that was lost; a read that throws reads `unknown`. */
  readonly faults?: (op: 'read' | 'stop' | 'start', phase: 'before' | 'after', machine: string) => void;
  /** A stop was accepted; the machine stays `stopping` until somebody sets it to `stopped`. */
  readonly onStop?: (machine: string, order: StopOrder) => void;
  /** A start was accepted; the machine stays `pending` until somebody sets it to `running`. */
  readonly onStart?: (machine: string) => void;
}

const UNKNOWN: PowerReading = {
  ...{ state: 'unknown', principal: null, launchTime: null, canHibernate: null },
  ...{ checks: 'unknown', impairedSince: null, says: 'InvalidInstanceID.NotFound: nobody knows this machine' },
};

/** Machines with a power state; one that nobody set is `unknown`, as an empty answer is (S8). */
export class MemoryPower implements Power, BatchStart {
  /** Every accepted stop and start, in order. */
  readonly stops: string[] = [];
  readonly starts: string[] = [];
  /** What each accepted stop asked for. */
  readonly orders: StopOrder[] = [];
  readonly #readings = new Map<string, PowerReading>();
  readonly #hooks: MemoryPowerHooks;

  constructor(hooks: MemoryPowerHooks = {}) {
    this.#hooks = hooks;
  }

  /** Changes what is named; the rest stays as it was, at first that of a machine without hibernation and checks. */
  set(machine: string, change: Partial<PowerReading>): void {
    const before = this.#readings.get(machine) ?? { ...UNKNOWN, canHibernate: false, says: '' };
    this.#readings.set(machine, { ...before, ...change });
  }

  async read(machine: string): Promise<PowerReading> {
    try {
      this.#hooks.faults?.('read', 'before', machine);
      const reading = this.#readings.get(machine) ?? UNKNOWN;
      this.#hooks.faults?.('read', 'after', machine);
      return reading;
    } catch (error) {
      return { ...UNKNOWN, says: messageOf(error) };
    }
  }

  async stop(machine: string, order: StopOrder, isStillWanted: () => boolean = () => true): Promise<void> {
    this.#hooks.faults?.('stop', 'before', machine);
    if (!isStillWanted()) throw new HaError('power_throttled', `stop ${machine} was called off before it was sent`);
    const state = this.#stateOf(machine);
    if (state === 'unknown' || state === 'terminated' || state === 'shutting-down') {
      throw new HaError('power_refused', `${machine} cannot be stopped: IncorrectInstanceState, it is ${state}`);
    }
    this.stops.push(machine);
    this.orders.push(order);
    if (state !== 'stopped') this.set(machine, { state: 'stopping' });
    this.#hooks.onStop?.(machine, order);
    this.#hooks.faults?.('stop', 'after', machine);
  }

  async start(machine: string): Promise<void> {
    this.#hooks.faults?.('start', 'before', machine);
    const state = this.#stateOf(machine);
    if (state !== 'stopped' && state !== 'running' && state !== 'pending') {
      throw new HaError('power_refused', `${machine} cannot be started: IncorrectInstanceState, it is ${state}`);
    }
    this.starts.push(machine);
    if (state === 'stopped') this.set(machine, { state: 'pending' });
    this.#hooks.onStart?.(machine);
    this.#hooks.faults?.('start', 'after', machine);
  }

  async startAll(machines: readonly string[]): Promise<ReadonlyMap<string, StartAnswer>> {
    const answers = new Map<string, StartAnswer>();
    for (const machine of machines) answers.set(machine, await this.#startOne(machine));
    return answers;
  }

  async #startOne(machine: string): Promise<StartAnswer> {
    try {
      await this.start(machine);
      return { outcome: 'accepted' };
    } catch (error) {
      const outcome = failureCode(error) === 'power_throttled' ? 'later' : 'refused';
      return { outcome, says: messageOf(error) };
    }
  }

  #stateOf(machine: string): PowerReading['state'] {
    return this.#readings.get(machine)?.state ?? 'unknown';
  }
}
