/** The parts of a simulated world, as the others see them. Each is made by one function, and put together in `run/`. */
import type { MemoryAccess } from '../../adapters/memory/memory-tables.ts';
import type { ApiAnswer } from './operator.ts';
import type { GuardAsk, GuardCheck, Heartbeats, OwnHeartbeat, Power, Probe, Registry } from '../../core/ports.ts';
import type { Millis } from '../../core/time/time.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { OperatorAct } from './scene.ts';
import type { Noise } from './faults.ts';
import type { HeartbeatTruth, MachineTruth } from './truth.ts';

// ---- store and network (sim/world) -----------------------------------------------------------------------------

/** How a host's requests fare, apart from the background faults. */
export type Link = 'whole' | 'cut' | 'no_answers' | 'no_requests';

export interface SimStore {
  /** The ports of one agent; each call goes by `process.call` and over that host's link. */
  forHost(
    process: SimProcess,
    host: string,
    principal: string,
    machine: string,
  ): { readonly own: OwnHeartbeat; readonly registry: Registry };
  /**
   * `own` of `forHost`, by the same link, under the same faults and with the same `beat` facts, but what its writes do to the
   * tables is made by `make` (in place of `memoryOwnHeartbeat`). For mutations of a host's writes; absent: there are none.
   */
  ownMutated?(
    process: SimProcess,
    host: string,
    principal: string,
    machine: string,
    make: (access: MemoryAccess, principal: string) => OwnHeartbeat,
  ): OwnHeartbeat;
  /** The ports of one environment of a function. */
  forControl(process: SimProcess): { readonly heartbeats: Heartbeats; readonly registry: Registry };
  records<T>(pk: string, prefix: string): readonly T[];
  record<T>(pk: string, sk: string): T | undefined;
  heartbeats(): readonly HeartbeatTruth[];
  /** Background faults from now on; {}: none. */
  setNoise(noise: Noise): void;
  /** Longest life of a write already sent, from the timing in force (m): late commits stay within it. */
  setWriteLife(ms: Millis): void;
  setLink(host: string, link: Link): void;
  setControlLink(link: Link): void;
  setStore(state: 'up' | 'down' | 'slow'): void;
  /** While gone, every item counts as missing; afterwards it is there again as it was. */
  setHeartbeatsTable(isThere: boolean): void;
  deleteHeartbeat(principal: string): void;
  /** The registry as it stands, to be restored later; the restored copy gets a new incarnation only from `recover`. */
  snapshotRegistry(): () => void;
}

// ---- machines (sim/hosts) --------------------------------------------------------------------------------------

export type PowerChange = 'on' | 'off' | 'terminated';

/** Firmware and platform of the machines, as EC2 handles them. */
export interface MachinePower {
  /** By instance id; undefined: nobody knows it. */
  view(machine: string):
    | {
        readonly host: string;
        readonly principal: string;
        readonly power: PowerChange;
        readonly launchTime: string;
        readonly isFrozen: boolean;
      }
    | undefined;
  powerOff(machine: string): void;
  powerOn(machine: string): void;
  /** The power button: the guard may release and close everything in good order (`closed`) before the power goes, within seconds. */
  shutDown?(machine: string): void;
  /** Asks the guard's self-check as SSM would run it; null: nothing on that machine answers. */
  checkGuard(machine: string): GuardCheck | null;
  onChange(listener: (machine: string, now: PowerChange) => void): void;
}

export interface SimHosts {
  readonly power: MachinePower;
  truth(): readonly MachineTruth[];
  names(): readonly string[];
  principalOf(host: string): string;
  setNoise(noise: Noise): void;
  boot(host: string): void;
  crash(host: string): void;
  reboot(host: string): void;
  /** Crashes at the `calls`-th call that its guard or agent makes from now on. */
  crashAtCall(host: string, calls: number): void;
  signal(host: string, role: 'guard' | 'agent', signal: 'stop' | 'continue' | 'kill'): void;
  freeze(host: string, isSeen: boolean): void;
  thaw(host: string): void;
  stepWall(host: string, byMs: Millis): void;
  setDiskFull(host: string, isFull: boolean): void;
  /** At its next boot the state folder is empty. */
  loseState(host: string): void;
  /** Terminates the machine and boots another with a new instance id under the same name, if `instanceId` is given the definition must name it. */
  replace(host: string, instanceId: string): void;
  /** Boots a copy of the machine with the same identity, principal and disk; `endClone` takes its power away. */
  clone(host: string): void;
  endClone(host: string): void;
  setServices(host: string, trouble: 'stop_hangs' | 'lies' | 'start_fails' | 'slow_host', isOn: boolean): void;
  /** Ends one running service process of the host, if there is one. */
  killService(host: string, pick: number): void;
}

// ---- EC2, SSM, probes (sim/world) --------------------------------------------------------------------------------

export interface SimEc2 {
  forControl(process: SimProcess): { readonly power: Power; readonly guardAsk: GuardAsk; readonly probe: Probe };
  setNoise(noise: Noise): void;
  /** Stops that it accepts do not end until this is taken back. */
  setStuck(isStuck: boolean): void;
  /** By somebody's hand in the console. */
  stopByHand(machine: string): void;
  startByHand(machine: string): void;
  /** What EC2 truly has: false for an instance on its way down or up, stopped, terminated, or unknown. */
  isRunning(machine: string): boolean;
  /** State-change notifications in EventBridge's own shape. */
  onEvent(listener: (event: unknown) => void): void;
}

// ---- control plane (sim/control) ---------------------------------------------------------------------------------

export interface SimControl {
  /** Begins the schedules. */
  start(): void;
  /** One pass of reconcile more than the schedule has. */
  reconcile(): void;
  /** An event of EC2, handed to `instance-state` as EventBridge does. */
  ec2Event(event: unknown): void;
  act(act: OperatorAct): Promise<ApiAnswer>;
  setNoise(noise: Noise): void;
  /** Of new environments' wall clocks, each drawn within ± this; ε/2 at most keeps two of them within ε. */
  setWallSpread(ms: Millis): void;
  stopRun(pick: number): void;
  redriveRun(pick: number): void;
  runsUnderWay(): readonly string[];
}
