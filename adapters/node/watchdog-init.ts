/**
 * Watchdog kept by the init of a local instance, over Node's IPC channel.
 *
 * A feed carries the moment it was given on the machine's boot clock, so that time spent in a queue counts as unfed.
 */
import * as z from 'zod';
import { HaError } from '../../core/failures/failures.ts';
import type { BootClock, Watchdog } from '../../core/ports.ts';

const ARM_ANSWER_MS = 5_000;

/** What a guard says to init. Times in milliseconds, `feed` on the boot clock. */
export const WatchdogOrder = z.union([
  z.strictObject({ arm: z.number().positive() }),
  z.strictObject({ feed: z.number() }),
  z.strictObject({ disarm: z.literal(true) }),
]);
export type WatchdogOrder = z.infer<typeof WatchdogOrder>;

const Armed = z.object({ armed: z.number() });

/** The part of `process` in a child with an IPC channel that is used here. */
export interface InitChannel {
  readonly connected?: boolean | undefined;
  send?(message: WatchdogOrder, done: (error: Error | null) => void): unknown;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  off(event: 'message', listener: (message: unknown) => void): unknown;
}

export function initWatchdog(channel: InitChannel, clock: BootClock): Watchdog {
  return {
    async arm(timeoutMs) {
      const armedMs = await askToArm(channel, timeoutMs);
      if (armedMs === timeoutMs) return;
      throw new HaError(
        'config_invalid',
        `init armed ${String(armedMs)} ms where ${String(timeoutMs)} ms were asked (V5)`,
      );
    },
    feed() {
      tell(channel, { feed: clock.now() });
    },
    disarm() {
      tell(channel, { disarm: true });
    },
  };
}

/** Without a channel nothing is said: init then counts the guard as unfed and ends it, which is what has to happen. */
function tell(channel: InitChannel, order: WatchdogOrder): void {
  if (channel.connected === true) channel.send?.(order, () => undefined);
}

function askToArm(channel: InitChannel, timeoutMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const end = (outcome: () => void): void => {
      clearTimeout(timer);
      channel.off('message', onMessage);
      outcome();
    };
    const onMessage = (message: unknown): void => {
      const answer = Armed.safeParse(message);
      if (answer.success) end(() => resolve(answer.data.armed));
    };
    const timer = setTimeout(() => {
      const text = `init did not answer to "arm" within ${String(ARM_ANSWER_MS)} ms; is this process a child of init?`;
      end(() => reject(new HaError('timed_out', text)));
    }, ARM_ANSWER_MS);
    channel.on('message', onMessage);
    tell(channel, { arm: timeoutMs });
  });
}
