/** The machines of a simulated world, with the real guard and the real agent on each. */
import { HaError } from '../../core/failures/failures.ts';
import { invariant } from '../../core/failures/invariant.ts';
import type { MachinePower, PowerChange, SimHosts, SimStore } from '../contract/parts.ts';
import type { HostScene, Scene } from '../contract/scene.ts';
import type { Stage } from '../contract/stage.ts';
import type { Random } from '../kernel/random.ts';
import { boundsOf } from './bounds.ts';
import type { HostWorld } from './host-world.ts';
import { identityOf } from './identity.ts';
import { Machine } from './machine.ts';
import { needsMutatedStore } from './mutated.ts';

/** What a machine that a run adds later (a replacement, a clone) may differ by: clocks are within 1 ± this. */
const RATE_ERROR = 0.0009;
const WALL_OFFSET_MS = 2_000;

interface Place {
  readonly scene: HostScene;
  current: Machine;
  clone: Machine | null;
  clones: number;
}

export function createHosts(stage: Stage, scene: Scene, world: { readonly store: SimStore }): SimHosts {
  invariant(
    !needsMutatedStore(stage.mutation) || world.store.ownMutated !== undefined,
    `mutation ${stage.mutation ?? ''} needs a store with ownMutated`,
  );
  return new Fleet({ stage, scene, store: world.store, bounds: boundsOf(scene), slowDisk: 0 });
}

class Fleet implements SimHosts {
  readonly power: MachinePower;
  readonly #world: HostWorld;
  readonly #random: Random;
  /** Every machine that there ever was, in the order of their making. */
  readonly #machines: Machine[] = [];
  readonly #places = new Map<string, Place>();
  readonly #byInstance = new Map<string, Machine>();
  readonly #listeners: ((machine: string, now: PowerChange) => void)[] = [];

  constructor(world: HostWorld) {
    this.#world = world;
    this.#random = world.stage.random.fork('hosts');
    this.power = {
      view: (id) => this.#view(id),
      powerOff: (id) => this.#byInstance.get(id)?.powerOff('powered off'),
      powerOn: (id) => this.#byInstance.get(id)?.powerOn(),
      shutDown: (id) => this.#byInstance.get(id)?.shutDown(),
      checkGuard: (id) => this.#byInstance.get(id)?.check() ?? null,
      onChange: (listener) => void this.#listeners.push(listener),
    };
    for (const host of world.scene.hosts) {
      const machine = this.#newMachine(host, identityOf(world.scene, host).machine, false);
      this.#places.set(host.name, { scene: host, current: machine, clone: null, clones: 0 });
      if (host.isOnAtFirst) world.stage.timeline.after(0, () => machine.powerOn());
    }
  }

  truth = (): ReturnType<SimHosts['truth']> => this.#machines.map((machine) => machine.truth());

  names = (): readonly string[] => [...this.#places.keys()];

  principalOf(host: string): string {
    return this.#at(host).current.identity.principal;
  }

  setNoise: SimHosts['setNoise'] = (noise) => {
    this.#world.slowDisk = noise.slow_disk ?? 0;
  };

  boot(host: string): void {
    this.#at(host).current.boot();
  }

  crash(host: string): void {
    this.#at(host).current.crash();
  }

  reboot(host: string): void {
    this.#at(host).current.reboot('rebooted');
  }

  crashAtCall(host: string, calls: number): void {
    this.#at(host).current.crashAtCall(calls);
  }

  signal(host: string, role: 'guard' | 'agent', signal: 'stop' | 'continue' | 'kill'): void {
    this.#at(host).current.signal(role, signal);
  }

  freeze(host: string, isSeen: boolean): void {
    this.#at(host).current.freeze(isSeen);
  }

  thaw(host: string): void {
    this.#at(host).current.thaw();
  }

  stepWall(host: string, byMs: number): void {
    this.#at(host).current.stepWall(byMs);
  }

  setDiskFull(host: string, isFull: boolean): void {
    this.#at(host).current.disk.isFull = isFull;
  }

  loseState(host: string): void {
    this.#at(host).current.loseState();
  }

  replace(host: string, instanceId: string): void {
    const place = this.#at(host);
    invariant(!this.#byInstance.has(instanceId), `there is an instance ${instanceId} already`);
    const before = place.current;
    before.terminate();
    place.current = this.#newMachine({ ...place.scene, instanceId }, instanceId, true);
    this.#world.stage.tell({ type: 'machine', host, machine: before.machineId, now: 'replaced' });
    place.current.powerOn();
  }

  clone(host: string): void {
    const place = this.#at(host);
    this.endClone(host);
    place.clones += 1;
    const { identity, disk, machineId } = place.current;
    const id = `${machineId}~clone${place.clones}`;
    // The platform gives each machine an identity of its own; what it may do to the tables is copied with the disk.
    place.clone = this.#add(place.scene, { ...identity, machine: id, instanceId: null }, id, disk.files);
    place.clone.powerOn();
  }

  endClone(host: string): void {
    const place = this.#at(host);
    place.clone?.terminate();
    place.clone = null;
  }

  setServices: SimHosts['setServices'] = (host, trouble, isOn) => {
    this.#at(host).current.setTrouble(trouble, isOn);
  };

  killService(host: string, pick: number): void {
    this.#at(host).current.killService(pick);
  }

  #at(host: string): Place {
    const place = this.#places.get(host);
    if (place === undefined) throw new HaError('not_found', `there is no host ${host} in this scene`);
    return place;
  }

  #newMachine(host: HostScene, machineId: string, isLater: boolean): Machine {
    const machine = this.#add(host, identityOf(this.#world.scene, host), machineId, undefined, isLater);
    if (host.instanceId !== null) this.#byInstance.set(host.instanceId, machine);
    return machine;
  }

  #add(
    host: HostScene,
    identity: Machine['identity'],
    machineId: string,
    files?: ReadonlyMap<string, string>,
    isLater = true,
  ): Machine {
    const random = this.#random.fork(`clock of ${machineId}`);
    const machine = new Machine({
      world: this.#world,
      identity,
      machineId,
      level: host.guardLevel,
      clockRate: isLater ? random.between(1 - RATE_ERROR, 1 + RATE_ERROR) : host.clockRate,
      wallOffsetMs: isLater ? random.between(-WALL_OFFSET_MS, WALL_OFFSET_MS) : host.wallOffsetMs,
      ...(files === undefined ? {} : { files }),
      onPower: (changed, now) => this.#powerChanged(changed, now),
    });
    this.#machines.push(machine);
    return machine;
  }

  #powerChanged(machine: Machine, now: PowerChange): void {
    const { instanceId } = machine.identity;
    if (instanceId === null) return;
    for (const listener of this.#listeners) listener(instanceId, now);
  }

  #view(id: string): ReturnType<MachinePower['view']> {
    const machine = this.#byInstance.get(id);
    if (machine === undefined) return undefined;
    const { host, principal } = machine.identity;
    const { power, launchTime, isFrozen } = machine;
    return { host, principal, power, launchTime, isFrozen };
  }
}
