/** Of each scheduled fault what it is about, how long it lasts and what else it needs, within the assumed bounds (SAFETY.md). */
import type { Timing } from '../../core/config/model.ts';
import { revocationWaitMs } from '../../core/config/timing.ts';
import type { Millis } from '../../core/time/time.ts';
import type { ScheduledFaultKind } from '../contract/faults.ts';
import type { Random } from '../kernel/random.ts';

export interface KindDraw {
  readonly of: 'host' | 'instance' | 'zone' | 'all';
  /** Absent: it has no length. */
  readonly forMs?: (random: Random, timing: Timing) => Millis;
  readonly amount?: (random: Random, timing: Timing) => number;
  /** Part of the usual chance to be enabled in a run. */
  readonly rare?: number;
}

/** What an owner that is hit at the change of owner meets. */
export const OWNER_HITS = ['cut', 'crash', 'frozen_seen'] as const;

const HOUR_MS = 3_600_000;

/** Short, near the moments at which something begins (the clean stop, the takeover), or long. */
const anyLength = (random: Random, timing: Timing): Millis => {
  const { intervalMs, holderLeaseMs, cleanStopMs, watchdogMs } = timing;
  const around = (ms: Millis): Millis => ms + random.between(-2, 2) * intervalMs;
  return random.weighted([
    [random.between(0.2, 3) * intervalMs, 30],
    [around(holderLeaseMs - cleanStopMs - 2 * watchdogMs), 18],
    [around(holderLeaseMs), 12],
    [around(revocationWaitMs(timing)), 20],
    [random.between(1.2, 3) * timing.takerWaitMs, 20],
  ]);
};

/** Until somebody or something brings it back: soon, in the middle of the takeover, or late. */
const outage = (random: Random, timing: Timing): Millis =>
  random.weighted([
    [random.between(0.5, 4) * timing.intervalMs, 30],
    [revocationWaitMs(timing) * random.between(0.5, 1.5), 40],
    [timing.takerWaitMs * random.between(1.5, 4), 30],
  ]);

/** Of everybody at once: long ones too, but not as a rule. */
const common = (random: Random, timing: Timing): Millis =>
  random.weighted([
    [random.between(0.5, 4) * timing.intervalMs, 55],
    [timing.takerWaitMs * random.between(0.5, 1.5), 30],
    [timing.takerWaitMs * random.between(1.5, 3), 15],
  ]);

/** F at most, and often that. */
const freeze = (random: Random, { freezeMs }: Timing): Millis =>
  random.chance(0.5) ? freezeMs : freezeMs * random.between(0.2, 1);

/** How long a trouble of services or of a disk lasts. */
const trouble = (random: Random, { intervalMs }: Timing): Millis => intervalMs * random.between(2, 40);

const pick = (random: Random): number => random.int(0, 7);

export const KINDS: Readonly<Record<ScheduledFaultKind, KindDraw>> = {
  cut: { of: 'host', forMs: anyLength },
  cut_answers: { of: 'host', forMs: anyLength },
  cut_requests: { of: 'host', forMs: anyLength },
  zone_cut: { of: 'zone', forMs: anyLength, rare: 0.6 },
  control_cut: { of: 'all', forMs: common, rare: 0.7 },
  store_down: { of: 'all', forMs: common, rare: 0.7 },
  store_slow: { of: 'all', forMs: common, rare: 0.7 },
  table_gone: { of: 'all', forMs: common, rare: 0.4 },
  item_gone: { of: 'host', rare: 0.6 },
  registry_restored: { of: 'all', amount: (random, { intervalMs }) => intervalMs * random.between(5, 60), rare: 0.08 },
  agent_stopped: { of: 'host', forMs: anyLength },
  guard_stopped: { of: 'host', forMs: anyLength },
  both_stopped: { of: 'host', forMs: anyLength },
  agent_killed: { of: 'host' },
  guard_killed: { of: 'host' },
  frozen_unseen: { of: 'host', forMs: freeze },
  frozen_seen: { of: 'host', forMs: freeze },
  wall_step: { of: 'host', amount: (random) => random.int(-HOUR_MS, HOUR_MS) },
  control_wall_step: { of: 'all', amount: (random, { wallGapMs }) => (wallGapMs / 2) * random.pick([0.5, 1, 1]) },
  crash: { of: 'host', forMs: outage },
  crash_at_step: { of: 'host', forMs: outage, amount: (random) => random.int(1, 40) },
  reboot: { of: 'host' },
  disk_full: { of: 'host', forMs: trouble },
  state_lost: { of: 'host' },
  stop_stuck: { of: 'all', forMs: outage },
  stopped_by_hand: { of: 'instance', forMs: outage },
  replaced: { of: 'instance', rare: 0.5 },
  zone_lost: { of: 'zone', forMs: outage, rare: 0.5 },
  slow_host: { of: 'host', forMs: trouble },
  stop_hangs: { of: 'host', forMs: trouble },
  lies: { of: 'host', forMs: trouble },
  service_dies: { of: 'host', amount: pick },
  start_fails: { of: 'host', forMs: trouble },
  clone: { of: 'host', forMs: outage, rare: 0.4 },
  run_stopped: { of: 'all', amount: pick, rare: 0.7 },
  run_redriven: { of: 'all', amount: pick, rare: 0.7 },
  definition_changed: { of: 'all' },
  timing_changed: { of: 'all', rare: 0.7 },
  owner_hit_at_change: {
    of: 'all',
    forMs: outage,
    amount: (random) => random.int(0, OWNER_HITS.length - 1),
  },
};
