/** One life of the guard, as whoever keeps its watchdog (init) sees it: from its start until it exits or goes unfed for the armed time. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { WatchdogOrder } from './watchdog-init.ts';
import type { BootClock } from '../../core/ports.ts';
import { after, elapsed, instant, isReached } from '../../core/time/time.ts';
import type { Instant } from '../../core/time/time.ts';

export interface GuardLife {
  readonly pid: number | undefined;
  /** Why it ended, in plain words. An unfed guard may still be there (stopped by a signal): the caller ends it. */
  readonly over: Promise<string>;
  /** Exit status once it has exited; null before, and if a signal ended it. */
  status(): number | null;
}

export interface GuardStart {
  readonly command: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly logFd: number;
  readonly clock: BootClock;
}

export function startGuard(start: GuardStart): GuardLife {
  const [program = process.execPath, ...args] = start.command;
  const child = spawn(program, args, {
    env: start.environment,
    detached: true, // A session of its own, so that what it starts can be found by it.
    stdio: ['ignore', start.logFd, start.logFd, 'ipc'],
  });
  const over = new Promise<string>((resolve) => {
    const watchdog = keepWatchdog(child, start.clock, resolve);
    child.on('error', (error) => {
      resolve(`guard could not be started: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      watchdog.end();
      resolve(`guard ended (${signal ?? `exit status ${String(code)}`})`);
    });
    child.on('message', (message) => {
      watchdog.take(message);
    });
  });
  return { pid: child.pid, over, status: () => child.exitCode };
}

interface WatchdogState {
  readonly timeoutMs: number;
  readonly fedAt: Instant;
}

/** Counts from the moment a feed was GIVEN, so that a feed which lay in the channel does not buy time. */
function keepWatchdog(child: ChildProcess, clock: BootClock, fire: (why: string) => void) {
  let armed: WatchdogState | undefined;
  let timer: NodeJS.Timeout | undefined;

  function schedule(): void {
    clearTimeout(timer);
    if (armed === undefined) return;
    const left = elapsed(clock.now(), after(armed.fedAt, armed.timeoutMs));
    // Feeds that already lie in the channel are read between a timer and the immediate after it: they still count.
    timer = setTimeout(() => setImmediate(judge), Math.max(1, Math.ceil(left)));
  }

  function judge(): void {
    if (armed === undefined) return;
    if (isReached(after(armed.fedAt, armed.timeoutMs), clock.now())) {
      fire(`guard did not feed the watchdog for ${String(armed.timeoutMs)} ms`);
    } else schedule();
  }

  return {
    take(message: unknown): void {
      const parsed = WatchdogOrder.safeParse(message);
      if (!parsed.success) return; // Not for the watchdog; a guard that speaks nonsense goes unfed.
      const order = parsed.data;
      const now = clock.now();
      if ('arm' in order) {
        armed = { timeoutMs: order.arm, fedAt: now };
        child.send({ armed: order.arm }, () => undefined);
        schedule();
      } else if ('disarm' in order) {
        armed = undefined;
        schedule();
      } else if (armed !== undefined) {
        armed = { ...armed, fedAt: instant(Math.min(order.feed, now)) };
      }
    },
    end(): void {
      armed = undefined;
      clearTimeout(timer);
    },
  };
}
