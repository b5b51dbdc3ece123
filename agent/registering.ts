/** Registers a session, as often as it takes (S1). The lease counts from the sending of the write that stands. */
import { messageOf } from '../core/failures/failures.ts';
import { unreachable } from '../core/failures/invariant.ts';
import { registrationMove } from '../core/lease/registration.ts';
import type { BootClock, OwnHeartbeat, Timers } from '../core/ports.ts';
import type { Beat, Heartbeat, Registration } from '../core/protocol/records.ts';
import type { Instant } from '../core/time/time.ts';
import { sleep } from './timers.ts';

const RETRY_MS = 100;

export interface RegisteringOptions {
  readonly own: OwnHeartbeat;
  readonly clock: BootClock;
  readonly timers: Timers;
  readonly registration: Registration;
  readonly handover: readonly string[];
  readonly beat: () => Beat;
  readonly ttl: () => number;
  readonly isCurrent: () => boolean;
  readonly log: (level: 'info' | 'warn', text: string) => void;
}

export type Registering =
  | {
      readonly outcome: 'registered';
      readonly heartbeat: Heartbeat;
      readonly sentAt: Instant;
      readonly answeredAt: Instant;
    }
  /** It may have stood and been replaced: a session is registered once, so that no version of it repeats (S2). */
  | { readonly outcome: 'spent'; readonly found: string }
  /** The guard named another session meanwhile. */
  | { readonly outcome: 'dropped' };

export async function registerSession(options: RegisteringOptions): Promise<Registering> {
  const { own, clock, registration } = options;
  const { session, machine, bootId } = registration;
  let first: { readonly askedAt: Instant; readonly expected: string | null } | null = null;
  let flagged = '';
  const flag = (text: string): void => {
    if (text !== flagged) options.log('warn', `not registered: ${text}`);
    flagged = text;
  };

  while (options.isCurrent()) {
    try {
      const askedAt = clock.now();
      const found = await own.read();
      const move = registrationMove(found, { session, machine, bootId, handover: options.handover });
      switch (move.do) {
        case 'register': {
          // Our write stands nowhere, and what it was to replace is gone: replaced by it, perhaps, and then it by this.
          if (first !== null && first.expected !== move.expected) {
            return { outcome: 'spent', found: move.expected ?? 'none' };
          }
          // Counted from before the look that showed the item without this session: the write can only be later (S2).
          first ??= { askedAt, expected: move.expected };
          const beat = { ...options.beat(), sentAtBootMs: askedAt };
          const answer = await own.register(registration, move.expected, beat, options.ttl());
          if (answer.outcome === 'refused') continue;
          return { outcome: 'registered', heartbeat: answer.heartbeat, sentAt: first.askedAt, answeredAt: clock.now() };
        }
        case 'stands':
          // The answer to our own write was lost.
          if (found === undefined || first === null) return { outcome: 'spent', found: session };
          return { outcome: 'registered', heartbeat: found, sentAt: first.askedAt, answeredAt: clock.now() };
        case 'wait':
          flag(move.why);
          break;
        default:
          unreachable(move);
      }
    } catch (error) {
      flag(messageOf(error));
    }
    await sleep(options.timers, RETRY_MS);
  }
  return { outcome: 'dropped' };
}
