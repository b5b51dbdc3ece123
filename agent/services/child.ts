/** A child in a session of its own: it outlives the agent, and its whole group can be signalled. */
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { processStat } from '../../adapters/node/proc.ts';
import { messageOf } from '../../core/failures/failures.ts';
import type { ServiceLogs } from './service-log.ts';
import type { Unit } from './unit.ts';

export interface Child {
  readonly pid: number;
  readonly startTicks: number | undefined;
  /** The exit code; null if a signal ended it. With `isLed` that of the service: its leader lives on. */
  readonly exited: Promise<number | null>;
}

export interface ChildOptions {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logs: ServiceLogs;
  /** A leader (`leader.ts`), which tells the exit code on descriptor 3. */
  readonly isLed?: boolean;
}

/** A string says why nothing was started. */
export async function startChild(unit: Unit, options: ChildOptions): Promise<Child | string> {
  const [file, ...args] = options.argv;
  if (file === undefined) return 'no command is configured';
  try {
    // The file is only lent while the child is spawned, which the call below does before it returns.
    const child = options.logs.lend(unit, (fd) =>
      spawn(file, args, {
        cwd: '/',
        env: options.env,
        detached: true,
        stdio: ['ignore', fd, fd, ...(options.isLed === true ? ['pipe' as const] : [])],
      }),
    );
    const exited = options.isLed === true ? toldExit(child) : ownExit(child);
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

function ownExit(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code));
  });
}

/** Null if the leader was ended before it could tell. */
function toldExit(child: ChildProcess): Promise<number | null> {
  const pipe = child.stdio[3];
  if (!(pipe instanceof Socket)) return ownExit(child);
  let text = '';
  pipe.setEncoding('utf8').on('data', (part: string) => (text += part));
  pipe.on('error', () => undefined); // Its end comes, too.
  pipe.unref();
  return new Promise((resolve) => {
    pipe.once('close', () => resolve(/^\d+\n$/.test(text) ? Number(text) : null));
  });
}
