/** Orders that follow a change of owner: standing by, and going on in a newer epoch. */
import { describe, expect, test } from '@jest/globals';
import { rememberedOf, restoredSlot } from '../../../core/supervision/memory.ts';
import { slotReport } from '../../../core/supervision/report.ts';
import { Bench, CHAIN, order, service, uncovered } from './fixtures.ts';

const ALL = ['web', 'database', 'volume', 'address'];

describe('a newer epoch of what is not covered', () => {
  const one = [service('one')];
  const running = () => {
    const bench = new Bench().send({ type: 'start', order: uncovered(order(1, one)) });
    bench.probes('stopped', 'one').leave().done('start', 'one').take();
    return bench;
  };
  const found = (bench: Bench, epoch: number) =>
    bench.send({ type: 'monitor', service: 'one', run: bench.run('one'), result: 'running', epoch, detail: '' });

  test('goes on with what runs, and stays watched', () => {
    const bench = running().send({ type: 'start', order: uncovered(order(2, one)) });
    expect(bench.take()).toEqual(['report o2-start started']);
    expect(slotReport(bench.state)).toMatchObject({ epoch: 2, phase: 'Active', health: 'ok' });
    expect(bench.died('one').take()).toEqual(['stop one']);
    expect(bench.stopped('one').leave().done('start', 'one').take()).toEqual([
      'probe one',
      'ask leave',
      'start one',
      'watch one',
    ]);
  });

  test.each([
    ['a changed definition', uncovered(order(2, [service('one', { command: ['false'] })]))],
    ['a service left out', uncovered(order(2, [service('two')]))],
    ['becoming covered', order(2, one)],
  ])('%s stops it first', (_, newer) => {
    expect(running().send({ type: 'start', order: newer }).take()).toEqual(['stop one']);
  });

  test('an added service starts beside what runs', () => {
    const bench = running().send({ type: 'start', order: uncovered(order(2, [...one, service('two')])) });
    expect(bench.probes('stopped', 'two').take()).toEqual(['probe two', 'ask leave']);
    expect(bench.leave().done('start', 'two').take()).toEqual(['start two', 'watch two', 'report o2-start started']);
  });

  test('an agent that comes back adopts it from the older epoch, but nothing newer', () => {
    const memory = rememberedOf(running().state);
    if (memory === undefined) throw new Error('nothing remembered');
    const bench = new Bench(restoredSlot(memory)).send({ type: 'tick' });
    bench.send({ type: 'start', order: uncovered(order(2, one)) }).take();
    expect(found(bench, 1).take()).toEqual(['watch one', 'report o2-start started']);
    const late = new Bench().send({ type: 'start', order: uncovered(order(2, one)) });
    expect(found(late, 3).take()).toEqual(['probe one', 'stop one']);
  });
});

describe('standby', () => {
  const standby = (epoch: number) => ({ type: 'standby', order: order(epoch, CHAIN, 'standby') }) as const;

  test('S20: everything is probed before it is said; a later start begins', () => {
    const bench = new Bench().send(standby(1));
    expect(bench.take()).toEqual(['probe web', 'probe database', 'probe volume', 'probe address']);
    expect(slotReport(bench.state)).toMatchObject({ phase: 'Unknown', health: 'ok' });
    expect(bench.probes('stopped', 'web', 'database', 'volume').take()).toEqual([]);
    expect(bench.probes('stopped', 'address').take()).toEqual(['report o1-standby standing-by']);
    expect(slotReport(bench.state)).toMatchObject({ phase: 'Standby', health: 'ok' });
    expect(bench.send({ type: 'start', order: order(2) }).take()).toHaveLength(4);
  });

  test('what runs or cannot be told refuses it; nothing is stopped, and all is probed again later and later', () => {
    const bench = new Bench().send(standby(1)).probes('stopped', 'web', 'database');
    const probeAll = ['probe web', 'probe database', 'probe volume', 'probe address'];
    const run = bench.run('volume');
    bench.send({ type: 'monitor', service: 'volume', run, result: 'running', epoch: undefined, detail: '' }).take();
    expect(bench.probes('failed', 'address').take()).toEqual([
      'report o1-standby refused: not proven stopped: volume found running, started by nobody known; address monitor failed',
    ]);
    expect(slotReport(bench.state)).toMatchObject({
      phase: 'Unknown',
      health: 'warn',
      detail: 'not proven stopped: volume found running, started by nobody known; address monitor failed',
    });
    const pauses = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
    for (const pause of pauses) {
      expect(bench.send({ type: 'tick' }).effects).toEqual([{ do: 'wake', at: bench.now + pause }]);
      bench.take();
      bench.now += pause;
      expect(bench.send({ type: 'tick' }).take()).toEqual(probeAll);
      bench.probes('stopped', 'web', 'database').probes('running', 'volume').probes('failed', 'address');
      expect(bench.take()).toEqual([]); // Said already.
    }
    bench.now += 30_000;
    bench.send({ type: 'tick' }).take();
    expect(bench.probes('stopped', ...ALL).take()).toEqual(['report o1-standby standing-by']);
    expect(slotReport(bench.state)).toEqual({ group: 'shop', slot: 0, epoch: 1, phase: 'Standby', health: 'ok' });
  });

  test('the same order again is answered again; another is probed anew', () => {
    const bench = new Bench().send(standby(1)).probes('stopped', ...ALL);
    bench.take();
    expect(bench.send(standby(1)).take()).toEqual(['report o1-standby standing-by']);
    expect(bench.send(standby(2)).take()).toHaveLength(4);
    expect(slotReport(bench.state)).toMatchObject({ epoch: 2, phase: 'Unknown' });
  });

  test('refused while the slot runs here in that epoch', () => {
    const bench = new Bench().up();
    expect(bench.send(standby(1)).take()).toEqual(['report o1-standby refused: epoch 1 must be released first']);
  });

  test('of a newer epoch: what stands of the older one is not ours any more; it stops, is probed, and is stood by for', () => {
    const bench = new Bench().up().send(standby(2));
    expect(bench.take()).toEqual(['stop web', 'stop address']);
    bench.stopped('address').stopped('web').stopped('database').take();
    expect(bench.send(standby(2)).take()).toEqual([]); // Under way.
    expect(bench.stopped('volume').take()).toEqual(['probe volume', ...ALL.map((name) => `probe ${name}`)]);
    expect(bench.probes('stopped', ...ALL).take()).toEqual(['report o2-standby standing-by']);
  });

  test('of a newer epoch, after the lease was lost: asks no leave, then or later', () => {
    const bench = new Bench().up().send({ type: 'stop', reason: 'lease' });
    bench.stopped('address').stopped('web').stopped('database').stopped('volume');
    bench.send({ type: 'resume' }).leave(false, 'another session').take();
    bench.send(standby(2)).probes('stopped', ...ALL);
    bench.now += 60_000;
    expect(bench.send({ type: 'tick' }).take()).toEqual([
      ...ALL.map((name) => `probe ${name}`),
      'report o2-standby standing-by',
    ]);
  });

  test('of a newer epoch, over something that will not stop: refused, and tried again when it comes again', () => {
    const one = [service('one')];
    const order2 = { type: 'standby', order: order(2, one, 'standby') } as const;
    const bench = new Bench().send({ type: 'start', order: order(1, one) }).probes('stopped', 'one');
    bench.leave().done('start', 'one').send(order2);
    bench.done('stop', 'one', 'timed_out').done('kill', 'one').take();
    expect(bench.probes('running', 'one').take()).toEqual([
      'report o2-standby refused: stop_failed: still running from epoch 1: one',
    ]);
    expect(slotReport(bench.state)?.phase).toBe('Failed');
    expect(bench.send(order2).take()).toEqual(['stop one']);
    expect(bench.stopped('one').probes('stopped', 'one').take()).toEqual([
      'probe one',
      'probe one',
      'report o2-standby standing-by',
    ]);
  });

  test('a start of the same epoch takes the place of a standby that is still waiting for the stop', () => {
    const bench = new Bench()
      .up()
      .send(standby(2))
      .send({ type: 'start', order: order(2) });
    bench
      .stopped('address')
      .stopped('web')
      .stopped('database')
      .stopped('volume')
      .probes('stopped', ...ALL);
    expect(bench.take().at(-1)).toBe('ask leave');
  });
});
