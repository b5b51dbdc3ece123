import type { FenceTestRecord } from '../../../core/protocol/fence-test-records.ts';
import { wallInstant } from '../../../core/time/time.ts';

/** What the self-test leaves of a host that was enrolled well, an hour before the doctor's `now` (ten days after 1970). */
export function fenceTest(host: string, change: Partial<FenceTestRecord> = {}): FenceTestRecord {
  return {
    host,
    machine: `i-${host}`,
    atMs: wallInstant(10 * 86_400_000 - 3_600_000),
    stop: { outcome: 'allowed' },
    seen: {
      ...{ outcome: 'seen', state: 'running', type: 't4g.small', autoRecovery: 'disabled', canHibernate: false },
      ...{ isStopProtected: false, hasTag: true },
    },
    scaling: { member: 'no' },
    group: null,
    reach: 'online',
    isTold: false,
    ...change,
  };
}
