/**
 * The service processes of one boot of a machine. One that runs lives until it is killed, asked to stop, dies by itself, or
 * the machine loses its power, whatever becomes of the agent that started it.
 */
import type { Timers } from '../../core/ports.ts';
import type { Millis } from '../../core/time/time.ts';
import type { ServiceLife } from '../contract/truth.ts';
import type { Random } from '../kernel/random.ts';
import type { Troubles } from './troubles.ts';

/** From the agent's spawn until the child is a service. */
const SPAWN_MS = [1, 25] as const;
const TERM_MS = [2, 120] as const;
const KILL_MS = [0.5, 15] as const;
/** Parts of all processes that meet each while the host has the trouble. */
const HANGS_AT_STOP = 0.7;
const STUCK = 0.3;

export interface NewService {
  readonly where: string;
  readonly service: string;
  readonly epoch: number;
  readonly session: string;
  readonly covered: boolean;
}

interface Running {
  readonly life: ServiceLife;
  /** It does not end when it is asked to. */
  isHanging: boolean;
  isTermed: boolean;
  isKilled: boolean;
  /** It waits for a device and cannot even be killed, until that answers or the machine is reset. */
  isStuck: boolean;
  readonly onDeath: Set<() => void>;
}

/** A child of the agent that is about to become a service. */
interface Starting {
  readonly what: NewService;
  readonly end: () => void;
}

export interface TableOptions {
  readonly host: string;
  readonly machine: string;
  /** Those of the machine's kernel. */
  readonly timers: Timers;
  readonly random: Random;
  readonly troubles: Troubles;
  /** Only a watchdog ends what cannot be killed: elsewhere b bounds every kill. */
  readonly mayStick: boolean;
  readonly onUp: (life: ServiceLife) => void;
  readonly onDown: (life: ServiceLife, why: string) => void;
  /** Numbers of processes, from 1 in each boot. */
  readonly nextPid: () => number;
}

export type Which = (life: Pick<ServiceLife, 'where' | 'service' | 'pid'>) => boolean;

export class ServiceTable {
  readonly #options: TableOptions;
  readonly #running = new Map<number, Running>();
  readonly #starting = new Set<Starting>();
  #lives: readonly ServiceLife[] | null = null;

  constructor(options: TableOptions) {
    this.#options = options;
    options.troubles.onEnd((trouble) => {
      if (trouble === 'stop_hangs' || trouble === 'slow_host') this.#release();
    });
  }

  lives(): readonly ServiceLife[] {
    this.#lives ??= [...this.#running.values()].map(({ life }) => life);
    return this.#lives;
  }

  isRunning(pid: number): boolean {
    return this.#running.has(pid);
  }

  /** Children of the agent that are no services yet; nobody can tell of which slot they will be. */
  get starting(): number {
    return this.#starting.size;
  }

  /** Its pid once it is a service; null: it was ended before. */
  start(what: NewService): Promise<number | null> {
    const { timers, random } = this.#options;
    return new Promise((resolve) => {
      const done = (pid: number | null): void => {
        this.#starting.delete(starting);
        resolve(pid);
      };
      const cancel = timers.after(random.between(...SPAWN_MS), () => done(this.#up(what)));
      const end = (): void => {
        cancel();
        done(null);
      };
      const starting: Starting = { what, end };
      this.#starting.add(starting);
    });
  }

  /** Ends children that are no services yet. */
  endStarting(which: (what: NewService) => boolean): void {
    for (const starting of [...this.#starting]) if (which(starting.what)) starting.end();
  }

  /** SIGTERM. */
  terminate(which: Which): void {
    const { random, troubles } = this.#options;
    for (const one of this.#those(which)) {
      if (one.isTermed && !one.isHanging) continue;
      this.#drawStuck(one);
      one.isTermed = true;
      one.isHanging = one.isStuck || (troubles.has('stop_hangs') && random.chance(HANGS_AT_STOP));
      if (!one.isHanging) this.#dieAfter(one, random.between(...TERM_MS), 'stopped');
    }
  }

  /** SIGKILL; how many are left at this moment. */
  kill(which: Which): number {
    const { random } = this.#options;
    const those = this.#those(which);
    for (const one of those) {
      if (one.isKilled) continue;
      this.#drawStuck(one);
      one.isKilled = true;
      if (!one.isStuck) this.#dieAfter(one, random.between(...KILL_MS), 'killed');
    }
    return those.length;
  }

  count(which: Which): number {
    return this.#those(which).length;
  }

  /** Ends by itself. */
  die(pid: number): void {
    const one = this.#running.get(pid);
    if (one !== undefined) this.#down(one, 'ended by itself');
  }

  /** Once it is gone. */
  onDeath(pid: number, told: () => void): () => void {
    const one = this.#running.get(pid);
    if (one === undefined) return this.#options.timers.after(0, told);
    one.onDeath.add(told);
    return () => void one.onDeath.delete(told);
  }

  /** At once: the machine has lost its power, was reset, or init ends what is left. */
  endAll(why: string): void {
    for (const starting of [...this.#starting]) starting.end();
    for (const one of [...this.#running.values()]) this.#down(one, why);
  }

  #up(what: NewService): number {
    const { host, machine } = this.#options;
    const life: ServiceLife = { pid: this.#options.nextPid(), host, machine, ...what };
    this.#running.set(life.pid, {
      life,
      isHanging: false,
      isTermed: false,
      isKilled: false,
      isStuck: false,
      onDeath: new Set(),
    });
    this.#lives = null;
    this.#options.onUp(life);
    return life.pid;
  }

  #down(one: Running, why: string): void {
    if (!this.#running.delete(one.life.pid)) return;
    this.#lives = null;
    this.#options.onDown(one.life, why);
    for (const told of one.onDeath) told();
  }

  #dieAfter(one: Running, ms: Millis, why: string): void {
    this.#options.timers.after(ms, () => this.#down(one, why));
  }

  /** Shown by the first signal. */
  #drawStuck(one: Running): void {
    const { mayStick, troubles, random } = this.#options;
    if (one.isTermed || one.isKilled || !mayStick) return;
    one.isStuck = (troubles.has('stop_hangs') || troubles.has('slow_host')) && random.chance(STUCK);
  }

  /** What the processes waited for answers: signals that they were sent reach them. */
  #release(): void {
    for (const one of [...this.#running.values()]) {
      const wasStuck = one.isStuck;
      one.isStuck = false;
      if (one.isKilled && wasStuck) this.#dieAfter(one, this.#options.random.between(...KILL_MS), 'killed');
      else if (one.isTermed && one.isHanging) this.#dieAfter(one, this.#options.random.between(...TERM_MS), 'stopped');
    }
  }

  #those(which: Which): readonly Running[] {
    return [...this.#running.values()].filter(({ life }) => which(life));
  }
}
