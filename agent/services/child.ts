/** A child in a session of its own: it outlives the agent, and its whole group can be signalled. */
import { spawn } from 'node:child_process';
import { isDead, processStat } from '../../adapters/node/proc.ts';
import { messageOf } from '../../core/failures/failures.ts';
import type { ServiceLogs } from './service-log.ts';
import type { Unit } from './unit.ts';

export interface Child {
  readonly pid: number;
  readonly startTicks: number | undefined;
  /** The exit code; null if a signal ended it. */
  readonly exited: Promise<number | null>;
}

export interface ChildOptions {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logs: ServiceLogs;
}

/** A string says why nothing was started. */
export async function startChild(unit: Unit, options: ChildOptions): Promise<Child | string> {
  const [file, ...args] = options.argv;
  if (file === undefined) return 'no command is configured';
  try {
    // The file is only lent while the child is spawned, which the call below does before it returns.
    const child = options.logs.lend(unit, (fd) =>
      spawn(file, args, { cwd: '/', env: options.env, detached: true, stdio: ['ignore', fd, fd] }),
    );
    const exited = new Promise<number | null>((resolve) => {
      child.once('exit', (code) => resolve(code));
    });
    const { pid } = child;
    if (pid === undefined)
      return await new Promise((resolve) => child.once('error', (error) => resolve(error.message)));
    child.on('error', () => undefined); // A signal that could not be sent; the exit tells.
    child.unref();
    return { pid, startTicks: processStat(pid)?.startTicks, exited };
  } catch (error) {
    return messageOf(error);
  }
}

/** The process of that pid and start time lives; a zombie does not. */
export function isAlive(pid: number, startTicks: number | undefined): boolean {
  const stat = processStat(pid);
  return stat !== undefined && stat.startTicks === startTicks && !isDead(stat);
}
