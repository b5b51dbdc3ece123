/** What one boot of a machine gives to the processes that run in it. */
import type { Mutation } from '../contract/mutations.ts';
import type { LocalClock } from '../kernel/local-clock.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import type { Disk } from './disk.ts';
import type { HostWorld } from './host-world.ts';
import type { Identity } from './identity.ts';
import type { Mutant } from './mutated.ts';
import type { ServiceTable } from './service-table.ts';
import type { Troubles } from './troubles.ts';

/** One stream each, so that what one part draws moves no other. */
export interface Draws {
  readonly ids: Random;
  readonly agent: Random;
  readonly services: Random;
  readonly ending: Random;
  readonly pipes: Random;
  readonly power: Random;
  readonly pauses: Random;
}

export interface BootParts {
  readonly world: HostWorld;
  readonly identity: Identity;
  /** In facts: of the machine itself; a clone has another than what it is the copy of. */
  readonly machineId: string;
  readonly bootId: string;
  readonly launchTime: string;
  readonly clock: LocalClock;
  /** Stands for what of a machine goes on whatever its processes do; it stands still in a frozen one. */
  readonly kernel: SimProcess;
  readonly disk: Disk;
  readonly table: ServiceTable;
  readonly troubles: Troubles;
  readonly draws: Draws;
  readonly mutation: Mutation | null;
  readonly mutant: Mutant;
  /** What the definition says of a slot in an epoch, as the order that the agent obeys brought it. */
  readonly covered: Map<string, boolean>;
  newProcess(role: 'guard' | 'agent'): SimProcess;
  tell(role: 'guard' | 'agent', now: 'started' | 'ended', why: string): void;
  log(who: 'guard' | 'agent', text: string): void;
}

export function coverKey(where: string, epoch: number): string {
  return `${where} ${epoch}`;
}
