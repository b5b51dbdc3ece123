/**
 * The beat: one renewal at a time, each with its own t_send, none repeated (S2). Nothing here waits for services,
 * drivers or the registry, so that their slowness never delays a beat (D5).
 */
import { failureCode, messageOf } from '../core/failures/failures.ts';
import { unreachable } from '../core/failures/invariant.ts';
import type { BootClock, OwnHeartbeat, Timers, WallClock } from '../core/ports.ts';
import type { Timing } from '../core/config/model.ts';
import type { Beat, Heartbeat } from '../core/protocol/records.ts';
import { hurriedBeat } from '../core/lease/pace.ts';
import { elapsed, type Instant } from '../core/time/time.ts';

export interface BeatPorts {
  readonly clock: BootClock;
  readonly wall: WallClock;
  readonly timers: Timers;
  readonly own: OwnHeartbeat;
  readonly random: () => number;
  readonly log: (level: 'info' | 'warn', text: string) => void;
  readonly beat: () => Beat;
  readonly guardSilentMs: () => number;
  readonly onRenewed: (heartbeat: Heartbeat, sentAt: Instant, answeredAt: Instant) => void;
  /** The session is over: the store holds `found` instead. */
  readonly onRefused: (found: string) => void;
}

/** Seconds after which TTL may tidy an item nobody writes any more; nothing depends on it (S18). */
export const TTL_SECONDS = 7 * 24 * 3600;

/**
 * In L_c: a session whose item has been gone for so long ends itself, and the guard names a new one. Its lease has been over
 * for longer than anyone waits; whoever was to put a tombstone there (S3) has had its time, or knows nothing of this session.
 */
const GONE_AFTER = 2;

export interface BeatLoop {
  stop(): void;
}

/** Renews `session` every I ± J, faster for a while after each new `hurry`, until it is refused or stopped. */
export function startBeating(session: string, timing: Timing, ports: BeatPorts): BeatLoop {
  let isStopped = false;
  let cancelNext: (() => void) | undefined;
  const hurry = hurrying(timing);
  const { flag, clear } = troubles(ports);
  /** The first renewal since the last that stood which found no item. */
  let goneSince: Instant | null = null;

  const renew = async (sentAt: Instant): Promise<void> => {
    const beat = { ...ports.beat(), sentAtBootMs: sentAt };
    const answer = await ports.own.renew(session, beat, ttl(ports.wall), timing.renewCapMs);
    if (isStopped) return;
    switch (answer.outcome) {
      case 'renewed':
        clear();
        goneSince = null;
        hurry.saw(answer.heartbeat.hurry, ports.clock.now());
        return ports.onRenewed(answer.heartbeat, sentAt, ports.clock.now());
      case 'refused':
        isStopped = true;
        return ports.onRefused(answer.found.session);
      case 'overtaken':
        return flag('a renewal that was sent later stands already');
      case 'missing':
        flag('the heartbeat item is missing');
        goneSince ??= sentAt;
        if (elapsed(goneSince, sentAt) <= GONE_AFTER * timing.takerWaitMs) return;
        isStopped = true;
        return ports.onRefused('no item of this host');
      default:
        return unreachable(answer);
    }
  };

  const tick = async (dueAt: Instant): Promise<void> => {
    const sentAt = ports.clock.now();
    const lateMs = elapsed(dueAt, sentAt);
    if (lateMs > timing.intervalMs)
      ports.log('warn', `the beat is ${Math.round(lateMs)} ms late: this process was not running`);
    if (ports.guardSilentMs() > timing.watchdogMs)
      flag(`the guard has been silent for more than ${timing.watchdogMs} ms`);
    else {
      await renew(sentAt).catch((error: unknown) => {
        flag(failureCode(error) ?? messageOf(error));
      });
    }
    if (!isStopped) schedule(sentAt);
  };

  const schedule = (sentAt: Instant): void => {
    const gapMs = hurry.intervalMs(sentAt) * (1 + timing.jitter * (2 * ports.random() - 1));
    const dueAt = (sentAt + gapMs) as Instant;
    cancelNext = ports.timers.after(Math.max(0, elapsed(ports.clock.now(), dueAt)), () => void tick(dueAt));
  };

  void tick(ports.clock.now());
  return {
    stop() {
      isStopped = true;
      cancelNext?.();
    },
  };
}

/** Says a trouble once, and when it is over. */
function troubles({ clock, log }: Pick<BeatPorts, 'clock' | 'log'>): {
  readonly flag: (text: string) => void;
  readonly clear: () => void;
} {
  let trouble: { readonly since: Instant; readonly text: string } | null = null;
  return {
    flag(text) {
      if (trouble?.text === text) return;
      trouble = { since: trouble?.since ?? clock.now(), text };
      log('warn', `no renewal: ${text}`);
    },
    clear() {
      if (trouble === null) return;
      log('info', `renewing again after ${Math.round(elapsed(trouble.since, clock.now()))} ms: ${trouble.text}`);
      trouble = null;
    },
  };
}

interface Hurrying {
  saw(mark: number | undefined, at: Instant): void;
  intervalMs(now: Instant): number;
}

/** The mark that the first answer shows may be an old one, which nobody waits for any more. */
function hurrying(timing: Timing): Hurrying {
  const hurried = hurriedBeat(timing);
  let seen: { readonly mark: number | undefined } | null = null;
  let since: Instant | null = null;
  return {
    saw(mark, at) {
      if (seen !== null && mark !== undefined && mark !== seen.mark) since = at;
      seen = { mark };
    },
    intervalMs: (now) =>
      since !== null && elapsed(since, now) < hurried.forMs ? hurried.intervalMs : timing.intervalMs,
  };
}

export function ttl(wall: WallClock): number {
  return Math.floor(wall.now() / 1000) + TTL_SECONDS;
}
