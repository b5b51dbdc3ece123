import { describe, expect, test } from '@jest/globals';
import { LocalClock } from '../../../sim/kernel/local-clock.ts';
import { SimProcess } from '../../../sim/kernel/process.ts';
import { Random } from '../../../sim/kernel/random.ts';
import { Timeline } from '../../../sim/kernel/timeline.ts';

function world(options: { rate?: number } = {}) {
  const timeline = new Timeline();
  const clock = new LocalClock(timeline, { rate: options.rate ?? 1, bootMs: 500, wallOffsetMs: 0 });
  const crashes: unknown[] = [];
  const process = new SimProcess(timeline, clock, 'agent', (error) => void crashes.push(error));
  const said: string[] = [];
  const say = (what: string): void => void said.push(`${what} at ${timeline.now().toFixed(1)}`);
  return { timeline, clock, process, crashes, said, say };
}

describe('timeline', () => {
  test('fires in order of time, then of asking, and lets everything woken run before the next', async () => {
    const { timeline, said, say } = world();
    timeline.after(5, () => say('late'));
    timeline.after(2, () => {
      say('first');
      void Promise.resolve()
        .then(() => undefined)
        .then(() => say('woken'));
    });
    timeline.after(2, () => say('second'));
    const cancel = timeline.after(3, () => say('never'));
    cancel();
    await timeline.run(10);
    expect(said).toEqual(['first at 2.0', 'woken at 2.0', 'second at 2.0', 'late at 5.0']);
    expect(timeline.now()).toBe(10);
  });

  test('stops after the event under way', async () => {
    const { timeline, said, say } = world();
    timeline.after(1, () => timeline.stop());
    timeline.after(2, () => say('not yet'));
    await timeline.run(10);
    expect(said).toEqual([]);
    await timeline.run(10);
    expect(said).toEqual(['not yet at 2.0']);
  });
});

describe('a process', () => {
  test('counts on the clock of its machine', async () => {
    const { timeline, process, said, say } = world({ rate: 0.5 });
    process.timers.after(10, () => say('rang'));
    await timeline.run(100);
    expect(said).toEqual(['rang at 20.0']);
  });

  test('stopped, catches up in order when it is continued; what comes meanwhile waits behind', async () => {
    const { timeline, process, said, say } = world();
    process.timers.after(10, () => say('a'));
    process.timers.after(20, () => say('b'));
    timeline.after(5, () => process.stop('signal'));
    timeline.after(30, () => {
      process.continue('signal');
      process.post(() => say('c'));
    });
    await timeline.run(100);
    expect(said).toEqual(['a at 30.0', 'b at 30.0', 'c at 30.0']);
  });

  test('may be stopped again before it has caught up', async () => {
    const { timeline, process, said, say } = world();
    process.stop('signal');
    process.post(() => {
      say('a');
      process.stop('signal');
    });
    process.post(() => say('b'));
    process.continue('signal');
    await timeline.run(10);
    expect(said).toEqual(['a at 0.0']);
    timeline.after(5, () => process.continue('signal'));
    await timeline.run(20);
    expect(said).toEqual(['a at 0.0', 'b at 15.0']);
  });

  test('stands still until every reason to stand still is gone', async () => {
    const { timeline, process, said, say } = world();
    process.stop('signal');
    process.stop('freeze');
    process.post(() => say('on'));
    process.continue('signal');
    await timeline.run(5);
    expect(said).toEqual([]);
    process.continue('freeze');
    await timeline.run(10);
    expect(said).toEqual(['on at 5.0']);
  });

  test('killed, never takes another step, wherever it waited', async () => {
    const { timeline, process, said, say } = world();
    const slowly = (): Promise<void> => new Promise((resolve) => void timeline.after(5, resolve));
    const life = async (): Promise<void> => {
      say('asks');
      await process.call(slowly);
      say('goes on');
    };
    process.timers.after(1, () => void life());
    process.timers.after(2, () => say('due'));
    timeline.after(1.5, () => process.kill());
    await timeline.run(100);
    expect(said).toEqual(['asks at 1.0']);
  });

  test('a crash at a call comes before its effect, or after it', async () => {
    for (const phase of ['before', 'after'] as const) {
      const { timeline, process, said, say } = world();
      process.onCall = (now) => {
        if (now === phase) process.kill();
      };
      void process.call(async () => say('effect')).then(() => say('learnt'));
      await timeline.run(10);
      expect(said).toEqual(phase === 'before' ? [] : ['effect at 0.0']);
    }
  });

  test('learns of a refusal as of an answer, and what a step throws is told', async () => {
    const { timeline, process, said, say, crashes } = world();
    process.call(() => Promise.reject(new Error('refused'))).catch((error: Error) => say(error.message));
    process.timers.after(3, () => {
      throw new Error('bug');
    });
    await timeline.run(10);
    expect(said).toEqual(['refused at 0.0']);
    expect(crashes).toEqual([new Error('bug')]);
  });

  test('a timer of a machine whose clock stood still has the rest still to wait', async () => {
    const { timeline, clock, process, said, say } = world();
    process.timers.after(10, () => say('rang'));
    timeline.after(4, () => {
      clock.pause();
      process.stop('freeze');
    });
    timeline.after(24, () => {
      clock.resume();
      process.continue('freeze');
    });
    await timeline.run(100);
    expect(said).toEqual(['rang at 30.0']);
    expect(clock.boot.now()).toBe(500 + 80);
  });

  test('a timer taken back while its process stood still does not ring', async () => {
    const { timeline, process, said, say } = world();
    process.stop('signal');
    const cancel = process.timers.after(1, () => say('rang'));
    timeline.after(5, () => {
      cancel();
      process.continue('signal');
    });
    await timeline.run(10);
    expect(said).toEqual([]);
  });
});

describe('randomness', () => {
  test('the same seed draws the same; a fork does not depend on what was drawn before', () => {
    const one = new Random(7);
    const other = new Random(7);
    const early = one.fork('store');
    const drawn = Array.from({ length: 5 }, () => one.int(0, 1_000_000));
    expect(Array.from({ length: 5 }, () => other.int(0, 1_000_000))).toEqual(drawn);
    expect(other.fork('store').int(0, 1_000_000)).toBe(early.int(0, 1_000_000));
    expect(other.fork('hosts').int(0, 1_000_000)).not.toBe(new Random(7).fork('store').int(0, 1_000_000));
  });

  test('weights of 0 are never drawn, both ends of a range are', () => {
    const random = new Random(1);
    const drawn = Array.from({ length: 1_000 }, () =>
      random.weighted([
        ['never', 0],
        ['rare', 1],
        ['often', 9],
      ]),
    );
    expect(new Set(drawn)).toEqual(new Set(['rare', 'often']));
    expect(new Set(Array.from({ length: 200 }, () => random.int(1, 3)))).toEqual(new Set([1, 2, 3]));
    expect(random.shuffled([1, 2, 3, 4]).toSorted()).toEqual([1, 2, 3, 4]);
    expect(random.chance(0)).toBe(false);
    expect(random.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
