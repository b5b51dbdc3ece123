import { beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryClock } from '../../../adapters/memory/memory-clock.ts';
import { MemoryWatchdog } from '../../../adapters/memory/memory-watchdog.ts';

describe('memory watchdog', () => {
  let clock: MemoryClock;
  let firedAt: number[];
  const watchdog = (readsBackMs?: number) =>
    new MemoryWatchdog({
      clock,
      onFire: () => firedAt.push(clock.boot.now()),
      ...(readsBackMs !== undefined && { readsBackMs }),
    });
  beforeEach(() => {
    clock = new MemoryClock();
    firedAt = [];
  });

  test('fires once, its time-out after the last feeding', async () => {
    const dog = watchdog();
    await dog.arm(400);
    await clock.advance(300);
    dog.feed();
    await clock.advance(399);
    expect(firedAt).toEqual([]);
    await clock.advance(1);
    expect(firedAt).toEqual([700]);
    expect(dog.hasFired).toBe(true);
    dog.feed();
    await clock.advance(5_000);
    expect(firedAt).toEqual([700]);
    expect(dog.fedAt).toEqual([300]);
  });

  test('fires when it was armed and never fed', async () => {
    await watchdog().arm(400);
    await clock.advance(1_000);
    expect(firedAt).toEqual([400]);
  });

  test('fed in time, or disarmed, or never armed, it does not fire', async () => {
    const fed = watchdog();
    await fed.arm(400);
    for (let round = 0; round < 10; round++) {
      await clock.advance(399);
      fed.feed();
    }
    fed.disarm();
    watchdog().feed();
    await clock.advance(10_000);
    expect(firedAt).toEqual([]);
    expect(fed.isArmed).toBe(false);
  });

  test('V5: arming is refused when the real time-out reads back differently', async () => {
    const dog = watchdog(60_000);
    await expect(dog.arm(2_000)).rejects.toMatchObject({ code: 'config_invalid' });
    expect(dog.isArmed).toBe(false);
    await clock.advance(120_000);
    expect(firedAt).toEqual([]);
  });
});
