/** One life of the agent: a child process of the guard, with an IPC channel. */
import { spawn } from 'node:child_process';
import { MARKS } from '../../adapters/node/marks.ts';
import type { AgentMessage } from '../../core/protocol/guard-link.ts';
import type { AgentChild } from './agent-process.ts';

export function spawnAgent(options: { readonly entry: string; readonly configFile: string }): AgentChild {
  const args = [...process.execArgv, options.entry, '--config', options.configFile];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [MARKS.role]: 'agent' },
  });
  child.on('error', () => undefined); // Of a send to a dead agent; its exit is what counts.
  return {
    send(message) {
      if (child.connected) child.send(message, () => undefined);
    },
    onMessage: (listener) => void child.on('message', (raw) => listener(raw as AgentMessage)),
    onExit(listener) {
      child.once('exit', (code, signal) => listener(code === null ? String(signal) : `exit ${code}`));
      // A process that could not be made, for want of processes or files, has no exit.
      child.on('error', ({ message }) => {
        if (child.pid === undefined) listener(`not started: ${message}`);
      });
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
