import { describe, expect, test } from '@jest/globals';
import { MemoryAlerts } from '../../../adapters/memory/memory-alerts.ts';
import { MemoryGuardAsk } from '../../../adapters/memory/memory-guard-ask.ts';
import { MemoryPower } from '../../../adapters/memory/memory-power.ts';
import { MemoryProbe } from '../../../adapters/memory/memory-probe.ts';
import { MemoryWorkflow } from '../../../adapters/memory/memory-workflow.ts';
import { HaError } from '../../../core/failures/failures.ts';

const lost = () => new HaError('timed_out', 'the answer was lost');

describe('memory workflow', () => {
  test('a name starts once, also when it has ended', async () => {
    const workflow = new MemoryWorkflow();
    expect(await workflow.start('ha.db-1.s1.4', { host: 'db-1' })).toEqual({ outcome: 'started' });
    expect(await workflow.start('ha.db-1.s1.4', { host: 'other' })).toEqual({ outcome: 'exists' });
    expect(await workflow.status('ha.db-1.s1.4')).toBe('RUNNING');
    workflow.set('ha.db-1.s1.4', 'FAILED');
    expect(await workflow.start('ha.db-1.s1.4', { host: 'db-1' })).toEqual({ outcome: 'exists' });
    expect(workflow.executions).toEqual([{ name: 'ha.db-1.s1.4', input: '{"host":"db-1"}', status: 'FAILED' }]);
    workflow.set('ha.db-1.s1.4', undefined);
    expect(await workflow.status('ha.db-1.s1.4')).toBeUndefined();
  });

  test('an answer lost after the start leaves it started', async () => {
    const workflow = new MemoryWorkflow((op, phase) => {
      if (op === 'start' && phase === 'after') throw lost();
    });
    await expect(workflow.start('a', {})).rejects.toMatchObject({ code: 'timed_out' });
    expect(await workflow.status('a')).toBe('RUNNING');
  });
});

const FENCE = { skipOsShutdown: true, force: false };

describe('memory power', () => {
  test('a stop leads to stopping, and no further by itself', async () => {
    const asked: string[] = [];
    const power = new MemoryPower({ onStop: (machine) => asked.push(machine) });
    power.set('i-1', { state: 'running', launchTime: '2026-11-21T10:00:00.000Z' });
    await power.stop('i-1', FENCE);
    expect(await power.read('i-1')).toMatchObject({ state: 'stopping', launchTime: '2026-11-21T10:00:00.000Z' });
    power.set('i-1', { state: 'stopped' });
    await power.stop('i-1', FENCE);
    expect((await power.read('i-1')).state).toBe('stopped');
    expect([power.stops, asked, power.orders]).toEqual([
      ['i-1', 'i-1'],
      ['i-1', 'i-1'],
      [FENCE, FENCE],
    ]);
  });

  test('a stop whose answer was lost was accepted', async () => {
    const power = new MemoryPower({
      faults: (op, phase) => {
        if (op === 'stop' && phase === 'after') throw lost();
      },
    });
    power.set('i-1', { state: 'running' });
    await expect(power.stop('i-1', FENCE)).rejects.toMatchObject({ code: 'timed_out' });
    expect((await power.read('i-1')).state).toBe('stopping');
  });
});

describe('memory guard and probe', () => {
  test('S8: who was not set says nothing', async () => {
    const guard = new MemoryGuardAsk();
    expect(await guard.check('i-1')).toMatchObject({ outcome: 'unknown' });
    const answer = { outcome: 'answered', session: 's', stands: true, running: ['ledger/0'] } as const;
    guard.set('i-1', answer);
    expect(await guard.check('i-1')).toEqual(answer);
    expect(guard.asked).toEqual(['i-1', 'i-1']);
  });

  test('a target answers from when it was set until it is silenced', async () => {
    const probe = new MemoryProbe();
    const tcp = { kind: 'tcp', address: '10.0.0.1', port: 80 } as const;
    const http = { kind: 'http', url: 'http://10.0.0.1/health' } as const;
    expect(await probe.ask(tcp)).toBe('silent');
    probe.set('10.0.0.1:80', 'answered');
    expect([await probe.ask(tcp), await probe.ask(http)]).toEqual(['answered', 'silent']);
    probe.set('10.0.0.1:80', 'silent');
    expect(await probe.ask(tcp)).toBe('silent');
  });
});

describe('memory alerts', () => {
  test('keeps what was paged, in order, and nothing of a failed page', async () => {
    let isDown = false;
    const alerts = new MemoryAlerts(() => {
      if (isDown) throw lost();
    });
    await alerts.page('db-1 is held', 'no host');
    isDown = true;
    await expect(alerts.page('db-2 is held', 'no host')).rejects.toMatchObject({ code: 'timed_out' });
    expect(alerts.pages).toEqual([{ subject: 'db-1 is held', text: 'no host' }]);
  });
});
