import { describe, expect, test } from '@jest/globals';
import type { PowerReading, PowerState } from '../../../core/ports.ts';
import {
  fenceMove,
  forceAfterMs,
  isPowerFenceDue,
  powerPollMs,
  standingOrder,
} from '../../../core/recovery/fencing.ts';
import { wallInstant } from '../../../core/time/time.ts';

describe('levels order actions', () => {
  test.each([
    ['[[lease]]: never', [['lease']], true, false],
    ['[[ec2], [lease]]: at once', [['ec2'], ['lease']], false, true],
    ['[[lease, ec2]]: both at once', [['lease', 'ec2']], false, true],
    ['[[lease], [ec2]]: not while the lease may do', [['lease'], ['ec2']], false, false],
    ['[[lease], [ec2]]: once the lease is of no use', [['lease'], ['ec2']], true, true],
  ] as const)('%s', (_, levels, isOfNoUse, isDue) => {
    expect(isPowerFenceDue(levels, { isOfNoUse })).toBe(isDue);
  });
});

test.each([
  [250, 200, 2_500],
  [1_000, 800, 10_000],
  [3_000, 1_000, 30_000],
  [5_000, 1_000, 30_000],
])('interval %d ms: a look every %d ms, force after %d ms', (intervalMs, pollMs, forceMs) => {
  expect(powerPollMs({ intervalMs })).toBe(pollMs);
  expect(forceAfterMs({ intervalMs })).toBe(forceMs);
});

describe('an operator’s order', () => {
  const fenceOrder = { session: 's', by: 'anna', atMs: wallInstant(1_000) };

  test.each([
    ['stands for its session', 's', 1_000, true],
    ['and for 15 minutes', 's', 901_000, true],
    ['not longer', 's', 901_001, false],
    ['not for another session', 's2', 1_000, false],
    ['not for none', null, 1_000, false],
  ])('%s', (_, session, now, stands) => {
    expect(standingOrder({ fenceOrder }, session, wallInstant(now))).toEqual(stands ? fenceOrder : null);
  });
});

describe('what is done to the machine', () => {
  const LAUNCHED = '2026-11-22T10:00:00.000Z';
  const about = { session: 's', principal: 'p', machine: 'i-1', launchTime: LAUNCHED };
  const reading = (changes: Partial<PowerReading> = {}): PowerReading => ({
    ...{ state: 'running', principal: 'p', launchTime: LAUNCHED, canHibernate: false },
    ...{ checks: 'ok', impairedSince: null, says: '' },
    ...changes,
  });
  const at = (now: number) => ({ now: wallInstant(now), forceAfterMs: 2_500 });
  const fence = { session: 's', run: 'r', atMs: wallInstant(1_000), forcedAtMs: null };

  test.each(['running', 'pending', 'stopping'] as const)('%s: stopped, once', (state) => {
    expect(fenceMove(reading({ state }), about, null, at(0))).toMatchObject({ do: 'stop', force: false });
    expect(fenceMove(reading({ state }), about, fence, at(3_499))).toMatchObject({ do: 'wait' });
  });

  test('still stopping after a while: by force, once (V7)', () => {
    const stopping = reading({ state: 'stopping' });
    expect(fenceMove(stopping, about, fence, at(3_500))).toMatchObject({ do: 'stop', force: true });
    const forced = { ...fence, forcedAtMs: wallInstant(3_500) };
    expect(fenceMove(stopping, about, forced, at(99_000))).toMatchObject({ do: 'wait' });
  });

  const LEFT_ALONE: readonly (readonly [string, Partial<PowerReading>])[] = [
    ...(['stopped', 'terminated', 'shutting-down', 'unknown'] satisfies PowerState[]).map(
      (state) => [state, { state }] as const,
    ),
    ['a new life that somebody else began (S17)', { launchTime: '2026-11-22T11:00:00.000Z' }],
    ['another machine', { principal: 'p2' }],
    ['a machine that may hibernate', { canHibernate: true }],
    ['a machine of which that is not known', { canHibernate: null }],
  ];

  test.each(LEFT_ALONE)('%s: left alone', (_, changes) => {
    expect(fenceMove(reading(changes), about, null, at(0))).toMatchObject({ do: 'wait' });
  });

  test('a session whose life is not known: left alone', () => {
    expect(fenceMove(reading(), undefined, null, at(0))).toMatchObject({ do: 'wait' });
    expect(fenceMove(reading(), { ...about, launchTime: undefined }, null, at(0))).toMatchObject({ do: 'wait' });
  });
});
