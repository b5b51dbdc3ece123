/** A machine: its power, its identity, its disk and its clocks, from one boot to the next. */
import type { GuardCheck } from '../../core/ports.ts';
import type { GuardLevel } from '../../core/protocol/records.ts';
import type { Millis } from '../../core/time/time.ts';
import { isoTime } from '../../core/workflow/iso-time.ts';
import type { PowerChange } from '../contract/parts.ts';
import type { MachineChange, MachineTruth } from '../contract/truth.ts';
import { BEGINNING_MS } from '../kernel/local-clock.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import { Boot } from './boot.ts';
import type { Draws } from './boot-parts.ts';
import { upTo } from './bounds.ts';
import { Disk } from './disk.ts';
import type { HostWorld, Trouble } from './host-world.ts';
import type { Identity } from './identity.ts';
import { createMutant, type Mutant } from './mutated.ts';
import { Troubles } from './troubles.ts';

/** As init grants it: the longest orderly shutdown. */
const SHUTDOWN_MS = 8_000;
const POLL_MS = 50;
/** Part of a slow host's calls at which its process stands still. */
const PAUSES = 0.3;
/** A signal that waits for such a moment waits no longer than this. */
const SIGNAL_WAITS_MS = 1_000;

export interface MachineOptions {
  readonly world: HostWorld;
  readonly identity: Identity;
  /** In facts: unlike that of every other machine. */
  readonly machineId: string;
  readonly level: GuardLevel;
  readonly clockRate: number;
  readonly wallOffsetMs: Millis;
  readonly files?: ReadonlyMap<string, string>;
  readonly onPower: (machine: Machine, now: PowerChange) => void;
}

export class Machine {
  readonly identity: Identity;
  readonly machineId: string;
  readonly disk: Disk;
  readonly troubles = new Troubles();
  readonly #options: MachineOptions;
  readonly #random: Random;
  readonly #draws: Draws;
  readonly #mutant: Mutant;
  #power: PowerChange = 'off';
  #launchTime = isoTime(BEGINNING_MS);
  #launchedAtMs: Millis = BEGINNING_MS;
  #boot: Boot | null = null;
  #isFrozen = false;
  #isStateLost = false;
  #isCrashed = false;
  #isShuttingDown = false;
  #wallOffsetMs: Millis;
  #pids = 0;
  /** A crash that waits for its moment: so many calls from now. */
  #crash: { callsLeft: number; readonly phase: 'before' | 'after' } | null = null;
  readonly #stopAtCall = new Map<
    'guard' | 'agent',
    { readonly phase: 'before' | 'after'; readonly stop: () => void }
  >();
  readonly #pausedAt = new Map<string, Millis>();

  constructor(options: MachineOptions) {
    this.#options = options;
    this.identity = options.identity;
    this.machineId = options.machineId;
    this.#wallOffsetMs = options.wallOffsetMs;
    const random = options.world.stage.random.fork(`machine ${options.machineId}`);
    this.#random = random.fork('machine');
    this.#draws = drawsOf(random);
    this.disk = new Disk(random.fork('disk'), () => this.#isWriteSlow(), options.files);
    this.#mutant = createMutant({
      world: options.world,
      identity: options.identity,
      machineId: options.machineId,
      start: (what) => void this.#boot?.table.start(what),
      after: (ms, fire) => void this.#afterInBoot(ms, fire),
    });
  }

  get power(): PowerChange {
    return this.#power;
  }

  get launchTime(): string {
    return this.#launchTime;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  truth(): MachineTruth {
    const { host, principal } = this.identity;
    return {
      host,
      machine: this.machineId,
      principal,
      power: this.#power,
      isFrozen: this.#isFrozen,
      services: this.#boot?.table.lives() ?? [],
      belief: this.#boot?.belief() ?? null,
    };
  }

  // ---- power -------------------------------------------------------------------------------------------------------

  powerOn(): void {
    if (this.#power !== 'off') return;
    this.#isCrashed = false;
    // It rises even between two starts in one millisecond: it tells this launch from the one that evidence may name (S7).
    this.#launchedAtMs = Math.max(this.#launchedAtMs + 1, Math.floor(BEGINNING_MS + this.#now()));
    this.#launchTime = isoTime(this.#launchedAtMs);
    this.#goOn();
  }

  /** A machine that failed boots in place: for its platform it is still the same launch. */
  boot(): void {
    if (this.#isCrashed) this.#goOn();
    else this.powerOn();
  }

  crash(): void {
    if (this.#power !== 'on') return;
    this.powerOff('crashed');
    this.#isCrashed = true;
  }

  /** Without a warning. */
  powerOff(why: string): void {
    if (this.#power !== 'on') return;
    this.#endBoot(why);
    this.#power = 'off';
    this.#tell('off');
    this.#options.onPower(this, 'off');
  }

  /** The power button: the guard may end everything in good order before the power goes. */
  shutDown(): void {
    if (this.#power !== 'on' || this.#isShuttingDown) return;
    const boot = this.#boot;
    if (boot === null || this.#isFrozen || !boot.drain()) return this.powerOff('shut down');
    this.#isShuttingDown = true;
    const goOn = (leftMs: Millis): void => {
      if (this.#boot !== boot) return;
      if (!boot.isGuardAlive || leftMs <= 0) return this.powerOff('shut down');
      this.#options.world.stage.timeline.after(POLL_MS, () => goOn(leftMs - POLL_MS));
    };
    goOn(SHUTDOWN_MS);
  }

  terminate(): void {
    if (this.#power === 'terminated') return;
    this.#endBoot('terminated');
    this.#power = 'terminated';
    this.#tell('off');
    this.#options.onPower(this, 'terminated');
  }

  /** A new boot of the same launch. */
  reboot(why: string): void {
    if (this.#power !== 'on') return;
    this.#endBoot(why);
    this.#tell('reset');
    this.#newBoot();
  }

  /** At the `calls`-th call that guard or agent make from now on, or right after it. */
  crashAtCall(calls: number): void {
    this.#crash = { callsLeft: Math.max(1, calls), phase: this.#random.pick(['before', 'after'] as const) };
  }

  freeze(isSeen: boolean): void {
    if (this.#power !== 'on' || this.#isFrozen) return;
    this.#isFrozen = true;
    this.#boot?.freeze(isSeen);
    this.#tell('frozen');
  }

  thaw(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    this.#tell('thawed'); // Before what its guard believes is told anew, on a clock that may have stood still.
    this.#boot?.thaw();
  }

  // ---- what is in it -----------------------------------------------------------------------------------------------

  signal(role: 'guard' | 'agent', signal: 'stop' | 'continue' | 'kill'): void {
    this.#stopAtCall.delete(role);
    if (signal === 'kill') return this.#boot?.kill(role);
    if (signal === 'stop') return this.#stop(role);
    for (const process of this.#boot?.processes(role) ?? []) process.continue('signal');
  }

  /** At once, or between its deciding and its doing, or its answer and its hearing it: moments that nothing else would hit. */
  #stop(role: 'guard' | 'agent'): void {
    const stop = (): void => {
      this.#stopAtCall.delete(role);
      for (const process of this.#boot?.processes(role) ?? []) process.stop('signal');
    };
    if (this.#random.chance(0.5)) return stop();
    this.#stopAtCall.set(role, { phase: this.#random.pick(['before', 'after'] as const), stop });
    this.#options.world.stage.timeline.after(SIGNAL_WAITS_MS, () => {
      if (this.#stopAtCall.get(role)?.stop === stop) stop();
    });
  }

  stepWall(byMs: Millis): void {
    this.#wallOffsetMs += byMs;
    this.#boot?.clock.stepWall(byMs);
  }

  loseState(): void {
    this.#isStateLost = true;
  }

  setTrouble(trouble: Trouble, isOn: boolean): void {
    this.troubles.set(trouble, isOn);
  }

  killService(pick: number): void {
    const lives = this.#boot?.table.lives() ?? [];
    const life = lives[Math.abs(Math.trunc(pick)) % Math.max(1, lives.length)];
    if (life !== undefined && !this.#isFrozen) this.#boot?.table.die(life.pid);
  }

  check(): GuardCheck | null {
    return this.#power === 'on' && !this.#isFrozen && this.#boot !== null ? this.#boot.check() : null;
  }

  // ------------------------------------------------------------------------------------------------------------------

  #now(): Millis {
    return this.#options.world.stage.timeline.now();
  }

  #tell(now: MachineChange): void {
    const { host } = this.identity;
    this.#options.world.stage.tell({ type: 'machine', host, machine: this.machineId, now });
  }

  #goOn(): void {
    if (this.#power !== 'off') return;
    this.#power = 'on';
    this.#isCrashed = false;
    this.#tell('on');
    this.#newBoot();
    this.#options.onPower(this, 'on');
  }

  #newBoot(): void {
    if (this.#isStateLost) this.disk.clear();
    this.#isStateLost = false;
    const { world, identity, machineId, level, clockRate } = this.#options;
    this.#boot = new Boot({
      ...{ world, identity, machineId, level, clockRate },
      bootId: this.#draws.ids.uuid(),
      launchTime: this.#launchTime,
      wallOffsetMs: this.#wallOffsetMs,
      disk: this.disk,
      troubles: this.troubles,
      draws: this.#draws,
      mutant: this.#mutant,
      nextPid: () => {
        this.#pids += 1;
        return this.#pids;
      },
      onCall: (process, role, phase) => this.#onCall(process, role, phase),
      reset: (why) => this.reboot(why),
    });
  }

  #endBoot(why: string): void {
    this.#boot?.end(why);
    this.#boot = null;
    this.#isFrozen = false;
    this.#isShuttingDown = false;
    this.#crash = null;
    this.#stopAtCall.clear();
  }

  #afterInBoot(ms: Millis, fire: () => void): void {
    const boot = this.#boot;
    this.#options.world.stage.timeline.after(ms, () => {
      if (this.#boot === boot && !this.#isFrozen) fire();
    });
  }

  #onCall(process: SimProcess, role: 'guard' | 'agent', phase: 'before' | 'after'): void {
    if (!process.isAlive) return;
    this.#crashIfDue(phase);
    if (!process.isAlive) return;
    const waiting = this.#stopAtCall.get(role);
    if (waiting?.phase === phase) waiting.stop();
    if (phase === 'before' || role === 'agent') this.#pause(process, role);
  }

  #crashIfDue(phase: 'before' | 'after'): void {
    if (this.#crash === null) return;
    if (phase === 'before') this.#crash.callsLeft -= 1;
    if (this.#crash.callsLeft <= 0 && phase === this.#crash.phase) this.crash();
  }

  /** A slow host's processes stand still between two of their steps; the next time not before a watchdog has been fed. */
  #pause(process: SimProcess, role: 'guard' | 'agent'): void {
    if (!this.troubles.has('slow_host')) return;
    const { pauses } = this.#draws;
    const { bounds, stage } = this.#options.world;
    if (this.#now() < (this.#pausedAt.get(role) ?? 0) || !pauses.chance(PAUSES)) return;
    const ms = process.clock.trueMs(upTo(pauses, bounds.pauseMs));
    this.#pausedAt.set(role, this.#now() + ms + 2 * bounds.guardPeriodMs);
    process.stop('slow');
    stage.timeline.after(ms, () => process.continue('slow'));
  }

  #isWriteSlow(): boolean {
    const { world } = this.#options;
    if (world.slowDisk === 0 || !this.#random.chance(world.slowDisk)) return false;
    const { host } = this.identity;
    world.stage.tell({ type: 'fault', kind: 'slow_disk', subject: host, now: 'begins', says: 'a write takes long' });
    return true;
  }
}

function drawsOf(random: Random): Draws {
  return {
    ids: random.fork('ids'),
    agent: random.fork('agent'),
    services: random.fork('services'),
    ending: random.fork('ending'),
    pipes: random.fork('pipes'),
    power: random.fork('power'),
    pauses: random.fork('pauses'),
  };
}
