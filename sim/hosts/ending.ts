/** What the guard does to the processes of a simulated machine: the promises of the real one, on the process table. */
import type { Ending } from '../../agent/guard/effects.ts';
import { after, isReached, type Millis } from '../../core/time/time.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import type { ServiceTable, Which } from './service-table.ts';

/** As the real one: longest that one kill may go on before its outcome is "left". */
const KILL_LIMIT_MS = 2_000;
const SWEEP_MS = [0.5, 8] as const;
const GAP_MAX_MS = 200;
const CLEANUP_MS = [5, 60] as const;
/** Two looks in a row must find nothing: one may miss what is just being forked. */
const EMPTY_SWEEPS = 2;

export interface EndingOptions {
  readonly guard: SimProcess;
  readonly table: ServiceTable;
  readonly random: Random;
  /** Kills every agent of this machine. */
  readonly killAgents: () => void;
  readonly agentsAlive: () => number;
}

export function simulatedEnding(options: EndingOptions): Ending {
  const { guard, table, random } = options;

  /** `kill` sends the signals and tells how many were there. */
  const endAll = async (kill: () => number): Promise<boolean> => {
    const limit = after(guard.clock.boot.now(), KILL_LIMIT_MS);
    let gapMs = random.between(...SWEEP_MS);
    let empty = 0;
    while (empty < EMPTY_SWEEPS) {
      await guard.sleeper.sleep(gapMs);
      const left = await guard.call(async () => kill());
      if (left > 0 && isReached(limit, guard.clock.boot.now())) return false;
      empty = left === 0 ? empty + 1 : 0;
      // What is stuck is not asked about a thousand times.
      gapMs = left === 0 ? random.between(...SWEEP_MS) : Math.min(gapMs * 1.5, GAP_MAX_MS);
    }
    return true;
  };
  // A child that is no service yet shows no marks: it counts as something, of any slot.
  const endServices = (which: Which): Promise<boolean> => endAll(() => table.kill(which) + table.starting);
  const cleanUp = (ms: Millis): Promise<void> => guard.call(() => guard.sleeper.sleep(ms));

  return {
    terminate(entries) {
      if (!guard.isAlive) return;
      const slots = entries.map(({ group, slot }) => `${group}/${slot}`);
      table.terminate(({ where }) => slots.includes(where));
    },
    async end({ group, slot }, cleanup) {
      const where = `${group}/${slot}`;
      const ofSlot: Which = (life) => life.where === where;
      if (!(await endServices(ofSlot))) return false;
      for (const command of cleanup) await cleanUp(Math.min(command.timeoutMs, random.between(...CLEANUP_MS)));
      return endServices(ofSlot);
    },
    endAgent: () =>
      endAll(() => {
        const left = options.agentsAlive() + table.starting;
        options.killAgents();
        table.endStarting(() => true);
        return left;
      }),
    endServices: () => endServices(() => true),
  };
}
