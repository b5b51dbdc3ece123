import type {
  FenceRehearsal,
  GuardPath,
  MachineInspection,
  MachineSeen,
  MachineSettings,
  Reach,
  Rehearsal,
} from '../../core/cloud-ports.ts';
import { HaError } from '../../core/failures/failures.ts';
import { HOST_TAG } from '../../core/protocol/host-tag.ts';

const NOT_FOUND = 'InvalidInstanceID.NotFound: nobody knows this machine';

const ENROLLED: MachineSeen = {
  outcome: 'seen',
  state: 'running',
  type: 't4g.small',
  tags: { [HOST_TAG.key]: HOST_TAG.value },
  autoRecovery: 'disabled',
  canHibernate: false,
  isStopProtected: false,
  isTerminationProtected: false,
};

/** Machines as they were enrolled, until a test changes them; one that nobody added is unknown (S8). */
export class MemoryMachineSettings implements MachineSettings {
  readonly #machines = new Map<string, MachineInspection>();
  readonly #answers = new Map<string, Rehearsal>();
  readonly #reach = new Map<string, Reach>();
  /** Machines whose stop was rehearsed, in order. */
  readonly rehearsed: string[] = [];

  set(machine: string, change: Partial<MachineSeen> = {}): void {
    const known = this.#machines.get(machine);
    this.#machines.set(machine, { ...(known?.outcome === 'seen' ? known : ENROLLED), ...change });
  }

  forget(machine: string): void {
    this.#machines.delete(machine);
  }

  answer(machine: string, answer: Rehearsal): void {
    this.#answers.set(machine, answer);
  }

  setReach(machine: string, reach: Reach): void {
    this.#reach.set(machine, reach);
  }

  async inspect(machine: string): Promise<MachineInspection> {
    return this.#machines.get(machine) ?? { outcome: 'unknown', says: NOT_FOUND };
  }

  async disableAutoRecovery(machine: string): Promise<void> {
    if (!this.#machines.has(machine)) throw new HaError('power_refused', `InvalidInstanceID.NotFound: ${machine}`);
    this.set(machine, { autoRecovery: 'disabled' });
  }

  readonly rehearsal: FenceRehearsal = {
    stop: async (machine) => {
      this.rehearsed.push(machine);
      return this.#rehearse(machine);
    },
    start: async (machine) => this.#rehearse(machine),
  };

  readonly path: GuardPath = {
    reach: async (machines) => new Map(machines.map((machine) => [machine, this.#reach.get(machine) ?? 'absent'])),
  };

  #rehearse(machine: string): Rehearsal {
    if (!this.#machines.has(machine)) return { outcome: 'refused', says: NOT_FOUND };
    return this.#answers.get(machine) ?? { outcome: 'allowed' };
  }
}
