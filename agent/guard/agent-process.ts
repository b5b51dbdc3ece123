/**
 * The agent as the guard's child: started, spoken to, started again when it ends. Its successor starts only when nothing
 * of it is left: a child that it was about to turn into a service could come up after the successor released the slot.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { MARKS } from '../../adapters/node/marks.ts';
import type { AgentMessage, GuardMessage } from '../../core/protocol/guard-link.ts';

const BACKOFF_MIN_MS = 20;
const BACKOFF_MAX_MS = 2_000;
/** An agent that lived this long starts the back-off anew, even if the store could not be reached meanwhile. */
const SETTLED_MS = 10_000;

/**
 * Pause before the next agent. One that renewed the lease is no crash at start: however often such agents die, the next
 * must be there before the lease runs out, so that nobody loses a slot for it.
 */
export function nextBackoffMs(
  backoffMs: number,
  life: { readonly livedMs: number; readonly hasRenewed: boolean },
): number {
  if (life.hasRenewed || life.livedMs > SETTLED_MS) return BACKOFF_MIN_MS;
  return Math.min(backoffMs * 2, BACKOFF_MAX_MS);
}

export interface AgentProcess {
  send(message: GuardMessage): void;
  /** The agent and whatever it is about to become a parent of are gone when this resolves. */
  end(): Promise<boolean>;
  close(): void;
}

export function startAgent(options: {
  readonly entry: string;
  readonly configFile: string;
  readonly now: () => number;
  readonly onMessage: (message: AgentMessage) => void;
  readonly onExit: (how: string) => void;
  readonly endAgent: () => Promise<boolean>;
}): AgentProcess {
  let child: ChildProcess | null = null;
  let backoffMs = BACKOFF_MIN_MS;
  let isClosed = false;
  let retry: NodeJS.Timeout | undefined;

  const start = (): void => {
    const startedAt = options.now();
    const started = spawn(process.execPath, [...process.execArgv, options.entry, '--config', options.configFile], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, [MARKS.role]: 'agent' },
    });
    child = started;
    let hasRenewed = false;
    started.on('message', (raw) => {
      const message = raw as AgentMessage;
      hasRenewed ||= message.type === 'renewed';
      if (child === started) options.onMessage(message);
    });
    started.on('error', () => undefined); // A send to a dead agent; its exit is what counts.
    started.once('exit', (code, signal) => {
      if (child !== started) return;
      child = null;
      options.onExit(code === null ? String(signal) : `exit ${code}`);
      backoffMs = nextBackoffMs(backoffMs, { livedMs: options.now() - startedAt, hasRenewed });
      retry = setTimeout(() => void restart(), backoffMs);
    });
  };

  const restart = async (): Promise<void> => {
    const isGone = await options.endAgent();
    if (isClosed) return;
    if (isGone) start();
    else retry = setTimeout(() => void restart(), backoffMs);
  };
  start();

  return {
    send(message) {
      if (child?.connected === true) child.send(message, () => undefined);
    },
    end() {
      child?.kill('SIGKILL');
      return options.endAgent();
    },
    close() {
      isClosed = true;
      clearTimeout(retry);
    },
  };
}
