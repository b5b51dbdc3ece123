/**
 * The cloud around a host, apart from its power (`ports.ts`): what it holds that only one machine may hold at a time, who
 * else might stop, start or destroy it, and whether a fence would be allowed at all.
 *
 * Reads never throw for what the platform answers: throttled, not found, empty and refused are `unknown` with the reason.
 * Orders throw HaError `power_refused` (with the platform's reason) or `power_throttled`; that somebody else holds a thing
 * is no fault but an outcome.
 */
import type { PowerState } from './ports.ts';

/** One who holds a thing. */
export interface Holder {
  /** An instance id for volumes and interfaces, an interface id for addresses and routes. */
  readonly by: string;
  /** It was told to give the thing up, and the platform has not said that it has: it may still write (S7). */
  readonly isLeaving: boolean;
  /**
   * The attachment or association, which is of this one holding: ending an earlier one can never end a later one. null
   * where the platform gives it no name.
   */
  readonly holding: string | null;
}

/** Only `free` is free: a thing that is being given up is not, and `unknown` least of all (S7, S8). */
export type Holding =
  | { readonly state: 'free' }
  /** At least one; a volume that several machines may attach can have more. */
  | { readonly state: 'held'; readonly holders: readonly Holder[] }
  | { readonly state: 'unknown'; readonly says: string };

/** Accepted, also if it had it before; nothing is shown by that, only by a later read. `in-use`: somebody else has it. */
export type TakeAnswer = { readonly outcome: 'accepted' } | { readonly outcome: 'in-use'; readonly says: string };

/** `not-held`: the one named does not hold it, and nothing was changed. */
export type GiveAnswer = { readonly outcome: 'accepted' } | { readonly outcome: 'not-held'; readonly says: string };

export interface ForceOption {
  /** Without the guest's help, for one that is dead or hangs: what it had not written is lost. */
  readonly force: boolean;
}

export interface Volumes {
  read(volume: string): Promise<Holding>;
  detach(volume: string, machine: string, how: ForceOption): Promise<GiveAnswer>;
  attach(volume: string, machine: string, device: string): Promise<TakeAnswer>;
}

/** Network interfaces beside the first, which a machine cannot lose. */
export interface Interfaces {
  read(id: string): Promise<Holding>;
  detach(id: string, machine: string, how: ForceOption): Promise<GiveAnswer>;
  attach(id: string, machine: string, index: number): Promise<TakeAnswer>;
}

/** Addresses repeat between networks: only with its subnet one is meant. */
export interface PrivateAddress {
  readonly subnet: string;
  readonly address: string;
}

export interface PrivateAddresses {
  read(at: PrivateAddress): Promise<Holding>;
  /** `reassign` takes it from whoever has it; without that, one that is held stays where it is. */
  assign(at: PrivateAddress, networkInterface: string, how: { readonly reassign: boolean }): Promise<TakeAnswer>;
  unassign(at: PrivateAddress, networkInterface: string): Promise<GiveAnswer>;
}

export interface ElasticAddresses {
  /** By allocation id. */
  read(allocation: string): Promise<Holding>;
  /** Never takes it from another. */
  associate(allocation: string, networkInterface: string): Promise<TakeAnswer>;
  disassociate(allocation: string, networkInterface: string): Promise<GiveAnswer>;
}

export interface RouteAt {
  readonly table: string;
  /** CIDR block of the destination. */
  readonly destination: string;
}

export interface Routes {
  read(at: RouteAt): Promise<Holding>;
  /** At once and without any condition: traffic goes there from now on, whoever had it. */
  replace(at: RouteAt, networkInterface: string): Promise<void>;
}

export interface CloudResources {
  readonly volumes: Volumes;
  readonly interfaces: Interfaces;
  readonly privateAddresses: PrivateAddresses;
  readonly elasticAddresses: ElasticAddresses;
  readonly routes: Routes;
}

/** Of one machine in an order to start several. `later`: refused for now, or not sent for lack of calls. */
export type StartAnswer =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'refused'; readonly says: string }
  | { readonly outcome: 'later'; readonly says: string };

/** Starts many with few calls: the platform allows two of them a second for the whole account. */
export interface BatchStart {
  /** One answer for each machine named; never throws for what the platform answers. */
  startAll(machines: readonly string[]): Promise<ReadonlyMap<string, StartAnswer>>;
}

export type ScalingMembership =
  | { readonly member: 'no' }
  /** `lifecycle` in the platform's words: `InService`, `Standby`, … */
  | { readonly member: 'yes'; readonly group: string; readonly lifecycle: string }
  | { readonly member: 'unknown'; readonly says: string };

export interface ScalingGroup {
  /** Processes that somebody has suspended, in the platform's words. */
  readonly suspended: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
}

export type StandbyAnswer = { readonly outcome: 'accepted' } | { readonly outcome: 'refused'; readonly says: string };

/** A group that counts instances in service destroys one that is stopped, and whatever is on it. Standby is out of its reach. */
export interface AutoScaling {
  /** One answer for each machine named. */
  membership(machines: readonly string[]): Promise<ReadonlyMap<string, ScalingMembership>>;
  /** undefined: no such group, or no answer. */
  group(name: string): Promise<ScalingGroup | undefined>;
  /**
   * `decrement`: the group wants one less instead of launching another. Refused where the machine is not in service or the
   * group would fall under its least size.
   */
  enterStandby(
    group: string,
    machines: readonly string[],
    how: { readonly decrement: boolean },
  ): Promise<StandbyAnswer>;
  exitStandby(group: string, machines: readonly string[]): Promise<StandbyAnswer>;
}

export interface MachineSeen {
  readonly outcome: 'seen';
  readonly state: PowerState;
  readonly type: string | null;
  readonly tags: Readonly<Record<string, string>>;
  /** `default`: the platform moves the machine to other hardware by itself where it can. Fields are null where the answer did not say. */
  readonly autoRecovery: 'default' | 'disabled' | null;
  readonly canHibernate: boolean | null;
  /** A stop of it is refused, whatever the rights of who asks. */
  readonly isStopProtected: boolean | null;
  readonly isTerminationProtected: boolean | null;
}

export type MachineInspection = MachineSeen | { readonly outcome: 'unknown'; readonly says: string };

/** What is set on a machine that a fence would meet. */
export interface MachineSettings {
  inspect(machine: string): Promise<MachineInspection>;
  disableAutoRecovery(machine: string): Promise<void>;
}

/** `allowed` says that rights suffice; protection of the machine itself is not looked at by such a question. */
export type Rehearsal =
  | { readonly outcome: 'allowed' }
  | { readonly outcome: 'refused'; readonly says: string }
  /** `wasObeyed`: it was answered as if it were no rehearsal, and may have been done. Nobody may ask on. */
  | { readonly outcome: 'unknown'; readonly says: string; readonly wasObeyed?: boolean };

/** Asks whether an order would be allowed to this very principal, without giving it (DryRun). */
export interface FenceRehearsal {
  /** A stop as a fence sends it: without waiting for the operating system, and by force. */
  stop(machine: string): Promise<Rehearsal>;
  start(machine: string): Promise<Rehearsal>;
}

/** `absent`: no agent of that machine has ever reported. */
export type Reach = 'online' | 'lost' | 'absent' | 'unknown';

/** Whether the path by which guards are asked (SSM) leads to a machine; there is no rehearsal of a command. */
export interface GuardPath {
  /** One answer for each machine named. */
  reach(machines: readonly string[]): Promise<ReadonlyMap<string, Reach>>;
}
