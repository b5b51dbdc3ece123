import type { GuardSelf } from '../protocol/guard-check.ts';
import { type Instant, isReached } from '../time/time.ts';
import { covered, type GuardState } from './guard-state.ts';
import { slotKey } from './ledger.ts';

/** The guard's own word about its session, its deadline and what it has not proven stopped. A refused session is over (S3). */
export function guardSelf(state: GuardState, now: Instant): GuardSelf {
  const isHeld = state.isRegistered && !state.isOver;
  return {
    session: isHeld ? state.session : null,
    stands: isHeld && state.deadline !== null && !isReached(state.deadline, now),
    running: covered(state).map(slotKey),
  };
}
