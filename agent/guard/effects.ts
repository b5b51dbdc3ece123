/** What the guard does to processes: ending slots, proving that nothing of them is left, cleaning up after them. */
import { spawn } from 'node:child_process';
import { mark } from '../../adapters/node/marks.ts';
import { endMarked, findAllMarked, signalAll } from '../../adapters/node/processes.ts';
import type { HostConfig } from '../../adapters/node/host-config.ts';
import type { LedgerEntry } from '../../core/lease/ledger.ts';
import type { CleanupCommand, SlotRef } from '../../core/protocol/guard-link.ts';

/** Longest that one kill may go on before its outcome is "left"; the next tick begins another. */
const KILL_LIMIT_MS = 2_000;

export interface Ending {
  terminate(entries: readonly LedgerEntry[]): void;
  /** SIGKILL, cleanup, and a last look. True only if nothing is left and every cleanup succeeded. */
  end(ref: Pick<SlotRef, 'group' | 'slot'>, cleanup: readonly CleanupCommand[]): Promise<boolean>;
  /** Ends the agent together with children that have not become services yet. */
  endAgent(): Promise<boolean>;
  /** Ends every service of this machine, whatever slot it belongs to (S1). */
  endServices(): Promise<boolean>;
}

export function createEnding(config: HostConfig, log: (level: 'warn', text: string) => void): Ending {
  const instance = mark('instance', config.instanceMark);
  const slotMarks = (ref: Pick<SlotRef, 'group' | 'slot'>): string[] => [
    instance,
    mark('slot', `${config.cluster}/${ref.group}/${ref.slot}`),
  ];
  const endAll = async (marks: readonly string[]): Promise<boolean> =>
    (await endMarked(marks, { limitMs: KILL_LIMIT_MS })) === 'ended';

  return {
    terminate(entries) {
      for (const pids of findAllMarked(entries.map(slotMarks))) signalAll(pids, 'SIGTERM');
    },
    async end(ref, cleanup) {
      if (!(await endAll(slotMarks(ref)))) return false;
      let isClean = true;
      // In reverse order of start, as a stop would do it.
      for (const command of cleanup.toReversed()) {
        const failure = await run(command);
        if (failure === null) continue;
        isClean = false;
        log('warn', `cleanup of ${command.service} failed: ${failure}`);
      }
      return isClean && (await endAll(slotMarks(ref)));
    },
    endAgent: () => endAll([instance, mark('role', 'agent')]),
    endServices: () => endAll([instance, mark('role', 'service')]),
  };
}

/** null: it succeeded. The whole process group dies with the time-out. */
function run(command: CleanupCommand): Promise<string | null> {
  return new Promise((resolve) => {
    const [file, ...args] = command.argv;
    if (file === undefined) {
      resolve(null);
      return;
    }
    const child = spawn(file, args, { env: { ...process.env, ...command.env }, stdio: 'ignore', detached: true });
    const timer = setTimeout(() => {
      if (child.pid !== undefined) signalAll([-child.pid], 'SIGKILL');
      resolve(`timed out after ${command.timeoutMs} ms`);
    }, command.timeoutMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve(error.message);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      resolve(code === 0 ? null : `exit ${code ?? signal ?? 'unknown'}`);
    });
  });
}
