/**
 * Ways to build the system wrong, one at a time, each of which the checkers must see. They are switches in the wiring of the
 * simulated world; what is shipped has none of them. Those of SAFETY.md's list that concern holds are mutations of the checked
 * model (docs/internals/model.md), until there are holds.
 */
export const MUTATIONS = {
  'feed-at-1w': 'the watchdog is fed while deadline − now ≥ 1·w',
  'lease-from-ack': 'the lease counts from the answer to a renewal, not from its sending',
  'stamp-before-answer': 'an observation is stamped when the scan is sent, not when its answer has come',
  'sequence-by-agent': 'the agent counts the sequence of its session, and begins again when it is restarted',
  'register-by-machine': 'a registration is conditional on the machine only, not on the exact session that was read',
  'forget-m': 'the wait of a taker leaves out the life of writes already sent',
  'compare-wall-clocks': 'a host is judged by the wall clock that it wrote into its beat',
  'accept-stopping': 'a machine that is stopping counts as stopped',
  'event-as-evidence': 'an event of EC2 counts as a read, however late it comes',
  'renew-without-condition': 'a renewal writes its session whatever stands in the item',
  'go-on-after-refusal': 'an agent whose renewal was refused goes on as if it had been taken',
  'recreate-missing-item': 'a renewal that finds no item creates it',
  'start-in-released-epoch': 'a slot is started again in an epoch that was reported released',
  'todays-timing': 'a session is judged by the configuration of today, not by its own recorded timing',
  'start-before-evidence': 'a slot is given away before the old owner must have stopped',
  'guard-in-agent': 'the guard is a part of the agent, and stops with it',
} as const;

export type Mutation = keyof typeof MUTATIONS;
