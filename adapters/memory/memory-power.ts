import { HaError } from '../../core/failures/failures.ts';
import type { Power } from '../../core/ports.ts';

export type PowerState = Awaited<ReturnType<Power['state']>>;

export interface MemoryPowerHooks {
  /** Throwing `before` is a refused call, throwing `after` an answer that was lost. */
  readonly faults?: (op: 'state' | 'stop', phase: 'before' | 'after', machine: string) => void;
  /** A stop was accepted; the machine stays `stopping` until somebody sets it to `stopped`. */
  readonly onStop?: (machine: string) => void;
}

/** Machines with a power state; one that nobody set is `unknown`, as an empty answer is (S8). */
export class MemoryPower implements Power {
  /** Every accepted stop, in order. */
  readonly stops: string[] = [];
  readonly #states = new Map<string, PowerState>();
  readonly #hooks: MemoryPowerHooks;

  constructor(hooks: MemoryPowerHooks = {}) {
    this.#hooks = hooks;
  }

  set(machine: string, state: PowerState): void {
    this.#states.set(machine, state);
  }

  async state(machine: string): Promise<PowerState> {
    this.#hooks.faults?.('state', 'before', machine);
    const state = this.#states.get(machine) ?? 'unknown';
    this.#hooks.faults?.('state', 'after', machine);
    return state;
  }

  async stop(machine: string): Promise<void> {
    this.#hooks.faults?.('stop', 'before', machine);
    const state = this.#states.get(machine);
    if (state === undefined || state === 'terminated') {
      throw new HaError('power_refused', `${machine} cannot be stopped: it is ${state ?? 'not known'}`);
    }
    this.stops.push(machine);
    if (state !== 'stopped') this.#states.set(machine, 'stopping');
    this.#hooks.onStop?.(machine);
    this.#hooks.faults?.('stop', 'after', machine);
  }
}
