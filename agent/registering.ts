/** Registers a session, as often as it takes (S1). The lease counts from the sending of the write that stands. */
import { messageOf } from '../core/failures/failures.ts';
import { unreachable } from '../core/failures/invariant.ts';
import { registrationMove } from '../core/lease/registration.ts';
import type { BootClock, OwnHeartbeat } from '../core/ports.ts';
import type { Beat, Heartbeat, Registration } from '../core/protocol/records.ts';
import { type Instant, instant } from '../core/time/time.ts';

const RETRY_MS = 100;

export interface Registered {
  readonly heartbeat: Heartbeat;
  readonly sentAt: Instant;
  readonly answeredAt: Instant;
}

export async function registerSession(options: {
  readonly own: OwnHeartbeat;
  readonly clock: BootClock;
  readonly registration: Registration;
  readonly handover: readonly string[];
  readonly beat: () => Beat;
  readonly ttl: () => number;
  readonly isCurrent: () => boolean;
  readonly log: (level: 'info' | 'warn', text: string) => void;
}): Promise<Registered | null> {
  const { own, clock, registration } = options;
  const { session, machine, bootId } = registration;
  let firstSentAt: Instant | null = null;
  let flagged = '';
  const flag = (text: string): void => {
    if (text !== flagged) options.log('warn', `not registered: ${text}`);
    flagged = text;
  };

  while (options.isCurrent()) {
    try {
      const found = await own.read();
      const move = registrationMove(found, { session, machine, bootId, handover: options.handover });
      switch (move.do) {
        case 'register': {
          const sentAt = clock.now();
          firstSentAt ??= sentAt;
          const answer = await own.register(registration, move.expected, options.beat(), options.ttl());
          // An earlier attempt of ours may be the one that stands: count from the first (S2).
          if (answer.outcome === 'registered') {
            return { heartbeat: answer.heartbeat, sentAt: firstSentAt, answeredAt: clock.now() };
          }
          continue;
        }
        case 'stands':
          // Sent by an agent that died before the answer: when is not known, so the first beat must bring the lease.
          if (found !== undefined) return { heartbeat: found, sentAt: firstSentAt ?? instant(0), answeredAt: clock.now() };
          break;
        case 'wait':
          flag(move.why);
          break;
        default:
          unreachable(move);
      }
    } catch (error) {
      flag(messageOf(error));
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  return null;
}
