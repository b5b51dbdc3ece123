/**
 * `holdfast-agent run`: the guard of an installed host, for the machine's init. It is the main process of the unit, so
 * that its end is the end of everything in the unit (systemd kills the control group).
 *
 * Without a watchdog device it also stands in for one, as a local instance's init does: it starts the guard as a child,
 * counts its feeds, and ends everything if they stay away (S4, S5). With a device, or with nothing, the guard takes its
 * place: the machine's own watchdog needs nobody between.
 */
import type { HostConfig } from './host-config.ts';
import { bootClock } from './boot-clock.ts';
import { startGuard } from './guard-life.ts';
import { mark, MARKS } from './marks.ts';
import { endMarked, signalAll } from './processes.ts';

/** What the guard leaves is ended by its marks first: an init that kills no control group would leave it. Within b. */
const END_MS = 300;

export interface GuardUnit {
  readonly config: HostConfig;
  readonly configFile: string;
  readonly log: (text: string) => void;
}

/** Exit status of the guard, when it and everything of this machine is over. */
export async function runGuard(unit: GuardUnit): Promise<number> {
  const { config } = unit;
  const args = [...process.execArgv, config.guardEntry, '--config', unit.configFile];
  const environment = {
    ...process.env,
    [MARKS.instance]: config.instanceMark,
    [MARKS.role]: 'guard',
    [MARKS.host]: config.host,
  };
  return config.watchdog.kind === 'init' ? keepGuard(unit, args, environment) : becomeGuard(args, environment);
}

function becomeGuard(args: readonly string[], environment: NodeJS.ProcessEnv): never {
  if (process.execve === undefined) throw new Error(`Node ${process.version} has no execve: use 24 or later`);
  process.removeAllListeners('warning'); // It says of itself that it is experimental.
  return process.execve(process.execPath, [process.execPath, ...args], environment);
}

async function keepGuard(unit: GuardUnit, args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const { config, log } = unit;
  const command = [process.execPath, ...args];
  const guard = startGuard({ command, environment, logFd: process.stderr.fd, clock: bootClock() });
  let isDraining = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      isDraining = true;
      if (guard.pid !== undefined) signalAll([guard.pid], 'SIGTERM');
    });
  }
  const why = await guard.over;
  const status = guard.status();
  if (isDraining && status === 0) return 0;
  const sessionIds = guard.pid === undefined ? [] : [guard.pid];
  const outcome = await endMarked(mark('instance', config.instanceMark), { sessionIds, limitMs: END_MS });
  log(`${why}; what it left: ${outcome}`);
  return status === null || status === 0 ? 1 : status;
}
