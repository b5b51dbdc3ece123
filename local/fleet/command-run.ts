/** Runs one command of an instance to its end, as the SSM agent does: bounded in time and output. */
import { spawn } from 'node:child_process';
import { HaError } from '../../core/failures/failures.ts';
import type { RunResult } from './ec2/machine-source.ts';

const OUTPUT_CHARS_MAX = 64 * 1024;

export function runCommand(
  command: readonly [string, ...string[]],
  options: { readonly env: NodeJS.ProcessEnv; readonly cwd: string; readonly timeoutMs: number },
): Promise<RunResult> {
  const { env, cwd, timeoutMs } = options;
  const [program, ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        output[name] = (output[name] + chunk).slice(0, OUTPUT_CHARS_MAX);
      });
    }
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new HaError('timed_out', `${args.join(' ')} ran for more than ${String(timeoutMs)} ms`));
    }, timeoutMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === null) reject(new HaError('conflict', `${args.join(' ')} was ended by ${String(signal)}`));
      else resolve({ status: code, ...output });
    });
  });
}
