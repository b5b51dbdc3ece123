/**
 * Situations of several faults that belong together, which faults drawn one by one meet too rarely: at each of them one of the
 * margins of SAFETY.md is all that keeps the promise, and a system that is built wrong there shows it.
 */
import { revocationWaitMs } from '../../core/config/timing.ts';
import type { Millis } from '../../core/time/time.ts';
import type { Noise, ScheduledFault, ScheduledFaultKind } from '../contract/faults.ts';
import type { HostScene } from '../contract/scene.ts';
import type { Random } from '../kernel/random.ts';
import type { FaultDraw } from './draw-faults.ts';

export interface DrawnPlot {
  readonly faults: readonly ScheduledFault[];
  /** At least this much of each. */
  readonly noise: Noise;
}

type Plot = (random: Random, draw: FaultDraw, at: Millis) => DrawnPlot | null;

/** Part of all runs with faults that have one. */
const PLOTTED = 0.7;
/** From a reboot until about when its registration is sent. */
const BOOT_MS = { least: 700, most: 2_200 } as const;
/** About how long a slow look takes. */
const SLOW_LOOK_MS = 2_000;
const NO_PLOT: DrawnPlot = { faults: [], noise: {} };

export function drawPlot(random: Random, draw: FaultDraw): DrawnPlot {
  if (!random.chance(PLOTTED)) return NO_PLOT;
  const plot = random.weighted(PLOTS);
  const at = random.between(5 * draw.timing.intervalMs, draw.faultsForMs / 2);
  const { faults, noise } = plot(random, draw, at) ?? NO_PLOT;
  return { faults: faults.filter((fault) => fault.at < draw.faultsForMs), noise };
}

export function withNoise(noise: Noise, atLeast: Noise): Noise {
  const kinds = Object.entries(atLeast) as readonly (readonly [keyof Noise, number])[];
  return { ...noise, ...Object.fromEntries(kinds.map(([kind, part]) => [kind, Math.max(noise[kind] ?? 0, part)])) };
}

function fault(kind: ScheduledFaultKind, subject: string, at: Millis, forMs: Millis = 0): ScheduledFault {
  return { kind, subject, at: Math.round(at), forMs: Math.max(0, Math.floor(forMs)) };
}

function oneOf(random: Random, hosts: readonly HostScene[], isMeant: (host: HostScene) => boolean): string | null {
  const meant = hosts.filter(isMeant);
  return meant.length === 0 ? null : random.pick(meant).name;
}

const isInstance = ({ instanceId }: HostScene): boolean => instanceId !== null;

/** Machines that EC2 shows as stopping for long, with their power on (S7: `stopping` shows nothing). */
const slowStops: Plot = (random, { hosts, timing, faultsForMs }, at) => {
  const { intervalMs, takerWaitMs, watchdogMs } = timing;
  const faults: ScheduledFault[] = [fault('stop_stuck', '', at, faultsForMs)];
  const apartMs = 2 * takerWaitMs;
  for (let next = at + intervalMs; next < faultsForMs && faults.length < 12; next += apartMs * random.between(0.5, 1)) {
    const host = oneOf(random, hosts, isInstance);
    if (host === null) return null;
    const forMs = takerWaitMs * random.between(1.5, 2.5);
    // Cut off, it is fenced. By hand, its guard is asked to end everything first; one that stands still lets it wait.
    if (random.chance(0.4)) faults.push(fault('cut', host, next, forMs));
    else {
      const stoppedMs = random.between(0, watchdogMs / 4);
      faults.push(fault('guard_stopped', host, next - stoppedMs, forMs), fault('stopped_by_hand', host, next, forMs));
    }
  }
  return { faults, noise: {} };
};

/** Machines that run again before their events arrive (S7: an event is no read). */
const hastyStarts: Plot = (random, { hosts, timing, faultsForMs }, at) => {
  const host = oneOf(random, hosts, isInstance);
  if (host === null) return null;
  const faults: ScheduledFault[] = [];
  const apartMs = Math.max(25_000, 2 * timing.takerWaitMs) * random.between(0.5, 1);
  for (let next = at; next < faultsForMs && faults.length < 5; next += apartMs * random.between(0.7, 1.3))
    faults.push(fault('stopped_by_hand', host, next, timing.intervalMs * random.between(0.2, 1)));
  return { faults, noise: { event_late: 0.5, event_repeated: 0.2 } };
};

/** What cannot be killed, under guards that stand still again and again while their leases run out (S4, S5). */
const unkillable: Plot = (random, { hosts, timing, faultsForMs }, at) => {
  const bounded = hosts.filter(({ guardLevel }) => guardLevel === 'watchdog');
  const { holderLeaseMs, watchdogMs, intervalMs } = timing;
  const forMs = holderLeaseMs + 4 * watchdogMs;
  const faults: ScheduledFault[] = [];
  for (let next = at; next < faultsForMs && faults.length < 16; next += forMs + random.between(8, 16) * intervalMs) {
    for (const { name } of bounded.filter(() => random.chance(0.6)))
      faults.push(
        fault('slow_host', name, next, forMs),
        fault('cut', name, next + random.between(0, watchdogMs), forMs),
      );
  }
  return { faults, noise: {} };
};

/** Registrations that are still on their way when their machine has another session already (S1). */
const lateRegistrations: Plot = (random, { hosts, timing, faultsForMs }, at) => {
  // Where writes live no longer than a machine takes to boot there are none.
  if (timing.writeLifeMs < BOOT_MS.least) return changedLeases(random, { hosts, timing, faultsForMs }, at);
  const faults: ScheduledFault[] = [];
  const apartMs = random.between(6, 12) * timing.intervalMs;
  for (let next = at; next < faultsForMs && faults.length < 36; next += apartMs) {
    const { name } = random.pick(hosts);
    for (let times = 0; times < 3; times += 1) {
      faults.push(fault('reboot', name, next));
      next += random.between(BOOT_MS.least, BOOT_MS.most);
    }
  }
  return { faults, noise: { late_commit: 0.5 } };
};

/** Leases change right before a host falls silent that has registered the one before (S19). */
const changedLeases: Plot = (random, { hosts, timing, faultsForMs }, at) => {
  const waitMs = revocationWaitMs(timing);
  const faults: ScheduledFault[] = [];
  for (let next = at; next < faultsForMs && faults.length < 16; next += waitMs * random.between(3, 4)) {
    const cutAt = next + timing.intervalMs * random.between(0, 4);
    faults.push(fault('timing_changed', '', next), fault('cut', random.pick(hosts).name, cutAt, 2.5 * waitMs));
  }
  return { faults, noise: {} };
};

/**
 * Hosts that fall silent while answers take long: a version may be taken while the look that shows it is on its way (S7).
 * Where looks are so frequent that slow ones count as a gap, each of them starts anew (S13), and nothing would be seen.
 */
const slowLooks: Plot = (random, draw, at) => {
  const { hosts, timing, faultsForMs } = draw;
  const { intervalMs, behindAfter } = timing;
  if (intervalMs < SLOW_LOOK_MS) return unkillable(random, draw, at);
  const faults: ScheduledFault[] = [];
  const lookMs = intervalMs * (behindAfter + 6);
  for (let next = at; next < faultsForMs && faults.length < 24; next += lookMs + intervalMs * random.between(6, 10)) {
    const cutAt = next + intervalMs * random.between(0.4, 1);
    faults.push(fault('store_slow', '', next, 1.5 * intervalMs), fault('cut', random.pick(hosts).name, cutAt, lookMs));
  }
  return { faults, noise: {} };
};

const PLOTS: readonly (readonly [Plot, number])[] = [
  [slowStops, 10],
  [hastyStarts, 10],
  [unkillable, 28],
  [lateRegistrations, 16],
  [changedLeases, 18],
  [slowLooks, 20],
];
