import type { AutoScaling, ScalingGroup, ScalingMembership, StandbyAnswer } from '../../core/cloud-ports.ts';
import { messageOf } from '../../core/failures/failures.ts';

interface Group extends ScalingGroup {
  readonly least: number;
  wanted: number;
}

/** Groups that a test made; a machine that nobody added is in none. */
export class MemoryAutoScaling implements AutoScaling {
  /** Orders, in order: `enter i-1`, `exit i-1`. */
  readonly orders: string[] = [];
  readonly #groups = new Map<string, Group>();
  readonly #members = new Map<string, { readonly group: string; lifecycle: string }>();
  /** Throwing is a call that was refused, or not answered. */
  faults: (op: 'membership' | 'enter' | 'exit') => void | Promise<void> = () => undefined;

  add(group: string, machine: string, lifecycle = 'InService'): void {
    const known = this.#groups.get(group) ?? { suspended: [], tags: {}, least: 0, wanted: 0 };
    this.#groups.set(group, { ...known, wanted: known.wanted + 1 });
    this.#members.set(machine, { group, lifecycle });
  }

  change(group: string, change: Partial<Group>): void {
    const known = this.#groups.get(group);
    if (known !== undefined) this.#groups.set(group, { ...known, ...change });
  }

  async membership(machines: readonly string[]): Promise<ReadonlyMap<string, ScalingMembership>> {
    try {
      await this.faults('membership');
      return new Map(machines.map((machine) => [machine, this.#membershipOf(machine)]));
    } catch (error) {
      return new Map(machines.map((machine) => [machine, { member: 'unknown', says: messageOf(error) }]));
    }
  }

  async group(name: string): Promise<ScalingGroup | undefined> {
    return this.#groups.get(name);
  }

  async enterStandby(
    name: string,
    machines: readonly string[],
    { decrement }: { readonly decrement: boolean },
  ): Promise<StandbyAnswer> {
    await this.faults('enter');
    const group = this.#groups.get(name);
    const not = machines.find((machine) => this.#members.get(machine)?.lifecycle !== 'InService');
    if (group === undefined || not !== undefined)
      return { outcome: 'refused', says: `The instance ${not ?? machines.join(', ')} is not in InService.` };
    if (decrement && group.wanted - machines.length < group.least)
      return { outcome: 'refused', says: `${name} has min-size=${group.least} and desired-size=${group.wanted}` };
    if (decrement) group.wanted -= machines.length;
    this.#set(machines, 'Standby', 'enter');
    return { outcome: 'accepted' };
  }

  async exitStandby(name: string, machines: readonly string[]): Promise<StandbyAnswer> {
    await this.faults('exit');
    const group = this.#groups.get(name);
    const not = machines.find((machine) => this.#members.get(machine)?.lifecycle !== 'Standby');
    if (group === undefined || not !== undefined)
      return { outcome: 'refused', says: `The instance ${not ?? machines.join(', ')} is not in Standby.` };
    group.wanted += machines.length;
    this.#set(machines, 'InService', 'exit');
    return { outcome: 'accepted' };
  }

  #set(machines: readonly string[], lifecycle: string, verb: string): void {
    for (const machine of machines) {
      const member = this.#members.get(machine);
      if (member !== undefined) member.lifecycle = lifecycle;
      this.orders.push(`${verb} ${machine}`);
    }
  }

  #membershipOf(machine: string): ScalingMembership {
    const member = this.#members.get(machine);
    return member === undefined ? { member: 'no' } : { member: 'yes', ...member };
  }
}
