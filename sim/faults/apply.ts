/**
 * Lets a scene happen: its faults begin and end at their times, its operators act, and at the end of the fault phase
 * everything is healed. What it does is told as facts, so that checkers know the bounds within which they judge.
 */
import type { GroupRecord, SlotRecord } from '../../core/protocol/records.ts';
import { TIMING_PROFILES } from '../../core/config/timing-profiles.ts';
import { messageOf } from '../../core/failures/failures.ts';
import type { Millis } from '../../core/time/time.ts';
import type { Noise, ScheduledFault } from '../contract/faults.ts';
import type { LookAfter, OperatorAct, Scene } from '../contract/scene.ts';
import type { Stage } from '../contract/stage.ts';
import type { Told } from '../contract/truth.ts';
import { OWNER_HITS } from '../scene/fault-kinds.ts';
import { Causes } from './causes.ts';
import { type Effect, EFFECTS, refreshLink } from './effects.ts';
import { Machines } from './machines.ts';
import type { FaultParts, FaultWorld } from './parts.ts';

export interface ScheduledFaults {
  /**
   * What people do about hosts that were silent for most of the fault phase, in the midst of everyone's faults: their own
   * faults end, they run again, and what operators put in order at the end is tried now. With each time the background
   * faults become rarer: under some that are drawn nobody can come back.
   */
  readonly lookAfter: (hosts: readonly string[]) => void;
  /** At the end of the fault phase: everything works again, and no fault begins any more. */
  readonly healAll: () => void;
  /** Some faults follow what happens: tell them each fact. */
  readonly onFact: (fact: Told) => void;
}

/** How long a machine that was fenced stays off until somebody starts it again, in waits of a taker. */
const OFF_FOR = { least: 0.5, most: 3 } as const;
/** What hits a new owner comes right after the write that names it. */
const HIT_WITHIN_MS = 30;

/** Of what background faults were, each time that somebody looks after a host. */
const EASED_TO = 0.8;

export function scheduleFaults(stage: Stage, scene: Scene, parts: FaultParts): ScheduledFaults {
  return new FaultSchedule(stage, scene, parts);
}

class FaultSchedule implements ScheduledFaults {
  readonly #world: FaultWorld;
  #isOver = false;
  #noise: Noise;
  readonly #standing = new Map<ScheduledFault, Effect>();
  /** Faults that wait for a change of owner. */
  #armed: ScheduledFault[] = [];

  constructor(stage: Stage, scene: Scene, parts: FaultParts) {
    const isOver = (): boolean => this.#isOver;
    this.#world = {
      ...parts,
      ...{ stage, scene, isOver, random: stage.random.fork('faults'), causes: new Causes(isOver) },
      machines: new Machines(scene, parts.hosts, parts.ec2),
      zone: (zone) => scene.hosts.filter((host) => host.zone === zone).map(({ name }) => name),
    };
    // No drawn change touches m, so the profile's is in force all along.
    parts.store.setWriteLife(TIMING_PROFILES[scene.profile].writeLifeMs);
    this.#noise = scene.noise;
    this.#setNoise();
    for (const fault of scene.faults) this.#schedule(fault);
    for (const { name, isOnAtFirst } of scene.hosts) if (!isOnAtFirst) this.#startLater(name);
    for (const act of scene.acts.filter(({ at }) => at < scene.faultsForMs)) this.#actAt(act, act.at);
  }

  healAll = (): void => {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#armed = [];
    for (const fault of this.#standing.keys()) this.#tell(fault, 'ends', 'healed');
    this.#standing.clear();
    const { store, hosts, ec2, control, machines, causes, scene } = this.#world;
    causes.clear();
    this.#noise = {};
    this.#setNoise();
    store.setStore('up');
    store.setControlLink('whole');
    store.setHeartbeatsTable(true);
    ec2.setStuck(false);
    for (const { name, ends } of scene.hosts) if (ends !== undefined) machines.giveUp(name);
    for (const host of hosts.names()) {
      refreshLink(this.#world, host);
      hosts.endClone(host);
      hosts.thaw(host);
      for (const role of ['guard', 'agent'] as const) hosts.signal(host, role, 'continue');
      for (const trouble of ['stop_hangs', 'lies', 'start_fails', 'slow_host'] as const) {
        hosts.setServices(host, trouble, false);
      }
      hosts.setDiskFull(host, false);
      machines.bringBack(host);
    }
    for (const { name } of scene.hosts) this.#rebootUnguarded(name);
    for (const { name, ends } of scene.hosts) if (ends !== undefined) machines.takePower(name, ends);
    control.setWallSpread(0);
    this.#putInOrder();
    this.#bringBackAgain();
  };

  lookAfter = (hosts: readonly string[]): void => {
    if (this.#isOver) return;
    for (const fault of [...this.#standing.keys()]) if (hosts.includes(fault.subject)) this.#end(fault);
    for (const host of hosts) {
      this.#wake(host);
      this.#rebootUnguarded(host);
    }
    this.#putInOrder();
    this.#noise = eased(this.#noise);
    this.#setNoise();
  };

  onFact = (fact: Told): void => {
    if (fact.type === 'machine' && fact.now === 'off') this.#startLater(fact.host);
    if (fact.type !== 'group_written' || this.#armed.length === 0) return;
    const owner = newOwner(fact.before, fact.after);
    const [armed, ...rest] = this.#armed;
    if (owner === null || armed === undefined || this.#isOver) return;
    this.#armed = rest;
    // Not within the event that tells it: the write itself is not over yet.
    const afterMs = this.#world.random.between(0, HIT_WITHIN_MS);
    this.#world.stage.timeline.after(afterMs, () => this.#hit(armed, owner));
  };

  /** What operators do when it is over, of several definitions with the last: the fault phase may have lasted longer than it was drawn for. */
  #putInOrder(): void {
    const { acts, faultsForMs } = this.#world.scene;
    const due = acts.filter(({ at }) => at >= faultsForMs);
    const last = due.findLast((act) => act.do === 'apply');
    for (const act of due) if (act.do !== 'apply' || act.yaml === last?.yaml) this.#actAt(act, act.at - faultsForMs);
  }

  #actAt(act: OperatorAct | LookAfter, afterMs: Millis): void {
    this.#world.stage.timeline.after(afterMs, () => {
      if (act.do === 'look-after') this.lookAfter(act.hosts);
      else void this.#act(act);
    });
  }

  #setNoise(): void {
    const { store, hosts, ec2, control } = this.#world;
    for (const part of [store, hosts, ec2, control]) part.setNoise(this.#noise);
  }

  #schedule(fault: ScheduledFault): void {
    const { stage, store } = this.#world;
    const { kind, at, amount = 0 } = fault;
    if (kind === 'registry_restored') {
      let restore = (): void => undefined;
      stage.timeline.after(Math.max(0, at - amount), () => (restore = store.snapshotRegistry()));
      this.#begin(fault, { begin: () => restore() });
    } else if (kind === 'owner_hit_at_change') {
      stage.timeline.after(at, () => this.#armed.push(fault));
    } else {
      this.#begin(fault, EFFECTS[kind]);
    }
  }

  #begin(fault: ScheduledFault, effect: Effect, delayMs: Millis = fault.at): void {
    this.#world.stage.timeline.after(delayMs, () => {
      if (this.#isOver) return;
      this.#tell(fault, 'begins', inWords(fault));
      this.#standing.set(fault, effect);
      effect.begin(this.#world, fault);
      if (effect.end === undefined) this.#end(fault);
      else this.#world.stage.timeline.after(fault.forMs, () => this.#end(fault));
    });
  }

  #end(fault: ScheduledFault): void {
    const effect = this.#standing.get(fault);
    if (effect === undefined) return;
    this.#standing.delete(fault);
    this.#tell(fault, 'ends', '');
    effect.end?.(this.#world, fault);
  }

  #hit(armed: ScheduledFault, owner: string): void {
    if (this.#isOver) return;
    const kind = OWNER_HITS[armed.amount ?? 0] ?? 'cut';
    const about = { ...armed, subject: owner };
    this.#tell(about, 'begins', kind);
    this.#tell(about, 'ends', kind);
    const { freezeMs } = TIMING_PROFILES[this.#world.scene.profile];
    const forMs = kind === 'frozen_seen' ? Math.min(freezeMs, armed.forMs) : armed.forMs;
    this.#begin({ ...armed, kind, subject: owner, forMs }, EFFECTS[kind], 0);
  }

  #tell({ kind, subject }: ScheduledFault, now: 'begins' | 'ends', says: string): void {
    this.#world.stage.tell({ type: 'fault', kind, subject, now, says });
  }

  /** Somebody starts what was fenced, or what crashed later than its schedule said. */
  #startLater(host: string): void {
    const { random, stage, scene } = this.#world;
    const least = this.#isOver ? 0 : OFF_FOR.least;
    const most = this.#isOver ? OFF_FOR.least / 2 : OFF_FOR.most;
    const afterMs = TIMING_PROFILES[scene.profile].takerWaitMs * random.between(least, most);
    stage.timeline.after(afterMs, () => this.#wake(host));
  }

  #wake(host: string): void {
    const { causes, machines } = this.#world;
    if (!causes.has(`off ${host}`)) machines.bringBack(host);
  }

  /** Without a guard level nobody but a person brings a dead guard back. */
  #rebootUnguarded(host: string): void {
    const { hosts, scene } = this.#world;
    const isUnguarded = scene.hosts.some(({ name, guardLevel }) => name === host && guardLevel === 'none');
    const isDead = hosts.truth().some((one) => one.host === host && one.power === 'on' && one.belief === null);
    if (isUnguarded && isDead) hosts.reboot(host);
  }

  /** A stop that was under way when everything was healed may end later. */
  #bringBackAgain(): void {
    const { stage, scene, hosts, machines } = this.#world;
    const everyMs = TIMING_PROFILES[scene.profile].takerWaitMs / 2;
    for (let round = 1; round <= 3; round += 1) {
      stage.timeline.after(round * everyMs, () => hosts.names().forEach((host) => machines.bringBack(host)));
    }
  }

  async #act(act: OperatorAct): Promise<void> {
    try {
      await this.#world.control.act(act);
    } catch (error) {
      this.#world.stage.tell({ type: 'bug', who: 'operator', says: messageOf(error) });
    }
  }
}

function eased(noise: Noise): Noise {
  return Object.fromEntries(Object.entries(noise).map(([kind, part]) => [kind, part * EASED_TO]));
}

/** The host that this write made the owner of a slot; null: none. */
function newOwner(before: GroupRecord | null, after: GroupRecord): string | null {
  const epochs = new Map(before?.slots.map(({ slot, epoch }: SlotRecord) => [slot, epoch]));
  const taken = after.slots.find(({ slot, epoch, owner }) => owner !== null && epoch > (epochs.get(slot) ?? 0));
  return taken?.owner?.host ?? null;
}

function inWords({ forMs, amount }: ScheduledFault): string {
  const length = forMs > 0 ? `for ${Math.round(forMs)} ms` : '';
  return [length, amount === undefined ? '' : `amount ${amount}`].filter((part) => part !== '').join(', ');
}
