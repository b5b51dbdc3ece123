import { describe, expect, test } from '@jest/globals';
import { MemoryClock } from '../../../adapters/memory/memory-clock.ts';

describe('memory clock', () => {
  test('both clocks move together, and only when told to', async () => {
    const clock = new MemoryClock({ bootMs: 100, wallMs: 5_000 });
    expect([clock.boot.now(), clock.wall.now()]).toEqual([100, 5_000]);
    await clock.advance(250);
    expect([clock.boot.now(), clock.wall.now()]).toEqual([350, 5_250]);
  });

  test('setting the wall clock moves neither the boot clock nor timers', async () => {
    const clock = new MemoryClock({ wallMs: 5_000 });
    let woke = false;
    clock.after(100, () => (woke = true));
    clock.setWall(3_600_000);
    expect([clock.boot.now(), clock.wall.now()]).toEqual([0, 3_600_000]);
    await clock.advance(99);
    expect(woke).toBe(false);
    await clock.advance(1);
    expect([woke, clock.wall.now()]).toEqual([true, 3_600_100]);
  });

  test('timers fire in order of time, then of asking, each at its own moment', async () => {
    const clock = new MemoryClock();
    const fired: string[] = [];
    const at = (ms: number, name: string) => clock.after(ms, () => fired.push(`${name}@${clock.boot.now()}`));
    at(30, 'c');
    at(10, 'a');
    at(30, 'd');
    at(20, 'b');
    at(31, 'late');
    await clock.advance(30);
    expect(fired).toEqual(['a@10', 'b@20', 'c@30', 'd@30']);
  });

  test('a sleeper that sleeps again within one advance wakes each time', async () => {
    const clock = new MemoryClock();
    const woken: number[] = [];
    const loop = (async () => {
      for (let round = 0; round < 4; round++) {
        await clock.sleeper.sleep(10);
        woken.push(clock.boot.now());
      }
    })();
    await clock.advance(35);
    expect(woken).toEqual([10, 20, 30]);
    await clock.advance(5);
    await loop;
    expect(woken).toEqual([10, 20, 30, 40]);
  });

  test('a timer that was taken back does not fire', async () => {
    const clock = new MemoryClock();
    let fired = false;
    const takeBack = clock.after(10, () => (fired = true));
    takeBack();
    await clock.advance(10);
    expect(fired).toBe(false);
  });

  test('time does not run backwards', async () => {
    await expect(new MemoryClock().advance(-1)).rejects.toThrow('invariant violated');
  });
});
