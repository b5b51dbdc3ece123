/** When a policy's levels order a power fence, and what stands in its way. Levels order actions; evidence is always a race. */
import type { FenceMethod, Timing } from '../config/model.ts';
import type { PowerReading } from '../ports.ts';
import type { FenceOrder, PowerFence } from '../protocol/power-records.ts';
import type { HostRecord } from '../protocol/records.ts';
import { type Millis, wallElapsed, type WallInstant } from '../time/time.ts';
import { isSameLife, type PoweredSession, whyNoPowerOff } from './power-off.ts';

export interface LeaseProspect {
  /** No slot can be recovered by the host's lease: `lease-over` cannot be had, or was had and is not accepted. */
  readonly isOfNoUse: boolean;
}

/** At once if the first level names it; after a level that only waits for the lease, once that is of no use. */
export function isPowerFenceDue(levels: readonly (readonly FenceMethod[])[], lease: LeaseProspect): boolean {
  const level = levels.findIndex((methods) => methods.includes('ec2'));
  return level === 0 || (level > 0 && lease.isOfNoUse);
}

/** An order stands for so long: what an operator wanted then is not wanted at some trouble of tomorrow. */
const ORDER_STANDS_MS: Millis = 15 * 60_000;

export function standingOrder(
  host: Pick<HostRecord, 'fenceOrder'>,
  session: string | null,
  now: WallInstant,
): FenceOrder | null {
  const { fenceOrder } = host;
  if (fenceOrder === undefined || fenceOrder.session !== session) return null;
  return Math.abs(wallElapsed(fenceOrder.atMs, now)) <= ORDER_STANDS_MS ? fenceOrder : null;
}

/** Between two reads of the power while a run waits: quick enough to catch `stopped`, slow enough for EC2's throttle. */
export function powerPollMs(timing: Pick<Timing, 'intervalMs'>): Millis {
  return Math.min(1_000, Math.max(200, timing.intervalMs * 0.8));
}

/** V7: a machine that is still stopping so long after the order is stopped by force. */
export function forceAfterMs(timing: Pick<Timing, 'intervalMs'>): Millis {
  return Math.min(30_000, Math.max(2_500, timing.intervalMs * 10));
}

export type FenceMove =
  | { readonly do: 'stop'; readonly force: boolean; readonly says: string }
  | { readonly do: 'wait'; readonly says: string };

/**
 * What to do to the machine, from a read made just now. Only the life in which the session was registered may be stopped:
 * somebody who has started the machine since has ended the session already (S17).
 */
export function fenceMove(
  reading: PowerReading,
  about: PoweredSession | undefined,
  fence: PowerFence | null,
  at: { readonly now: WallInstant; readonly forceAfterMs: Millis },
): FenceMove {
  const wait = (says: string): FenceMove => ({ do: 'wait', says });
  const { state } = reading;
  const why = whyNoPowerOff(about);
  if (about === undefined || why !== null) return wait(`no power fence: ${why ?? ''}`);
  if (state === 'unknown') return wait(`EC2 does not say in what state it is: ${reading.says}`);
  if (state === 'stopped' || state === 'terminated' || state === 'shutting-down') return wait(`EC2 says ${state}`);
  if (!isSameLife(reading, about))
    return wait(
      `no power fence: EC2 says ${state}, launched at ${reading.launchTime ?? 'an unknown moment'}, and the session was of the life launched at ${about.launchTime ?? ''}`,
    );
  if (reading.canHibernate !== false) return wait('no power fence: a stop of what may be hibernated shows nothing');
  if (fence === null)
    return {
      do: 'stop',
      force: false,
      says: `it is ${state}: EC2 is told to stop it at once, without waiting for a clean shutdown`,
    };
  const sinceMs = wallElapsed(fence.atMs, at.now);
  if (fence.forcedAtMs === null && sinceMs >= at.forceAfterMs)
    return {
      do: 'stop',
      force: true,
      says: `it is still ${state} ${sinceMs} ms after the order: EC2 is told to stop it by force`,
    };
  return wait(`EC2 says ${state}`);
}
