/**
 * What we believe of a host, as one table of (from, event, to, action).
 *
 * A pair without a row is ignored: events come late, twice and out of order, and then change nothing (S17). The
 * status is what operators read and what placement filters on; it is never evidence. Ownership changes by the
 * conditions of S7 alone, whatever stands here.
 */
import type { HostStatus } from '../protocol/records.ts';

export const HOST_STATUSES = [
  'Connecting',
  'Up',
  'Behind',
  'Investigating',
  'Disconnected',
  'Down',
  'Fencing',
  'Fenced',
  'Alert',
  'Removed',
] as const satisfies readonly HostStatus[];

/** Each event with what the caller must have seen before it says so. */
export const HOST_EVENTS = {
  registered: 'a new session stands in the heartbeat item (if a person must admit the host first: say `admitted` then)',
  beat: 'an answer of the store showed a live session that moved on',
  behind: 'the observer saw the same session and sequence for too long',
  run_opened: 'an HA run claimed the host',
  renewed: 'the session in question renewed: the verdict, a refused revocation, or a beat of a host that no run has',
  disconnected: 'the verdict: alive by a hold in force, cut off from AWS',
  certain_death: 'evidence that needs no waiting: power-off, closed, successor',
  fence_ordered: 'a fence of the policy, or an operator, was ordered against the host',
  fence_confirmed: 'the power of the fenced host was read as off, as S7 asks',
  revoked: 'the session in question was revoked by the conditional write',
  session_over: 'the session on record is no longer in the item: closed, replaced, or found revoked',
  admitted: 'a person, or the configuration, lets the host back in',
  removed: 'the definition no longer has the host',
  alert: 'a person is needed: held too long, unconfirmed fence, contradiction',
} as const;

export type HostEvent = keyof typeof HOST_EVENTS;

/** What the caller does next; each is idempotent. */
export const HOST_ACTIONS = {
  none: 'nothing',
  open_run: 'start the HA run of this session and sequence; its name makes a second one a duplicate',
  close_run: 'let the run of the host end as Alive',
  hold: 'look again until the alert wait is over',
  fence: 'carry out the fence, after reading again that it is still called for',
  recover_slots: 'give slots of the session with evidence to other hosts',
  reconcile: 'let reconcile look at the host: standbys, leftovers, slots of an older session',
  page: 'call a person',
  tidy: 'clear claims and assignments of the host',
} as const;

export type HostAction = keyof typeof HOST_ACTIONS;

export interface HostStatusRow {
  readonly from: HostStatus;
  readonly event: HostEvent;
  readonly to: HostStatus;
  readonly action: HostAction;
}

type To = readonly [HostStatus, HostAction];

/** Rows by event, since a reader asks "what does this event do"; statuses that an event does not name ignore it. */
const BY_EVENT: Readonly<Record<HostEvent, Partial<Record<HostStatus, To>>>> = {
  registered: {
    Connecting: ['Up', 'reconcile'],
    // A quick reboot: nothing was missed, but slots of the older session need their evidence (successor).
    Up: ['Up', 'reconcile'],
    Behind: ['Up', 'reconcile'],
    Investigating: ['Up', 'reconcile'],
    Disconnected: ['Up', 'reconcile'],
    Down: ['Up', 'reconcile'],
    // A fence on its way may still hit the new session, so Fencing ignores this; `session_over` ends it.
    Fenced: ['Connecting', 'reconcile'],
    Alert: ['Connecting', 'reconcile'],
  },
  beat: {
    Connecting: ['Up', 'reconcile'],
    Behind: ['Up', 'none'],
    // While a run has the host, the run's own strongly consistent read decides (`renewed`), not a scan.
    Disconnected: ['Up', 'close_run'],
    Down: ['Up', 'reconcile'],
    Alert: ['Up', 'reconcile'],
  },
  behind: {
    Connecting: ['Behind', 'open_run'],
    Up: ['Behind', 'open_run'],
    // Said at every sweep: a start that failed is made good by the next.
    Behind: ['Behind', 'open_run'],
  },
  run_opened: {
    Connecting: ['Investigating', 'none'],
    Up: ['Investigating', 'none'],
    Behind: ['Investigating', 'none'],
    Disconnected: ['Investigating', 'none'],
    Alert: ['Investigating', 'none'],
  },
  renewed: {
    Behind: ['Up', 'close_run'],
    Investigating: ['Up', 'close_run'],
    Disconnected: ['Up', 'close_run'],
    Fencing: ['Up', 'close_run'],
    Alert: ['Up', 'close_run'],
    // A session that was shown to be over cannot renew: something lied, and a person must look.
    Down: ['Alert', 'page'],
    Fenced: ['Alert', 'page'],
  },
  disconnected: {
    Investigating: ['Disconnected', 'hold'],
    Disconnected: ['Disconnected', 'hold'],
  },
  certain_death: {
    Connecting: ['Down', 'recover_slots'],
    Up: ['Down', 'recover_slots'],
    Behind: ['Down', 'recover_slots'],
    Investigating: ['Down', 'recover_slots'],
    Disconnected: ['Down', 'recover_slots'],
    // The first evidence wins, whatever the fence would have brought.
    Fencing: ['Fenced', 'recover_slots'],
    Alert: ['Down', 'recover_slots'],
  },
  fence_ordered: {
    Connecting: ['Fencing', 'fence'],
    Up: ['Fencing', 'fence'],
    Behind: ['Fencing', 'fence'],
    Investigating: ['Fencing', 'fence'],
    Disconnected: ['Fencing', 'fence'],
    Down: ['Fencing', 'fence'],
    Alert: ['Fencing', 'fence'],
  },
  fence_confirmed: {
    Fencing: ['Fenced', 'recover_slots'],
    Down: ['Fenced', 'none'],
    Alert: ['Fenced', 'recover_slots'],
  },
  revoked: {
    // Not from Up or Connecting: there it could only be a late message about an older session.
    Behind: ['Fenced', 'recover_slots'],
    Investigating: ['Fenced', 'recover_slots'],
    Disconnected: ['Fenced', 'recover_slots'],
    Fencing: ['Fenced', 'recover_slots'],
    Down: ['Fenced', 'none'],
    Alert: ['Fenced', 'recover_slots'],
  },
  session_over: {
    Up: ['Down', 'recover_slots'],
    Behind: ['Down', 'recover_slots'],
    Investigating: ['Down', 'recover_slots'],
    Disconnected: ['Down', 'recover_slots'],
    Fencing: ['Down', 'recover_slots'],
    Alert: ['Down', 'recover_slots'],
  },
  admitted: {
    Fenced: ['Connecting', 'reconcile'],
    Alert: ['Connecting', 'reconcile'],
    Removed: ['Connecting', 'reconcile'],
  },
  removed: {
    Connecting: ['Removed', 'tidy'],
    Up: ['Removed', 'tidy'],
    Behind: ['Removed', 'tidy'],
    Investigating: ['Removed', 'tidy'],
    Disconnected: ['Removed', 'tidy'],
    Down: ['Removed', 'tidy'],
    Fencing: ['Removed', 'tidy'],
    Fenced: ['Removed', 'tidy'],
    Alert: ['Removed', 'tidy'],
  },
  alert: {
    Connecting: ['Alert', 'page'],
    Up: ['Alert', 'page'],
    Behind: ['Alert', 'page'],
    Investigating: ['Alert', 'page'],
    Disconnected: ['Alert', 'page'],
    Down: ['Alert', 'page'],
    Fencing: ['Alert', 'page'],
    Fenced: ['Alert', 'page'],
  },
};

/** In the order of the table. */
export const HOST_EVENT_NAMES: readonly HostEvent[] = [
  'registered',
  'beat',
  'behind',
  'run_opened',
  'renewed',
  'disconnected',
  'certain_death',
  'fence_ordered',
  'fence_confirmed',
  'revoked',
  'session_over',
  'admitted',
  'removed',
  'alert',
];

/** The rows that change or do something, by event and then by status. */
export const HOST_STATUS_ROWS: readonly HostStatusRow[] = HOST_EVENT_NAMES.flatMap((event) =>
  HOST_STATUSES.flatMap((from) => {
    const to = BY_EVENT[event][from];
    return to === undefined ? [] : [{ from, event, to: to[0], action: to[1] }];
  }),
);

/** Total: an ignored pair stays where it is and asks for nothing. */
export function hostStatusStep(from: HostStatus, event: HostEvent): HostStatusRow {
  const to = BY_EVENT[event][from];
  return to === undefined ? { from, event, to: from, action: 'none' } : { from, event, to: to[0], action: to[1] };
}
