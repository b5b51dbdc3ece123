import { describe, expect, test } from '@jest/globals';
import { rememberedOf, restoredSlot } from '../../../core/supervision/memory.ts';
import { slotHealth, slotReport } from '../../../core/supervision/report.ts';
import { slotStep } from '../../../core/supervision/slot.ts';
import { instant } from '../../../core/time/time.ts';
import { Bench, CHAIN, order, service } from './fixtures.ts';

const ALL = ['web', 'database', 'volume', 'address'];

describe('start', () => {
  test('probes what is unknown, then starts bottom up, each wave by its own leave', () => {
    const bench = new Bench().send({ type: 'start', order: order(1) });
    expect(bench.take()).toEqual(['probe web', 'probe database', 'probe volume', 'probe address']);
    expect(bench.probes('stopped', ...ALL).take()).toEqual(['ask leave']);
    expect(bench.leave().take()).toEqual(['start volume', 'start address']);
    expect(bench.done('start', 'volume').take()).toEqual(['watch volume', 'ask leave']);
    expect(bench.leave().take()).toEqual(['start database']);
    expect(bench.done('start', 'database').take()).toEqual(['watch database', 'ask leave']);
    expect(bench.leave().done('start', 'web').take()).toEqual(['start web', 'watch web']);
    expect(slotReport(bench.state)).toEqual({ group: 'shop', slot: 0, epoch: 1, phase: 'Starting', health: 'ok' });
    expect(bench.done('start', 'address').take()).toEqual(['watch address', 'report o1-start started']);
    expect(slotReport(bench.state)).toEqual({ group: 'shop', slot: 0, epoch: 1, phase: 'Active', health: 'ok' });
  });

  test('the same order again is answered again, and starts nothing', () => {
    const bench = new Bench().up();
    expect(bench.send({ type: 'start', order: order(1) }).take()).toEqual(['report o1-start started']);
  });

  test('a refused leave is asked again later and later, and starts nothing', () => {
    const bench = new Bench().send({ type: 'start', order: order(1, [service('one')]) }).probes('stopped', 'one');
    bench.leave(false, 'a hold is in force');
    expect(bench.effects.at(-1)).toEqual({ do: 'wake', at: 250 });
    bench.take();
    bench.now = 249;
    expect(bench.send({ type: 'tick' }).take()).toEqual([]);
    bench.now = 250;
    expect(bench.send({ type: 'tick' }).take()).toEqual(['ask leave']);
    bench.leave(false, 'a hold is in force');
    expect(bench.effects.at(-1)).toEqual({ do: 'wake', at: 750 });
    expect(slotReport(bench.state)?.detail).toBe('no leave to start: a hold is in force');
  });

  test('a failed start is cleaned up and tried once more, then the slot stops and fails for good (S15)', () => {
    const bench = new Bench().send({ type: 'start', order: order(1) }).probes('stopped', ...ALL);
    bench.leave().done('start', 'address').take();
    expect(bench.done('start', 'volume', 'failed').take()).toEqual(['stop volume']);
    expect(bench.stopped('volume').take()).toEqual(['probe volume', 'ask leave']);
    expect(bench.leave().take()).toEqual(['start volume']);
    expect(bench.done('start', 'volume', 'timed_out').take()).toEqual(['stop volume', 'stop address']);
    bench.stopped('volume');
    expect(bench.stopped('address').take()).toEqual([
      'probe volume',
      'probe address',
      'report o1-start failed: volume: start_failed: start timed out',
    ]);
    expect(slotReport(bench.state)?.phase).toBe('Failed');
    expect(bench.send({ type: 'start', order: order(1) }).take()).toEqual([
      'report o1-start failed: volume: start_failed: start timed out',
    ]);
  });

  test('a minor service that will not start lowers the health and fails nothing', () => {
    const services = [
      service('main'),
      service('extra', {
        impact: 'minor',
        actions: { start: { timeoutMs: 1, attempts: 1 }, stop: { timeoutMs: 1, attempts: 1 } },
      }),
    ];
    const bench = new Bench().send({ type: 'start', order: order(1, services) }).probes('stopped', 'main', 'extra');
    bench.leave().done('start', 'main').done('start', 'extra', 'failed').take();
    expect(bench.stopped('extra').take()).toEqual(['probe extra', 'report o1-start started: without extra']);
    expect(slotReport(bench.state)).toMatchObject({ phase: 'Active', health: 'warn' });
  });

  test('a minor service that something critical stands on is vital', () => {
    const services = [service('log', { impact: 'none' }), service('main', { dependsOn: ['log'] })];
    const bench = new Bench().send({ type: 'start', order: order(1, services) }).probes('stopped', 'main', 'log');
    for (let attempt = 0; attempt < 2; attempt += 1) bench.leave().done('start', 'log', 'failed').stopped('log');
    expect(bench.take()).toContain('report o1-start failed: log: start_failed: start failed');
  });

  test('dependencies that go round fail the order', () => {
    const round = [service('a', { dependsOn: ['b'] }), service('b', { dependsOn: ['a'] })];
    expect(new Bench().send({ type: 'start', order: order(1, round) }).take()).toEqual([
      'report o1-start failed: dependencies dangle or go round',
    ]);
  });
});

describe('discovery', () => {
  const found = (bench: Bench, name: string, epoch?: number) =>
    bench.send({ type: 'monitor', service: name, run: bench.run(name), result: 'running', epoch, detail: '' });

  test('what runs in the same epoch is adopted, without leave and without a restart', () => {
    const bench = new Bench().send({ type: 'start', order: order(4) });
    for (const name of ALL) found(bench, name, 4);
    expect(bench.take().slice(4)).toEqual([
      'watch web',
      'watch database',
      'watch volume',
      'watch address',
      'report o4-start started',
    ]);
  });

  test('what runs from another epoch is stopped first, and then started', () => {
    const bench = new Bench().send({ type: 'start', order: order(4, [service('one')]) });
    expect(found(bench, 'one', 3).take()).toEqual(['probe one', 'stop one']);
    expect(bench.stopped('one').take()).toEqual(['probe one', 'ask leave']);
  });

  test('a dependency found dead under a running dependant: the dependant comes down first', () => {
    const bench = new Bench().send({ type: 'start', order: order(4, CHAIN.slice(1, 3)) });
    found(bench, 'database', 4);
    expect(bench.probes('stopped', 'volume').take().slice(2)).toEqual(['watch database', 'stop database']);
    expect(bench.stopped('database').take()).toEqual(['probe database', 'ask leave']);
    expect(bench.leave().take()).toEqual(['start volume']);
  });
});

describe('crash', () => {
  test('dependants stop top down, then the crashed one, then all start bottom up', () => {
    const bench = new Bench().up();
    expect(bench.died('volume').take()).toEqual(['stop web']);
    expect(slotHealth(bench.state)).toBe('failed');
    expect(bench.stopped('web').take()).toEqual(['probe web', 'stop database']);
    expect(bench.stopped('database').take()).toEqual(['probe database', 'stop volume']);
    expect(bench.stopped('volume').take()).toEqual(['probe volume', 'ask leave']);
    expect(bench.leave().done('start', 'volume').leave().done('start', 'database').take()).toEqual([
      'start volume',
      'watch volume',
      'ask leave',
      'start database',
      'watch database',
      'ask leave',
    ]);
    expect(bench.leave().done('start', 'web').take()).toEqual(['start web', 'watch web']);
    expect(slotReport(bench.state)).toMatchObject({ phase: 'Active', health: 'ok' });
  });

  test('restarts are counted over a sliding window; beyond it the slot fails', () => {
    const bench = new Bench().up();
    const crashAndReturn = (at: number) => {
      bench.now = at;
      bench.died('address').stopped('address').leave().done('start', 'address');
    };
    crashAndReturn(0);
    crashAndReturn(60_000);
    crashAndReturn(90_000); // The first lies 90 s back: out of the window.
    bench.take();
    bench.now = 100_000;
    expect(bench.died('address', 9).take()).toEqual(['stop web', 'stop address']);
    bench.stopped('address').stopped('web').stopped('database').stopped('volume');
    expect(bench.take().at(-1)).toBe(
      'report o1-start failed: address: crashed too often: its process died with exit 9; restarted 2 times within 90000 ms',
    );
  });

  test('failed monitors count up to the limit, a good one in between clears them; "stopped" needs no second word', () => {
    const bench = new Bench().up();
    const monitor = (result: 'running' | 'failed' | 'stopped') => {
      bench.now += 1_000;
      bench.send({ type: 'tick' }).take();
      bench.send({ type: 'monitor', service: 'web', run: bench.run('web'), result, detail: '' });
      return bench.take();
    };
    expect(monitor('failed')).toEqual([]);
    expect(monitor('running')).toEqual([]);
    expect(monitor('failed')).toEqual([]);
    expect(monitor('failed')).toEqual(['stop web']);
    bench.stopped('web').leave().done('start', 'web').take();
    expect(monitor('stopped')).toEqual(['stop web']);
  });

  test('the death of an earlier life changes nothing', () => {
    const bench = new Bench().up();
    const life = bench.state.services['web']?.life ?? -1;
    bench.died('web').stopped('web').leave().done('start', 'web').take();
    expect(bench.send({ type: 'process_died', service: 'web', run: life, code: 1 }).take()).toEqual([]);
  });
});

describe('stop and release', () => {
  const release = { type: 'stop', reason: 'release', order: order(1, CHAIN, 'release') } as const;

  test('top down, each probed, then the guard proves it, and only then it is released', () => {
    const bench = new Bench().up().send(release);
    expect(bench.take()).toEqual(['stop web', 'stop address']);
    expect(bench.stopped('address').stopped('web').stopped('database').stopped('volume').take()).toEqual([
      'probe address',
      'probe web',
      'stop database',
      'probe database',
      'stop volume',
      'probe volume',
      'release e1',
    ]);
    const run = bench.state.release.run ?? -1;
    expect(slotReport(bench.state)?.phase).toBe('Stopping');
    expect(bench.send({ type: 'release_done', run, proven: true }).take()).toEqual(['report o1-release released']);
    expect(slotReport(bench.state)?.phase).toBe('Stopped');
    expect(bench.send({ type: 'start', order: order(1) }).take()).toEqual([
      'report o1-start refused: epoch 1 was released here',
    ]);
    expect(bench.send(release).take()).toEqual(['report o1-release released']);
    expect(bench.send({ type: 'start', order: order(2) }).take()).toEqual(ALL.map((name) => `probe ${name}`));
  });

  test('a slot never heard of is stopped and probed before it is released', () => {
    const bench = new Bench().send({ ...release, order: order(7, [service('one')], 'release') });
    expect(bench.take()).toEqual(['stop one']);
    expect(bench.stopped('one').take()).toEqual(['probe one', 'release e7']);
  });

  test('a stop that times out is followed by the kill; what survives it is a failed stop, never a release', () => {
    const bench = new Bench().up().send(release).stopped('web').stopped('database').stopped('volume');
    bench.take();
    expect(bench.done('stop', 'address', 'timed_out').take()).toEqual(['kill address']);
    expect(bench.done('kill', 'address').take()).toEqual(['probe address']);
    expect(bench.probes('running', 'address').take()).toEqual([
      'report o1-release failed: stop_failed: still running: address',
    ]);
    expect(slotReport(bench.state)).toMatchObject({ phase: 'Failed', health: 'failed' });
    expect(bench.send(release).take()).toEqual(['stop address']); // The standing order is tried again when it comes again.
    expect(bench.stopped('address').take()).toEqual(['probe address', 'release e1']);
  });

  test('a failed stop is attempted as often as the limits say, then killed', () => {
    const bench = new Bench().up().send(release);
    bench.take();
    expect(bench.done('stop', 'address', 'failed').take()).toEqual(['stop address']);
    expect(bench.done('stop', 'address', 'failed').take()).toEqual(['kill address']);
    expect(bench.done('kill', 'address').probes('stopped', 'address').take()).toEqual(['probe address']);
  });

  test('a guard that cannot prove it is asked five times, then the stop is reported failed', () => {
    const bench = new Bench().send({ ...release, order: order(1, [service('one')], 'release') }).stopped('one');
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      expect(bench.take()).toContain('release e1');
      bench.send({ type: 'release_done', run: bench.state.release.run ?? -1, proven: false });
      bench.now += 1_000;
      bench.send({ type: 'tick' });
    }
    expect(bench.take()).toEqual(['report o1-release failed: stop_failed: the guard could not prove the slot stopped']);
  });

  test('during a start: the start is superseded and its late answer ignored', () => {
    const bench = new Bench()
      .send({ type: 'start', order: order(1, [service('one')]) })
      .probes('stopped', 'one')
      .leave();
    const run = bench.run('one');
    bench.take();
    expect(bench.send({ type: 'stop', reason: 'lease' }).take()).toEqual(['stop one']);
    bench.send({ type: 'action_done', service: 'one', action: 'start', run, result: 'success', detail: '' });
    expect(bench.take()).toEqual([]);
  });
});

describe('lease', () => {
  test('a pause stops everything; only the lease standing again starts it, in the same epoch, by leave', () => {
    const bench = new Bench().up().send({ type: 'stop', reason: 'lease' });
    bench.stopped('address').stopped('web').stopped('database').stopped('volume').take();
    expect(slotReport(bench.state)?.phase).toBe('Stopped');
    expect(bench.send({ type: 'start', order: order(1) }).take()).toEqual([]);
    expect(bench.send({ type: 'resume' }).take()).toEqual(['ask leave']);
    expect(bench.leave().take()).toEqual(['start volume', 'start address']);
  });

  test('a leave asked for before the stop is void', () => {
    const bench = new Bench().send({ type: 'start', order: order(1, [service('one')]) }).probes('stopped', 'one');
    const run = bench.state.ask ?? -1;
    bench.send({ type: 'stop', reason: 'lease' }).send({ type: 'resume' }).take();
    expect(bench.send({ type: 'leave', run, granted: true, why: '' }).take()).toEqual([]);
  });
});

describe('epochs', () => {
  test('a newer epoch takes the old one down before anything of it is even probed', () => {
    const bench = new Bench().up().send({ type: 'start', order: order(2, [service('new')]) });
    expect(bench.take()).toEqual(['stop web', 'stop address']);
    bench.stopped('address').stopped('web').stopped('database').take();
    expect(bench.stopped('volume').take()).toEqual(['probe volume', 'probe new']);
  });

  test('an older epoch is refused', () => {
    const bench = new Bench().up(3);
    expect(bench.send({ type: 'start', order: order(2) }).take()).toEqual([
      'report o2-start refused: epoch 3 stands here',
    ]);
  });

  test('a newer epoch does not begin over something that will not stop', () => {
    const bench = new Bench()
      .send({ type: 'start', order: order(1, [service('one')]) })
      .probes('stopped', 'one')
      .leave();
    bench.done('start', 'one').send({ type: 'start', order: order(2, [service('one')]) });
    bench.done('stop', 'one', 'timed_out').done('kill', 'one', 'failed').take();
    expect(bench.probes('running', 'one').take()).toEqual([
      'report o2-start failed: stop_failed: still running from epoch 1: one',
    ]);
  });
});

describe('memory', () => {
  const again = (bench: Bench) => {
    const memory = rememberedOf(bench.state);
    if (memory === undefined) throw new Error('nothing remembered');
    return new Bench(restoredSlot(memory));
  };

  test('an agent that comes back watches what runs and starts nothing until the order arrives again', () => {
    const bench = again(new Bench().up(5)).send({ type: 'tick' });
    expect(slotReport(bench.state)?.phase).toBe('Unknown');
    for (const name of ALL)
      bench.send({ type: 'monitor', service: name, run: bench.run(name), result: 'running', epoch: 5, detail: '' });
    expect(slotReport(bench.state)?.phase).toBe('Active');
    bench.take();
    expect(bench.died('web').take()).toEqual([]);
    expect(bench.send({ type: 'start', order: order(5) }).take()).toEqual(['probe web']);
    expect(bench.probes('stopped', 'web').take()).toEqual(['ask leave']);
    expect(bench.leave().done('start', 'web').take()).toEqual(['start web', 'watch web', 'report o5-start started']);
  });

  test('a released epoch stays released', () => {
    const bench = new Bench()
      .send({ type: 'stop', reason: 'release', order: order(3, [service('one')], 'release') })
      .stopped('one');
    bench.send({ type: 'release_done', run: bench.state.release.run ?? -1, proven: true });
    expect(
      again(bench)
        .send({ type: 'start', order: order(3) })
        .take(),
    ).toEqual(['report o3-start refused: epoch 3 was released here']);
  });

  test('a release interrupted by the crash goes on, from stopping again', () => {
    const bench = new Bench().up().send({ type: 'stop', reason: 'release', order: order(1, CHAIN, 'release') });
    expect(again(bench).send({ type: 'tick' }).take()).toEqual(['stop web', 'stop address']);
  });

  test('a standby is probed anew: that it stood by once proves nothing', () => {
    const bench = again(
      new Bench().send({ type: 'standby', order: order(1, CHAIN, 'standby') }).probes('stopped', ...ALL),
    );
    expect(slotReport(bench.state)?.phase).toBe('Unknown');
    expect(bench.send({ type: 'tick' }).take()).toHaveLength(4);
    expect(bench.probes('stopped', ...ALL).take()).toEqual(['report o1-standby standing-by']);
  });

  test('nothing ordered, nothing remembered', () => {
    expect(rememberedOf(new Bench().state)).toBeUndefined();
  });
});

test('a step does not change the state it was given', () => {
  const bench = new Bench().up();
  const before = JSON.stringify(bench.state);
  slotStep(bench.state, { type: 'stop', reason: 'lease' }, instant(5));
  expect(JSON.stringify(bench.state)).toBe(before);
});
