/**
 * The beat: one renewal at a time, each with its own t_send, none repeated (S2). Nothing here waits for services,
 * drivers or the registry, so that their slowness never delays a beat (D5).
 */
import { failureCode, messageOf } from '../core/failures/failures.ts';
import { unreachable } from '../core/failures/invariant.ts';
import type { BootClock, OwnHeartbeat } from '../core/ports.ts';
import type { Timing } from '../core/config/model.ts';
import type { Beat, Heartbeat } from '../core/protocol/records.ts';
import { elapsed, type Instant } from '../core/time/time.ts';

export interface BeatPorts {
  readonly clock: BootClock;
  readonly own: OwnHeartbeat;
  readonly random: () => number;
  readonly log: (level: 'info' | 'warn', text: string) => void;
  readonly beat: () => Beat;
  readonly guardSilentMs: () => number;
  readonly onRenewed: (heartbeat: Heartbeat, sentAt: Instant, answeredAt: Instant) => void;
  readonly onRefused: (found: string) => void;
}

/** Seconds after which TTL may tidy an item nobody writes any more; nothing depends on it (S18). */
export const TTL_SECONDS = 7 * 24 * 3600;

export interface BeatLoop {
  stop(): void;
}

/** Renews `session` every I ± J until it is refused or stopped. */
export function startBeating(session: string, timing: Timing, ports: BeatPorts): BeatLoop {
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let trouble: { readonly since: Instant; readonly text: string } | null = null;

  const flag = (text: string): void => {
    if (trouble?.text === text) return;
    trouble = { since: trouble?.since ?? ports.clock.now(), text };
    ports.log('warn', `no renewal: ${text}`);
  };
  const clear = (): void => {
    if (trouble === null) return;
    ports.log(
      'info',
      `renewing again after ${Math.round(elapsed(trouble.since, ports.clock.now()))} ms: ${trouble.text}`,
    );
    trouble = null;
  };

  const renew = async (sentAt: Instant): Promise<void> => {
    const answer = await ports.own.renew(session, ports.beat(), ttl(), timing.renewCapMs);
    if (isStopped) return;
    switch (answer.outcome) {
      case 'renewed':
        clear();
        return ports.onRenewed(answer.heartbeat, sentAt, ports.clock.now());
      case 'refused':
        isStopped = true;
        return ports.onRefused(answer.found.session);
      case 'missing':
        return flag('the heartbeat item or its table is missing');
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
    const gapMs = timing.intervalMs * (1 + timing.jitter * (2 * ports.random() - 1));
    const dueAt = (sentAt + gapMs) as Instant;
    timer = setTimeout(() => void tick(dueAt), Math.max(0, elapsed(ports.clock.now(), dueAt)));
  };

  void tick(ports.clock.now());
  return {
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

export function ttl(): number {
  return Math.floor(Date.now() / 1000) + TTL_SECONDS;
}
