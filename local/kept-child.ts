/** A process that is started again whenever it ends, until it is told to stay away. It ends with the runtime: its standard input does. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openLogFile } from './fleet/log-file.ts';

const BACKOFF_MIN_MS = 200;
const BACKOFF_MAX_MS = 5_000;
const WELL_AFTER_MS = 10_000;
const ORDERLY_MS = 3_000;
const ROTATE_EVERY_MS = 5_000;

export interface KeptChildOptions {
  readonly name: string;
  /** Script and its arguments. */
  readonly args: readonly string[];
  readonly logFile: string;
  readonly log: (text: string) => void;
}

export interface KeptChild {
  start(): void;
  /** SIGKILL; it is started again. */
  kill(): void;
  /** SIGKILL; it stays away until `start`. */
  stop(): Promise<void>;
  /** SIGTERM, in the end SIGKILL; for good. */
  end(): Promise<void>;
}

export function keepChild(options: KeptChildOptions): KeptChild {
  const file = openLogFile(options.logFile);
  const rotation = setInterval(() => {
    file.rotate();
  }, ROTATE_EVERY_MS);
  let child: ChildProcess | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isWanted = false;
  let backoffMs = BACKOFF_MIN_MS;

  function launch(): void {
    if (!isWanted || child !== undefined) return;
    const startedAt = performance.now();
    const started = spawnChild(options.args, file.fd);
    child = started;
    started.on('error', (error) => {
      if (started.pid === undefined) over(started, `could not be started: ${error.message}`, startedAt);
    });
    started.once('exit', (code, signal) => {
      over(started, `ended (${signal ?? `exit status ${String(code)}`})`, startedAt);
    });
  }

  function over(ended: ChildProcess, how: string, startedAt: number): void {
    if (child !== ended) return;
    child = undefined;
    if (!isWanted) return;
    if (performance.now() - startedAt > WELL_AFTER_MS) backoffMs = BACKOFF_MIN_MS;
    options.log(`${options.name} ${how}, starting it again; see ${options.logFile}`);
    retry = setTimeout(launch, backoffMs);
    backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS);
  }

  async function away(signal: NodeJS.Signals): Promise<void> {
    isWanted = false;
    clearTimeout(retry);
    const ending = child;
    if (ending === undefined) return;
    const exit = once(ending, 'exit');
    ending.kill(signal);
    const deadline = setTimeout(() => ending.kill('SIGKILL'), ORDERLY_MS);
    await exit;
    clearTimeout(deadline);
  }

  return {
    start() {
      isWanted = true;
      backoffMs = BACKOFF_MIN_MS;
      launch();
    },
    kill() {
      child?.kill('SIGKILL');
    },
    stop: () => away('SIGKILL'),
    async end() {
      await away('SIGTERM');
      clearInterval(rotation);
      file.close();
    },
  };
}

function spawnChild(args: readonly string[], logFd: number): ChildProcess {
  const child = spawn(process.execPath, args, {
    detached: true, // Ctrl-C in a terminal is for the runtime alone, which ends its parts in order.
    stdio: ['pipe', logFd, logFd],
  });
  child.stdin?.on('error', () => undefined); // Nothing is ever written; its end is the message.
  return child;
}
