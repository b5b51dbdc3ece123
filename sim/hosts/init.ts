/**
 * Firmware, init and watchdog of one boot: what becomes of a machine whose guard has ended, or does not feed.
 *
 * Level `init`: it ends every process of the machine within b, and only then starts a fresh guard. Level `watchdog`: the
 * machine is reset within b of the time-out. Level `none`: nothing happens.
 */
import type { Millis } from '../../core/time/time.ts';
import type { GuardLevel } from '../../core/protocol/records.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import { upTo } from './bounds.ts';
import { WatchdogTwin } from './watchdog.ts';

const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 2_000;
/** A guard that lived this long was well: the next restart is quick again. */
const WELL_AFTER_MS = 10_000;
/** Exit status by which a guard asks for a reset of its host (S1). */
const EXIT_RESET = 75;

export interface InitOptions {
  readonly level: GuardLevel;
  readonly kernel: SimProcess;
  /** Goes on in a machine that stands still, as long as its clock does. */
  readonly hardware: SimProcess;
  readonly random: Random;
  /** b, as the session counts with it. */
  readonly killMs: () => Millis;
  readonly startGuard: () => void;
  readonly endGuard: (why: string) => void;
  readonly killServices: () => void;
  /** Whatever is left of processes. */
  readonly endEverything: (why: string) => void;
  readonly reset: (why: string) => void;
  /** The guard is a part of the agent: what is started with it is no concern of init's. */
  readonly isGuardAlone: boolean;
}

export class Init {
  readonly watchdog: WatchdogTwin;
  readonly #options: InitOptions;
  #backoffMs = BACKOFF_MIN_MS;
  #startedAtMs = 0;
  #isEnding = false;

  constructor(options: InitOptions) {
    this.#options = options;
    const keeper = options.level === 'watchdog' ? options.hardware : options.kernel;
    this.watchdog = new WatchdogTwin(keeper.clock.boot, keeper.timers, (why) => this.#unfed(why));
  }

  begin(): void {
    this.#startedAtMs = this.#options.kernel.clock.boot.now();
    this.#options.startGuard();
  }

  guardEnded(status: number | null, how: string): void {
    if (this.#isEnding) return;
    const { level, isGuardAlone } = this.#options;
    if (!isGuardAlone) return this.#beginAgain();
    if (level === 'init') return this.#endAll(`guard ended (${how})`);
    if (level === 'none') return;
    if (status === EXIT_RESET) return this.#reset('the guard asked for a reset');
    // One that dies without a word leaves its watchdog armed, and nobody feeds it.
    if (!this.watchdog.isArmed) this.#beginAgain();
  }

  #unfed(why: string): void {
    if (this.#options.level === 'init') this.#endAll(why);
    else this.#reset(why);
  }

  #reset(why: string): void {
    const { hardware, random, killMs, reset } = this.#options;
    this.#isEnding = true;
    hardware.timers.after(upTo(random, killMs()), () => reset(why));
  }

  #endAll(why: string): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.watchdog.forget();
    const { kernel, random, killMs, endGuard, killServices, endEverything } = this.#options;
    const allMs = upTo(random, killMs());
    kernel.timers.after(allMs * random.fraction(), () => endGuard(why));
    kernel.timers.after(allMs * random.fraction(), killServices);
    kernel.timers.after(allMs, () => {
      endEverything(why);
      this.#isEnding = false;
      this.#beginAgain();
    });
  }

  #beginAgain(): void {
    const { kernel } = this.#options;
    if (kernel.clock.boot.now() - this.#startedAtMs >= WELL_AFTER_MS) this.#backoffMs = BACKOFF_MIN_MS;
    kernel.timers.after(this.#backoffMs, () => this.begin());
    this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_MAX_MS);
  }
}
