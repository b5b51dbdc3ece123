/** The agent's channel to the guard that started it: Node's IPC. */
import type { AgentMessage, GuardMessage } from '../core/protocol/guard-link.ts';
import type { GuardChannel } from './guard-link.ts';

/** The part of `process` in a child with an IPC channel that is used here. */
export interface IpcChild {
  readonly connected?: boolean | undefined;
  send?(message: AgentMessage, handle: undefined, options: undefined, done: () => void): unknown;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

export function guardOver(child: IpcChild): GuardChannel {
  return {
    send(message) {
      if (child.connected === true) child.send?.(message, undefined, undefined, () => undefined);
    },
    onMessage: (listener) => void child.on('message', (raw) => listener(raw as GuardMessage)),
    onDisconnect: (listener) => void child.on('disconnect', listener),
  };
}
