/** Auto Scaling for the local EC2: no instance is launched, but one in service that is not running is destroyed, as there. */
import { VOLUME_MS } from './delays.ts';
import { Ec2Error } from './ec2-error.ts';
import type { Ec2State } from './records.ts';

export type Lifecycle = 'InService' | 'EnteringStandby' | 'Standby' | 'Terminating';

export interface ScalingGroupState {
  readonly name: string;
  readonly min: number;
  desired: number;
  readonly members: Map<string, Lifecycle>;
  readonly suspended: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
}

export interface ScalingOptions {
  readonly terminate: (id: string) => void;
  readonly later: (ms: number, work: () => void) => void;
}

/** Any of them keeps a group from destroying what is not running. */
const PROTECTING = ['ReplaceUnhealthy', 'HealthCheck', 'Terminate'];

export class Scaling {
  readonly #groups = new Map<string, ScalingGroupState>();
  readonly #options: ScalingOptions;

  constructor(options: ScalingOptions) {
    this.#options = options;
  }

  create(
    name: string,
    members: readonly string[],
    more: {
      readonly min?: number;
      readonly suspended?: readonly string[];
      readonly tags?: Record<string, string>;
    } = {},
  ): void {
    this.#groups.set(name, {
      name,
      min: more.min ?? 0,
      desired: members.length,
      members: new Map(members.map((id) => [id, 'InService'])),
      suspended: more.suspended ?? [],
      tags: more.tags ?? {},
    });
  }

  groups(names: readonly string[]): readonly ScalingGroupState[] {
    const all = [...this.#groups.values()];
    return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
  }

  groupOf(id: string): { readonly group: string; readonly lifecycle: Lifecycle } | undefined {
    for (const { name, members } of this.#groups.values()) {
      const lifecycle = members.get(id);
      if (lifecycle !== undefined) return { group: name, lifecycle };
    }
    return undefined;
  }

  enterStandby(name: string, ids: readonly string[], decrement: boolean): void {
    const group = this.#group(name);
    const not = ids.find((id) => group.members.get(id) !== 'InService');
    if (not !== undefined) throw invalid(`The instance ${not} is not in InService.`);
    if (decrement && group.desired - ids.length < group.min) {
      throw invalid(
        `AutoScalingGroup ${name} has min-size=${String(group.min)}, max-size=${String(group.desired)}, and ` +
          `desired-size=${String(group.desired)}. To place into standby ${String(ids.length)} instance, please update the ` +
          'AutoScalingGroup sizes appropriately.',
      );
    }
    if (decrement) group.desired -= ids.length;
    for (const id of ids) {
      group.members.set(id, 'EnteringStandby');
      this.#options.later(VOLUME_MS, () => {
        if (group.members.get(id) === 'EnteringStandby') group.members.set(id, 'Standby');
      });
    }
  }

  exitStandby(name: string, ids: readonly string[]): void {
    const group = this.#group(name);
    const not = ids.find((id) => group.members.get(id) !== 'Standby');
    if (not !== undefined) throw invalid(`The instance ${not} is not in Standby.`);
    for (const id of ids) group.members.set(id, 'InService');
    group.desired += ids.length;
  }

  /** Any state but `running` is a failure at once. */
  changed(id: string, state: Ec2State): void {
    const member = this.groupOf(id);
    if (member?.lifecycle !== 'InService' || state === 'running' || state === 'pending') return;
    const group = this.#group(member.group);
    if (PROTECTING.some((process) => group.suspended.includes(process))) return;
    group.members.set(id, 'Terminating');
    this.#options.later(VOLUME_MS, () => {
      this.#options.terminate(id);
      group.members.delete(id);
    });
  }

  #group(name: string): ScalingGroupState {
    const group = this.#groups.get(name);
    if (group === undefined) throw invalid(`AutoScalingGroup name not found - AutoScalingGroup '${name}' not found`);
    return group;
  }
}

function invalid(text: string): Ec2Error {
  return new Ec2Error('ValidationError', text);
}
