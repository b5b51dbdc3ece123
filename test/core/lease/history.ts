/** Random histories of a host: what may happen to it, in any order, and how a model goes through it. */
import * as fc from 'fast-check';
import { HostModel, type Step } from './host-model.ts';

export interface Happening {
  readonly what: keyof typeof HAPPENINGS;
  /** 0 … 999; each happening takes from it what it needs. */
  readonly n: number;
}

const group = (n: number): string => (n % 4 === 0 ? 'b' : 'a');
const epoch = (n: number): number => 1 + (Math.floor(n / 4) % 3);

const HAPPENINGS = {
  advance: (host: HostModel, n: number) => host.advance(n),
  advanceLittle: (host: HostModel, n: number) => host.advance(n % 120),
  nearDeadline: (host: HostModel, n: number) => host.nearDeadline(400 + (n % 800)),
  /** A loop of the agent as it should be. */
  live: (host: HostModel, n: number) => {
    host.agent.renew(n % 150);
    host.advance(n % 150);
    host.agent.takeAnswer();
    for (let round = 0; round < 4; round += 1) host.agent.read();
    if (n % 3 !== 0) host.agent.spawn();
  },
  renewLate: (host: HostModel, n: number) => host.agent.renew(n),
  takeAnswer: (host: HostModel) => host.agent.takeAnswer(),
  read: (host: HostModel) => host.agent.read(),
  spawn: (host: HostModel) => host.agent.spawn(),
  askLeave: (host: HostModel, n: number) => host.agent.askLeave(group(n), epoch(n)),
  askAsUncovered: (host: HostModel, n: number) => host.agent.askLeave(group(n), epoch(n), { covered: false }),
  askOfOldSession: (host: HostModel, n: number) => host.agent.askLeave(group(n), epoch(n), { session: 's1' }),
  askRelease: (host: HostModel, n: number) => host.agent.askRelease(group(n), epoch(n)),
  finishStop: (host: HostModel, n: number) => host.agent.finishStop(n % 2 === 0),
  workOn: (host: HostModel, n: number) => {
    for (let round = 0; round <= n % 3; round += 1) host.workOn();
  },
  register: (host: HostModel, n: number) => {
    host.agent.read();
    host.agent.register(n % 150, n % 4 === 0);
  },
  freezeGuard: (host: HostModel, n: number) => host.freezeGuard(n),
  freezeAtFeed: (host: HostModel, n: number) => host.freezeAtFeed(1 + (n % 399)),
  freezeAgent: (host: HostModel) => host.agent.freeze(true),
  thawAgent: (host: HostModel) => host.agent.freeze(false),
  crashAgent: (host: HostModel) => host.crashAgent(),
  startAgent: (host: HostModel) => host.startAgent(),
  restartAgent: (host: HostModel) => {
    host.crashAgent();
    host.startAgent();
    host.agent.read();
  },
  askOnSlowDisk: (host: HostModel, n: number) => {
    host.hangDisk();
    host.agent.askLeave(group(n), epoch(n));
  },
  hangDisk: (host: HostModel) => host.hangDisk(),
  wakeDisk: (host: HostModel, n: number) => host.wakeDisk(n % 4 !== 0),
  revoke: (host: HostModel) => host.store.revoke(),
  stick: (host: HostModel, n: number) => host.processes.stick(`${group(n)}/0`),
  drain: (host: HostModel) => host.drain(),
} as const;

/** What keeps a host going happens more often than what ends it. */
const WEIGHTS: Record<keyof typeof HAPPENINGS, number> = {
  advance: 4,
  advanceLittle: 8,
  nearDeadline: 3,
  live: 10,
  renewLate: 2,
  takeAnswer: 3,
  read: 6,
  spawn: 5,
  askLeave: 6,
  askAsUncovered: 2,
  askOfOldSession: 1,
  askRelease: 3,
  finishStop: 4,
  workOn: 10,
  register: 3,
  freezeGuard: 1,
  freezeAtFeed: 3,
  freezeAgent: 2,
  thawAgent: 3,
  crashAgent: 2,
  startAgent: 5,
  restartAgent: 3,
  askOnSlowDisk: 2,
  hangDisk: 2,
  wakeDisk: 3,
  revoke: 2,
  stick: 2,
  drain: 0.2,
};

const weighted = Object.entries(WEIGHTS).map(([what, weight]) => ({
  weight: weight * 10,
  arbitrary: fc.constant(what as Happening['what']),
}));

export const histories: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.record({ what: fc.oneof(...weighted), n: fc.nat(999) }),
  { minLength: 10, maxLength: 90, size: 'max' },
);

/** Throws `Violation` as soon as a rule is broken. At the end time runs on until everything covered is over. */
export function live(history: readonly Happening[], step?: Step): HostModel {
  const host = HostModel.started(step);
  for (const { what, n } of history) {
    if (host.isOver) break;
    HAPPENINGS[what](host, n);
    host.advance(0);
  }
  for (let round = 0; round < 80 && !host.isOver; round += 1) {
    host.workOn();
    host.advance(100);
  }
  return host;
}
