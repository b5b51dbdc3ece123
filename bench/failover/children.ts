/** Processes of the harness. They end when this process ends, however it ends: their standard input does. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { HaError, messageOf } from '../../core/failures/failures.ts';

const START_LIMIT_MS = 90_000;
const POLL_MS = 200;
const END_LIMIT_MS = 15_000;

export function startChild(logFile: string, [script = '', ...args]: readonly string[]): ChildProcess {
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, [pathOf(script), ...args], { detached: true, stdio: ['pipe', log, log] });
  closeSync(log);
  child.stdin?.on('error', () => undefined);
  return child;
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** In order; in the end by SIGKILL. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), END_LIMIT_MS);
  await exit;
  clearTimeout(late);
}

export async function killChild(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** Asks until there is an answer, the limit passes, or the child that should give it has ended. */
export async function untilThere<T>(what: string, attempt: () => T | Promise<T>, child?: ChildProcess): Promise<T> {
  let last: unknown;
  for (let left = START_LIMIT_MS; left > 0; left -= POLL_MS) {
    if (child !== undefined && hasEnded(child)) break;
    try {
      return await attempt();
    } catch (error) {
      last = error;
    }
    await delay(POLL_MS);
  }
  throw new HaError('timed_out', `${what} did not come up: ${messageOf(last)}`);
}

/** Of a file of this repository, named from this folder. */
export function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
