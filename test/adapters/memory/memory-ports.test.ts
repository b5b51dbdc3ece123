import { describe, expect, test } from '@jest/globals';
import { MemoryAlerts } from '../../../adapters/memory/memory-alerts.ts';
import { MemoryPower } from '../../../adapters/memory/memory-power.ts';
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

describe('memory power', () => {
  test('a stop leads to stopping, and no further by itself', async () => {
    const asked: string[] = [];
    const power = new MemoryPower({ onStop: (machine) => asked.push(machine) });
    power.set('i-1', 'running');
    await power.stop('i-1');
    expect(await power.state('i-1')).toBe('stopping');
    power.set('i-1', 'stopped');
    await power.stop('i-1');
    expect(await power.state('i-1')).toBe('stopped');
    expect([power.stops, asked]).toEqual([
      ['i-1', 'i-1'],
      ['i-1', 'i-1'],
    ]);
  });

  test('S8: a machine that nobody knows is unknown, and cannot be stopped', async () => {
    const power = new MemoryPower();
    expect(await power.state('i-9')).toBe('unknown');
    await expect(power.stop('i-9')).rejects.toMatchObject({ code: 'power_refused' });
    expect(power.stops).toEqual([]);
  });

  test('a stop whose answer was lost was accepted', async () => {
    const power = new MemoryPower({
      faults: (op, phase) => {
        if (op === 'stop' && phase === 'after') throw lost();
      },
    });
    power.set('i-1', 'running');
    await expect(power.stop('i-1')).rejects.toMatchObject({ code: 'timed_out' });
    expect(await power.state('i-1')).toBe('stopping');
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
