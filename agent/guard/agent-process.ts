/**
 * The agent as the guard's child: started, spoken to, started again when it ends. Its successor starts only when nothing
 * of it is left: a child that it was about to turn into a service could come up after the successor released the slot.
 */
import type { BootClock, Timers } from '../../core/ports.ts';
import type { AgentMessage, GuardMessage } from '../../core/protocol/guard-link.ts';
import { elapsed } from '../../core/time/time.ts';

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

/** One life of the agent. */
export interface AgentChild {
  /** Lost without a word once it has ended. */
  send(message: GuardMessage): void;
  onMessage(listener: (message: AgentMessage) => void): void;
  /** Told once how it ended, in words. */
  onExit(listener: (how: string) => void): void;
  /** SIGKILL: ends it even if it is stopped. */
  kill(): void;
}

export interface AgentProcess {
  send(message: GuardMessage): void;
  /** The agent and whatever it is about to become a parent of are gone when this resolves. */
  end(): Promise<boolean>;
  /** It is not started again. */
  close(): void;
}

export function superviseAgent(options: {
  readonly spawnAgent: () => AgentChild;
  readonly clock: BootClock;
  readonly timers: Timers;
  readonly onMessage: (message: AgentMessage) => void;
  readonly onExit: (how: string) => void;
  readonly endAgent: () => Promise<boolean>;
}): AgentProcess {
  const { clock, timers } = options;
  let child: AgentChild | null = null;
  let backoffMs = BACKOFF_MIN_MS;
  let isClosed = false;
  let cancelRetry: (() => void) | undefined;

  const start = (): void => {
    const startedAt = clock.now();
    const started = options.spawnAgent();
    child = started;
    let hasRenewed = false;
    started.onMessage((message) => {
      hasRenewed ||= message.type === 'renewed';
      if (child === started) options.onMessage(message);
    });
    started.onExit((how) => {
      if (child !== started) return;
      child = null;
      options.onExit(how);
      backoffMs = nextBackoffMs(backoffMs, { livedMs: elapsed(startedAt, clock.now()), hasRenewed });
      retry();
    });
  };

  const retry = (): void => {
    cancelRetry = timers.after(backoffMs, () => void restart());
  };
  const restart = async (): Promise<void> => {
    const isGone = await options.endAgent();
    if (isClosed) return;
    if (isGone) start();
    else retry();
  };
  start();

  return {
    send: (message) => child?.send(message),
    end() {
      child?.kill();
      return options.endAgent();
    },
    close() {
      isClosed = true;
      cancelRetry?.();
    },
  };
}
