/** A machine from when its power comes until it goes, or until it is reset: its clock, its processes, its guard. */
import { messageOf } from '../../core/failures/failures.ts';
import { guardSelf } from '../../core/lease/guard-self.ts';
import type { GuardCheck } from '../../core/ports.ts';
import type { Millis } from '../../core/time/time.ts';
import type { Belief } from '../contract/truth.ts';
import { LocalClock } from '../kernel/local-clock.ts';
import { SimProcess } from '../kernel/process.ts';
import type { AgentLife } from './agent-life.ts';
import type { BootParts, Draws } from './boot-parts.ts';
import type { Disk } from './disk.ts';
import { type GuardLife, startGuardLife } from './guard-life.ts';
import type { HostWorld } from './host-world.ts';
import type { Identity } from './identity.ts';
import { Init } from './init.ts';
import type { Mutant } from './mutated.ts';
import { ServiceTable } from './service-table.ts';
import type { Troubles } from './troubles.ts';
import { NO_WATCHDOG } from './watchdog.ts';
import type { GuardLevel } from '../../core/protocol/records.ts';

/** From power to the first process, and what a boot clock shows then. */
const BOOT_MS = [300, 1_500] as const;

export interface BootOptions {
  readonly world: HostWorld;
  readonly identity: Identity;
  readonly machineId: string;
  readonly level: GuardLevel;
  readonly bootId: string;
  readonly launchTime: string;
  readonly clockRate: number;
  readonly wallOffsetMs: Millis;
  readonly disk: Disk;
  readonly troubles: Troubles;
  readonly draws: Draws;
  readonly mutant: Mutant;
  readonly nextPid: () => number;
  /** Around each call that guard or agent make. */
  readonly onCall: (process: SimProcess, role: 'guard' | 'agent', phase: 'before' | 'after') => void;
  readonly reset: (why: string) => void;
}

export class Boot {
  readonly clock: LocalClock;
  readonly table: ServiceTable;
  readonly #options: BootOptions;
  readonly #kernel: SimProcess;
  readonly #hardware: SimProcess;
  readonly #init: Init;
  readonly #parts: BootParts;
  readonly #agents = new Set<AgentLife>();
  #guard: GuardLife | null = null;

  constructor(options: BootOptions) {
    const { world, identity, machineId, troubles, draws } = options;
    const { timeline, mutation, tell } = world.stage;
    this.#options = options;
    const bootMs = draws.power.between(...BOOT_MS);
    this.clock = new LocalClock(timeline, { rate: options.clockRate, bootMs, wallOffsetMs: options.wallOffsetMs });
    const ofMachine = (name: string): SimProcess =>
      new SimProcess(timeline, this.clock, `${machineId}/${name}`, (error) => {
        throw error; // No step of the system under test runs in it.
      });
    this.#kernel = ofMachine('kernel');
    this.#hardware = ofMachine('hardware');
    this.table = new ServiceTable({
      host: identity.host,
      machine: machineId,
      timers: this.#kernel.timers,
      random: draws.services,
      troubles,
      mayStick: options.level === 'watchdog',
      onUp: (life) => tell({ type: 'service_up', life }),
      onDown: (life, why) => tell({ type: 'service_down', life, why }),
      nextPid: options.nextPid,
    });
    this.#parts = this.#partsOf(options);
    this.#init = this.#newInit(mutation !== 'guard-in-agent');
    this.#kernel.timers.after(bootMs, () => this.#init.begin());
  }

  get isGuardAlive(): boolean {
    return this.#guard?.process.isAlive === true;
  }

  belief(): Belief | null {
    return this.#guard !== null && this.isGuardAlive ? this.#guard.beliefs.belief : null;
  }

  /** As `holdfast-agent check` is answered: by the guard itself, if it runs. */
  check(): GuardCheck {
    const guard = this.#guard;
    if (guard === null || !guard.process.isAlive || guard.process.isStopped) {
      return { outcome: 'unknown', says: 'no guard answers on this host' };
    }
    const state = guard.state();
    if (state === null) return { outcome: 'unknown', says: 'the guard does not say yet: it is still cleaning up' };
    return { outcome: 'answered', ...guardSelf(state, this.clock.boot.now()) };
  }

  /** The processes of guard and agent that live. */
  processes(role: 'guard' | 'agent'): readonly SimProcess[] {
    if (role === 'agent') return [...this.#agents].map(({ process }) => process);
    return this.#guard !== null && this.isGuardAlive ? [this.#guard.process] : [];
  }

  kill(role: 'guard' | 'agent'): void {
    if (role === 'guard') this.#guard?.end(null, 'SIGKILL');
    else for (const agent of [...this.#agents]) agent.end('SIGKILL');
  }

  /** False: there is no guard that could. */
  drain(): boolean {
    const guard = this.#guard;
    if (guard === null || guard.state() === null || !this.isGuardAlive) return false;
    guard.drain();
    return true;
  }

  freeze(isSeen: boolean): void {
    if (!isSeen) this.clock.pause();
    if (!isSeen) this.#hardware.stop('frozen');
    for (const process of this.#all()) process.stop('frozen');
  }

  thaw(): void {
    this.clock.resume();
    for (const process of [this.#hardware, ...this.#all()]) process.continue('frozen');
    if (this.isGuardAlive) this.#guard?.beliefs.clockMoved();
  }

  /** Nothing of it takes another step. */
  end(why: string): void {
    this.#kernel.kill();
    this.#hardware.kill();
    this.#guard?.end(null, why);
    for (const agent of [...this.#agents]) agent.end(why);
    this.table.endAll(why);
    this.#options.disk.crash();
  }

  #all(): readonly SimProcess[] {
    return [this.#kernel, ...this.processes('guard'), ...this.processes('agent')];
  }

  #partsOf(options: BootOptions): BootParts {
    const { world, identity, machineId } = options;
    const { timeline, mutation, tell } = world.stage;
    const { host } = identity;
    return {
      ...options,
      clock: this.clock,
      kernel: this.#kernel,
      table: this.table,
      mutation,
      covered: new Map(),
      newProcess: (role) => {
        const process: SimProcess = new SimProcess(timeline, this.clock, `${machineId}/${role}`, (error) =>
          this.#crashed(role, process, error),
        );
        process.onCall = (phase) => options.onCall(process, role, phase);
        return process;
      },
      tell: (role, now, why) => tell({ type: 'process', host, machine: machineId, role, now, why }),
      log: (who, text) => tell({ type: 'log', who: `${machineId}/${who}`, says: text }),
    };
  }

  #newInit(isGuardAlone: boolean): Init {
    const { level, draws, world } = this.#options;
    return new Init({
      level,
      kernel: this.#kernel,
      hardware: this.#hardware,
      random: draws.power,
      killMs: () => Math.min(world.bounds.killMs, this.#guard?.state()?.timing?.killMs ?? Infinity),
      startGuard: () => this.#startGuard(),
      endGuard: (why) => this.#guard?.end(null, why),
      killServices: () => void this.table.kill(() => true),
      endEverything: (why) => {
        this.#guard?.end(null, why);
        for (const agent of [...this.#agents]) agent.end(why);
        this.table.endAll(why);
      },
      reset: (why) => this.#options.reset(why),
      isGuardAlone,
    });
  }

  #startGuard(): void {
    const { world, level, identity, machineId } = this.#options;
    const { tell, mutation } = world.stage;
    const isBounded = level !== 'none' && mutation !== 'guard-in-agent';
    this.#guard = startGuardLife(this.#parts, {
      level,
      watchdog: (guard) => (isBounded ? this.#init.watchdog.port(guard) : NO_WATCHDOG),
      agents: this.#agents,
      onBelief: (belief) => tell({ type: 'belief', host: identity.host, machine: machineId, belief }),
      onEnd: (status, how) => this.#init.guardEnded(status, how),
      onBug: (error) => this.#bug('guard', error),
    });
  }

  /** What a step throws ends a real process, too. */
  #crashed(role: 'guard' | 'agent', process: SimProcess, error: unknown): void {
    this.#bug(role, error);
    const how = `crashed: ${messageOf(error)}`;
    if (this.#guard?.process === process) this.#guard.end(1, how);
    else for (const agent of [...this.#agents]) if (agent.process === process) agent.end(how);
  }

  #bug(role: 'guard' | 'agent', error: unknown): void {
    const says = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#options.world.stage.tell({ type: 'bug', who: `${this.#options.machineId}/${role}`, says });
  }
}
