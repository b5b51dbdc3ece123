import { describe, expect, test } from '@jest/globals';
import type { Noise } from '../../../sim/contract/faults.ts';
import type { Scene } from '../../../sim/contract/scene.ts';
import type { Told } from '../../../sim/contract/truth.ts';
import type { Outcome } from '../../../sim/control/environment.ts';
import { Environments } from '../../../sim/control/environments.ts';
import type { SimProcess } from '../../../sim/kernel/process.ts';
import { Random } from '../../../sim/kernel/random.ts';
import { Timeline } from '../../../sim/kernel/timeline.ts';
import type { Handler } from '../../../lambdas/shared/edge.ts';

const SCENE: Scene = {
  seed: 1,
  profile: 'standard',
  cluster: 'c',
  yaml: '',
  hosts: [],
  faultsForMs: 0,
  quietForMs: 0,
  noise: {},
  faults: [],
  acts: [],
};

interface Outside {
  readonly process: SimProcess;
  /** A call that takes effect at once, and is answered after `ms`. */
  readonly call: (what: string, ms?: number) => Promise<void>;
}

function lambda(handle: (outside: Outside, event: unknown) => Promise<unknown>, seed = 1, noise: Noise = {}) {
  const timeline = new Timeline();
  const told: Told[] = [];
  const effects: string[] = [];
  const moments: number[] = [];
  const stage = {
    timeline,
    random: new Random(seed),
    tell: (fact: object) => void told.push({ ...fact, at: timeline.now() } as Told), // As it was told.
    mutation: null,
  };
  const make = (_fn: string, process: SimProcess): Handler<unknown> => {
    const call = (what: string, ms = 10): Promise<void> =>
      process.call(() => {
        moments.push(timeline.now());
        effects.push(`${process.name} ${what} at ${Math.floor(timeline.now() / 1_000)} s`);
        return new Promise((resolve) => void timeline.after(ms, resolve));
      });
    return (event) => handle({ process, call }, event);
  };
  const environments = new Environments(stage, SCENE, make);
  environments.setNoise(noise);
  const faults = (kind: string): readonly Told[] => told.filter((fact) => fact.type === 'fault' && fact.kind === kind);
  return { timeline, told, effects, moments, environments, faults };
}

describe('environments', () => {
  test('one invocation at a time: a second one makes another environment, a later one finds it warm', async () => {
    const { environments, timeline, effects } = lambda(async ({ call }, event) => call(String(event), 1_000));
    void environments.invoke('reconcile', 'a');
    void environments.invoke('reconcile', 'b');
    await timeline.run(5_000);
    void environments.invoke('reconcile', 'c');
    void environments.invoke('api', 'd');
    await timeline.run(10_000);
    expect(effects.toSorted()).toEqual([
      'api~1 d at 5 s',
      'reconcile~1 a at 0 s',
      'reconcile~2 b at 0 s',
      expect.stringMatching(/^reconcile~[12] c at 5 s$/),
    ]);
  });

  test('answers and faults reach the invoker by way of JSON, faults with their names', async () => {
    const { environments, timeline, told } = lambda(async (_, event) => {
      if (event === 'fail') throw Object.assign(new Error('no'), { name: 'conflict', code: 'conflict' });
      if (event === 'bug') throw new TypeError('broken');
      return { moment: undefined, event };
    });
    const outcomes = [1, 'fail', 'bug'].map((event) => environments.invoke('ha-fence', event));
    await timeline.run(5_000);
    expect((await Promise.all(outcomes)).map((one) => (one.ok ? one.text : one.error))).toEqual([
      '{"event":1}',
      'conflict',
      'TypeError',
    ]);
    expect(told.filter(({ type }) => type === 'bug')).toMatchObject([{ who: expect.stringContaining('ha-fence') }]);
  });

  test('a killed invocation never makes another call, and its invoker learns that it is gone', async () => {
    let isEarlySeen = false;
    for (let seed = 1; seed <= 40; seed += 1) {
      const calls = lambda(
        async ({ call, process }) => {
          void process.sleeper.sleep(400).then(() => call('from behind'));
          for (let n = 1; n <= 160; n += 1) await call(`call ${n}`, 50);
        },
        seed,
        { lambda_killed: 1 },
      );
      const outcome = calls.environments.invoke('ha-recover', {});
      await calls.timeline.run(30_000);
      const [fault] = calls.faults('lambda_killed');
      expect(await outcome).toMatchObject({ ok: false, error: 'Lambda.Unknown' });
      expect(Math.max(0, ...calls.moments)).toBeLessThanOrEqual(fault?.at ?? 0);
      expect(calls.effects.length).toBeLessThan(160);
      if (fault?.type === 'fault' && fault.says === 'killed before its call 3') isEarlySeen = true;
      expect(calls.told.filter((fact) => fact.type === 'invocation').map((fact) => fact.now)).toEqual([
        'begun',
        'killed',
      ]);
    }
    expect(isEarlySeen).toBe(true);
  });

  test('the same event again is another invocation, and only the first one answers', async () => {
    const { environments, timeline, effects, faults } = lambda(
      async ({ call, process }) => {
        await call('once');
        return process.name;
      },
      3,
      { lambda_twice: 1 },
    );
    const outcomes: Outcome[] = [];
    void environments.invoke('reconcile', {}).then((outcome) => outcomes.push(outcome));
    void environments.invoke('api', {}).then((outcome) => outcomes.push(outcome));
    await timeline.run(60_000);
    expect(faults('lambda_twice')).toMatchObject([{ subject: 'reconcile' }]);
    expect(effects.filter((effect) => effect.startsWith('reconcile'))).toHaveLength(2);
    expect(effects.filter((effect) => effect.startsWith('api'))).toHaveLength(1);
    expect(outcomes).toHaveLength(2);
  });

  test('what an invocation left going stands still until the next one begins', async () => {
    const { environments, timeline, effects } = lambda(async ({ call, process }) => {
      void process.sleeper.sleep(2_000).then(() => call('from behind'));
      await call('mine');
    });
    void environments.invoke('ha-fence', {});
    await timeline.run(15_000);
    expect(effects).toEqual(['ha-fence~1 mine at 0 s']);
    void environments.invoke('ha-fence', {});
    await timeline.run(16_000);
    expect(effects).toEqual(['ha-fence~1 mine at 0 s', 'ha-fence~1 from behind at 15 s', 'ha-fence~1 mine at 15 s']);
  });

  test('a time-out ends or suspends the environment: the rest of its work is never done, or done in the next invocation', async () => {
    const seen: string[] = [];
    for (let seed = 1; seed <= 20; seed += 1) {
      const { environments, timeline, effects, told } = lambda(async ({ call, process }, event) => {
        if (event === 'slow') await process.sleeper.sleep(70_000);
        await call(String(event));
      }, seed);
      const slow = environments.invoke('ha-fence', 'slow');
      await timeline.run(90_000);
      expect(await slow).toEqual({
        ok: false,
        error: 'Lambda.Unknown',
        cause: 'Task timed out after 60.00 seconds',
      });
      expect(effects).toEqual([]);
      void environments.invoke('ha-fence', 'next');
      await timeline.run(200_000);
      seen.push(effects.join(', '));
      const ends = told.flatMap((fact) => (fact.type === 'invocation' && fact.now !== 'begun' ? [fact.now] : []));
      expect(ends).toEqual(['failed', 'ended']);
    }
    const suspended = seen.filter((one) => one === 'ha-fence~1 slow at 90 s, ha-fence~1 next at 90 s');
    const ended = seen.filter((one) => one === 'ha-fence~2 next at 90 s');
    expect(suspended.length + ended.length).toBe(20);
    // Drawn evenly; an old environment is not used again either way.
    expect(suspended.length).toBeGreaterThan(4);
    expect(ended.length).toBeGreaterThan(4);
  });

  test('one that is suspended makes the call that it was about to make when it goes on', async () => {
    const delays: number[] = [];
    for (let seed = 1; seed <= 30; seed += 1) {
      const { environments, timeline, effects, moments, faults } = lambda(
        async ({ call }) => {
          for (let n = 1; n <= 151; n += 1) await call(`call ${n}`);
        },
        seed,
        { lambda_frozen: 1 },
      );
      void environments.invoke('find-behind', {});
      await timeline.run(115_000);
      const [fault] = faults('lambda_frozen');
      const [, ms = '0', phase, at = '0'] =
        /for (\d+) ms (before|after) its call (\d+)/.exec(fault?.type === 'fault' ? fault.says : '') ?? [];
      if (Number(ms) > 112_000) {
        expect(effects).toHaveLength(Number(at) - (phase === 'before' ? 1 : 0));
        continue;
      }
      expect(effects).toHaveLength(151);
      // The call itself, or the one that follows the answer.
      const next = moments[Number(at) - (phase === 'before' ? 1 : 0)];
      if (next !== undefined) delays.push(next - (fault?.at ?? 0) - Number(ms));
    }
    expect(delays.length).toBeGreaterThan(15);
    expect(Math.max(...delays.map(Math.abs))).toBeLessThan(1);
  });

  test('wall clocks lie within the spread, boot clocks within their rate', async () => {
    const clocks: SimProcess['clock'][] = [];
    const { environments, timeline } = lambda(async ({ call, process }) => {
      clocks.push(process.clock);
      await call('one', 5_000);
    });
    environments.setWallSpread(400);
    for (let n = 0; n < 30; n += 1) void environments.invoke('reconcile', {});
    await timeline.run(1_000);
    const offsets = clocks.map((clock) => clock.wall.now() - 1_767_603_600_000 - 1_000);
    expect(Math.max(...offsets.map(Math.abs))).toBeLessThanOrEqual(401);
    expect(Math.max(...offsets) - Math.min(...offsets)).toBeGreaterThan(400);
    expect(clocks.every(({ rate }) => rate >= 0.999 && rate <= 1.001)).toBe(true);
  });
});
