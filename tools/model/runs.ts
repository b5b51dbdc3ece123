/**
 * What is searched, and what each search must come to. A mutation is one rule broken by a define of the model;
 * it is looked for in the smallest configuration that shows it, since any counterexample is a counterexample.
 */
export interface Rules {
  readonly name: string;
  readonly model: string;
  readonly defines: readonly string[];
  /** What must happen at least once, word for word as the model prints it; otherwise the model is too tame. */
  readonly reaches: readonly string[];
}

export interface Mutation {
  readonly name: string;
  readonly model: string;
  readonly defines: readonly string[];
}

const TAKEOVER = [
  'takeover: a candidate runs in epoch 2',
  'takeover by certain evidence',
  'second takeover: somebody runs in epoch 3',
  'A is refused and stops',
  'a renewal lands after A gave it up',
] as const;

const HOLDS = [
  'A goes on by holds after it was revoked',
  'somebody else owns the slot while A runs on under holds',
  "a second owner starts while the first owner's list still binds",
  'second change of owner while the list binds',
  'the list is lifted by an owner that reports Active',
  'second change of owner after the list was lifted',
] as const;

const SESSION = [
  'a restart within the epoch',
  'a restart by successor',
  'a session comes back after its lease was over',
  'A is refused and stops',
  'A runs again after B',
  'another machine takes the name when it is free',
  'a registration lands after its guard is gone',
  'a late registration is refused',
  'takeover by released',
  'takeover by closed',
  'takeover by lease-over',
  'takeover by successor',
  'rollback to the session that released',
] as const;

const TOMBSTONE = 'a missing item is revoked by a tombstone';

export const RULES: readonly Rules[] = [
  { name: 'sessions', model: 'session.pml', defines: [], reaches: SESSION },
  { name: 'takeover, no holds', model: 'takeover.pml', defines: ['HOLDS=0'], reaches: [...TAKEOVER, TOMBSTONE] },
  { name: 'takeover, holds, two lists', model: 'takeover.pml', defines: ['WIPES=0'], reaches: [...TAKEOVER, ...HOLDS] },
  {
    name: 'takeover, holds, item vanishes',
    model: 'takeover.pml',
    defines: ['LISTS=1'],
    reaches: [...TAKEOVER, ...HOLDS, TOMBSTONE],
  },
  {
    name: 'takeover, clocks gain at any moment',
    model: 'takeover.pml',
    defines: ['WIPES=0', 'LISTS=1', 'LATE_GAIN'],
    reaches: [...TAKEOVER, ...HOLDS],
  },
];

/** By `--large`: minutes each, and more memory. */
export const LARGE: readonly Rules[] = [
  { name: 'takeover, holds, both', model: 'takeover.pml', defines: [], reaches: [...TAKEOVER, ...HOLDS, TOMBSTONE] },
  {
    name: 'takeover, three lists',
    model: 'takeover.pml',
    defines: ['WIPES=0', 'LISTS=3'],
    reaches: [...TAKEOVER, ...HOLDS],
  },
  {
    name: 'takeover, longer times',
    model: 'takeover.pml',
    defines: ['WIPES=0', 'LISTS=1', 'LEASE=3', 'WRITE=2', 'LOST=2'],
    reaches: [...TAKEOVER, ...HOLDS],
  },
  {
    name: 'sessions, longer times',
    model: 'session.pml',
    defines: ['LEASE=3', 'KILL=2', 'WRITE=2', 'LOST=2'],
    reaches: SESSION,
  },
];

const mutation = (model: string, name: string, ...defines: string[]): Mutation => ({ name, model, defines });
const stop = (name: string, ...defines: string[]) => mutation('takeover.pml', name, 'HOLDS=0', ...defines);
const hold = (name: string) => mutation('takeover.pml', name, 'WIPES=0', 'LISTS=1');
const list = (name: string) => mutation('takeover.pml', name, 'WIPES=0');

const session = (name: string): Mutation => mutation('session.pml', name);

export const MUTATIONS: readonly Mutation[] = [
  stop('FORGET_M', 'WIPES=0'),
  stop('COUNT_FROM_ACK', 'WIPES=0'),
  stop('STAMP_BEFORE_ANSWER', 'WIPES=0'),
  stop('REVOKE_WITHOUT_SEQUENCE', 'WIPES=0'),
  stop('RENEW_UNCONDITIONALLY', 'WIPES=0'),
  stop('TOMBSTONE_WITHOUT_WAIT'),
  stop('EVIDENCE_BEFORE_M', 'WIPES=0'),
  mutation('takeover.pml', 'RECREATE_MISSING_ITEM', 'LISTS=1', 'EPOCHS=2'),
  hold('HOLD_NOT_PERSISTED'),
  hold('HOLD_BY_MAJORITY'),
  hold('HOLD_TOO_SHORT'),
  hold('GRANT_FOR_ANOTHER_ASK'),
  list('ASK_NEWEST_LIST_ONLY'),
  list('ASK_CONFIRMED_LIST_ONLY'),
  list('ACKNOWLEDGED_NUMBER_GOES_BACK'),
  list('TAKER_FROM_CURRENT_LIST'),
  list('LIST_FORGOTTEN_AT_SECOND_CHANGE'),
  list('LIST_LIFTED_BEFORE_ACTIVE'),
  hold('NEW_DISK_STARTS_AT_ONCE'),
  hold('NEW_DISK_WAITS_ONLY_AFTER_LEASE_OVER'),
  mutation('takeover.pml', 'TOMBSTONE_BINDS_NOBODY'),
  session('REGISTRATION_NAMES_MACHINE_ONLY'),
  session('NAME_IS_IDENTITY'),
  session('REGISTER_BEFORE_CLEAN'),
  session('REGISTER_BEFORE_M'),
  session('COUNT_REGISTRATION_FROM_ACK'),
  session('START_AGAIN_IN_RELEASED_EPOCH'),
  session('REPORT_BEFORE_DISK'),
  session('REPORT_BEFORE_M'),
  session('RELEASED_OF_ANY_EPOCH'),
  session('LEASE_OVER_OF_ANY_SESSION'),
  session('START_WITHOUT_LEASE'),
  session('RESTART_WITHOUT_DEADLINE'),
  session('FORGET_B'),
];
