/**
 * The leader of a service: a shell of a few hundred kilobytes that never becomes anything else.
 *
 * Services overwrite their environment (postgres, redis) or drop it (`env -i`, su), and with it the marks by which they
 * are found. The leader keeps the marks and leads the kernel session, so that what is in the session is found by it. It
 * also outlives the service: what a dead main process leaves behind could not be told from strangers without it. It
 * then stops itself, and whoever finds nothing else of the service ends it.
 *
 * Signals to its process group reach the service as if there were no leader; its own traps are not inherited.
 */
import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { isDead, processStat } from '../../adapters/node/proc.ts';
import type { Life } from './runner.ts';

/** Name that the leader takes when its service is over; 15 characters at most. */
const ENDED = 'holdfast-ended';

/** `$0` of the leader, for `ps`. */
const LEADER = 'holdfast-service';

/**
 * `exec` in a subshell runs no built-in command, and a command in the foreground keeps the usual SIGINT. Descriptor 3
 * tells the agent of the end at once; no agent may be there any more to read it.
 */
const SCRIPT = `
trap : HUP INT QUIT PIPE ALRM TERM USR1 USR2 VTALRM PROF TSTP TTIN TTOU
(exec "$@" 3>&-)
code=$?
printf ${ENDED} >"/proc/$$/comm"
echo "$code" >&3
exec 3>&-
while :; do kill -STOP $$; done
`;

/** Descriptor 3 of this command gets the exit code (128 + n for signal n) when the service is over, and is closed. */
export function ledCommand(argv: readonly string[]): readonly string[] {
  return ['/bin/sh', '-c', SCRIPT, LEADER, ...argv];
}

/** Undefined: the shell will find and run it. Said before the start, because the shell could only say it by its exit. */
export function commandProblem(argv: readonly string[], path: string): string | undefined {
  const [file] = argv;
  if (file === undefined) return 'no command is configured';
  const places = file.includes('/')
    ? [resolve('/', file)]
    : path.split(':').map((folder) => resolve('/', folder, file));
  return places.some(isExecutable) ? undefined : `${file}: no such command (ENOENT, or not executable)`;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A leader whose service is over: not the service, whatever else is left of it. */
export function isEndedLeader(pid: number): boolean {
  const stat = processStat(pid);
  return stat !== undefined && stat.session === pid && stat.name === ENDED;
}

/** The service of that leader is still there, as far as one process can tell. */
export function isServing(pid: number, startTicks: number | undefined): boolean {
  const stat = processStat(pid);
  return stat !== undefined && stat.startTicks === startTicks && !isDead(stat) && stat.name !== ENDED;
}

export interface Sessions {
  /** The kernel session of that life's service, if it can be told from others. */
  of(life: Life | undefined): readonly number[];
  forget(life: Life | undefined): void;
}

/**
 * A session is the service's even after its leader was killed: its number is not given to another process as long as it
 * has a member. That holds only for leaders seen alive before: a number remembered from another boot proves nothing.
 */
export function createSessions(): Sessions {
  const seen = new Map<number, number | undefined>();
  return {
    of(life) {
      if (life?.pid === undefined) return [];
      const stat = processStat(life.pid);
      if (stat !== undefined && stat.startTicks !== life.startTicks) return [];
      if (stat !== undefined) seen.set(life.pid, life.startTicks);
      return seen.has(life.pid) && seen.get(life.pid) === life.startTicks ? [life.pid] : [];
    },
    forget(life) {
      if (life?.pid !== undefined) seen.delete(life.pid);
    },
  };
}
